"""The figures as a table of ratios, in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.trial import Figures

WORSE = "▼"


@dataclass(frozen=True)
class Row:
    """A measure: what it is called, its unit, and whether more of it is better."""

    key: str
    name: str
    unit: str
    more: bool = False


ROWS = (
    Row("cycles", "Approvals per second, created, decided and seen final", "/s", more=True),
    Row("cpu_cycles", "CPU per 1,000 of these, app and hub", "s"),
    Row("creates", "Creates per second, until all wait for a decision", "/s", more=True),
    Row("creates_answered", "Creates per second, until all are answered", "/s", more=True),
    Row("decisions", "Decisions per second, nobody looking", "/s", more=True),
    Row("decisions_seen", "Decisions per second, each seen final", "/s", more=True),
    Row("answer_p50", "Decision to its answer, many at once, p50 (ours confirms, the others do not)", "ms"),
    Row("latency_p50", "Decision to final status seen, many at once, p50", "ms"),
    Row("latency_p99", "Decision to final status seen, many at once, p99", "ms"),
    Row("alone_p50", "Decision to final status seen, one at a time, p50", "ms"),
    Row("alone_p99", "Decision to final status seen, one at a time, p99", "ms"),
    Row("cpu_app", "CPU per 1,000 approvals, app, nobody looking", "s"),
    Row("cpu_both", "CPU per 1,000 approvals, app and hub, nobody looking", "s"),
    Row("cpu_hub", "CPU per 1,000 approvals, hub alone, nobody looking", "s"),
    Row("cpu_app_seen", "CPU per 1,000 approvals, app, each seen final", "s"),
    Row("cpu_both_seen", "CPU per 1,000 approvals, app and hub, each seen final", "s"),
    Row("memory_app", "Peak memory, app", "MB"),
    Row("memory_both", "Peak memory, app and hub", "MB"),
    Row("turns", "Orchestrator turns per approval", ""),
    Row("activities", "Activities per approval", ""),
    Row("actions", "Scheduler actions per approval", ""),
    Row("calls_creation", "Calls to the scheduler per creation", ""),
    Row("calls_decision", "Calls to the scheduler per decision, nobody looking", ""),
)

COLUMNS = (("ours", "sample"), ("sample", "seed"), ("ours", "seed"))
"""What the product costs on one host; what the host costs; both together."""

RAW = (
    "The raw figures of the same run, ours : sample : seed, medians, and in brackets the least and the greatest of "
    "ours. They hold for that machine and that hour only."
)

Rounds = dict[int, list[Figures]]
"""Of one system: by the number of pending requests, the figures of each round."""


def markdown(played: dict[str, Rounds], conditions: str) -> str:
    """Write the ratios, and the raw figures below them."""
    pending = list(played["ours"])
    heads = [f"{a} ÷ {b}, {n:,} pending" for n in pending for a, b in COLUMNS]
    raws = [f"{n:,} pending" for n in pending]
    lines = [
        f"Ratios of medians: {conditions}.",
        f"`{WORSE}` marks a row in which the first of the two is worse.",
        "",
        f"| Measure | better is | {' | '.join(heads)} |",
        f"|---|---|{'---:|' * len(heads)}",
        *(f"| {row.name} | {'more' if row.more else 'less'} | {ratios(row, played)} |" for row in ROWS),
        "",
        RAW,
        "",
        f"| Measure | {' | '.join(raws)} |",
        f"|---|{'---:|' * len(raws)}",
        *(f"| {row.name}{row.unit and f', {row.unit}'} | {raw(row, played)} |" for row in ROWS),
    ]
    return "\n".join(lines) + "\n"


def ratios(row: Row, played: dict[str, Rounds]) -> str:
    """Write the ratios of the medians for each number of pending requests."""
    return " | ".join(
        marked(row, middle(row, played[a][n]), middle(row, played[b][n])) for n in played["ours"] for a, b in COLUMNS
    )


def marked(row: Row, one: float, other: float) -> str:
    """Write a ratio to two places, with the marker when the first is worse by as much as is written."""
    if not other:
        return "none : none" if not one else f"{one:.3g} : none"
    shown = round(one / other, 2)
    worse = shown < 1 if row.more else shown > 1
    return f"{WORSE} {shown:.2f}" if worse else f"{shown:.2f}"


def raw(row: Row, played: dict[str, Rounds]) -> str:
    """Write the medians of all, and between what ours lie."""
    cells = []
    for pending in played["ours"]:
        figures = " : ".join(f"{middle(row, rounds[pending]):.4g}" for rounds in played.values())
        each = [figure[row.key] for figure in played["ours"][pending]]
        cells.append(f"{figures} ({min(each):.4g}–{max(each):.4g})")  # noqa: RUF001 - a range
    return " | ".join(cells)


def middle(row: Row, rounds: list[Figures]) -> float:
    """Give the median over the rounds."""
    return median(figures[row.key] for figures in rounds)

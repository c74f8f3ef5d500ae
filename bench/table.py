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
    Row("answer_p50", "Decision to its answer, many at once, p50 (ours and floor confirm, the others do not)", "ms"),
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

NOT_COUNTED = "–"  # noqa: RUF001 - what stands in a table for nothing
COLUMNS = (("ours", "sample"), ("floor", "sample"), ("sample", "seed"), ("ours", "seed"), ("ours", "restate"))
"""What the product costs on one host, and would without any code of its own; what the host costs; both; the peer."""

RAW = (
    "The raw figures of the same run, {systems}, medians, and in brackets the least and the greatest "
    "of ours. They hold for that machine and that hour only."
)

Rounds = dict[int, list[Figures]]
"""Of one system: by the number of pending requests, the figures of each round."""


def markdown(played: dict[str, Rounds], conditions: str) -> str:
    """Write the ratios, and the raw figures below them."""
    pending = list(played["ours"])
    heads = [f"{a} ÷ {b}, {n:,} pending" for n in pending for a, b in columns(played)]
    raws = [f"{n:,} pending" for n in pending]
    lines = [
        f"Ratios of medians: {conditions}.",
        f"`{WORSE}` marks a row in which the first of the two is worse.",
        "",
        f"| Measure | better is | {' | '.join(heads)} |",
        f"|---|---|{'---:|' * len(heads)}",
        *(f"| {row.name} | {'more' if row.more else 'less'} | {ratios(row, played)} |" for row in ROWS),
        "",
        RAW.format(systems=" : ".join(played)),
        "",
        f"| Measure | {' | '.join(raws)} |",
        f"|---|{'---:|' * len(raws)}",
        *(f"| {row.name}{row.unit and f', {row.unit}'} | {raw(row, played)} |" for row in ROWS),
    ]
    return "\n".join(lines) + "\n"


def columns(played: dict[str, Rounds]) -> list[tuple[str, str]]:
    """Give the pairs of which both were played."""
    return [(one, other) for one, other in COLUMNS if one in played and other in played]


def ratios(row: Row, played: dict[str, Rounds]) -> str:
    """Write the ratios of the medians for each number of pending requests."""
    return " | ".join(
        marked(row, middle(row, played[a][n]), middle(row, played[b][n]))
        for n in played["ours"]
        for a, b in columns(played)
    )


def marked(row: Row, one: float | None, other: float | None) -> str:
    """Write a ratio to two places, with the marker when the first is worse by as much as is written."""
    if one is None or other is None:
        return NOT_COUNTED
    if not other:
        return "none : none" if not one else f"{one:.3g} : none"
    shown = round(one / other, 2)
    worse = shown < 1 if row.more else shown > 1
    return f"{WORSE} {shown:.2f}" if worse else f"{shown:.2f}"


def raw(row: Row, played: dict[str, Rounds]) -> str:
    """Write the medians of all, and between what ours lie."""
    cells = []
    for pending in played["ours"]:
        middles = [middle(row, rounds[pending]) for rounds in played.values()]
        figures = " : ".join(NOT_COUNTED if each is None else f"{each:.4g}" for each in middles)
        each = [figure[row.key] for figure in played["ours"][pending]]
        cells.append(f"{figures} ({min(each):.4g}–{max(each):.4g})")  # noqa: RUF001 - a range
    return " | ".join(cells)


def middle(row: Row, rounds: list[Figures]) -> float | None:
    """Give the median over the rounds; nothing where a system does not count that."""
    return median(figures[row.key] for figures in rounds) if all(row.key in figures for figures in rounds) else None

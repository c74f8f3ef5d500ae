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
    Row("creates", "Creates per second, until all wait for a decision", "/s", more=True),
    Row("creates_answered", "Creates per second, until all are answered", "/s", more=True),
    Row("decisions", "Decisions per second, nobody looking", "/s", more=True),
    Row("decisions_seen", "Decisions per second, each seen final", "/s", more=True),
    Row("latency_p50", "Decision to final status seen, many at once, p50", "ms"),
    Row("latency_p99", "Decision to final status seen, many at once, p99", "ms"),
    Row("alone_p50", "Decision to final status seen, one at a time, p50", "ms"),
    Row("alone_p99", "Decision to final status seen, one at a time, p99", "ms"),
    Row("cpu_app", "CPU per 1,000 approvals, app, nobody looking", "s"),
    Row("cpu_both", "CPU per 1,000 approvals, app and hub, nobody looking", "s"),
    Row("cpu_app_seen", "CPU per 1,000 approvals, app, each seen final", "s"),
    Row("cpu_both_seen", "CPU per 1,000 approvals, app and hub, each seen final", "s"),
    Row("memory_app", "Peak memory, app", "MB"),
    Row("memory_both", "Peak memory, app and hub", "MB"),
    Row("turns", "Orchestrator turns per approval", ""),
    Row("activities", "Activities per approval", ""),
    Row("actions", "Scheduler actions per approval", ""),
)

RAW = (
    "The raw figures of the same run, ours : seed, with the least and the greatest ratio of a round. They hold for "
    "that machine and that hour only."
)

Rounds = dict[int, list[Figures]]
"""Of one system: by the number of pending requests, the figures of each round."""


def markdown(ours: Rounds, seed: Rounds, conditions: str) -> str:
    """Write the ratios, and the raw figures below them."""
    head = " | ".join(f"{pending:,} pending" for pending in ours)
    lines = [
        f"Ratios, ours ÷ seed: {conditions}.",
        f"`{WORSE}` marks a row in which ours is worse.",
        "",
        f"| Measure | better is | {head} |",
        f"|---|---|{'---:|' * len(ours)}",
        *(f"| {row.name} | {'more' if row.more else 'less'} | {ratios(row, ours, seed)} |" for row in ROWS),
        "",
        RAW,
        "",
        f"| Measure | {head} |",
        f"|---|{'---:|' * len(ours)}",
        *(f"| {row.name}{row.unit and f', {row.unit}'} | {raw(row, ours, seed)} |" for row in ROWS),
    ]
    return "\n".join(lines) + "\n"


def ratios(row: Row, ours: Rounds, seed: Rounds) -> str:
    """Write the ratio of the medians for each number of pending requests."""
    return " | ".join(marked(row, middle(row, ours[n]) / middle(row, seed[n])) for n in ours)


def marked(row: Row, ratio: float) -> str:
    """Write a ratio to two places, with the marker when ours is worse by as much as is written."""
    shown = round(ratio, 2)
    worse = shown < 1 if row.more else shown > 1
    return f"{WORSE} {shown:.2f}" if worse else f"{shown:.2f}"


def raw(row: Row, ours: Rounds, seed: Rounds) -> str:
    """Write the medians, and between which ratios the rounds lie."""
    cells = []
    for pending in ours:
        each = [a[row.key] / b[row.key] for a, b in zip(ours[pending], seed[pending], strict=True)]
        figures = f"{middle(row, ours[pending]):.4g} : {middle(row, seed[pending]):.4g}"
        cells.append(f"{figures} ({min(each):.2f}–{max(each):.2f})")  # noqa: RUF001 - a range
    return " | ".join(cells)


def middle(row: Row, rounds: list[Figures]) -> float:
    """Give the median over the rounds."""
    return median(figures[row.key] for figures in rounds)

"""Words for people: templates, and how times, durations and a caller's details are written in them.

Every value is written as people may see it (`visible`), and in HTML escaped. Where one is missing the template fails,
in the tests, not on a page.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from approvals.rules.hearing import silence_now
from approvals.rules.story import Status
from approvals.rules.text import visible
from approvals.rules.value import compact, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from approvals.rules.story import Found

SILENCE = {
    "approve": "silence counts as approval",
    "reject": "silence counts as rejection",
    "escalate": "other people are asked instead",
    "timeout": "the request ends without approval",
}
"""What happens when nobody answers, in words."""
MOST_ROWS, MOST_STEPS, STEP_CHARACTERS = 100, 4, 120
"""How much is shown of details: rows, names on the way to a value, characters of such a name."""
Row = tuple[tuple[str, ...], str]
ENDED = {
    Status.APPROVED: "as agreed, that counts as approval",
    Status.REJECTED: "as agreed, that counts as rejection",
    Status.TIMEOUT: "the request was closed without approval",
}
"""What came of it that too few people had answered by the deadline."""
STATUS_WORDS = {
    Status.PENDING: "open",
    Status.APPROVED: "approved",
    Status.REJECTED: "rejected",
    Status.TIMEOUT: "closed: the time ran out",
    Status.CANCELLED: "cancelled",
    Status.FAILED: "stopped by a fault of the service",
}
"""What a request is, after "The request is" or "It was"."""
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


@cache
def templates(folder: Path) -> Environment:
    """Give the templates of a folder."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        auto_reload=False,  # or each page would look whether a file has changed
        finalize=finalize_value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "utc": format_instant,
        "rfc3339": rfc3339,
        "span": format_duration,
        "silence": lambda found: SILENCE[silence_now(found)],
        "silence_sentence": silence_sentence,
        "status_word": STATUS_WORDS.get,
    }
    return made


def silence_sentence(found: Found) -> str:
    """Say why a request ended by its deadline and not by an answer: in words that follow the answers there were."""
    yes, no = found.votes(yes=True), found.votes(yes=False)
    if not yes and not no:
        said = "Nobody who was asked last answered in time" if found.story.votes else "Nobody answered in time"
    else:
        rejected = f", {no} rejected" if no else ""
        said = f"Not enough people answered in time: {yes} of {found.panel.required} approved{rejected}"
    became = ENDED.get(found.story.status)
    return f"{said}; {became}." if became else f"{said}."


def finalize_value(value: Any) -> Any:
    """Give a value as it is shown, wherever a template writes one; what is markup already has been through here."""
    return value if hasattr(value, "__html__") else visible(str(value))


def format_instant(moment: dt.datetime) -> str:
    """Write an instant for people, in UTC: Thursday, 26 November 2026, 14:30 UTC."""
    there = moment.astimezone(dt.UTC)
    return f"{there:%A}, {there.day} {there:%B %Y, %H:%M} UTC"  # %-d is not known on Windows


def format_duration(duration: dt.timedelta) -> str:
    """Write a duration for people, its two largest units: 2 days 3 hours; less than a minute is said so."""
    rest, said = int(duration.total_seconds()), []
    for name, seconds in UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            said.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(said[:2]) or "less than a minute"


def detail_rows(details: Any) -> tuple[list[Row], int]:
    """Give a caller's details as rows, and how many more there are than are shown.

    A row has the names on the way, and the value in words. Lists of plain values are one row, and so is what lies
    deeper than four steps, as its JSON. Names are cut, values are not; so no details of n bytes fill more than about
    n bytes and a hundred rows.
    """
    found = find_rows(details, ())
    shown = list(islice(found, MOST_ROWS))
    return shown, sum(1 for _ in found)


def find_rows(details: Any, path: tuple[str, ...]) -> Iterator[Row]:
    """Find the rows of what lies at a path."""
    if not isinstance(details, dict | list):
        if path:
            yield path, format_plain(details)
    elif not details:
        if path:
            yield path, "none"
    elif isinstance(details, list) and not any(isinstance(each, dict | list) for each in details):
        yield path, ", ".join(format_plain(each) for each in details)
    elif len(path) == MOST_STEPS:
        yield path, compact(details)
    else:
        named = details.items() if isinstance(details, dict) else ((str(i), each) for i, each in enumerate(details, 1))
        for name, value in named:
            short = name if len(name) <= STEP_CHARACTERS else f"{name[: STEP_CHARACTERS - 1]}…"
            yield from find_rows(value, (*path, short))


def format_plain(value: Any) -> str:
    """Write a plain value for people."""
    words = {True: "yes", False: "no", None: "none"}
    return words[value] if value is None or isinstance(value, bool) else str(value)

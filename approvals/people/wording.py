"""Words for people: templates, and how times, durations and a caller's details are written in them.

In HTML every value is escaped. Where a value is missing the template fails, in the tests, not on a page.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from approvals.rules.story import Status
from approvals.rules.value import rfc3339

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
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "utc": format_instant,
        "rfc3339": rfc3339,
        "span": format_duration,
        "silence": SILENCE.get,
        "silence_sentence": silence_sentence,
        "status_word": STATUS_WORDS.get,
    }
    return made


def silence_sentence(found: Found) -> str:
    """Say why a request ended by its deadline and not by an answer: in words that follow the answers there were."""
    yes, no = found.votes(yes=True), found.votes(yes=False)
    if not yes and not no:
        said = "Nobody answered in time"
    else:
        rejected = f", {no} rejected" if no else ""
        said = f"Not enough people answered in time: {yes} of {found.panel.required} approved{rejected}"
    became = ENDED.get(found.story.status)
    return f"{said}; {became}." if became else f"{said}."


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


def detail_rows(details: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give a caller's details as rows: the names on the way, and the value in words. Lists of plain values are one."""
    plain = not isinstance(details, dict | list)
    if isinstance(details, list) and details and not any(isinstance(each, dict | list) for each in details):
        yield path, ", ".join(format_plain(each) for each in details)
    elif plain or not details:
        if path:
            yield path, format_plain(details) if plain else "none"
    else:
        named = details.items() if isinstance(details, dict) else ((str(i), each) for i, each in enumerate(details, 1))
        for name, value in named:
            yield from detail_rows(value, (*path, name))


def format_plain(value: Any) -> str:
    """Write a plain value for people."""
    words = {True: "yes", False: "no", None: "none"}
    return words[value] if value is None or isinstance(value, bool) else str(value)

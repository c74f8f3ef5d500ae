"""Words for people: templates, and how times, durations and a caller's details are written in them.

Every value is written as people may see it (`visible`), and in HTML escaped. Where one is missing the template fails,
in the tests, not on a page.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from approvals.people import languages
from approvals.people.languages import gettext, in_words, ngettext
from approvals.rules.hearing import silence_now
from approvals.rules.saying import noted
from approvals.rules.story import Status
from approvals.rules.text import visible
from approvals.rules.value import compact, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from approvals.rules.story import Found

SILENCE = {
    "approve": noted("silence counts as approval"),
    "reject": noted("silence counts as rejection"),
    "escalate": noted("other people are asked instead"),
    "timeout": noted("the request ends without approval"),
}
"""What happens when nobody answers, in words."""
MOST_ROWS, MOST_STEPS, STEP_CHARACTERS = 100, 4, 120
"""How much is shown of details: rows, names on the way to a value, characters of such a name."""
Row = tuple[tuple[str, ...], str]
STATUS_WORDS = {
    Status.PENDING: noted("open"),
    Status.APPROVED: noted("approved"),
    Status.REJECTED: noted("rejected"),
    Status.TIMEOUT: noted("closed: the time ran out"),
    Status.CANCELLED: noted("cancelled"),
    Status.FAILED: noted("stopped by a fault of the service"),
    Status.UNKNOWN: noted("lost: nobody knows how it ended"),
}
"""What a request is, as the page shows it after "Now:"."""


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
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(languages.gettext, languages.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals["language"] = languages.current
    made.filters |= {
        "instant": lambda moment: languages.current().instant(moment),
        "instant_with_zone": lambda moment: languages.current().instant_with_zone(moment),
        "utc": lambda moment: f"{replace(languages.current(), zone='').instant(moment)} UTC",
        "rfc3339": rfc3339,
        "from_now": lambda duration: languages.current().from_now(duration),
        "number": lambda number: languages.current().number(number),
        "names": lambda names: languages.current().names(names),
        "visible": visible,
        "in_words": in_words,
        "silence": lambda found: gettext(SILENCE[silence_now(found)]),
        "silence_sentence": silence_sentence,
        "status_word": lambda status: gettext(STATUS_WORDS[status]),
    }
    return made


def silence_sentence(found: Found) -> str:
    """Say why a request ended by its deadline and not by an answer: in words that follow the answers there were."""
    yes, no = found.votes(yes=True), found.votes(yes=False)
    if yes or no:
        said = gettext("Not enough people answered in time: {yes} of {required} approved.")
        if no:
            said = gettext("Not enough people answered in time: {yes} of {required} approved, {no} rejected.")
        said = said.format(yes=yes, required=found.panel.required, no=no)
    elif found.story.votes:
        said = gettext("Nobody who was asked last answered in time.")
    else:
        said = gettext("Nobody answered in time.")
    became = {
        Status.APPROVED: gettext("As agreed, that counts as approval."),
        Status.REJECTED: gettext("As agreed, that counts as rejection."),
        Status.TIMEOUT: gettext("The request was closed without approval."),
    }.get(found.story.status)
    return f"{said} {became}" if became else said


def consequence(before: Found, after: Found) -> str:
    """Say what becomes of a request by a step that takes it from one state to another."""
    status = after.story.status
    if status is Status.APPROVED:
        return gettext("the request is approved.")
    if status is Status.REJECTED:
        return gettext("the request is rejected.")
    if not after.story.is_open:
        return gettext("the request ends without approval.")
    if after.story.stage != before.story.stage:
        name = after.policy.stages[after.story.stage].name
        number = after.story.stage + 1
        return (
            gettext("step {number} is next: {name}.").format(number=number, name=name)
            if name
            else gettext("step {number} is next.").format(number=number)
        )
    if after.story.escalated != before.story.escalated:
        return gettext("other people are asked.")
    missing = after.panel.required - after.votes(yes=True)
    return ngettext("{count} more approval is needed.", "{count} more approvals are needed.", missing).format(
        count=missing
    )


def silence_outlook(before: Found, after: Found) -> str:
    """Say what becomes of a request when too few people answer, as a part of a line."""
    few = before.panel.required > 1
    start = gettext("if too few answer:") if few else gettext("if nobody answers:")
    return f"{start} {consequence(before, after).removesuffix('.').removesuffix('。')}"


def finalize_value(value: Any) -> Any:
    """Give a value as it is shown, wherever a template writes one; what is markup already has been through here."""
    return value if hasattr(value, "__html__") else visible(str(value))


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
            yield path, gettext("none")
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
    if value is None:
        return gettext("none")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)

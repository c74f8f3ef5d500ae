"""What people are told, in words: a request and an occasion become a subject, a text and a page of HTML.

The words are in `templates/messages`. What callers wrote goes into the HTML escaped, and into subject and text made
inert, since chat services read markup in text. Pure, but for reading the templates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from approvals.people import languages
from approvals.people.channels import Message
from approvals.people.evidence import evidence_rows
from approvals.people.languages import gettext, ngettext
from approvals.people.wording import templates
from approvals.rules.text import visible

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from approvals.rules.story import Decision, Found

TEMPLATES = Path(__file__).parent / "templates"
SUBJECT_CHARACTERS = 150
NAME_CHARACTERS = 60
"""What a subject, and a text, show of a name."""
TEXT_CHARACTERS = 1900
"""What a text may have: Discord takes 2,000 characters with the subject, and refuses what is longer."""
OUTCOMES = ("decided", "timed_out", "cancelled")

# Look-alikes, by number since they look alike; `inert` says what each is for.
INERT = (
    (re.compile(r"://"), ":\u2044\u2044"),
    (re.compile(r"\](?=[\[(:])"), "] "),
    (re.compile(r"(?<![^\W_])_|_(?![^\W_])"), "\uff3f"),
    (re.compile(r"(?<![\w.+-])@|@(?=(?:all|channel|everyone|here|room|team)\b(?!\.\w))", re.IGNORECASE), "\uff20"),
    (re.compile(r"~~"), "\u223c\u223c"),
)
LOOKALIKES = str.maketrans(
    {"<": "\u2039", ">": "\u203a", "`": "\u02cb", "|": "\u00a6", "*": "\u2217", "\u2502": "\u00a6"}
)


def inert(text: str) -> str:
    """Make a caller's text harmless where services look for markup in plain text; a person reads it as before.

    The API refuses nothing of this: it is all proper text. Each character has a look-alike that means nothing:

    - `<` and `>`: Slack and Google Chat make links and calls of `<https://...|Approve>` and `<!channel>`, Discord of
      `<@id>`, Teams of `<at>`, Telegram and mail programs tags; at a line's begin `>` quotes, on Discord `>>>` to
      the end, our own lines with it.
    - `@` at a word's begin, and wherever it makes `@everyone`, `@here`, `@channel`, `@all`, `@room` or `@team`: they
      call people on Discord, Slack, Mattermost, Rocket.Chat, Zulip, Matrix and Telegram. `ada@example.com` stays.
    - `](`, `][` and `]:`: Markdown's links and images (Teams, Mattermost, Rocket.Chat, Discord, Webex, Zulip).
    - `` ` `` and `~~`: an unclosed fence (` ``` `, `~~~`) would make our link a piece of code that is no link.
    - `*`, and `_` but within a word: emphasis could begin here and end within our link, and tear it.
    - `|`: `||` hides text on Discord, `|` makes tables.
    - `://`: a bare address becomes a link by itself nearly everywhere. With fraction slashes (U+2044) it is read
      as before, no service knows it for an address, and since they are neither blank nor punctuation the host name
      behind them is not found either. A host name alone, `evil.example`, may still become a link on some services.
    - `│`: our own mark for a caller's lines.

    Headings, lists, `:smile:` and the like only look different, and stay.
    """
    text = visible(text)
    for pattern, harmless in INERT:
        text = pattern.sub(harmless, text)
    return text.translate(LOOKALIKES)


def one_line(text: str, most: int) -> str:
    """Give a text as one line of so many characters at most."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


@dataclass(frozen=True)
class Brevity:
    """How much is shown of what has no end of its own. `None`: all of it."""

    prose: int | None = None
    rows: int | None = None
    cell: int | None = None
    people: int | None = None
    name: int | None = None


WHOLE = Brevity()
TEXTS = (
    Brevity(prose=600, rows=8, cell=100, people=8, name=NAME_CHARACTERS),
    Brevity(prose=200, rows=4, cell=60, people=4, name=NAME_CHARACTERS),
    Brevity(prose=80, rows=0, cell=60, people=1, name=40),
)
"""Texts, from the one that says most to the one that always fits; the page behind the link has everything."""


@dataclass(frozen=True)
class AnswerView:
    """A person's answer, as it is told."""

    approver: str
    is_approved: bool
    option: str
    comments: str
    at: dt.datetime


@dataclass(frozen=True)
class RequestView:
    """What the templates may say of a request: everything a caller wrote has been through `safe`."""

    found: Found
    safe: Callable[[str], str]
    brevity: Brevity

    def line(self, text: str, most: int | None = None) -> str:
        """Give a caller's text as one line."""
        return one_line(self.safe(text), most or len(text) * 3 + 1)

    def name(self, person: str) -> str:
        """Give a person's name."""
        return self.line(person, self.brevity.name)

    def prose(self, text: str) -> str:
        """Give a caller's text with its lines."""
        text, most = self.safe(text).strip(), self.brevity.prose
        return text if most is None or len(text) <= most else text[: most - 1].rstrip() + "…"

    @property
    def requester(self) -> str:
        """Who asks: the person, and the system that asks for them where it has a title."""
        title, person = self.found.request.created_by_title, self.name(self.found.request.requester)
        return gettext("{person}, through {system}").format(person=person, system=self.name(title)) if title else person

    @property
    def item(self) -> str:
        """What is asked for."""
        return self.line(self.found.request.item, self.brevity.name and 200)

    @property
    def description(self) -> str:
        """What the requester says about it."""
        return self.prose(self.found.request.description)

    @cached_property
    def details(self) -> tuple[list[tuple[str, str]], int]:
        """The details that are shown, a row for each value, and how many more there are."""
        rows, more = evidence_rows(self.found.request)
        return [(" \u203a ".join(row.path), row.value) for row in rows], more

    @property
    def rows(self) -> list[tuple[str, str]]:
        """As many details as are told."""
        most = self.brevity.cell
        return [(self.line(name, most), self.line(value, most)) for name, value in self.details[0][: self.brevity.rows]]

    @property
    def rows_left_out(self) -> int:
        """How many details are not among the rows."""
        found, more = self.details
        return len(found) + more - len(self.rows)

    @property
    def links(self) -> list[tuple[str, str]]:
        """What there is to read, and on which host; the page has the addresses."""
        return [(self.line(it.title, self.brevity.cell), it.host) for it in self.found.request.presentation.links]

    @property
    def stage(self) -> str:
        """Which of several stages this is, or nothing."""
        stages, number = self.found.policy.stages, self.found.story.stage
        if len(stages) == 1:
            return ""
        name = self.name(stages[number].name)
        step = gettext("{number} of {all}").format(number=number + 1, all=len(stages))
        return f"{step}: {name}" if name else step

    @property
    def people(self) -> list[str]:
        """Who is asked, by those who hold the slots now."""
        holders = [self.found.holder(slot) for slot in range(self.found.panel.slots)]
        return [self.name(holder) for holder in holders if holder]

    @property
    def people_in_words(self) -> str:
        """Who is asked, as words."""
        return join_names(self.people, self.brevity.people)

    @property
    def answers(self) -> list[AnswerView]:
        """The answers given so far, of every stage."""
        story = self.found.story
        votes = story.votes or ((story.decision,) if story.decision else ())
        return [self.answer(vote) for vote in votes[-(self.brevity.people or len(votes) or 1) :]]

    def answer(self, vote: Decision) -> AnswerView:
        """Tell an answer."""
        return AnswerView(
            approver=self.name(vote.approver),
            is_approved=vote.is_approved,
            option=self.name(vote.option or ""),
            comments=self.prose(vote.comments),
            at=vote.decided_at,
        )

    @property
    def change(self) -> dict[str, str]:
        """How the request was passed on last."""
        change = self.found.story.changes[-1]
        return {"by": self.name(change.by), "holder": self.name(change.holder), "to": self.name(change.to)} | {
            "reason": self.prose(change.reason)
        }

    @property
    def cancellation(self) -> dict[str, str]:
        """Who took it back, and why."""
        cancellation = self.found.story.cancellation
        if not cancellation:  # left out of a story that was too large
            return {"by": "", "reason": ""}
        return {"by": self.name(cancellation.by), "reason": self.prose(cancellation.reason)}


def join_names(words: Iterable[str], most: int | None) -> str:
    """Write names in a row, and how many more there are."""
    names = list(words)
    shown = names[:most]
    more = len(names) - len(shown)
    rest = ngettext("and {count} more", "and {count} more", more).format(count=more)
    return ", ".join(shown) + (f" {rest}" if more else "")


def render(template: str, **values: Any) -> str:
    """Fill in a template of a message."""
    return templates(TEMPLATES).get_template(template).render(**values)


def compose(found: Found, occasion: str, *, key: str, to: str | None, link: str | None, about: str = "") -> Message:
    """Write a message: why now (`occasion`), to whom, and with their own link if they have to answer.

    It is in the language of the request, as the page is. `about`: whom an occasion is about, where it is somebody.
    """
    with languages.speaking(languages.language_of(found.request)):
        return compose_here(found, occasion, key=key, to=to, link=link, about=about)


def compose_here(found: Found, occasion: str, *, key: str, to: str | None, link: str | None, about: str) -> Message:
    """Write a message in the language that is spoken."""
    over = occasion in OUTCOMES
    values = {
        "occasion": occasion if occasion != "passed_on" or found.story.changes else "asked",
        "over": over,
        "found": found,
        "panel": found.panel,
        "status": found.story.status.value,
        "personal": to is not None,
        "unneeded": over and to is not None and not found.request.is_same(to, found.request.requester),
        "link": link,
        "is_own": over or occasion == "misdirected",
        "key": visible(key),
        "on_card": False,
        "about": about,
    }
    texts = (render("message.txt", told=RequestView(found, inert, brevity), **values) for brevity in TEXTS)
    text = next((text for text in texts if len(text) <= TEXT_CHARACTERS), None)
    card = render("message.txt", told=RequestView(found, inert, TEXTS[1]), **{**values, "link": None, "on_card": True})
    letter = render("message.txt", told=RequestView(found, visible, WHOLE), **{**values, "key": ""})
    subject = render("subject.txt", told=RequestView(found, inert, TEXTS[0]), **values)
    return Message(
        key=key,
        subject=one_line(subject, SUBJECT_CHARACTERS),
        text=tidy(text or render("message.txt", told=RequestView(found, inert, TEXTS[-1]), **values)),
        html=render("message.html", told=RequestView(found, visible, WHOLE), **values),
        to=to,
        letter=tidy(letter),
        thread=found.request.request_id,
        link=link,
        card=tidy(card),
        button=gettext("Open the request"),
    )


def tidy(text: str) -> str:
    """Give a text without empty lines that a template left behind."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

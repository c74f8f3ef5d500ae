"""What a request shows of its own: details with labels and formats, and a description in safe Markdown.

Markdown is CommonMark without HTML and without images; a link leads to http, https or mail, says where, and tells the
other side nothing about us.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from approvals.people import languages
from approvals.people.wording import detail_rows, format_plain
from approvals.rules import vocabulary
from approvals.rules.forms import Choice, Group, List, Money, Numeric, Text, comparable
from approvals.rules.text import humanize, visible
from approvals.rules.value import exact, load_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

    from approvals.rules.forms import Field
    from approvals.rules.story import Request

WORD_CHARACTERS = 14
"""The longest word that has room beside its value on a telephone; one that is longer stands above."""
NESTING = 12
"""How deep quotes and lists may lie within each other; what lies deeper is read, so that it is known."""
SAFE_LINK = re.compile(r"(?:https?://[^\s]+|mailto:[^\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class EvidenceRow:
    """A detail: the labels on the way to it, and its value in words."""

    path: tuple[str, ...]
    value: str

    @property
    def is_long(self) -> bool:
        """Whether its label has no room beside the value."""
        return any(len(word) > WORD_CHARACTERS for step in self.path for word in step.split())


def evidence_rows(request: Request) -> tuple[list[EvidenceRow], int]:
    """Give the details of a request as people read them, and how many more there are than are shown."""
    details, schema = load_json(request.details), request.presentation.details_schema
    labels = vocabulary.read_kept_form(load_json(schema)) if schema is not None else Group(())
    rows, more = detail_rows(details)
    return [labelled(path, value, labels, details) for path, value in rows], more


def labelled(path: tuple[str, ...], value: str, labels: Group, details: Any) -> EvidenceRow:
    """Give a row the labels and the format that the request has for it; what has none is made readable."""
    said: list[str] = []
    group: Group | None = labels
    field: Field | None = None
    for step in path:
        field = next((each for each in group.fields if each.name == step), None) if group else None
        said.append((field.title if field else "") or humanize(step) or step)
        group = field.kind if field and isinstance(field.kind, Group) else None
        details = details.get(step) if isinstance(details, dict) else None
    return EvidenceRow(tuple(said), formatted(field, details, value) if field else value)


def formatted(field: Field, value: Any, plain: str) -> str:
    """Write a value as its field says; what does not fit the field stays as it is."""
    if field.kind.problem(value):
        return plain
    locale = languages.current().locale
    match field.kind:
        case Money(currency=currency):
            from babel.numbers import format_currency, get_currency_precision  # noqa: PLC0415

            amount = Decimal(value)
            is_short = -int(amount.as_tuple().exponent) <= get_currency_precision(currency)  # so no digit is lost
            return str(format_currency(amount, currency, locale=locale, decimal_quantization=is_short))
        case Numeric():
            from babel.numbers import format_decimal  # noqa: PLC0415

            return str(format_decimal(exact(value), locale=locale, decimal_quantization=False))
        case Text(format="date"):
            from babel.dates import format_date  # noqa: PLC0415

            return str(format_date(dt.date.fromisoformat(value), "medium", locale=locale))
        case Text(format="date-time"):
            return languages.current().instant_with_zone(dt.datetime.fromisoformat(value.upper()))
        case Choice():
            return title_of(field.kind, value)
        case List(item=Choice() as choice):
            return ", ".join(title_of(choice, each) for each in value)
    return plain


def title_of(choice: Choice, value: Any) -> str:
    """Give what people read for one of several."""
    known = comparable(value)
    titles = (option.title for option in choice.options if comparable(option.value) == known)
    return next((title for title in titles if title), format_plain(value))


# --- a description ----------------------------------------------------------------------------------


@cache
def markdown() -> MarkdownIt:
    """Make what reads Markdown, the first time a description is shown."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only a page with a description pays

    reader = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 2 * NESTING})
    reader.disable(["image", "html_block", "html_inline", "reference", "heading", "lheading"])
    reader.validateLink = is_safe_link  # type: ignore[method-assign]
    reader.add_render_rule("link_open", open_link)
    reader.add_render_rule("link_close", close_link)
    return reader


def is_safe_link(url: str) -> bool:
    """Tell whether this is an address of the web or of mail that can be read."""
    try:
        return bool(SAFE_LINK.fullmatch(url) and (urlsplit(url).hostname or url.lower().startswith("mailto:")))
    except ValueError:
        return False


def open_link(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: dict[str, Any]) -> str:
    """Write the begin of a link; where it leads is remembered for its end."""
    href = str(tokens[at].attrs.get("href", ""))
    env["host"] = urlsplit(href).hostname or ""
    return f'<a href="{escape(href)}" target="_blank" rel="noopener noreferrer">'


def close_link(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: dict[str, Any]) -> str:
    """Write the end of a link, and the host that it leads to."""
    del tokens, at
    host = env.pop("host", "")
    return f'</a> <span class="soft small">(<bdi>{escape(host)}</bdi>)</span>' if host else "</a>"


def describe(text: str) -> Markup:
    """Write a description as HTML that is safe to show; what lies deeper than is read is shown as it was written."""
    text = visible(text)
    env: dict[str, Any] = {}
    tokens = markdown().parse(text, env)
    if any(token.level >= NESTING for token in tokens):
        return Markup('<p class="prose">{}</p>').format(text)
    return Markup(markdown().renderer.render(tokens, markdown().options, env))  # noqa: S704 - of what the reader lets in

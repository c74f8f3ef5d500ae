"""Sentences that programs are told in English and people in their own language. Pure.

A sentence is text, and remembers how it was made: whoever shows it to people can make it again in other words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


def noted(pattern: str) -> str:
    """Give a pattern that is said later, as it is: whoever collects the patterns finds it here."""
    return pattern


COMMA = noted(", ")
"""What stands between the parts of a row."""


class Sentence(str):
    """A sentence, or a part of one, made of a pattern and values."""

    __slots__ = ("many", "number", "one", "values")
    one: str
    many: str
    number: int
    values: dict[str, object]

    def __new__(cls, one: str, many: str, count: int, values: dict[str, object]) -> Self:
        """Fill in the pattern: the one that goes with the count."""
        made = super().__new__(cls, (one if count == 1 else many).format_map(values))
        made.one, made.many, made.number, made.values = one, many, count, values
        return made


class Joined(str):
    """Several parts in a row, with a comma between."""

    __slots__ = ("parts",)
    parts: tuple[str, ...]

    def __new__(cls, parts: tuple[str, ...]) -> Self:
        """Join them."""
        made = super().__new__(cls, COMMA.join(parts))
        made.parts = parts
        return made


def noted_count(one: str, many: str) -> tuple[str, str]:
    """Give patterns with a number in them that are said later, as they are."""
    return one, many


def say(pattern: str, /, **values: object) -> str:
    """Make a sentence; `{name}` in the pattern stands for a value."""
    return Sentence(pattern, pattern, 1, values)


def say_count(one: str, many: str, count: float, /, **values: object) -> str:
    """Make a sentence with a number in it, in the form that goes with the number."""
    whole = int(count) if count == int(count) else 2
    return Sentence(one, many, whole, {"count": count, **values})


def join(parts: list[str]) -> str:
    """Make a sentence's part of several."""
    return Joined(tuple(parts))


def in_other_words(text: object, gettext: Callable[[str], str], ngettext: Callable[[str, str, int], str]) -> str:
    """Make a sentence again, by patterns of another language; what is no sentence of ours stays as it is."""
    if isinstance(text, Sentence):
        values = {name: in_other_words(each, gettext, ngettext) for name, each in text.values.items()}
        pattern = gettext(text.one) if text.one == text.many else ngettext(text.one, text.many, text.number)
        return pattern.format_map(values)
    if isinstance(text, Joined):
        return gettext(COMMA).join(in_other_words(part, gettext, ngettext) for part in text.parts)
    return str(text)

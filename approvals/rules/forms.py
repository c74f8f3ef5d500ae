"""What an approver must fill in: a form, which is a small part of JSON Schema (draft 2020-12), and answers to it.

`vocabulary` reads a form into these values, which know what they accept. An answer is judged in one walk: the work is
linear in the size of the form and of the answer, and ends with the twentieth problem. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from approvals.rules.formats import FORMATS
from approvals.rules.saying import join, noted, noted_count, say, say_count
from approvals.rules.value import TEXT_CHARACTERS, Problem, compact, did_you_mean, exact, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEMS_TOLD = 20
NOTHING = object()
"""What stands where there is no value: None is a value of JSON."""

DIVISION = Context(prec=10_000)
"""Exact for every number that fits into an answer: no quotient of two has more digits."""


class Limits(NamedTuple):
    """How limits are said of numbers, or of how many there are of something."""

    between: str
    at_most: tuple[str, str]
    at_least: tuple[str, str]
    exactly: tuple[str, str]


NUMBERS = Limits(
    noted("between {least} and {most}"),
    noted_count("at most {count}", "at most {count}"),
    noted_count("at least {count}", "at least {count}"),
    noted_count("exactly {count}", "exactly {count}"),
)
CHARACTERS = Limits(
    noted("between {least} and {most} characters"),
    noted_count("at most {count} character", "at most {count} characters"),
    noted_count("at least {count} character", "at least {count} characters"),
    noted_count("exactly {count} character", "exactly {count} characters"),
)
CHOICES = Limits(
    noted("between {least} and {most} choices"),
    noted_count("at most {count} choice", "at most {count} choices"),
    noted_count("at least {count} choice", "at least {count} choices"),
    noted_count("exactly {count} choice", "exactly {count} choices"),
)
ENTRIES = Limits(
    noted("between {least} and {most} entries"),
    noted_count("at most {count} entry", "at most {count} entries"),
    noted_count("at least {count} entry", "at least {count} entries"),
    noted_count("exactly {count} entry", "exactly {count} entries"),
)

# --- what is accepted -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """A string. Lengths are in characters (code points)."""

    least: int = 0
    most: int | None = None
    format: str | None = None

    @cached_property
    def accepted(self) -> list[str]:
        """What is accepted, each so that "must be" can stand before it."""
        said = limits(self.least or None, self.most, CHARACTERS)
        return [FORMATS[self.format].accepted, *said] if self.format else said

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        if not isinstance(value, str):
            return say("must be text")
        long_enough = self.least <= len(value) and (self.most is None or len(value) <= self.most)
        fits = long_enough and (self.format is None or FORMATS[self.format].fits(value))
        return None if fits else must_be(self.accepted)


@dataclass(frozen=True)
class Money:
    """An amount in a currency (three letters, as ISO 4217 has them), as text, so that no digit is lost: "1250.00"."""

    currency: str

    AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?")

    @property
    def accepted(self) -> list[str]:
        """What is accepted, each so that "must be" can stand before it."""
        return [say("an amount in {currency}, such as 1250.00", currency=self.currency)]

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        return (
            None
            if isinstance(value, str) and self.AMOUNT.fullmatch(value)
            else say("must be {accepted}, as text", accepted=join(self.accepted))
        )


@dataclass(frozen=True)
class Numeric:
    """A number within bounds, all judged in decimals: 19.99 is a multiple of 0.01, which binary fractions deny."""

    whole: bool = False
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    step: float | None = None

    @cached_property
    def accepted(self) -> list[str]:
        """What is accepted, each so that "must be" can stand before it."""
        more = (
            (self.above, noted("more than {number}")),
            (self.below, noted("less than {number}")),
            (self.step, noted("a multiple of {number}")),
        )
        return limits(self.least, self.most) + [
            say(pattern, number=number) for number, pattern in more if number is not None
        ]

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return say("must be a number")
        number = exact(value)
        if self.whole and number != number.to_integral_value():
            return say("must be a whole number")
        fits = (
            (self.least is None or number >= exact(self.least))
            and (self.most is None or number <= exact(self.most))
            and (self.above is None or number > exact(self.above))
            and (self.below is None or number < exact(self.below))
            and (self.step is None or not DIVISION.remainder(number, exact(self.step)))
        )
        return None if fits else must_be(self.accepted)


@dataclass(frozen=True)
class YesNo:
    """True or false."""

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        return None if isinstance(value, bool) else say("must be true or false")


@dataclass(frozen=True)
class Tick:
    """True, and a person's to say: "I have read the rollback plan"."""

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        return None if value is True else say("must be true")


@dataclass(frozen=True)
class Option:
    """One of several: what it means in the answer, and what people read."""

    value: str | float
    title: str = ""


@dataclass(frozen=True)
class Choice:
    """One of several."""

    options: tuple[Option, ...]

    @cached_property
    def values(self) -> frozenset[str | Decimal | None]:
        """What may be chosen, comparable."""
        return frozenset(comparable(option.value) for option in self.options)

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything."""
        known = comparable(value)
        return None if known is not None and known in self.values else say("is not one of the choices")


@dataclass(frozen=True)
class Anything:
    """Whatever JSON, as the schema has it; only forms of requests in flight have it, see `old_forms`."""

    schema: str = ""

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value: nothing ever is, here."""
        del value
        return None


@dataclass(frozen=True)
class List:
    """Several values: of choices, or of texts or numbers."""

    item: Text | Numeric | Choice
    least: int = 0
    most: int | None = None

    @cached_property
    def accepted(self) -> list[str]:
        """What is accepted, each so that "must be" can stand before it."""
        return limits(self.least or None, self.most, CHOICES if isinstance(self.item, Choice) else ENTRIES)

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, but for what is wrong with its items."""
        if not isinstance(value, list):
            return say("must be a list")
        fits = self.least <= len(value) and (self.most is None or len(value) <= self.most)
        return None if fits else must_be(self.accepted)


@dataclass(frozen=True)
class Group:
    """Named fields: the form itself, or an object within it. `closed`: an answer has no others."""

    fields: tuple[Field, ...]
    closed: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """What its fields are called."""
        return frozenset(field.name for field in self.fields)

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, but for what is wrong with its fields."""
        return None if isinstance(value, dict) else say("must be an object")


Kind = Text | Money | Numeric | YesNo | Tick | Choice | List | Group | Anything


@dataclass(frozen=True)
class Field:
    """A field of a form: its name in the answer, what it takes, and what people read."""

    name: str
    kind: Kind
    required: bool = False
    title: str = ""
    description: str = ""
    default: Any = field(default=NOTHING, repr=False)


def limits(least: float | None, most: float | None, unit: Limits = NUMBERS) -> list[str]:
    """Say what lies between two limits, either of which may be missing; in the singular where one is meant."""
    if least is None and most is None:
        return []
    if least is not None and most is not None and least != most:
        return [say(unit.between, least=least, most=most)]
    if least is None:
        return [say_count(*unit.at_most, most or 0)]
    return [say_count(*(unit.at_least if most is None else unit.exactly), least)]


def must_be(accepted: list[str]) -> str:
    """Say what is accepted as a sentence without its subject."""
    return say("must be {accepted}", accepted=join(accepted))


def comparable(value: object) -> str | Decimal | None:
    """Give what tells choices apart: a text, or a number by its value; nothing for what is neither."""
    if isinstance(value, str):
        return value
    return None if isinstance(value, bool) or not isinstance(value, int | float) else exact(value)


# --- answers --------------------------------------------------------------------------------------


def fill_in(form: Group, answer: dict[str, Any]) -> dict[str, Any]:
    """Give an answer with the defaults where nothing was answered, also within objects that are there."""
    found = dict(answer)
    for each in form.fields:
        if each.name not in answer and each.default is not NOTHING:
            found[each.name] = each.default
        elif isinstance(each.kind, Group) and isinstance(answer.get(each.name), dict):
            found[each.name] = fill_in(each.kind, answer[each.name])
    return found


def answer_problems(form: Group, answer: object) -> list[Problem]:
    """Say what is wrong with an answer, never what was answered; the pointers are into the answer."""
    found = list(islice(find_problems(form, answer, ""), PROBLEMS_TOLD))
    if not found and len(compact(answer)) > TEXT_CHARACTERS:
        return [
            Problem("", say("comes to more than {most} characters with what is filled in", most=f"{TEXT_CHARACTERS:,}"))
        ]
    return found


def find_problems(kind: Kind, value: Any, at: str) -> Iterator[Problem]:
    """Find what is wrong with a value, and with the values within."""
    if wrong := kind.problem(value):
        yield Problem(at, wrong)
    elif isinstance(kind, List):
        for number, each in enumerate(value):
            yield from find_problems(kind.item, each, f"{at}/{number}")
    elif isinstance(kind, Group):
        for field in kind.fields:
            where = f"{at}{pointer_to(field.name)}"
            if field.name in value:
                yield from find_problems(field.kind, value[field.name], where)
            elif field.required:
                yield Problem(where, say("is required"))
        for name in value if kind.closed else ():
            if name not in kind.names:
                hint = did_you_mean(name, kind.names)
                yield Problem(f"{at}{pointer_to(name)}", say("is not a field of the form{hint}", hint=hint))

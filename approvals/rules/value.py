"""What every value of ours is: equal by its fields, never changed, read as it comes through the scheduler."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAME_CHARACTERS = 254
COMMENTS_CHARACTERS = 2000
TEXT_CHARACTERS = 4096
WORD_CHARACTERS = 60
"""No longer word is taken for a mistyped one."""


def utc(moment: dt.datetime) -> dt.datetime:
    """Give the instant in UTC, to the millisecond. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(dt.UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def rfc3339(moment: dt.datetime) -> str:
    """Write an instant as RFC 3339 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


# An event may come past the API, from whoever has the host's key: what is too long is no event.
Name = Annotated[str, Field(max_length=NAME_CHARACTERS)]
Comments = Annotated[str, Field(max_length=COMMENTS_CHARACTERS)]
Text = Annotated[str, Field(max_length=TEXT_CHARACTERS)]
Instant = Annotated[dt.datetime, AfterValidator(utc), PlainSerializer(rfc3339, when_used="json")]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a body: a JSON pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str


def pointer_to(*steps: object) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the known word that is near, so that it can stand behind a sentence; nothing when none is."""
    # comparing costs the product of the lengths
    short = [each for each in known if len(each) <= WORD_CHARACTERS]
    near = get_close_matches(word, short, n=1, cutoff=0.7) if len(word) <= WORD_CHARACTERS else []
    return f" (did you mean `{near[0]}`?)" if near else ""


class Number(float):
    """A number with a fraction or an exponent that keeps how it was written: 1250.00 stays 1250.00.

    A binary float tells 17 digits apart and forgets zeros. To whoever calculates it is the nearest float; `exact` is
    its value. Raises OverflowError for what no float is near to: the largest are around 1.8e308, the least 4.9e-324.
    """

    text: str
    exact: Decimal

    def __new__(cls, text: str) -> Self:
        """Read a number of JSON."""
        number = super().__new__(cls, text)
        try:
            number.exact = Decimal(text)
        except InvalidOperation:  # an exponent of twenty digits
            raise OverflowError(text[:50]) from None
        if math.isinf(number) or (number.exact and not number):
            raise OverflowError(text[:50])
        number.text = str(text)
        return number

    def __str__(self) -> str:
        """Give it as it was written."""
        return self.text


def exact(number: float) -> Decimal:
    """Give the value of a number of JSON, as it is written."""
    return number.exact if isinstance(number, Number) else Decimal(number if isinstance(number, int) else str(number))


def compact(value: Any) -> str:
    """Write JSON without spaces, numbers as they were written where that is known."""
    return write(value, str)


def canonical(value: Any) -> str:
    """Write JSON so that what means the same is the same text: keys in order, numbers by their value alone."""
    return write(value, plain_number, sort=True)


quoted = json.encoder.encode_basestring


def write(value: Any, number: Callable[[float], str], *, sort: bool = False) -> str:
    """Write JSON, numbers as they are told to; the library's own writer knows no number but the binary."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        members = sorted(value.items()) if sort else value.items()
        inner = [f"{quoted(key)}:{write(each, number, sort=sort)}" for key, each in members]
        return f"{{{','.join(inner)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join([write(each, number, sort=sort) for each in value])}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return number(value)
    return quoted(value)


def plain_number(number: float) -> str:
    """Write a number by its value alone: 1250, 1250.0 and 1.25e3 are the same, to the last digit."""
    sign, digits, exponent = exact(number).as_tuple()
    significant = "".join(map(str, digits)).lstrip("0")
    shortest = significant.rstrip("0")
    if not shortest or not isinstance(exponent, int):
        return "0"
    return f"{'-' * sign}{shortest}e{exponent + len(significant) - len(shortest)}"


def load_json(text: str | None) -> Any:
    """Read JSON that is carried as text, numbers as they were written; nothing where there is none."""
    return None if text is None else json.loads(text, parse_float=Number)


def decode_json(data: object) -> Any:
    """Read JSON as it comes through the scheduler: as a value, or as text, once or twice encoded.

    Raises ValueError for text that is no JSON. The durable client encodes event data twice, other ways in once
    (measured).
    """
    for _ in range(3):
        if not isinstance(data, str):
            break
        try:
            data = json.loads(data)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
    return data


class Value(BaseModel):
    """A value; unknown fields, of later versions, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a value as it comes through the scheduler. Raises ValueError when it is none."""
        return cls.model_validate(decode_json(data))

"""What every value of ours is: equal by its fields, never changed, read as it comes through the scheduler."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

NAME_CHARACTERS = 254
COMMENTS_CHARACTERS = 2000
TEXT_CHARACTERS = 4096


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


def compact(value: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load_json(text: str | None) -> Any:
    """Read JSON that is carried as text; nothing where there is none."""
    return None if text is None else json.loads(text)


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

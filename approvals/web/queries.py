"""Parameters of an address, read: which list is meant, and which part of it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from approvals.errors import BadQuery
from approvals.rules.durations import InstantText
from approvals.rules.formats import is_date
from approvals.rules.intake import ListWish
from approvals.rules.story import Status
from approvals.rules.text import Name, Reference, Tag

PAGE, LONGEST_PAGE = 50, 100
KEYS = {"code", "clientid"}
"""Parameters of the platform's: a function's key. They are never handed on."""
FILTERS = ("status", "requester", "approver", "tag", "reference")

Limit = Annotated[int, Field(ge=1, le=LONGEST_PAGE)]
Cursor = Annotated[str, Field(max_length=300, pattern="^[A-Za-z0-9._-]+$")]


class Query(BaseModel):
    """Parameters: none that is not named, each once."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListQuery(Query):
    """`GET /api/requests`: by one of `status`, `requester`, `approver`, `tag` and `reference`, or all."""

    status: Status | None = None
    requester: Name | None = None
    """Who asks."""
    approver: Name | None = None
    """Who may be asked, was passed it on, or has answered."""
    tag: Tag | None = None
    reference: Reference | None = None
    created_after: InstantText | None = None
    created_before: InstantText | None = None
    limit: Limit = PAGE
    """How many are given at most."""
    cursor: Cursor | None = None
    """Where the list goes on; as `next` has it."""

    def wish(self) -> ListWish:
        """Give the wish these parameters mean. Raises BadQuery when they name two lists."""
        named = [name for name in FILTERS if getattr(self, name) is not None]
        if len(named) > 1:
            raise BadQuery(tuple((name, "does not go with another filter") for name in named))
        kind: Any = named[0] if named else ""
        value = str(getattr(self, kind)) if kind else ""
        after, before = instant(self.created_after), instant(self.created_before)
        return ListWish(kind, value, after, before, self.limit, self.cursor)


def instant(text: str | None) -> dt.datetime | None:
    """Read an instant, where there is one."""
    return dt.datetime.fromisoformat(text) if text else None


class InboxQuery(Query):
    """`GET /api/inbox`: what awaits a person."""

    approver: Name
    limit: Limit = PAGE
    """How many are given at most."""
    cursor: Cursor | None = None
    """Where the list goes on; as `next` has it."""

    def wish(self) -> ListWish:
        """Give the wish these parameters mean."""
        return ListWish("inbox", self.approver, None, None, self.limit, self.cursor)


def read_day(text: str) -> dt.date:
    """Read a full-date of RFC 3339; pydantic's own reader takes numbers of days and seconds, too."""
    if not is_date(text):
        raise ValueError("must be a day, such as 2026-11-24")
    return dt.date.fromisoformat(text)


class ExportQuery(Query):
    """`GET /api/export`: what ended on a day."""

    day: Annotated[dt.date, BeforeValidator(read_day, json_schema_input_type=dt.date)]
    """A day that is over, in UTC."""
    cursor: Cursor | None = None
    """Where the day goes on; as the `Link` with `rel="next"` has it."""


Q = TypeVar("Q", bound=Query)


def read_query(kind: type[Q], url: str) -> Q:
    """Read the parameters of an address. Raises BadQuery."""
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError:
        raise BadQuery((("query", "cannot be read"),)) from None
    pairs = [(name, value) for name, value in pairs if name.lower() not in KEYS]
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadQuery(tuple((name, "is there more than once") for name in twice))
    try:
        return kind.model_validate(dict(pairs))
    except ValidationError as error:
        raise BadQuery(tuple(described(kind, dict(each)) for each in error.errors(include_url=False))) from None


def described(kind: type[Query], error: dict[str, Any]) -> tuple[str, str]:
    """Say what is wrong with one parameter."""
    name = str(error["loc"][0]) if error["loc"] else "query"
    match error["type"]:
        case "extra_forbidden":
            return name, f"is not known here; known are {', '.join(kind.model_fields)}"
        case "missing":
            return name, "is required"
        case "value_error":
            return name, str(error["ctx"]["error"])
        case "string_pattern_mismatch" | "string_too_long":
            return name, "is not one of ours: take `next` as it is"
        case "int_parsing" | "int_type" | "greater_than_equal" | "less_than_equal":
            return name, f"must be a whole number from 1 to {LONGEST_PAGE}"
        case "enum":
            return name, f"must be one of {', '.join(Status)}"
    return name, str(error["msg"])[:1].lower() + str(error["msg"])[1:]


def next_address(base: str, path: str, query: Query, cursor: str) -> str:
    """Write the address at which a list goes on; no key is in it."""
    said = query.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"cursor"})
    return f"{base}/{path}?{urlencode({**said, 'cursor': cursor})}"

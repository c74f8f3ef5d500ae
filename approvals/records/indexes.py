"""Which rows of the lists stand for a request: pure, a function of what is known of it.

A row of a list points to a request and says nothing of it, so that an answer changes one partition alone; whoever
reads a list looks at the requests it points to, and leaves out what does not belong there any more.

=====================================  ================================  =====================================
partition                              key                               what stands there
=====================================  ================================  =====================================
`request:{id}`                         `state`, `record`, ...            all of one request (`records/requests`)
`list:{scope}[:{filter}]`              `{newest first}-{id}`             a page of requests
`inbox:{scope}:{person}`               `{due at}-{id}`                   what awaits a person
`open`                                 `{id}`                            what can still change
`watch`                                `{look at}-{id}`                  what must be looked at, and when
`ended:{day}`                          `{ended at}-{id}`                 what ended on a day, in UTC
`days`                                 `{day}`                           the days on which anything ended
=====================================  ================================  =====================================

A scope is `all`, or what one caller has made itself. Names and texts stand in partitions as digests: an Azure table
takes no `/`, `#` or `?` there, and a digest has a length of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from approvals.rules.names import exact_key
from approvals.rules.story import EPOCH
from approvals.rules.value import utc

if TYPE_CHECKING:
    from approvals.rules.story import Found

LATEST = 9_999_999_999_999
"""Milliseconds since 1970, in the year 2286: what the newest are counted down from."""
EVERYTHING = "all"
OPEN, WATCH, DAYS = "open", "watch", "days"

IndexRow = tuple[str, str]
"""A partition and a key."""


def digest(text: str) -> str:
    """Give what stands for a text in a partition: 32 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def milliseconds(at: dt.datetime) -> int:
    """Count milliseconds since 1970."""
    return (utc(at) - EPOCH) // dt.timedelta(milliseconds=1)


def newest_first(at: dt.datetime, request_id: str = "") -> str:
    """Give the key that sorts the newest first; without an id what all keys of that instant come after."""
    return f"{LATEST - milliseconds(at):013d}-{request_id}"


def earliest_first(at: dt.datetime, request_id: str = "") -> str:
    """Give the key that sorts the earliest first; without an id what all keys of that instant come after."""
    return f"{milliseconds(at):013d}-{request_id}"


def scope_of(caller: str) -> str:
    """Name the scope of what a caller has made itself."""
    return f"by-{digest(caller)}"


def list_partition(scope: str, kind: str = "", value: str = "") -> str:
    """Name the partition of a list: of all, or of one `status`, `requester`, `approver`, `tag` or `reference`."""
    if not kind:
        return f"list:{scope}"
    people = {"requester", "approver"}
    return f"list:{scope}:{kind}:{digest(exact_key(value) if kind in people else value)}"


def inbox_partition(scope: str, person: str) -> str:
    """Name the partition of what awaits a person."""
    return f"inbox:{scope}:{digest(exact_key(person))}"


def ended_partition(day: dt.date) -> str:
    """Name the partition of what ended on a day."""
    return f"ended:{day.isoformat()}"


def index_rows(found: Found) -> set[IndexRow]:
    """Give the rows that stand for a request as it is: of lists, of inboxes, of what is open or ended."""
    request, story = found.request, found.story
    filters = {("", ""), ("status", story.status.value), ("requester", request.requester)}
    filters |= {("approver", person) for person in people_of(found)}
    filters |= {("tag", tag) for tag in request.tags}
    filters |= {("reference", request.reference)} if request.reference else set()
    key, rows = newest_first(request.created_at, request.request_id), set[IndexRow]()
    for scope in scopes_of(found):
        rows |= {(list_partition(scope, kind, value), key) for kind, value in filters}
        due = earliest_first(found.due_at, request.request_id)
        rows |= {(inbox_partition(scope, person), due) for person in awaited_people(found)}
    if story.is_open:
        rows.add((OPEN, request.request_id))
    elif story.settled_at:
        day = ended_partition(utc(story.settled_at).date())
        rows.add((day, earliest_first(story.settled_at, request.request_id)))
    return rows


def scopes_of(found: Found) -> tuple[str, ...]:
    """Name the scopes a request is listed in."""
    return (EVERYTHING, *((scope_of(found.request.created_by),) if found.request.created_by else ()))


def awaited_people(found: Found) -> list[str]:
    """Name those whose answer is awaited now."""
    return [holder for slot in found.awaited if (holder := found.holder(slot))] if found.story.is_open else []


def people_of(found: Found) -> set[str]:
    """Name everyone who may be asked, was passed it on, or has answered."""
    named = {holder for *_, holder in found.policy.places if holder}
    return named | set(found.story.holders.values()) | {vote.approver for vote in found.story.votes}

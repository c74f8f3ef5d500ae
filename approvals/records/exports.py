"""A day's ended requests as JSON Lines: outcome, people and instants, and nothing in anybody's words.

What is erased later changes nothing of it, so that a file of a day may be kept where nothing can be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.records.indexes import ended_partition
from approvals.records.requests import Requests
from approvals.records.trail import frozen_trail
from approvals.rules.erasing import without_content
from approvals.rules.trail import trail_of, without_words
from approvals.rules.value import compact, rfc3339
from approvals.rules.written import cancellation_json, decision_json

if TYPE_CHECKING:
    import datetime as dt

    from approvals.records.store import Store
    from approvals.rules.story import Decision, Found
    from approvals.rules.trail import TrailEntryJson

LINES = 100
"""How many requests a page has."""


@dataclass(frozen=True)
class DayPage:
    """Some lines of a day, and after which key it goes on; nothing at its end."""

    lines: list[str]
    after: str | None

    @property
    def text(self) -> str:
        """The lines, each ended."""
        return "".join(f"{line}\n" for line in self.lines)


async def read_day(store: Store, day: dt.date, after: str = "") -> DayPage:
    """Read the next requests that ended on a day, in the order in which they did. Raises StoreUnavailable."""
    partition = ended_partition(day)
    rows = await store.scan(partition, after=after, limit=LINES)
    requests, lines = Requests(store), []
    for row in rows:
        entry = await requests.entry(row.body["id"])
        found = await requests.record(row.body["id"]) if entry and entry.stands_at(partition, row.key) else None
        if found:
            trail = await frozen_trail(store, row.body["id"])
            lines.append(compact(line_of(found, trail_of(found) if trail is None else trail)))
    return DayPage(lines, rows[-1].key if len(rows) == LINES else None)


def line_of(found: Found, trail: list[TrailEntryJson]) -> dict[str, Any]:
    """Write a request for the export."""
    bare = without_content(found, found.request.created_at)
    request, story = bare.request, bare.story
    return {
        "request_id": request.request_id,
        "status": story.status.value,
        "requester": request.requester,
        "requester_assurance": request.requester_assurance,
        "created_by": request.created_by or None,
        "reference": request.reference or None,
        "created_at": rfc3339(request.created_at),
        "settled_at": rfc3339(story.settled_at) if story.settled_at else None,
        "decision": without(decision_json(story.decision)) if story.decision else None,
        "cancellation": without(cancellation_json(story.cancellation)) if story.cancellation else None,
        "votes": [without(decision_json(vote)) for vote in chronological(story.votes)],
        "trail": without_words(trail),
    }


def without(said: Any) -> dict[str, Any]:
    """Leave out where anybody's words would stand."""
    return {name: value for name, value in dict(said).items() if name not in {"comments", "reason", "form"}}


def chronological(votes: tuple[Decision, ...]) -> list[Decision]:
    """Give answers in the order in which they came."""
    return sorted(votes, key=lambda vote: vote.decided_at)

"""The trail of a request from its end on, and what comes after the end: a list that is only ever added to.

Refused attempts that matter are kept, too, the first twenty of a request, so that nobody can make us write without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.records.requests import TRAIL, partition_of
from approvals.records.store import Conflict, Insert

if TYPE_CHECKING:
    from approvals.records.store import Store
    from approvals.rules.trail import TrailEntryJson

EVENT, REFUSED, MISDIRECTED = "event", "refused", "misdirected"
EVENTS, REFUSALS = 200, 20
"""How many entries after the end, and how many of each other kind, are kept of a request."""
TRIES = 20


async def append(store: Store, request_id: str, entry: TrailEntryJson) -> None:
    """Add an entry to what came after the end. Raises StoreUnavailable."""
    await add(store, request_id, EVENT, EVENTS, entry)


async def note_refusal(store: Store, request_id: str, entry: TrailEntryJson) -> None:
    """Keep that somebody was refused, if there is room for it. Raises StoreUnavailable."""
    await add(store, request_id, REFUSED, REFUSALS, entry)


async def note_misdirected(store: Store, request_id: str, entry: TrailEntryJson) -> None:
    """Keep that somebody says they should not have been asked, if there is room. Raises StoreUnavailable."""
    await add(store, request_id, MISDIRECTED, REFUSALS, entry)


async def add(store: Store, request_id: str, kind: str, most: int, entry: TrailEntryJson) -> None:
    """Write the next row of a kind; whoever was faster has taken a number, and the next is taken."""
    partition = partition_of(request_id)
    for _ in range(TRIES):
        rows = await store.scan(partition, after=f"{kind}-", before=f"{kind}.", limit=most)
        number = int(rows[-1].key.rpartition("-")[2]) + 1 if rows else 1
        if number > most:
            return
        try:
            await store.write(partition, Insert(f"{kind}-{number:06d}", dict(entry)))
        except Conflict:
            continue
        return


async def entries_of(store: Store, request_id: str, kind: str) -> list[TrailEntryJson]:
    """Read the entries of a kind."""
    most = EVENTS if kind == EVENT else REFUSALS
    rows = await store.scan(partition_of(request_id), after=f"{kind}-", before=f"{kind}.", limit=most)
    return [row.body for row in rows]  # type: ignore[misc]


async def frozen_trail(store: Store, request_id: str) -> list[TrailEntryJson] | None:
    """Read the trail as it was at the end, if the end was written."""
    row = await store.get(partition_of(request_id), TRAIL)
    return row.body["entries"] if row else None

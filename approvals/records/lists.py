"""Reading a page of a list: it costs the page, however long the list is.

A row of a list is a pointer. What it points to is looked at, and left out where it does not stand for it any more: so
no request is shown twice, and none where it does not belong, while others are made and decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.records.requests import Requests

if TYPE_CHECKING:
    import datetime as dt

    from approvals.records.requests import Entry
    from approvals.records.store import Store

ROUNDS = 4
"""How often more rows are read for those that were left out; then a page is shorter than it might be."""


@dataclass(frozen=True)
class Page:
    """Some of a list, and after which key it goes on; nothing at its end."""

    entries: list[Entry]
    after: str | None


async def read_page(store: Store, partition: str, *, after: str, before: str, limit: int, now: dt.datetime) -> Page:
    """Read the next entries of a list between two keys. Raises StoreUnavailable."""
    found: list[Entry] = []
    requests = Requests(store)
    for _ in range(ROUNDS):
        wanted = limit - len(found)
        rows = await store.scan(partition, after=after, before=before, limit=wanted + 1)  # is there more behind them?
        looked_at, more = rows[:wanted], rows[wanted:]
        entries = await requests.entries(row.body["id"] for row in looked_at)
        stale = []
        for row, entry in zip(looked_at, entries, strict=True):
            if entry and entry.stands_at(partition, row.key):
                found.append(entry)
            else:
                stale.append(row)
        await requests.repair(partition, stale, now)
        if not more:
            return Page(found, None)
        after = looked_at[-1].key
        if len(found) == limit:
            break
    return Page(found, after)

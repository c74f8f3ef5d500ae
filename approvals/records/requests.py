"""What is remembered of a request: who makes it, that it was started, what has become of it, and how it ended.

Everything of one request stands in one partition, and changes at once. `state` is small: it is what lists read, and
says which rows of the lists stand for the request. `record` is the request and its story, whole.

**Creation.** The insert of `state` is the lock of a creation: a start alone is not exclusive (recorded: of ten starts
of one id at once, all ten were answered 202 in 19 of 30 rounds). Whoever inserted it holds a lease, starts within
seconds or gives up, and writes `started` afterwards. Whoever finds a lease that has run out takes it, looks, and
starts. A started request is never started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from approvals.records.indexes import DAYS, WATCH, IndexRow, earliest_first, index_rows
from approvals.records.store import Conflict, Delete, Insert, Put, Replace, Store
from approvals.rules import events
from approvals.rules.story import Found, Status
from approvals.rules.trail import trail_of
from approvals.rules.value import rfc3339, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from approvals.records.store import Pointer, Row, Write

logger = logging.getLogger("approvals.records")

LEASE = dt.timedelta(minutes=1)
"""How long a creation is left to whoever began it, and who repeats it is asked to wait if they were cut off."""
START_WITHIN = dt.timedelta(seconds=10)
"""How long after the insert a start may still begin: with the time it may take, it has ended long before the lease."""
UNDER_WAY = dt.timedelta(minutes=10)
"""How long a row of a list may stand before what it points to says so."""
LOOK_LATER = dt.timedelta(seconds=30)
"""How long after an instant at which time changes a request it is looked at."""
AT_ONCE = 16
"""How many states are read side by side."""
REMEMBERED = 500
"""Of how many requests it is known what was written last; each takes some 2 kB."""
WRITTEN: WeakKeyDictionary[Store, dict[str, Entry]] = WeakKeyDictionary()
STATE, RECORD, TRAIL = "state", "record", "trail"


@dataclass(frozen=True)
class Entry:
    """The `state` of a request, as it was read."""

    request_id: str
    body: dict[str, Any]
    etag: str = ""

    @property
    def is_started(self) -> bool:
        """Whether its orchestration was seen."""
        return bool(self.body["started"])

    @property
    def has_ended(self) -> bool:
        """Whether its end was written."""
        return bool(self.body["ended"])

    @property
    def is_erased(self) -> bool:
        """Whether what was asked and said was erased."""
        return bool(self.body.get("erased"))

    @property
    def progress(self) -> list[int]:
        """How far the story had come that was written last."""
        return list(self.body["progress"])

    @property
    def index(self) -> set[IndexRow]:
        """The rows of lists that stand for it."""
        return {(partition, key) for partition, key in self.body["index"]}

    @property
    def ahead(self) -> set[IndexRow]:
        """The rows that were written before its start, and stand for it from then on."""
        return {(partition, key) for partition, key in self.body.get("ahead", ())}

    def pointed(self, now: dt.datetime) -> set[IndexRow]:
        """Give the rows that need not be written; those ahead may have been cleared away once the lease is over."""
        return self.index if self.has_lapsed(now) else self.index | self.ahead

    def stands_at(self, partition: str, key: str) -> bool:
        """Tell whether a row of a list stands for it as it is."""
        return [partition, key] in self.body["index"]

    def has_lapsed(self, now: dt.datetime) -> bool:
        """Tell whether the lease of its creation has run out."""
        return dt.datetime.fromisoformat(self.body["lease_until"]) <= utc(now)


def partition_of(request_id: str) -> str:
    """Name the partition of a request."""
    return f"request:{request_id}"


def progress_of(found: Found) -> list[int]:
    """Say how far a story has come, in numbers that only grow; compared from the left.

    That nobody knows how it ended is the least that can be known of an end: whatever is seen later is written over it.
    """
    story, is_lost = found.story, found.story.status is Status.UNKNOWN
    over = not (story.is_open or is_lost)
    return [
        *(int(over), story.revision - is_lost, story.reminded, story.attempts),
        *(len(story.never_delivered), len(story.notes), int(is_lost)),
    ]


def record_of(found: Found) -> dict[str, Any]:
    """Write a request and its story for the record, but for the secret that stands in the orchestration's input."""
    plain = found.model_copy(update={"request": found.request.without_secrets})
    return plain.model_dump(mode="json", exclude_defaults=True, exclude={"suspended", "shortened", "late_callbacks"})


@dataclass(frozen=True)
class Requests:
    """The records of requests in a store. Every method raises StoreUnavailable."""

    store: Store

    async def entry(self, request_id: str) -> Entry | None:
        """Read the state of a request, or nothing."""
        row = await self.store.get(partition_of(request_id), STATE)
        return Entry(request_id, row.body, row.etag) if row else None

    async def entries(self, request_ids: Iterable[str]) -> list[Entry | None]:
        """Read the states of several requests, in their order."""
        free = asyncio.Semaphore(AT_ONCE)

        async def read(request_id: str) -> Entry | None:
            async with free:
                return await self.entry(request_id)

        return await asyncio.gather(*map(read, request_ids))

    async def record(self, request_id: str) -> Found | None:
        """Read a request and its story as they were written last, or nothing."""
        row = await self.store.get(partition_of(request_id), RECORD)
        return Found.model_validate(row.body) if row else None

    @property
    def written(self) -> dict[str, Entry]:
        """What this process wrote last of open requests: whoever writes next need not read it, and its etag tells."""
        return WRITTEN.setdefault(self.store, {})

    def remember(self, request_id: str, body: dict[str, Any], etags: dict[str, str]) -> None:
        """Keep what was written for whoever writes next, as long as a request is open."""
        if body["ended"] or STATE not in etags:
            return
        self.written[request_id] = Entry(request_id, body, etags[STATE])
        if len(self.written) > REMEMBERED:
            del self.written[next(iter(self.written))]

    # --- creating ---------------------------------------------------------------------------------

    async def insert(self, found: Found, now: dt.datetime, *, keyed: bool = True, started: bool = False) -> bool:
        """Write that a request is being made, if nothing is known of it; False when something is.

        `keyed`: its caller can send it again and means the same. `started`: it has been, before there were records.
        """
        request_id, until = found.request.request_id, utc(now) + LEASE
        watched = (WATCH, earliest_first(until, request_id))
        ahead = set() if started else index_rows(found) | ({later} if (later := next_look(found, now)) else set())
        body = {
            "lease_until": rfc3339(until),
            "started": started,
            "keyed": keyed,
            "ended": None,
            "progress": progress_of(found) if started else [],
            "index": [],
            "watch": list(watched),
            "ahead": sorted(map(list, ahead)),
        } | summary_of(found)
        # the pointers first: should this be the last that is done, whoever follows one finds nothing, and takes it away
        pointers = pointers_to(request_id, {watched, *ahead}, now)
        changes = (Insert(STATE, body), Put(RECORD, record_of(found)))
        try:
            etags = await self.store.write_between(pointers, partition_of(request_id), *changes)
        except Conflict:
            return False
        self.remember(request_id, body, etags)
        return True

    async def inherit(self, entry: Entry, now: dt.datetime) -> Entry | None:
        """Take over a creation whose lease has run out; nothing when somebody else was faster."""
        until = utc(now) + LEASE
        watched = (WATCH, earliest_first(until, entry.request_id))
        body = entry.body | {"lease_until": rfc3339(until), "watch": list(watched), "ahead": []}
        pointers, gone = pointers_to(entry.request_id, {watched}, now), [(WATCH, Delete(entry.body["watch"][1]))]
        try:
            await self.store.write_between(
                pointers, partition_of(entry.request_id), Replace(STATE, body, entry.etag), after=gone
            )
        except Conflict:
            return None
        return await self.entry(entry.request_id)

    async def drop(self, entry: Entry) -> None:
        """Forget a creation that never came to a start, unless somebody has done something with it meanwhile."""
        rows = {(WATCH, entry.body["watch"][1]), *entry.ahead}
        with contextlib.suppress(Conflict):
            await self.store.write_between(
                (), partition_of(entry.request_id), Delete(STATE, entry.etag), Delete(RECORD), after=away(rows)
            )

    # --- what becomes of it -----------------------------------------------------------------------

    async def keep(self, found: Found, now: dt.datetime) -> bool:
        """Write what has become of a request, if that is further than what is written; that it was started, too.

        Give whether at least that is written now.
        """
        if found.suspended:  # what an instance says of itself then may run ahead of what will be
            return False
        for _ in range(3):
            entry = self.written.pop(found.request.request_id, None) or await self.entry(found.request.request_id)
            if entry is None:
                if not await self.insert(found, now, started=True):
                    continue
                entry = await self.entry(found.request.request_id)
            if entry is None:
                return False
            if await self.advance(entry, found, now):
                return True
        logger.info("Request %s: others write its record.", found.request.request_id)
        return False

    async def advance(self, entry: Entry, found: Found, now: dt.datetime) -> bool:
        """Write a story over an older one, with its rows of lists; False when somebody else wrote meanwhile."""
        if entry.is_erased:
            return True
        if entry.progress > progress_of(found):
            found = await self.record(entry.request_id) or found
        progress, rows, watch = progress_of(found), index_rows(found), next_look(found, now)
        is_watched = (
            entry.body["watch"] and entry.body["watch"][1] > earliest_first(now) if watch else not entry.body["watch"]
        )
        if entry.is_started and entry.progress == progress and entry.index == rows and is_watched:
            return True
        standing = rows | {watch} if watch else rows
        watched = {(WATCH, entry.body["watch"][1])} if entry.body["watch"] else set()
        before = pointers_to(entry.request_id, standing - entry.pointed(now) - watched, now)
        body = {name: value for name, value in entry.body.items() if name != "ahead"} | {
            "started": True,
            "ended": None if found.story.is_open else rfc3339(found.story.settled_at or now),
            "progress": progress,
            "index": sorted(map(list, rows)),
            "watch": list(watch) if watch else None,
        }
        written: list[Write] = [Put(RECORD, record_of(found))] if entry.progress != progress else []
        if written and body["ended"]:
            written.append(Put(TRAIL, {"entries": trail_of(found)}))
            before.append((DAYS, Put(day_of(found, now), {})))
        state = Replace(STATE, body | summary_of(found), entry.etag)
        gone = (entry.index | entry.ahead | watched) - standing
        partition = partition_of(entry.request_id)
        try:
            etags = await self.store.write_between(before, partition, state, *written, after=away(gone))
        except Conflict:
            return False
        self.remember(entry.request_id, state.body, etags)
        return True

    async def point(self, rows: Iterable[IndexRow], request_id: str, now: dt.datetime) -> None:
        """Write rows of lists."""
        await self.store.write_each(pointers_to(request_id, rows, now))

    async def unpoint(self, rows: Iterable[IndexRow]) -> None:
        """Take rows of lists away."""
        await self.store.write_each(away(rows))

    async def repair(self, partition: str, rows: Iterable[Row], now: dt.datetime) -> None:
        """Take rows away that stood for nothing when they were read, unless they may be on their way to it.

        A row is written before what it points to says so; whoever was stopped in between has long been by now.
        """
        old = rfc3339(utc(now) - UNDER_WAY)
        await self.unpoint([(partition, row.key) for row in rows if row.body["at"] < old])


def pointers_to(request_id: str, rows: Iterable[IndexRow], now: dt.datetime) -> list[Pointer]:
    """Give the writes of rows that point to a request."""
    body = {"id": request_id, "at": rfc3339(now)}
    return [(partition, Put(key, body)) for partition, key in rows]


def away(rows: Iterable[IndexRow]) -> list[Pointer]:
    """Give the removals of rows."""
    return [(partition, Delete(key)) for partition, key in rows]


def day_of(found: Found, now: dt.datetime) -> str:
    """Give the day on which a request ended, in UTC."""
    return utc(found.story.settled_at or now).date().isoformat()


def next_look(found: Found, now: dt.datetime) -> IndexRow | None:
    """Say when somebody must look at a request because time may have changed it; never once it is over."""
    if not found.story.is_open:
        return None
    at = max(events.next_wake_at(found, now), utc(now)) + LOOK_LATER
    return WATCH, earliest_first(at, found.request.request_id)


def summary_of(found: Found) -> dict[str, Any]:
    """Give what lists say of a request."""
    request, story = found.request, found.story
    return {
        "summary": {
            "requester": request.requester,
            "item": request.item,
            "status": story.status.value,
            "created_at": rfc3339(request.created_at),
            "created_by": request.created_by,
            "settled_at": rfc3339(story.settled_at) if story.settled_at else None,
            "due_at": rfc3339(found.due_at) if story.is_open else None,
            "reference": request.reference or None,
            "tags": list(request.tags),
            "revision": story.revision,
        }
    }


def as_unknown(found: Found) -> Found:
    """Give a request whose instance is gone though no end was written: nobody knows how it ended."""
    return found.with_story(found.story.model_copy(update={"status": Status.UNKNOWN}))

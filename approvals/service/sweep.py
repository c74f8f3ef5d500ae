"""What was left undone: creations that nobody finished, and stories that went further than the records say.

It looks first at what must be looked at by now (`watch`), then goes on through all open requests where it stopped the
last time, so that lists are a minute or two behind at most wherever time, a killed worker or an answer that could not
be confirmed has changed something.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from approvals import signals
from approvals.errors import SchedulerUnavailable
from approvals.records.indexes import OPEN, WATCH, earliest_first
from approvals.records.opening import store_of
from approvals.records.requests import START_WITHIN, Requests, as_unknown
from approvals.records.store import Conflict, Delete, Put, StoreUnavailable
from approvals.records.subscriptions import addressed
from approvals.rules.callbacks import delivery_of
from approvals.rules.notices import OUTCOME, callbacks_of, end_kind
from approvals.service.clock import SystemClock

if TYPE_CHECKING:
    from approvals.durable.instances import Instances
    from approvals.records.requests import Entry
    from approvals.records.store import Store
    from approvals.rules.story import Found
    from approvals.service.clock import Clock
    from approvals.settings import Settings

logger = logging.getLogger("approvals.service.sweep")

DUE, ROUND = 500, 500
"""How many that are due, and how many of the open ones, are looked at in one run."""
AT_ONCE = 10
SECONDS = 40.0
"""How long one run takes at most."""
CURSORS, OPEN_CURSOR = "cursors", "open"


@dataclass(frozen=True)
class Sweep:
    """One run."""

    store: Store
    instances: Instances
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, chosen: Settings, instances: Instances) -> Sweep:
        """Take the store of the operator."""
        return cls(store_of(chosen), instances)

    @property
    def requests(self) -> Requests:
        """The records of requests."""
        return Requests(self.store)

    async def run(self) -> None:
        """Look at what is due, then at some of what is open. What cannot be done now is done in a minute."""
        try:
            async with asyncio.timeout(SECONDS):
                await self.look_at_due()
                await self.go_on_through_open()
        except (StoreUnavailable, SchedulerUnavailable, TimeoutError) as error:
            signals.RECORD_LATE.write(request="-", reason=type(error).__name__)

    async def look_at_due(self) -> None:
        """Look at every request that must be looked at by now."""
        due = await self.store.scan(WATCH, before=earliest_first(self.clock.now()), limit=DUE)
        await self.look_at_all([row.body["id"] for row in due])
        for row in due:  # those that are watched on have another row by now
            entry = await self.requests.entry(row.body["id"])
            if entry is None or entry.body["watch"] != [WATCH, row.key]:
                await self.store.write(WATCH, Delete(row.key))

    async def go_on_through_open(self) -> None:
        """Look at the next of the open requests, from where the last run stopped."""
        cursor = await self.store.get(CURSORS, OPEN_CURSOR)
        rows = await self.store.scan(OPEN, after=cursor.body["after"] if cursor else "", limit=ROUND)
        await self.look_at_all([row.key for row in rows])
        entries = await self.requests.entries(row.key for row in rows)
        ended = [row for row, entry in zip(rows, entries, strict=True) if entry is None or entry.has_ended]
        await self.requests.repair(OPEN, ended, self.clock.now())
        after = rows[-1].key if len(rows) == ROUND else ""
        await self.store.write(CURSORS, Put(OPEN_CURSOR, {"after": after}))

    async def look_at_all(self, request_ids: list[str]) -> None:
        """Look at requests side by side. One that cannot be looked at keeps no other from it."""
        free = asyncio.Semaphore(AT_ONCE)

        async def look(request_id: str) -> None:
            async with free:
                try:
                    await self.look_at(request_id)
                except Conflict:
                    logger.info("Request %s: somebody else is looking at it.", request_id)

        await asyncio.gather(*map(look, request_ids))

    async def look_at(self, request_id: str) -> None:
        """See that the records say of a request what its instance says."""
        entry = await self.requests.entry(request_id)
        if entry is None or entry.has_ended:
            return
        if found := await self.instances.read(request_id):
            await self.tell_caller(found)
            await self.requests.keep(found, self.clock.now())
        elif entry.has_lapsed(self.clock.now()):
            await (self.give_up(request_id) if entry.is_started else self.inherit(entry))

    async def tell_caller(self, found: Found) -> None:
        """See that whoever asked is told of an end that the orchestration could not tell of itself."""
        if found.suspended or not (kind := end_kind(found)):
            return
        for owed in callbacks_of(found, OUTCOME):
            for each in await addressed(self.store, found.request.created_by, owed):
                await self.instances.start_callback(delivery_of(each.key, kind))

    async def give_up(self, request_id: str) -> None:
        """Write that nobody knows how a request ended whose instance is gone; it is never started again."""
        written = await self.requests.record(request_id)
        if written and written.story.is_open:
            logger.warning("Request %s: its instance is gone, and no end was written.", request_id)
            await self.requests.keep(as_unknown(written), self.clock.now())

    async def inherit(self, entry: Entry) -> None:
        """Start what nobody has started; forget it where its caller could not mean the same request again."""
        if not entry.body["keyed"]:
            await self.requests.drop(entry)
            return
        written = await self.requests.record(entry.request_id)
        leased_at = self.clock.now()
        mine = await self.requests.inherit(entry, leased_at)
        if not (mine and written):
            return
        there = await self.instances.read(entry.request_id)
        if not there:
            if self.clock.now() - leased_at > START_WITHIN:  # the next heir may be about to look
                return
            logger.info("Request %s: started for whoever began to create it.", entry.request_id)
            await self.instances.start(written.request)
        await self.requests.keep(there or written, self.clock.now())

"""What an auditor asks: the trail of a request, a day's ended requests, and that content be erased."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals import signals
from approvals.errors import BadQuery, LinkVoid, OwnRequest, SchedulerUnavailable, StillOpen
from approvals.records import indexes, retention, trail
from approvals.records.exports import DayPage, read_day
from approvals.records.store import StoreUnavailable
from approvals.rules.trail import TrailEntryJson, entry, trail_of
from approvals.service.desk import KEEP_SECONDS, Desk, records_at_hand
from approvals.service.listing import Listing

if TYPE_CHECKING:
    from approvals.rules.intake import Answer, Withdrawal
    from approvals.rules.story import Found

logger = logging.getLogger("approvals.service")

DAY_SETTLES = dt.timedelta(minutes=10)
"""How long after its end a day may still get requests that ended in it."""


@dataclass(frozen=True)
class Remembering(Listing, Desk):
    """Looking back."""

    async def trail(self, request_id: str) -> tuple[Found, list[TrailEntryJson]]:
        """Give a request and its trail. Raises as `find` does, and RecordsUnavailable."""
        found = await self.find(request_id)
        with records_at_hand():
            refused = await trail.entries_of(self.store, request_id, trail.REFUSED)
            refused += await trail.entries_of(self.store, request_id, trail.MISDIRECTED)
            frozen = None if found.story.is_open else await trail.frozen_trail(self.store, request_id)
            after = await trail.entries_of(self.store, request_id, trail.EVENT)
        steps = (trail_of(found) if frozen is None else frozen) + refused
        return found, sorted(steps + after, key=lambda each: each["at"])

    async def note_refusal(self, request_id: str, answer: Answer, error: OwnRequest | LinkVoid) -> None:
        """Keep that somebody tried what they may not, if that can be written at once."""
        said = entry(self.received_at, "refused", by=answer.approver, caller=self.caller.name, outcome=error.code)
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await trail.note_refusal(self.store, request_id, said)
        except (StoreUnavailable, TimeoutError) as failure:
            signals.RECORD_LATE.write(request=request_id, reason=type(failure).__name__)

    async def export(self, day: dt.date, cursor: str | None) -> tuple[DayPage, str | None]:
        """Give a page of what ended on a day that is over, and the cursor with which it goes on.

        Raises BadQuery for a day that is not over, or a cursor of another; RecordsUnavailable.
        """
        end = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1)
        if self.received_at < end + DAY_SETTLES:
            raise BadQuery((("day", "is not over, or was not ten minutes ago, in UTC"),))
        partition = indexes.ended_partition(day)
        after = self.read_cursor(cursor, partition) if cursor is not None else ""
        with records_at_hand():
            page = await read_day(self.store, day, after)
        return page, self.cursor_after(page.after, partition)

    async def erase(self, request_id: str, wish: Withdrawal) -> Found:
        """Erase what was asked and said of an ended request, here and in the scheduler; give what is left.

        Raises StillOpen, SchedulerUnavailable or RecordsUnavailable, after which the same may be sent again.
        """
        found = await self.find(request_id)
        if found.story.is_open or found.suspended:
            raise StillOpen
        with records_at_hand():
            await self.requests.keep(found, self.clock.now())
        if not await self.instances.purge(request_id):
            raise SchedulerUnavailable
        with records_at_hand():
            await retention.erase(
                self.store, request_id, by=wish.by, reason=wish.reason, caller=self.caller.name, now=self.received_at
            )
        logger.info("Request %s: its content was erased", request_id)
        return await self.find(request_id)

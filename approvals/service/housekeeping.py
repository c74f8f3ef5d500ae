"""What is done once a day: a file of each day that is over, and content that was kept long enough is erased."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from approvals import signals
from approvals.errors import SchedulerUnavailable
from approvals.records import retention
from approvals.records.exports import read_day
from approvals.records.indexes import DAYS, EVERYTHING, LATEST, ended_partition, list_partition, milliseconds
from approvals.records.opening import store_of
from approvals.records.store import Put, StoreUnavailable
from approvals.rules.story import Status
from approvals.rules.value import utc
from approvals.service.clock import SystemClock
from approvals.service.remembering import DAY_SETTLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from approvals.durable.instances import Instances
    from approvals.records.store import Store
    from approvals.service.clock import Clock
    from approvals.settings import Settings

logger = logging.getLogger("approvals.service.housekeeping")

CURSORS, EXPORTED, ERASED = "cursors", "exported", "erased"
DAYS_AT_ONCE, REQUESTS_AT_ONCE = 31, 500
"""How many days are exported, and how many requests are erased, in one run."""
SECONDS = 240.0
"""How long one run takes at most; a function is given five minutes."""
BY = "retention"
OPEN_AT_ONCE, OPEN_COUNTED = 1000, 100_000
HOUR_MS = 3_600_000
AGES = {"hour": HOUR_MS, "day": 24 * HOUR_MS, "week": 7 * 24 * HOUR_MS}


def age_of(age_ms: int) -> str:
    """Name the least of the ages that something is younger than."""
    return next((name for name, most in AGES.items() if age_ms < most), "older")


class Archive(Protocol):
    """Where the file of a day is put, once."""

    async def put(self, name: str, lines: AsyncIterator[bytes]) -> None:
        """Write a file, unless it is there. Raises StoreUnavailable."""


@dataclass(frozen=True)
class Housekeeping:
    """One run."""

    store: Store
    instances: Instances
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, chosen: Settings, instances: Instances) -> Housekeeping:
        """Take the store of the operator."""
        return cls(store_of(chosen), instances, chosen)

    async def count_open(self) -> None:
        """Write for operators how many requests are open, by age: the list of open ones says when each was made.

        `OPEN_COUNTED` are counted at most; where the store is away they are counted in an hour.
        """
        partition, now = list_partition(EVERYTHING, "status", Status.PENDING), milliseconds(self.clock.now())
        counted, after, is_more = Counter[str](), "", True
        try:
            while is_more and counted.total() < OPEN_COUNTED:
                rows = await self.store.scan(partition, after=after, limit=OPEN_AT_ONCE)
                counted.update(age_of(now - (LATEST - int(row.key.partition("-")[0]))) for row in rows)
                after, is_more = rows[-1].key if rows else "", len(rows) == OPEN_AT_ONCE
        except StoreUnavailable as error:
            logger.warning("Open requests are counted later: %s.", type(error).__name__)
            return
        signals.OPEN_REQUESTS.write(**{name: counted[name] for name in (*AGES, "older")})

    async def export(self, archive: Archive) -> None:
        """Put a file for each day that is over and has none, the earliest first; what fails is done tomorrow."""
        over = utc(self.clock.now() - DAY_SETTLES).date().isoformat()
        cursor = await self.store.get(CURSORS, EXPORTED)
        days = await self.store.scan(DAYS, after=cursor.body["day"] if cursor else "", before=over, limit=DAYS_AT_ONCE)
        for row in days:
            day = dt.date.fromisoformat(row.key)
            await archive.put(f"{row.key}.jsonl", self.lines(day))
            await self.store.write(CURSORS, Put(EXPORTED, {"day": row.key}))
            logger.info("The file of %s was put into the container.", row.key)

    async def lines(self, day: dt.date) -> AsyncIterator[bytes]:
        """Give a day's lines, page by page."""
        after: str | None = ""
        while after is not None:
            page = await read_day(self.store, day, after)
            after = page.after
            yield page.text.encode()

    async def erase(self) -> None:
        """Erase the content of what ended so long ago, here and in the scheduler, from where the last run stopped."""
        if self.settings.retention_days is None:
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self.erase_before(self.clock.now() - dt.timedelta(days=self.settings.retention_days))
        except (StoreUnavailable, SchedulerUnavailable, TimeoutError) as error:
            logger.warning("Content is erased later: %s.", type(error).__name__)

    async def erase_before(self, limit: dt.datetime) -> None:
        """Erase what ended on days that were over by then."""
        cursor = await self.store.get(CURSORS, ERASED)
        at: dict[str, Any] = cursor.body if cursor else {"day": "", "after": "", "is_done": True}
        left = REQUESTS_AT_ONCE
        while left > 0:
            if at["is_done"]:
                days = await self.store.scan(DAYS, after=at["day"], before=utc(limit).date().isoformat(), limit=1)
                if not days:
                    return
                at = {"day": days[0].key, "after": "", "is_done": False}
            rows = await self.store.scan(
                ended_partition(dt.date.fromisoformat(at["day"])), after=at["after"], limit=left
            )
            for row in rows:
                await self.forget(row.body["id"])
            at = {**at, "after": rows[-1].key if rows else at["after"], "is_done": len(rows) < left}
            left -= len(rows)
            await self.store.write(CURSORS, Put(ERASED, at))

    async def forget(self, request_id: str) -> None:
        """Erase one request's content, in the scheduler first. Raises SchedulerUnavailable, StoreUnavailable."""
        if not await self.instances.purge(request_id):
            raise SchedulerUnavailable
        await retention.erase(self.store, request_id, by=BY, reason="", caller="", now=utc(self.clock.now()))

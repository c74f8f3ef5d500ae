"""What every use case has at hand, and looking: the instance first, which is the truth, then the records."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from approvals import signals
from approvals.errors import NotFound, RecordsUnavailable, StillStarting
from approvals.people.callers import ANY_KEY
from approvals.people.identity import read_principal
from approvals.records.callbacks import callbacks_of
from approvals.records.opening import store_of
from approvals.records.requests import Requests, as_unknown
from approvals.records.store import StoreUnavailable
from approvals.rules.value import utc
from approvals.service.clock import SystemClock
from approvals.service.reach import Reach

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from approvals.durable.instances import Instances
    from approvals.people.callers import Caller
    from approvals.people.identity import Person
    from approvals.records.store import Store
    from approvals.rules.story import Found
    from approvals.service.clock import Clock
    from approvals.settings import Settings

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
KEEP_SECONDS = 0.3
"""How long an answer that is recorded waits for the records."""


@contextlib.contextmanager
def records_at_hand() -> Iterator[None]:
    """Say that the records are away where nothing can be done without them. Raises RecordsUnavailable."""
    try:
        yield
    except StoreUnavailable as error:
        raise RecordsUnavailable from error


@dataclass(frozen=True)
class Desk:
    """What every use case has at hand, for one call: the instances, the records, the clock, and who calls."""

    instances: Instances
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    reach: Reach = field(default_factory=lambda: Reach(ANY_KEY, "operate"))
    """What the caller may reach; a page's visitor is let in by their link alone."""
    received_at: dt.datetime = field(init=False)
    """When the call arrived, which is when its answer counts, whatever is read before it is handed on."""

    def __post_init__(self) -> None:
        """Take the time, once."""
        object.__setattr__(self, "received_at", utc(self.clock.now()))

    def signed_in(self, headers: Mapping[str, str]) -> Person | None:
        """Give who is signed in, where the platform's word on it counts."""
        return read_principal(headers) if self.settings.trusts_sign_in else None

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return self.reach.caller

    @property
    def requests(self) -> Requests:
        """The records of requests."""
        return Requests(self.store)

    @property
    def store(self) -> Store:
        """The store of the records, opened when it is first asked for."""
        return store_of(self.settings)

    # --- looking ----------------------------------------------------------------------------------

    async def find(self, request_id: str) -> Found:
        """Read a request, with what its caller could not be told. Raises NotFound, SchedulerUnavailable."""
        return await self.with_late_callbacks(await self.look_up(request_id))

    async def look_up(self, request_id: str) -> Found:
        """Read a request as its instance tells it, which needs no records. Raises NotFound, SchedulerUnavailable."""
        # ids are ours and go into the client's URLs unquoted: nothing else gets there
        if not REQUEST_ID.fullmatch(request_id):
            raise NotFound
        found = await self.instances.read(request_id) or await self.find_in_records(request_id)
        self.reach.check(found)
        return found

    async def with_late_callbacks(self, found: Found) -> Found:
        """Give a request with what its caller could not be told, where it wants to be told."""
        if not found.request.callback:
            return found
        try:
            sent = await callbacks_of(self.store, found.request.request_id)
        except StoreUnavailable:
            return found
        return found.model_copy(update={"late_callbacks": tuple(each.late for each in sent if not each.is_delivered)})

    async def find_in_records(self, request_id: str) -> Found:
        """Read a request whose instance is not there. Raises NotFound, StillStarting, RecordsUnavailable.

        Where no end was written nobody knows how it ended, and nobody is asked again.
        """
        with records_at_hand():
            entry = await self.requests.entry(request_id)
            found = await self.requests.record(request_id) if entry else None
        if not entry or not found:
            raise NotFound
        self.reach.check(found)
        if not entry.is_started:
            raise StillStarting
        return as_unknown(found) if found.story.is_open else found

    async def keep(self, found: Found, seconds: float | None = None) -> bool:
        """Write what stands into the records, if that can be done at once; what is missed is written by the sweep.

        Give whether it is written.
        """
        try:
            async with asyncio.timeout(KEEP_SECONDS if seconds is None else seconds):
                return await self.requests.keep(found, self.clock.now())
        except (StoreUnavailable, TimeoutError) as error:
            signals.RECORD_LATE.write(request=found.request.request_id, reason=type(error).__name__)
            return False

    async def wait_for_change(self, request_id: str, wait_seconds: int) -> Found:
        """Read a request; hold the answer until its status changes or the time has passed.

        While it waits it only looks where the request stands: the texts of a long story are read once, at the end.
        """
        end, pause = self.clock.elapsed() + wait_seconds, 0.1
        while self.clock.elapsed() < end and REQUEST_ID.fullmatch(request_id):
            seen = await self.instances.look(request_id)
            if not seen:
                return await self.find_in_records(request_id)
            self.reach.check(seen)
            if not seen.story.is_open:
                break
            await self.clock.sleep(min(pause, max(0.0, end - self.clock.elapsed())))
            pause = min(pause * 1.5, 1.0)
        return await self.find(request_id)

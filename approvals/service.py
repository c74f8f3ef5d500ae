"""The use cases. Every way in meets here: JSON routes today, pages and links tomorrow."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from approvals import model, wire
from approvals.errors import AlreadyDecided, KeyReused, NoLongerOpen, NotFound, TooLate
from approvals.model import Cancellation, Decision, Found, Request, Status, Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from approvals.instances import Instances
    from approvals.settings import Settings

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
KEYS = uuid.UUID("5e1a7d3c-52a8-4f0e-9d7b-2f1f0c9e8b6a")

CONFIRM_SECONDS = 10.0
"""How long a decision is waited for before the caller is told where to look."""
RAISE_AGAIN_SECONDS = 2.0
"""An event that was taken may still be lost while its instance is young (12 of 200 on the real extension)."""
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.5
STARTS = 3


class Clock(Protocol):
    """The time, and waiting in it."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""

    def elapsed(self) -> float:
        """Give seconds since some moment; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""
        return dt.datetime.now(dt.UTC)

    def elapsed(self) -> float:
        """Give seconds on the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, letting others run."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Created:
    """A request, and whether this call made it."""

    found: Found
    fresh: bool


@dataclass(frozen=True)
class Answered:
    """What stands after an answer was given; not `confirmed`: it was handed over and not yet seen recorded."""

    found: Found
    confirmed: bool = True


@dataclass(frozen=True)
class Approvals:
    """The service, for one call."""

    instances: Instances
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)

    # --- creating ---------------------------------------------------------------------------------

    async def request(self, body: wire.RequestBody, key: str | None, base_url: str) -> Created:
        """Make a request, or find the one this key made.

        Raises KeyReused when the key came with another body, SchedulerUnavailable.
        """
        fingerprint = hashlib.sha256(body.canonical().encode()).hexdigest()
        request_id = uuid.uuid5(KEYS, key).hex if key is not None else uuid.uuid4().hex
        # Look, then start: a start that meets an unfinished instance is refused; a finished one would be replaced,
        # which is why an instance with a key does not finish while a caller may be between these two steps
        # (model.guarded_until).
        for _ in range(STARTS):
            if key is not None and (found := await self.instances.read(request_id)):
                return same(found, fingerprint)
            request = self.asked(body, request_id, key is not None, fingerprint, base_url)
            if await self.instances.start(request):
                return Created(Found(request=request, story=Story()), fresh=True)
        found = await self.find(request_id)
        return same(found, fingerprint)

    def asked(self, body: wire.RequestBody, request_id: str, keyed: bool, fingerprint: str, base_url: str) -> Request:  # noqa: FBT001
        """Build the orchestration's input. Configuration that steers it is copied in, so that it never changes."""
        created_at = model.utc(self.clock.now())
        return Request(
            request_id=request_id,
            requester=body.requester,
            item=body.item,
            description=body.description,
            details=None if body.details is None else wire.compact(body.details),
            created_at=created_at,
            deadline=created_at + body.timeout,
            base_url=self.settings.public_base_url or base_url,
            tell=self.settings.notify_log,
            keyed=keyed,
            fingerprint=fingerprint,
        )

    # --- looking ----------------------------------------------------------------------------------

    async def find(self, request_id: str) -> Found:
        """Read a request. Raises NotFound, SchedulerUnavailable."""
        # ids are ours and go into the client's URLs unquoted: nothing else gets there
        found = await self.instances.read(request_id) if REQUEST_ID.fullmatch(request_id) else None
        if not found:
            raise NotFound
        return found

    async def find_changed(self, request_id: str, wait_seconds: int) -> Found:
        """Read a request; hold the answer until its status changes or the time has passed."""
        first = found = await self.find(request_id)
        end, pause = self.clock.elapsed() + wait_seconds, 0.1
        while found.story.is_open and found.story.status == first.story.status and self.clock.elapsed() < end:
            await self.clock.sleep(min(pause, max(0.0, end - self.clock.elapsed())))
            pause = min(pause * 1.5, 1.0)
            found = await self.find(request_id)
        return found

    # --- answering --------------------------------------------------------------------------------

    async def decide(self, request_id: str, body: wire.DecisionBody) -> Answered:
        """Give a decision and read back what the orchestration made of it.

        Raises NotFound, AlreadyDecided, NoLongerOpen, TooLate, SchedulerUnavailable.
        """
        decision = Decision(decision_id=uuid.uuid4().hex, **body.model_dump(), decided_at=self.clock.now())
        return await self.insist(request_id, "decision", decision, lambda found: model.judge_decision(found, decision))

    async def cancel(self, request_id: str, body: wire.CancellationBody) -> Answered:
        """Take a request back, and read back what the orchestration made of it. Raises as `decide` does."""
        wish = Cancellation(**body.model_dump(), cancelled_at=self.clock.now())
        return await self.insist(request_id, "cancel", wish, lambda found: model.judge_cancellation(found, wish))

    async def insist(
        self, request_id: str, kind: str, answer: Decision | Cancellation, judge: Callable[[Found], str]
    ) -> Answered:
        """Raise, read back, and raise again, until the orchestration has recorded an outcome or time is up.

        A second event of a name is harmless: the name is waited on once.
        """
        started, raise_at, pause = self.clock.elapsed(), 0.0, FIRST_LOOK_SECONDS
        while True:
            found = await self.find(request_id)
            judgement = judge(found)
            if judgement == "recorded":
                return Answered(found)
            if judgement in ("decided", "closed"):
                raise refusal(found)
            spent = self.clock.elapsed() - started
            if spent >= CONFIRM_SECONDS:
                break
            if judgement == "open" and spent >= raise_at:
                name = model.event_name(request_id, kind, found.story.waits[kind])
                await self.instances.raise_event(request_id, name, answer.model_dump(mode="json"))
                raise_at = spent + RAISE_AGAIN_SECONDS
            await self.clock.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        if judgement == "late":
            raise TooLate(found, f"The deadline was {model.rfc3339(found.request.deadline)}; this came after it.")
        return Answered(found, confirmed=False)


def same(found: Found, fingerprint: str) -> Created:
    """Give a request that exists as the answer to the body it was made from. Raises KeyReused for another body."""
    if found.request.fingerprint != fingerprint:
        raise KeyReused(found.request.request_id)
    return Created(found, fresh=False)


def refusal(found: Found) -> AlreadyDecided | NoLongerOpen:
    """Say why nothing can be decided any more, and what stands."""
    story = found.story
    if story.decision and story.settled_at:
        at = model.rfc3339(story.decision.decided_at)
        verdict = "approved" if story.decision.is_approved else "rejected"
        return AlreadyDecided(found, f"{story.decision.approver} {verdict} this request at {at}.")
    if story.cancellation:
        at = model.rfc3339(story.cancellation.cancelled_at)
        return NoLongerOpen(found, f"This request was cancelled by {story.cancellation.by} at {at}.")
    if story.status is Status.TIMEOUT:
        return NoLongerOpen(found, f"Nobody decided before the deadline, {model.rfc3339(found.request.deadline)}.")
    return NoLongerOpen(found, "This request failed inside the service and takes no decision any more.")

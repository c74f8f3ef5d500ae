"""The values of an approval and every rule about them. Pure: no clock, no I/O, no Azure.

The orchestrator asks this module what becomes of what it heard, and has the last word; the service asks the
same functions for an early answer. Times are instants in UTC; durations say so in their name.

    Pending ── approved ──> Approved
       ├────── rejected ──> Rejected
       ├────── cancelled ─> Cancelled
       └────── deadline ──> Timeout          Every other state is final.
"""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

LONGEST_TIMER = dt.timedelta(days=5)
"""No single timer is longer: beyond six days the SDK makes one whose cancellation never arrives (measured)."""
NAME_CHARACTERS = 254
COMMENTS_CHARACTERS = 2000
MAX_SPENT_WAITS = 10
"""How many unreadable events of a name are survived; each costs the instance a round."""
MAX_NOTES = 10
KEY_GUARD = dt.timedelta(hours=1)
"""How long after its start an instance made with an Idempotency-Key stays unfinished, see `guarded_until`."""


def utc(moment: dt.datetime) -> dt.datetime:
    """Give the instant in UTC, to the millisecond. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    return moment.astimezone(dt.UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def rfc3339(moment: dt.datetime) -> str:
    """Write an instant as RFC 3339 with milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


# An event may come past the API, from whoever has the host's key: what is too long for the custom status is no event.
Name = Annotated[str, Field(max_length=NAME_CHARACTERS)]
Comments = Annotated[str, Field(max_length=COMMENTS_CHARACTERS)]
Instant = Annotated[dt.datetime, AfterValidator(utc), PlainSerializer(rfc3339, when_used="json")]


class Value(BaseModel):
    """A value: equal by its fields, never changed, unknown fields of later versions ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def decoded(cls, data: object) -> Self:
        """Read a value as it comes through the scheduler: as an object, or as JSON text, once or twice encoded.

        Raises ValueError when it is none. The durable client encodes event data twice, other ways in once (measured).
        """
        for _ in range(3):
            if not isinstance(data, str):
                break
            try:
                data = json.loads(data)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error
        return cls.model_validate(data)


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    TIMEOUT = "Timeout"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    """The orchestration itself failed: a defect, never a decision."""


class Request(Value):
    """What was asked: the orchestration's input. `details` is the caller's JSON, carried as opaque text."""

    request_id: str
    requester: str
    item: str
    description: str = ""
    details: str | None = None
    created_at: Instant
    deadline: Instant
    base_url: str = ""
    tell: bool = False
    keyed: bool = False
    fingerprint: str = ""

    @property
    def approval_url(self) -> str:
        """Where a decision is sent."""
        return f"{self.base_url}/api/approvals/{self.request_id}"

    @property
    def status_url(self) -> str:
        """Where the request is looked up."""
        return f"{self.base_url}/api/requests/{self.request_id}"


class Decision(Value):
    """A person's answer, as heard. `decision_id` tells it from every other, the same answer given again too."""

    decision_id: Name
    is_approved: bool
    approver: Name
    comments: Comments = ""
    decided_at: Instant

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.decided_at

    def says_the_same_as(self, other: Decision) -> bool:
        """Tell whether the same person said the same; the comments are not compared."""
        return self.is_approved == other.is_approved and self.approver.casefold() == other.approver.casefold()


class Cancellation(Value):
    """The caller takes the request back."""

    by: Name
    reason: Comments = ""
    cancelled_at: Instant

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.cancelled_at


class Deadline(Value):
    """Nobody answered in time."""

    heard_at: Instant


Heard = Decision | Cancellation | Deadline


class Story(Value):
    """What has become of a request: the orchestration's custom status while it runs, its output when done.

    `waits` numbers the event names the instance listens to now.
    """

    status: Status = Status.PENDING
    settled_at: Instant | None = None
    decision: Decision | None = None
    cancellation: Cancellation | None = None
    waits: dict[str, int] = {"decision": 1, "cancel": 1}
    notes: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a decision can still settle it."""
        return self.status is Status.PENDING

    def noted(self, note: str) -> Story:
        """Add a note for operators; the first ten are kept."""
        return self if len(self.notes) >= MAX_NOTES else self.model_copy(update={"notes": (*self.notes, note)})

    def spent(self, kind: str) -> Story:
        """Go on to the next event name, after an event that could not be read took the wait for this one."""
        waits = {**self.waits, kind: self.waits[kind] + 1}
        return self.noted(f"A {kind} event that could not be read was ignored.").model_copy(update={"waits": waits})

    def listens_to(self, kind: str) -> bool:
        """Tell whether a wait of this kind is still made; the rounds of an instance are bounded."""
        return self.waits[kind] <= MAX_SPENT_WAITS + 1

    def published(self) -> dict[str, Any]:
        """Give the story as JSON for the custom status and the output; never falsy, at most some 12 KB of UTF-16."""
        return self.model_dump(mode="json", exclude_none=True)


class Found(Value):
    """A request and its story, as read."""

    request: Request
    story: Story


def event_name(request_id: str, kind: str, number: int) -> str:
    """Name an event so that it is waited on once in the instance and nowhere else.

    The SDK keeps one early event a name and hands it to every later wait of that name (measured); the host
    compares names without case and the SDK with it, so all of ours are lower case.
    """
    return f"{kind}-{number}-{request_id}".lower()


def is_late(request: Request, heard: Decision | Cancellation) -> bool:
    """Tell whether it came at the deadline or after."""
    return heard.heard_at >= request.deadline


def outcome(heard: Heard) -> Status:
    """Say what a thing heard makes of a pending request."""
    match heard:
        case Decision(is_approved=True):
            return Status.APPROVED
        case Decision():
            return Status.REJECTED
        case Cancellation():
            return Status.CANCELLED
        case _:
            return Status.TIMEOUT


def hear(request: Request, story: Story, heard: Heard, now: dt.datetime) -> Story:
    """Say what becomes of the story. The first thing heard in time settles it; nothing changes it afterwards."""
    if not story.is_open:
        return story
    if not isinstance(heard, Deadline) and is_late(request, heard):
        return story.noted("An answer came after the deadline and was not counted.")
    return story.model_copy(
        update={
            "status": outcome(heard),
            "settled_at": utc(now),
            "decision": heard if isinstance(heard, Decision) else None,
            "cancellation": heard if isinstance(heard, Cancellation) else None,
        }
    )


def hear_all(request: Request, story: Story, heard: list[Heard], now: dt.datetime) -> Story:
    """Hear what arrived together, in the order in which the service received it; no kind is favoured."""
    for each in sorted(heard, key=lambda h: h.heard_at):
        story = hear(request, story, each, now)
    return story


def next_timer(request: Request, now: dt.datetime) -> dt.datetime:
    """Say when to wake at the latest: at the deadline, or after the longest timer."""
    return min(request.deadline, utc(now) + LONGEST_TIMER)


def guarded_until(started_at: dt.datetime) -> dt.datetime:
    """Say until when an instance with an Idempotency-Key must not finish.

    The durable extension silently replaces a finished instance that is started again (recorded), so a caller
    that looked before the first start and is held up may come back and wipe out a decided request. As long as
    the instance is unfinished its start is refused; after the guard, whoever looks finds it.
    """
    return utc(started_at) + KEY_GUARD


def judge_decision(found: Found, decision: Decision) -> str:
    """Say how a decision relates to what stands: `recorded`, `decided`, `closed`, `late` or `open`."""
    story = found.story
    if story.decision:
        return "recorded" if story.decision.says_the_same_as(decision) else "decided"
    if not story.is_open:
        return "closed"
    return "late" if is_late(found.request, decision) else "open"


def judge_cancellation(found: Found, cancellation: Cancellation) -> str:
    """Say how a cancellation relates to what stands: `recorded`, `decided`, `closed`, `late` or `open`."""
    story = found.story
    if story.status is Status.CANCELLED:
        return "recorded"
    if story.decision:
        return "decided"
    if not story.is_open:
        return "closed"
    return "late" if is_late(found.request, cancellation) else "open"

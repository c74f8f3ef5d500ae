"""What becomes of a request: the values that change, and every rule about them. Pure: no clock, no I/O, no Azure.

The orchestrator feeds `hear` with what happens and obeys `listens_to` and `wakes_at`; it has the last word. The
service asks `judge_decision` and its kin for an early answer, and `preview` runs the same functions over answers
that are only imagined. Times are instants in UTC.

    Pending ── the panel's required approvals, or silence that approves ──> next stage, after the last: Approved
       ├────── a rejection that ends it, or silence that rejects ─────────> Rejected
       ├────── silence that escalates ────────────────────────────────────> another panel is asked instead
       ├────── silence ───────────────────────────────────────────────────> Timeout
       └────── taken back ────────────────────────────────────────────────> Cancelled     These four are final.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from approvals.policy import LONGEST_TIMER, MAX_REMINDERS, Assurance, Panel, Policy, Stage, identity_key
from approvals.value import Comments, Instant, Name, Text, Value, compact, decode_json, rfc3339, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SPENT_WAITS = 10
"""How many events of a name that count for nothing are survived; each costs the instance a round."""
MAX_CHANGES = 10
"""How often a request's answers may be passed on, by reassignment and delegation together."""
MAX_NOTES = 10
STATUS_BYTES = 15_000
"""What a custom status may weigh in UTF-16; over 16 KB the extension fails the instance (recorded)."""
OUTPUT_BYTES = 900_000
"""What an output may weigh; the scheduler takes a megabyte."""
SEND_AGAIN_AFTER = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""How long after a failed delivery it is tried again, the first time, the second, and so on."""
UNDELIVERED_TOLD = 10
KEY_GUARD = dt.timedelta(hours=1)
"""How long after its start an instance made with an Idempotency-Key stays unfinished, see `guarded_until`."""


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
    """What was asked: the orchestration's input. `details` is the caller's JSON, carried as opaque text.

    `deadline` is the first stage's. A request of the first version has no `policy`: one open slot, and silence
    means a time-out.
    """

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
    retries: int = 0
    """How often deliveries that failed are tried again; none in requests of before version 1.2."""
    requester_assurance: Assurance = "key"
    """How sure it is that the requester is who asked."""
    fingerprint: str = ""
    policy: Policy | None = None

    @property
    def effective_policy(self) -> Policy:
        """The policy, or what having none means."""
        if self.policy:
            return self.policy
        seconds = (self.deadline - self.created_at).total_seconds()
        return Policy(stages=(Stage(panel=Panel(timeout_seconds=seconds)),), allow_self_approval=True)

    @property
    def decision_url(self) -> str:
        """Where a system sends a person's decision."""
        return f"{self.base_url}/api/approvals/{self.request_id}"

    @property
    def status_url(self) -> str:
        """Where the request is looked up."""
        return f"{self.base_url}/api/requests/{self.request_id}"


class Decision(Value):
    """A person's answer, as heard, and the slot it is for. `decision_id` tells it from every other."""

    decision_id: Name
    is_approved: bool
    approver: Name
    comments: Comments = ""
    decided_at: Instant
    stage: int = 0
    escalated: bool = False
    slot: int = 0
    on_behalf_of: Name | None = None
    channel: Name = "api"
    assurance: Assurance = "key"
    """How sure it is that the approver is who answered."""
    signed_in_as: Name | None = None
    """Who was signed in, as `tenant/object`, whether or not that is the approver."""
    option: Name | None = None
    form: Text | None = None
    """What was filled in, as JSON text: data, never keys."""

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.decided_at

    def to_json(self) -> dict[str, Any]:
        """Write the answer for people: stages are counted from one."""
        return {
            "decision_id": self.decision_id,
            "is_approved": self.is_approved,
            "approver": self.approver,
            "on_behalf_of": self.on_behalf_of,
            "comments": self.comments,
            "option": self.option,
            "form": None if self.form is None else json.loads(self.form),
            "channel": self.channel,
            "assurance": self.assurance,
            "signed_in_as": self.signed_in_as,
            "stage": self.stage + 1,
            "escalated": self.escalated,
            "decided_at": rfc3339(self.decided_at),
        }

    def says_the_same_as(self, other: Decision) -> bool:
        """Tell whether the same person said the same; the comments are not compared."""
        same = (self.is_approved, self.option) == (other.is_approved, other.option)
        return same and identity_key(self.approver) == identity_key(other.approver)


class Change(Value):
    """A slot is passed on: by someone in charge (`reassign`) or by its holder (`delegate`)."""

    change_id: Name
    kind: Literal["reassign", "delegate"]
    by: Name
    holder: Name
    to: Name
    reason: Comments = ""
    changed_at: Instant

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.changed_at


class Cancellation(Value):
    """The caller takes the request back."""

    by: Name
    reason: Comments = ""
    cancelled_at: Instant

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.cancelled_at


class TimerFired(Value):
    """A timer has fired that was set for this instant."""

    heard_at: Instant


Event = Decision | Change | Cancellation | TimerFired


class Undelivered(Value):
    """A message that a channel did not take: to whom, by which channel, and what `key` it had."""

    to: Name | None = None
    """Nobody in particular where a channel has many readers."""
    channel: Name = ""
    """Empty: it is not known which channels took it."""
    key: str
    occasion: str
    permanent: bool = False
    """Whether sending it again is useless: the person cannot be addressed there."""


class Story(Value):
    """What has become of a request: the orchestration's custom status while it runs, its output when done.

    `waits` numbers the event names the instance listens to, where it is not the first of its kind. `holders` has
    who a slot of the present panel was passed on to.
    """

    status: Status = Status.PENDING
    settled_at: Instant | None = None
    decision: Decision | None = None
    cancellation: Cancellation | None = None
    stage: int = 0
    escalated: bool = False
    asked_at: Instant | None = None
    reminded: int = 0
    holders: dict[str, str] = Field(default_factory=dict)
    generations: dict[str, int] = Field(default_factory=dict)
    """How often a slot of the present panel was passed on; each time voids the link before."""
    votes: tuple[Decision, ...] = ()
    changes: tuple[Change, ...] = ()
    waits: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    attempts: int = 0
    """How often it was tried again to deliver what failed, in the present panel or of the outcome."""
    deliver_at: Instant | None = None
    """When it is tried again."""
    abridged: bool = False
    """Whether texts were left out to keep within the custom status; the history has them (see `restored`)."""

    @property
    def is_open(self) -> bool:
        """Whether an answer can still count."""
        return self.status is Status.PENDING

    def with_note(self, note: str) -> Story:
        """Add a note for operators; the first ten are kept."""
        return self if len(self.notes) >= MAX_NOTES else self.model_copy(update={"notes": (*self.notes, note)})

    def event_number(self, key: str) -> int:
        """Give the number of the event name of this kind that is listened to."""
        return self.waits.get(key, 1)

    def with_next_number(self, key: str) -> Story:
        """Go on to the next event name of this kind: the one before is spent."""
        return self.model_copy(update={"waits": {**self.waits, key: self.event_number(key) + 1}})

    def with_spent_event(self, key: str, note: str) -> Story:
        """Go on after an event that counts for nothing took the wait for it."""
        return self.with_note(note).with_next_number(key)

    def vote_of(self, slot: int) -> Decision | None:
        """Give the answer of a slot of the present panel, or nothing."""
        for vote in self.votes:
            if (vote.stage, vote.escalated, vote.slot) == (self.stage, self.escalated, slot):
                return vote
        return None

    def last_change_to(self, person: str) -> str:
        """Give the id of the change that passed a slot on to a person last."""
        return next((change.change_id for change in reversed(self.changes) if change.to == person), "")

    def snapshot(self) -> dict[str, Any]:
        """Give the story as JSON for the custom status and the output: never falsy, abridged when it is too large."""
        whole = self.model_dump(mode="json", exclude_defaults=True, exclude_none=True) | {"status": self.status.value}
        if self.undelivered:
            whole["undelivered"] = whole["undelivered"][:UNDELIVERED_TOLD]
        if utf16_size(whole) <= STATUS_BYTES:
            return whole
        return self.abridged_snapshot()

    def output(self) -> dict[str, Any]:
        """Give the story as JSON for the output, whose limit is a megabyte: abridged only beyond the imaginable."""
        whole = self.model_dump(mode="json", exclude_none=True)
        return whole if utf16_size(whole) <= OUTPUT_BYTES else self.abridged_snapshot()

    def abridged_snapshot(self) -> dict[str, Any]:
        """Give the story without its texts: votes and holders by number and digest, the rest from the history."""
        without: dict[str, Any] = {"decision": None, "votes": (), "changes": (), "holders": {}, "notes": ()}
        short = self.model_copy(update={**without, "undelivered": ()})
        return {
            **short.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"cancellation"}),
            "status": self.status.value,
            "abridged": True,
            "v": [short_digest(vote.decision_id) for vote in self.votes],
            "c": [short_digest(change.change_id) for change in self.changes],
            "h": {slot: short_digest(self.last_change_to(holder)) for slot, holder in self.holders.items()},
            "n": [note[:80] for note in self.notes],
            **({"u": len(self.undelivered)} if self.undelivered else {}),
            **({"x": True} if self.cancellation else {}),
            **({"d": True} if self.decision else {}),
        }


def utf16_size(value: Any) -> int:
    """Give the bytes of a value as compact JSON in UTF-16, which is how the extension weighs a custom status."""
    return len(compact(value).encode("utf-16-le"))


def short_digest(text: str) -> str:
    """Give eight characters that tell ids of one request apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Found(Value):
    """A request and its story, as read."""

    request: Request
    story: Story
    suspended: bool = False
    """Whether an operator holds the instance: what it says of itself may run ahead of what will be."""

    @property
    def policy(self) -> Policy:
        """What was agreed."""
        return self.request.effective_policy

    @property
    def panel(self) -> Panel:
        """The panel that is or was asked last."""
        return self.policy.panel(self.story.stage, escalated=self.story.escalated)

    @property
    def due_at(self) -> dt.datetime:
        """When silence is taken for an answer."""
        return (self.story.asked_at or self.request.created_at) + self.panel.timeout

    @property
    def next_reminder_at(self) -> dt.datetime | None:
        """When people are reminded next, if they are."""
        every = self.panel.remind_every
        if not every or self.story.reminded >= MAX_REMINDERS:
            return None
        at = (self.story.asked_at or self.request.created_at) + every * (self.story.reminded + 1)
        return at if at < self.due_at else None

    def holder(self, slot: int) -> str | None:
        """Give who may answer a slot now; nothing for the open one."""
        passed_on = self.story.holders.get(str(slot))
        return passed_on or (self.panel.approvers[slot] if self.panel.approvers else None)

    def generation(self, slot: int) -> int:
        """Count how often a slot of the present panel was passed on."""
        return self.story.generations.get(str(slot), 0)

    def slot_of(self, person: str) -> int | None:
        """Give the slot a person may answer, if any."""
        if not self.panel.approvers:
            return 0
        return next(
            (s for s in range(self.panel.slots) if identity_key(self.holder(s) or "") == identity_key(person)), None
        )

    @property
    def awaited(self) -> list[int]:
        """The slots that have not answered."""
        return [slot for slot in range(self.panel.slots) if not self.story.vote_of(slot)]

    def votes(self, *, yes: bool) -> int:
        """Count the approving or rejecting answers of the present panel."""
        here = (self.story.stage, self.story.escalated)
        return sum(vote.is_approved is yes for vote in self.story.votes if (vote.stage, vote.escalated) == here)

    def with_story(self, story: Story) -> Found:
        """Give the same request with another story."""
        return self.model_copy(update={"story": story})


# --- what is listened to --------------------------------------------------------------------------


def slot_key(story: Story, slot: int) -> str:
    """Name the kind of event that answers a slot. The first slot of all keeps the first version's name."""
    panel = 2 * story.stage + story.escalated
    return f"decision-{panel}-{slot}" if panel or slot else "decision"


def event_name(request_id: str, key: str, number: int) -> str:
    """Name an event so that it is waited on once in the instance and nowhere else.

    The SDK keeps one early event a name and hands it to every later wait of that name (measured); the host
    compares names without case and the SDK with it, so all of ours are lower case.
    """
    return f"{key}-{number}-{request_id}".lower()


def awaited_events(found: Found) -> dict[str, str]:
    """Give the event names that can change something now, each with the kind of event it is for."""
    story = found.story
    keys = [slot_key(story, slot) for slot in found.awaited] + ["cancel"]
    if found.panel.approvers and len(story.changes) < MAX_CHANGES:
        keys.append("change")
    bound = 1 + MAX_SPENT_WAITS + len(story.changes)
    return {
        event_name(found.request.request_id, key, story.event_number(key)): key
        for key in sorted(keys)
        if story.event_number(key) <= bound
    }


def read_event(key: str, data: object) -> Decision | Change | Cancellation:
    """Read the data of an event of a kind. Raises ValueError when it cannot be read."""
    kinds: dict[str, type[Decision | Change | Cancellation]] = {"cancel": Cancellation, "change": Change}
    return kinds.get(key, Decision).from_json(data)


def next_wake_at(found: Found, now: dt.datetime) -> dt.datetime:
    """Say when to wake at the latest: for a reminder, at the deadline, or after the longest timer."""
    times = [found.due_at, utc(now) + LONGEST_TIMER]
    times += [at for at in (found.next_reminder_at, found.story.deliver_at) if at]
    return min(times)


def guard_end(started_at: dt.datetime) -> dt.datetime:
    """Say until when an instance with an Idempotency-Key must not finish.

    The durable extension silently replaces a finished instance that is started again (recorded), so a caller
    that looked before the first start and is held up may come back and wipe out a decided request. As long as
    the instance is unfinished its start is refused; after the guard, whoever looks finds it.
    """
    return utc(started_at) + KEY_GUARD


# --- what becomes of it ---------------------------------------------------------------------------


def apply_event(found: Found, heard: Event, key: str, now: dt.datetime) -> Found:
    """Say what becomes of a request that hears this under an event name of the kind `key`. Nothing reopens it."""
    if not found.story.is_open:
        return found
    match heard:
        case TimerFired():
            return apply_timer(found, heard, now)
        case Cancellation():
            if heard.heard_at >= found.due_at:
                return ignore_late(found, key, "A cancellation came after the deadline and was not counted.")
            return settle(found, Status.CANCELLED, now, cancellation=heard)
        case Change():
            return pass_slot_on(found, heard)
        case _:
            return count_vote(found, heard, key, now)


def apply_events(found: Found, heard: Iterable[tuple[Event, str]], now: dt.datetime) -> Found:
    """Hear what arrived together, in the order in which the service received it; no kind is favoured."""
    for each, key in sorted(heard, key=lambda h: h[0].heard_at):
        found = apply_event(found, each, key, now)
    return found


def count_vote(found: Found, vote: Decision, key: str, now: dt.datetime) -> Found:
    """Count an answer, if it is one: in time, for a slot that waits, by who holds it, and not on one's own request."""
    story = found.story
    if key not in {slot_key(story, slot) for slot in found.awaited}:
        return found
    here = (vote.stage, vote.escalated) == (story.stage, story.escalated) and vote.slot in found.awaited
    if not here or slot_key(story, vote.slot) != key:
        return found.with_story(story.with_spent_event(key, "An answer that is not this slot's was not counted."))
    if vote.heard_at >= found.due_at:
        return ignore_late(found, key, "An answer came after the deadline and was not counted.")
    holder = found.holder(vote.slot)
    stranger = holder is not None and identity_key(holder) != identity_key(vote.approver)
    if stranger or found.policy.forbids(found.request.requester, vote.approver):
        return found.with_story(
            story.with_spent_event(key, "An answer by someone who may not give it was not counted.")
        )
    if not found.panel.accepts(vote.assurance):
        return found.with_story(
            story.with_spent_event(key, "An answer by someone who was not signed in was not counted.")
        )
    return settle_if_decided(found.with_story(story.model_copy(update={"votes": (*story.votes, vote)})), vote, now)


def ignore_late(found: Found, key: str, note: str) -> Found:
    """Note what came too late. Its wait is made anew, but in an instance of the first version, which made none."""
    return found.with_story(
        found.story.with_spent_event(key, note) if found.request.policy else found.story.with_note(note)
    )


def settle_if_decided(found: Found, vote: Decision, now: dt.datetime) -> Found:
    """See whether an answer settles the panel."""
    panel, yes, no = found.panel, found.votes(yes=True), found.votes(yes=False)
    if no and (panel.reject_when == "any" or yes + len(found.awaited) < panel.required):
        return settle(found, Status.REJECTED, now, decision=vote)
    if yes >= panel.required:
        return advance(found, now, vote)
    return found


def advance(found: Found, now: dt.datetime, vote: Decision | None = None) -> Found:
    """Go on to the next stage; after the last it is approved."""
    following = found.story.stage + 1
    if following == len(found.policy.stages):
        return settle(found, Status.APPROVED, now, decision=vote)
    return ask_panel(found, now, stage=following, escalated=False)


def ask_panel(found: Found, now: dt.datetime, *, stage: int, escalated: bool) -> Found:
    """Ask a panel, from now on."""
    fresh = {"stage": stage, "escalated": escalated, "asked_at": utc(now), "reminded": 0, "holders": {}}
    return found.with_story(found.story.model_copy(update={**fresh, "generations": {}, **NOTHING_UNDELIVERED}))


def settle(found: Found, status: Status, now: dt.datetime, **by: Decision | Cancellation | None) -> Found:
    """Settle it."""
    update = {"status": status, "settled_at": utc(now), **NOTHING_UNDELIVERED, **by}
    return found.with_story(found.story.model_copy(update=update))


def apply_timer(found: Found, wake: TimerFired, now: dt.datetime) -> Found:
    """Take silence for what was agreed, or count a reminder; a timer of an earlier panel means nothing."""
    if wake.heard_at >= found.due_at:
        match found.panel.on_timeout:
            case "approve":
                return advance(found.with_story(found.story.with_note(f"Silence approved {stage_name(found)}.")), now)
            case "reject":
                return settle(found, Status.REJECTED, now)
            case "escalate":
                return ask_panel(found, now, stage=found.story.stage, escalated=True)
            case _:
                return settle(found, Status.TIMEOUT, now)
    if found.next_reminder_at and wake.heard_at >= found.next_reminder_at:
        return count_reminder(found, now)
    if found.story.deliver_at and wake.heard_at >= found.story.deliver_at:
        return count_attempt(found)
    return found


def count_reminder(found: Found, now: dt.datetime) -> Found:
    """Count a reminder. Those missed while nobody could be reminded are passed over, not sent all at once."""
    story, every = found.story, found.panel.remind_every or LONGEST_TIMER
    elapsed = (utc(now) - (story.asked_at or found.request.created_at)) // every
    count = min(MAX_REMINDERS, max(story.reminded + 1, elapsed))
    superseded: dict[str, Any] = {"undelivered": (), "deliver_at": None}  # those who did not get a message get this one
    return found.with_story(story.model_copy(update={"reminded": count, **superseded}))


def pass_slot_on(found: Found, change: Change) -> Found:
    """Pass a slot on, if that is allowed; either way the next change goes under the next name."""
    story = found.story.with_next_number("change")
    slot = found.slot_of(change.holder) if found.panel.approvers else None
    if slot is None or slot not in found.awaited or reassignment_obstacle(found, change.to):
        return found.with_story(story.with_note("A change that is not allowed was ignored."))
    if change.heard_at >= found.due_at:
        return found.with_story(story.with_note("A change came after the deadline."))
    story = story.with_next_number(slot_key(story, slot))
    update: dict[str, Any] = {
        "holders": {**story.holders, str(slot): change.to},
        "generations": {**story.generations, str(slot): found.generation(slot) + 1},
        "changes": (*story.changes, change),
        "attempts": 0,
    }
    return found.with_story(story.model_copy(update=update))


def reassignment_obstacle(found: Found, person: str) -> str | None:
    """Say why a slot cannot be passed on to a person: `self`, `asked`, or nothing."""
    if found.policy.forbids(found.request.requester, person):
        return "self"
    everyone = {*found.panel.approvers, *(found.holder(slot) or "" for slot in range(found.panel.slots))}
    return "asked" if identity_key(person) in {identity_key(one) for one in everyone} else None


def occasion(before: Found | None, found: Found) -> str:
    """Say why people are told.

    `asked`, `escalated`, `passed_on`, `reminded`; `again`, what was not delivered; or `renewed`, nobody's news.
    """
    if before is None or before.story.stage != found.story.stage:
        return "asked"
    if before.story.escalated != found.story.escalated:
        return "escalated"
    if len(before.story.changes) < len(found.story.changes):
        return "passed_on"
    if before.story.reminded < found.story.reminded:
        return "reminded"
    return "again" if before.story.attempts < found.story.attempts else "renewed"


def stage_name(found: Found) -> str:
    """Name the present stage for people."""
    name = found.policy.stages[found.story.stage].name
    return f"stage '{name}'" if name else f"stage {found.story.stage + 1}"


# --- what could not be delivered ------------------------------------------------------------------

NOTHING_UNDELIVERED: dict[str, Any] = {"undelivered": (), "attempts": 0, "deliver_at": None}


def record_delivery(
    found: Found, tried: Iterable[Undelivered], failed: Iterable[Undelivered], now: dt.datetime
) -> Found:
    """Take note of what became of messages: of those `tried` again, and all others, these `failed`.

    What failed is tried again after a growing delay, as often as the request says; a decision waits for none of it.
    """
    story, tried = found.story, tuple(tried)
    rest = (*(each for each in story.undelivered if each not in tried), *failed)
    update: dict[str, Any] = {"undelivered": rest, "deliver_at": None}
    attempts = min(found.request.retries, len(SEND_AGAIN_AFTER))
    if any(not each.permanent for each in rest) and story.attempts < attempts:
        update["deliver_at"] = story.deliver_at or utc(now) + SEND_AGAIN_AFTER[story.attempts]
    return found.with_story(story.model_copy(update=update))


def count_attempt(found: Found) -> Found:
    """Count that what failed is tried again."""
    return found.with_story(found.story.model_copy(update={"attempts": found.story.attempts + 1, "deliver_at": None}))


# --- early answers --------------------------------------------------------------------------------


def judge_decision(found: Found, decision: Decision, *, stage: int | None = None) -> str:
    """Say how an answer relates to what stands.

    `recorded`: it stands already. `decided`, `closed`: the request is settled otherwise. `voted`: this person, or
    this slot, answered otherwise. `unclear`: they answered an earlier stage and are asked again. `elsewhere`: another
    stage is being asked. `self`, `not_yours`: not theirs to give. `late`: the deadline has passed. `open`: the
    orchestration has to hear it.
    """
    story, policy = found.story, found.policy
    if policy.forbids(found.request.requester, decision.approver):
        return "self"
    earlier = [
        vote
        for vote in (*story.votes, *((story.decision,) if story.decision else ()))
        if identity_key(vote.approver) == identity_key(decision.approver) and stage in (None, vote.stage)
    ]
    if any(vote.decision_id == decision.decision_id for vote in earlier):
        return "recorded"
    if earlier and stage is None and story.is_open and is_asked_again(found, earlier[-1]):
        return "unclear"
    if earlier:
        return "recorded" if earlier[-1].says_the_same_as(decision) else "voted" if story.is_open else "decided"
    if not story.is_open:
        return "decided" if story.decision else "closed"
    if stage is not None and stage != story.stage:
        return "elsewhere"
    slot = found.slot_of(decision.approver)
    if slot is None:
        return "not_yours"
    if slot not in found.awaited:
        return "voted"
    return "late" if decision.heard_at >= found.due_at else "open"


def is_asked_again(found: Found, earlier: Decision) -> bool:
    """Tell whether someone who answered an earlier panel is awaited in this one, too."""
    here = (earlier.stage, earlier.escalated) == (found.story.stage, found.story.escalated)
    slot = found.slot_of(earlier.approver)
    return not here and slot is not None and slot in found.awaited


def judge_cancellation(found: Found, cancellation: Cancellation) -> str:
    """Say how a cancellation relates to what stands: `recorded`, `decided`, `closed`, `late` or `open`."""
    story = found.story
    if story.status is Status.CANCELLED:
        return "recorded"
    if not story.is_open:
        return "decided" if story.decision else "closed"
    return "late" if cancellation.heard_at >= found.due_at else "open"


def judge_change(found: Found, change: Change) -> str:
    """Say how passing a slot on relates to what stands.

    `recorded`: it has been done. `decided`, `closed`: the request is settled. `self`, `asked`: not to this person.
    `nobody`: nobody of that name is asked. `voted`: the slot has answered. `exhausted`: it was passed on too often.
    `late`, `open`: as for a decision.
    """
    story = found.story
    done = (c for c in story.changes if (identity_key(c.holder), identity_key(c.to)) == holder_and_successor(change))
    if next(done, None) and str(found.slot_of(change.to) if found.panel.approvers else None) in story.holders:
        return "recorded"
    if not story.is_open:
        return "decided" if story.decision else "closed"
    slot = found.slot_of(change.holder) if found.panel.approvers else None
    if slot is None:
        return "nobody"
    if slot not in found.awaited:
        return "voted"
    if reason := reassignment_obstacle(found, change.to):
        return reason
    if len(story.changes) >= MAX_CHANGES:
        return "exhausted"
    return "late" if change.heard_at >= found.due_at else "open"


def holder_and_successor(change: Change) -> tuple[str, str]:
    """Give from whom and to whom."""
    return identity_key(change.holder), identity_key(change.to)


# --- reading back what was abridged ---------------------------------------------------------------


def restore_story(request: Request, published: object, events: Iterable[tuple[str, object]]) -> Story:
    """Read a story as it was published, with the texts it left out taken from the events of the history.

    `events` are names and data, oldest first. Raises ValueError when it is no story.
    """
    story = Story.from_json(published)
    if not story.abridged:
        return story
    raw = decode_json(published)
    heard: dict[str, Decision | Change | Cancellation] = {}
    cancelled: Cancellation | None = None
    for name, data in events:
        try:
            thing = read_event(event_kind(name, request.request_id), data)
        except ValueError:
            continue
        if isinstance(thing, Cancellation):
            cancelled = cancelled or thing
        else:
            heard.setdefault(short_digest(thing.decision_id if isinstance(thing, Decision) else thing.change_id), thing)
    votes = tuple(v for d in raw.get("v", ()) if isinstance(v := heard.get(d), Decision))
    changes = tuple(c for d in raw.get("c", ()) if isinstance(c := heard.get(d), Change))
    settled_by_vote = raw.get("d") and votes
    return story.model_copy(
        update={
            "votes": votes,
            "changes": changes,
            "notes": (*raw.get("n", ()), *([f"Messages not delivered: {raw['u']}."] if raw.get("u") else [])),
            "cancellation": cancelled if raw.get("x") else None,
            "decision": votes[-1] if settled_by_vote else None,
            "holders": {slot: c.to for slot, d in raw.get("h", {}).items() if isinstance(c := heard.get(d), Change)},
        }
    )


def event_kind(name: str, request_id: str) -> str:
    """Give the kind of event a name is for."""
    return name.removesuffix(f"-{request_id}").rpartition("-")[0]

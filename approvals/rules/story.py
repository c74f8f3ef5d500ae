"""The values of a request: what was asked, what was heard, and what has become of it. Pure.

`Story` is the orchestration's custom status while it runs and its output when done; its JSON stands in histories
that live for weeks, so no field is ever renamed and a new one has the old behaviour as its default. What becomes of
a request when something happens is decided in `hearing`. Times are instants in UTC.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from approvals.rules.callbacks import Callback, LateCallback
from approvals.rules.names import could_be_same, is_same
from approvals.rules.policy import MAX_REMINDERS, Assurance, Panel, Policy, Stage, identity_key
from approvals.rules.presentation import Presentation
from approvals.rules.value import Comments, Instant, Name, Text, Value, canonical, load_json

MAX_NOTES = 10
STATUS_BYTES = 15_000
"""What a custom status may weigh in UTF-16; over 16 KB the extension fails the instance (recorded)."""
OUTPUT_BYTES = 900_000
"""What an output may weigh; the scheduler takes a megabyte."""
UNDELIVERED_TOLD = 10
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
RULES = 2
"""The rules that new requests are judged by. A request keeps those it was made with: see `Request.rules`."""


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    TIMEOUT = "Timeout"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    """The orchestration itself failed: a defect, never a decision."""
    UNKNOWN = "Unknown"
    """The instance is gone and no end was written: nobody is asked again."""


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
    rules: int = 1
    """Which rules judge it, schedule for it and write its history; a request of before version 1.3 does not say: 1."""
    created_by: str = ""
    """The name of the caller that made it; nothing is known of it before version 1.3."""
    created_by_title: str = ""
    """What people read instead of that name, as it was when the request was made."""
    action: str | None = None
    """What exactly is to be done after a yes, as JSON text."""
    grant_ttl_seconds: float = 3600
    """How long after the approval that may be done, once."""
    salt: str = ""
    digest_version: int = 0
    """By which rules the digest of the content is made; none before there were grants."""
    reference: str = ""
    """The caller's own number for it."""
    tags: tuple[str, ...] = ()
    """Words of the caller's to find it by."""
    presentation: Presentation = Presentation()
    """In which language it is shown, and with what beside it."""
    callback: Callback | None = None
    """Where its caller is told what becomes of it. The query of that address is nowhere but here."""
    links_expire_at: Instant | None = None
    """Until when its links show anything; before version 1.3 it is worked out from the policy."""

    @property
    def effective_policy(self) -> Policy:
        """The policy, or what having none means."""
        if self.policy:
            return self.policy
        seconds = (self.deadline - self.created_at).total_seconds()
        return Policy(stages=(Stage(panel=Panel(timeout_seconds=seconds)),), allow_self_approval=True)

    @property
    def has_first_rules(self) -> bool:
        """Whether it was made before version 1.3, and goes on as requests did then."""
        return self.rules == 1

    @property
    def without_secrets(self) -> Request:
        """The same without what may stand in its orchestration's input alone."""
        return self.model_copy(update={"callback": self.callback and self.callback.without_secret})

    def is_same(self, one: str, other: str) -> bool:
        """Tell whether two names are certainly one person's, by the rules of this request."""
        return is_same(one, other) if not self.has_first_rules else identity_key(one) == identity_key(other)

    def could_be_same(self, one: str, other: str) -> bool:
        """Tell whether two names might be one person's, by the rules of this request."""
        return could_be_same(one, other) if not self.has_first_rules else identity_key(one) == identity_key(other)

    def forbids(self, person: str) -> bool:
        """Tell whether this person, or the system that asked for them, would decide on their own request."""
        if self.effective_policy.allow_self_approval:
            return False
        asking = (self.requester, *((self.created_by, self.created_by_title) if self.created_by_title else ()))
        return any(self.could_be_same(each, person) for each in asking)

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
    caller: Name = ""
    """The caller that said so for the person, where it was no link or page."""
    content_digest: str | None = None
    """The digest of what they were shown; nothing: it is not known what that was."""

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.decided_at

    @property
    def place(self) -> tuple[int, bool, int]:
        """The slot it is for: stage, whether escalated, slot."""
        return self.stage, self.escalated, self.slot

    def says_the_same_as(self, other: Decision, *, wholly: bool) -> bool:
        """Tell whether it says the same as another answer: the verdict alone, or wholly, with comments and form."""
        if (self.is_approved, self.option) != (other.is_approved, other.option):
            return False
        forms = [canonical(load_json(answer.form)) for answer in (self, other)]
        return not wholly or (self.comments == other.comments and forms[0] == forms[1])


class Change(Value):
    """A slot is passed on: by someone in charge (`reassign`) or by its holder (`delegate`)."""

    change_id: Name
    kind: Literal["reassign", "delegate"]
    by: Name
    holder: Name
    to: Name
    reason: Comments = ""
    changed_at: Instant
    caller: Name = ""
    """The caller that wished it."""
    stage: int | None = None
    """Whose slot it is about: a stage and its panel; before version 1.3 the one that is asked when it is heard."""
    escalated: bool = False
    if_revision: int | None = None
    """The revision of the story that it was meant for; with another it does not count."""

    @property
    def heard_at(self) -> dt.datetime:
        """When the service received it."""
        return self.changed_at


class Cancellation(Value):
    """The caller takes the request back."""

    by: Name
    reason: Comments = ""
    cancelled_at: Instant
    caller: Name = ""
    """The caller that wished it."""
    if_revision: int | None = None
    """The revision of the story that it was meant for; with another it does not count."""

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


class Mark(Value):
    """An instant at which the orchestration did something by itself."""

    kind: Literal["asked", "escalated", "reminded"]
    at: Instant
    stage: int

    def abridged(self) -> str:
        """Write it short: the kind's first letter, the stage, milliseconds since 1970; `restoring` reads it."""
        return f"{self.kind[0]}{self.stage}:{(self.at - EPOCH) // dt.timedelta(milliseconds=1)}"


class Story(Value):
    """What has become of a request: the orchestration's custom status while it runs, its output when done.

    `waits` numbers the event names the instance listens to, where it is not the first of its kind. `holders` has
    who a slot was passed on to, by `Found.slot_id`.
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
    """How often a slot was passed on, by `Found.slot_id`; each time voids the link before."""
    votes: tuple[Decision, ...] = ()
    changes: tuple[Change, ...] = ()
    waits: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    """When a panel was asked, after the first, or reminded; nothing is known of it before version 1.3."""
    undelivered: tuple[Undelivered, ...] = ()
    undelivered_more: int = 0
    """How many more there are than a custom status has room to name; the orchestration itself knows them all."""
    never_delivered: tuple[Undelivered, ...] = ()
    """What was not delivered before its panel, or the request, was over; nothing is kept before version 1.3."""
    never_delivered_more: int = 0
    """How many more of those there are."""
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

    @property
    def revision(self) -> int:
        """A number that grows with each vote, change, panel that is asked, and the outcome; it begins with 1."""
        panels = 2 * self.stage + self.escalated
        return 1 + len(self.votes) + len(self.changes) + panels + (not self.is_open)

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

    def is_still_awaited(self, key: str) -> bool:
        """Tell whether an event of a kind can matter yet: not when it is for a panel that is over."""
        kind, _, place = key.partition("-")
        panel = int(place.partition("-")[0] or 0)
        return kind != "decision" or panel >= 2 * self.stage + self.escalated

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
        if len(self.undelivered) > UNDELIVERED_TOLD:
            whole["undelivered"] = whole["undelivered"][:UNDELIVERED_TOLD]
            whole["undelivered_more"] = len(self.undelivered) - UNDELIVERED_TOLD
        if utf16_size(whole) <= STATUS_BYTES:
            return whole
        return self.abridged_snapshot()

    def abridged_snapshot(self) -> dict[str, Any]:
        """Give the story without its texts: votes and holders by number and digest, the rest from the history."""
        without: dict[str, Any] = {
            "decision": None,
            "votes": (),
            "changes": (),
            "holders": {},
            "notes": (),
            "marks": (),
            "waits": {key: n for key, n in self.waits.items() if self.is_still_awaited(key)},
        }
        never = {
            "never_delivered": (),
            "never_delivered_more": len(self.never_delivered) + self.never_delivered_more,
        }
        short = self.model_copy(update={**without, **never, "undelivered": ()})
        return {
            **short.model_dump(mode="json", exclude_defaults=True, exclude_none=True, exclude={"cancellation"}),
            "status": self.status.value,
            "abridged": True,
            "v": [short_digest(vote.decision_id) for vote in self.votes],
            "c": [short_digest(change.change_id) for change in self.changes],
            "h": {slot: short_digest(self.last_change_to(holder)) for slot, holder in self.holders.items()},
            "n": [note[:80] for note in self.notes],
            **({"m": [mark.abridged() for mark in self.marks]} if self.marks else {}),
            **({"u": len(self.undelivered)} if self.undelivered else {}),
            **({"x": True} if self.cancellation else {}),
            **({"d": True} if self.decision else {}),
        }


def utf16_size(value: Any) -> int:
    """Give the bytes of a value as compact JSON in UTF-16, which is how the extension weighs a custom status."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le"))


def short_digest(text: str) -> str:
    """Give eight characters that tell ids of one request apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


class Found(Value):
    """A request and its story, as read."""

    request: Request
    story: Story
    suspended: bool = False
    """Whether an operator holds the instance: what it says of itself may run ahead of what will be."""
    erased_at: Instant | None = None
    """When what was asked and said was erased."""
    late_callbacks: tuple[LateCallback, ...] = ()
    """What its caller could not be told, as the records say."""
    shortened: bool = False
    """Whether something of the request was left out, so that a message cannot say all that was asked."""

    @property
    def policy(self) -> Policy:
        """What was agreed."""
        return self.request.effective_policy

    @property
    def panel(self) -> Panel:
        """The panel that is or was asked last."""
        return self.policy.panel(self.story.stage, escalated=self.story.escalated)

    @property
    def stage_name(self) -> str:
        """The present stage in words: its name, or its number from one."""
        name = self.policy.stages[self.story.stage].name
        return f"stage '{name}'" if name else f"stage {self.story.stage + 1}"

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

    def at_panel(self, stage: int, *, escalated: bool) -> Found:
        """Give the same request as if another of its panels were the one that is asked."""
        return self.with_story(self.story.model_copy(update={"stage": stage, "escalated": escalated}))

    @property
    def panels_to_come(self) -> list[Found]:
        """The request at the panel that is asked, and at each that may be asked after it, in order."""
        here = (self.story.stage, self.story.escalated)
        places = [
            (number, escalated)
            for number, stage in enumerate(self.policy.stages)
            for escalated in (False, True)[: len(stage.panels)]
        ]
        return [self.at_panel(stage, escalated=escalated) for stage, escalated in places if (stage, escalated) >= here]

    def slot_id(self, slot: int) -> str:
        """Name a slot of the present panel among all of the request; before version 2 among those of its panel."""
        return (
            f"{2 * self.story.stage + self.story.escalated}-{slot}" if not self.request.has_first_rules else str(slot)
        )

    def holder(self, slot: int) -> str | None:
        """Give who may answer a slot now; nothing for the open one."""
        passed_on = self.story.holders.get(self.slot_id(slot))
        return passed_on or (self.panel.approvers[slot] if self.panel.approvers else None)

    def generation(self, slot: int) -> int:
        """Count how often a slot of the present panel was passed on."""
        return self.story.generations.get(self.slot_id(slot), 0)

    def slot_of(self, person: str) -> int | None:
        """Give the slot a person may answer, if any."""
        if not self.panel.approvers:
            return 0
        return next((s for s in range(self.panel.slots) if self.request.is_same(self.holder(s) or "", person)), None)

    @property
    def awaited(self) -> list[int]:
        """The slots that have not answered and may; before version 2 the requester's own slot was among them."""
        here = (self.story.stage, self.story.escalated)
        answered = {vote.slot for vote in self.story.votes if (vote.stage, vote.escalated) == here}
        return [slot for slot in range(self.panel.slots) if slot not in answered and not self.is_barred(slot)]

    def is_barred(self, slot: int) -> bool:
        """Tell whether a slot is the requester's own, which no answer can fill."""
        holder = self.holder(slot) if not self.request.has_first_rules else None
        return holder is not None and self.request.forbids(holder)

    def votes(self, *, yes: bool) -> int:
        """Count the approving or rejecting answers of the present panel."""
        here = (self.story.stage, self.story.escalated)
        return sum(vote.is_approved is yes for vote in self.story.votes if (vote.stage, vote.escalated) == here)

    def output(self) -> dict[str, Any]:
        """Give the story as JSON for the orchestration's output: as it was published, its texts in the history.

        Before version 2 it had all texts, and was abridged only beyond the imaginable.
        """
        if not self.request.has_first_rules:
            return self.story.snapshot()
        whole = self.story.model_dump(mode="json", exclude_none=True)
        return whole if utf16_size(whole) <= OUTPUT_BYTES else self.story.abridged_snapshot()

    def with_story(self, story: Story) -> Found:
        """Give the same request with another story."""
        return self.model_copy(update={"story": story})

"""JSON as it goes out: how a request, its story and a preview are written.

The types say what an answer looks like; the description of the API is made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from approvals.rules.digest import content_digest
from approvals.rules.hearing import silence_now
from approvals.rules.policy import Assurance, Demand, RejectWhen, Silence
from approvals.rules.story import Status
from approvals.rules.trail import TrailEntryJson
from approvals.rules.value import load_json, rfc3339
from approvals.rules.written import (
    CancellationJson,
    DecisionJson,
    InstantJson,
    TimelineEntryJson,
    cancellation_json,
    decision_json,
)

if TYPE_CHECKING:
    import datetime as dt

    from approvals.people.delivery import Addressees
    from approvals.people.links import Invitation
    from approvals.records.requests import Entry
    from approvals.rules.preview import Preview
    from approvals.rules.story import Found, Request, Undelivered
    from approvals.service.granting import Consumption

Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]


class InvitationJson(TypedDict):
    """Where somebody answers, once it is their turn."""

    approver: str | None
    """Nobody in particular on an open slot."""
    stage: int
    escalated: bool
    approval_url: Url


class ToldJson(TypedDict):
    """Who is told of the request, and through which channels."""

    approver: str | None
    """Nobody in particular where a channel has many readers."""
    channels: list[str]


class CreationJson(TypedDict):
    """A request that was made, or was there already. Who may decide is shown links; others, who is told."""

    request_id: str
    status: Status
    approval_url: NotRequired[Url | None]
    """The page of the first stage's open slot, where it names nobody."""
    approvals: NotRequired[list[InvitationJson]]
    """A link for everyone who may be asked."""
    told: NotRequired[list[ToldJson]]
    """Who is told first, for a caller that is shown no links."""
    decision_url: NotRequired[Url]
    """Where a system sends a person's decision."""
    undeliverable: list[str]
    """Whom no channel can ever reach."""
    status_url: Url
    deadline: InstantJson


class CreatorJson(TypedDict):
    """The caller that made a request."""

    name: str
    title: str | None


class StageJson(TypedDict):
    """The stage that is or was asked last."""

    number: int
    of: int
    name: str
    escalated: bool
    approvers: list[str]
    required: int
    reject_when: RejectWhen
    assurance: Demand


AwaitedJson = TypedDict(
    "AwaitedJson",
    {
        "from": list[str],
        "approvals_needed": int,
        "next_reminder_at": InstantJson | None,
        "if_nobody_answers": Silence,
    },
)
AwaitedJson.__doc__ = "What is still needed, from whom, and what silence means."

ChangeJson = TypedDict(
    "ChangeJson",
    {
        "kind": Literal["reassign", "delegate"],
        "by": str,
        "from": str,
        "to": str,
        "reason": str,
        "changed_at": InstantJson,
        "caller": str | None,
    },
)
ChangeJson.__doc__ = "Who passed what on to whom."


class OptionJson(TypedDict):
    """A named answer beyond yes and no."""

    name: str
    approves: bool


class UndeliveredJson(TypedDict):
    """A message that a channel did not take."""

    to: str | None
    channel: str
    occasion: str
    tried_again: int | None
    """How often it was tried again; nothing of a panel that is over."""
    next_attempt_at: InstantJson | None


class LinkJson(TypedDict):
    """Something to read before deciding."""

    title: str
    url: Url
    sha256: str | None


class StoryJson(TypedDict):
    """A request, and all that has become of it."""

    request_id: str
    status: Status
    revision: int
    """A number that grows with everything that happens; the ETag begins with it."""
    requester: str
    requester_assurance: Assurance
    created_by: CreatorJson | None
    item: str
    description: str
    details: dict[str, Any] | None
    action: Any
    """What exactly is to be done after a yes."""
    content_digest: str | None
    """SHA-256 over what is asked: what an answer agrees to."""
    digest_version: int
    reference: str | None
    """The caller's own number for it."""
    tags: list[str]
    links: list[LinkJson]
    details_schema: dict[str, Any] | None
    locale: str | None
    time_zone: str | None
    created_at: InstantJson
    deadline: InstantJson
    """When silence is taken for an answer."""
    settled_at: InstantJson | None
    decision: DecisionJson | None
    """The answer that settled it; nothing when silence did."""
    cancellation: CancellationJson | None
    stage: StageJson
    awaited: AwaitedJson | None
    """Nothing when it is settled."""
    votes: list[DecisionJson]
    changes: list[ChangeJson]
    options: list[OptionJson]
    form: dict[str, Any] | None
    undelivered: list[UndeliveredJson]
    undelivered_count: int
    notes: list[str]
    """What operators should know."""
    erased_at: InstantJson | None
    """When what was asked and said was erased."""


class ConsumptionJson(TypedDict):
    """That a yes was used: good for once."""

    request_id: str
    decision: DecisionJson | None
    """The answer that approved it; nothing where silence did."""
    content_digest: str | None
    consumed_at: InstantJson
    consumed_by: str
    """The caller that used it."""


class HistoryJson(TypedDict):
    """Every step of a request, in order; what came after its end last."""

    request_id: str
    status: Status
    entries: list[TrailEntryJson]


class SummaryJson(TypedDict):
    """What lists say of a request; the whole story is at `status_url`."""

    request_id: str
    status: Status
    requester: str
    item: str
    created_at: InstantJson
    created_by: str | None
    """The name of the caller that made it."""
    settled_at: InstantJson | None
    due_at: InstantJson | None
    """When silence is taken for an answer; nothing when it is settled."""
    reference: str | None
    tags: list[str]
    revision: int
    status_url: Url


class ListJson(TypedDict):
    """A page of requests."""

    requests: list[SummaryJson]
    next: Url | None
    """Where the list goes on; nothing at its end."""


class BatchResultJson(TypedDict):
    """What became of one decision of a batch: as the call for it alone would have been answered."""

    request_id: str
    status: int
    body: dict[str, Any]


class BatchJson(TypedDict):
    """What became of each decision, in their order."""

    results: list[BatchResultJson]


class OutcomeJson(TypedDict):
    """What a request would come to, and how."""

    status: Status
    settled_at: InstantJson | None
    events: list[TimelineEntryJson]
    notes: list[str]


class PreviewJson(TypedDict):
    """What would happen."""

    with_these_answers: OutcomeJson
    if_nobody_answers: OutcomeJson


class JwkSetJson(TypedDict):
    """The public keys that receipts are verified with (RFC 7517): the one that signs first, then retired ones."""

    keys: list[dict[str, str]]


class HealthJson(TypedDict):
    """That the app answers."""

    status: Literal["ok"]
    version: str


def creation_json(found: Found, invitations: list[Invitation] | None, addressees: Addressees) -> CreationJson:
    """Write what the caller who creates a request is told: this is the one answer with links in it.

    A caller that may not decide is shown none (`None`): it learns who is told instead.
    """
    request = found.request
    told: CreationJson = {
        "request_id": request.request_id,
        "status": found.story.status,
        "undeliverable": addressees.undeliverable,
        "status_url": request.status_url,
        "deadline": rfc3339(request.deadline),
    }
    if invitations is None:
        return {**told, "told": told_json(addressees)}
    return {
        **told,
        "approval_url": None if invitations[0].approver else invitations[0].url,
        "approvals": [invitation_json(each) for each in invitations],
        "decision_url": request.decision_url,
    }


def invitation_json(invitation: Invitation) -> InvitationJson:
    """Write somebody's link."""
    return {
        "approver": invitation.approver,
        "stage": invitation.stage + 1,
        "escalated": invitation.escalated,
        "approval_url": invitation.url,
    }


def told_json(addressees: Addressees) -> list[ToldJson]:
    """Write who is told of a new request, and through which channels."""
    people: list[ToldJson] = [
        {"approver": person, "channels": channels} for person, channels in addressees.told.items()
    ]
    return people + [{"approver": None, "channels": [room]} for room in addressees.rooms]


def story_json(found: Found) -> StoryJson:
    """Write the whole story of a request."""
    request, story, shown = found.request, found.story, found.request.presentation
    return {
        "request_id": request.request_id,
        "status": story.status,
        "revision": story.revision,
        "requester": request.requester,
        "requester_assurance": request.requester_assurance,
        "created_by": creator_json(request),
        "item": request.item,
        "description": request.description,
        "details": load_json(request.details),
        "action": load_json(request.action),
        "content_digest": content_digest(request),
        "digest_version": request.digest_version,
        "reference": request.reference or None,
        "tags": list(request.tags),
        "links": [{"title": it.title, "url": it.url, "sha256": it.sha256 or None} for it in shown.links],
        "details_schema": load_json(shown.details_schema),
        "locale": shown.locale or None,
        "time_zone": shown.time_zone or None,
        "created_at": rfc3339(request.created_at),
        "deadline": rfc3339(found.due_at),
        "settled_at": instant_json(story.settled_at),
        "decision": decision_json(story.decision) if story.decision else None,
        "cancellation": cancellation_json(story.cancellation) if story.cancellation else None,
        "stage": stage_json(found),
        "awaited": awaited_json(found) if story.is_open else None,
        "votes": [decision_json(vote) for vote in story.votes],
        "changes": [
            {
                "kind": change.kind,
                "by": change.by,
                "from": change.holder,
                "to": change.to,
                "reason": change.reason,
                "changed_at": rfc3339(change.changed_at),
                "caller": change.caller or None,
            }
            for change in story.changes
        ],
        "options": [{"name": option.name, "approves": option.approves} for option in found.policy.options],
        "form": load_json(found.policy.form),
        "undelivered": [
            *(undelivered_json(each, tried_again=None, next_attempt_at=None) for each in story.never_delivered),
            *(
                undelivered_json(each, tried_again=story.attempts, next_attempt_at=story.deliver_at)
                for each in story.undelivered
            ),
        ],
        "undelivered_count": len(story.undelivered)
        + story.undelivered_more
        + len(story.never_delivered)
        + story.never_delivered_more,
        "notes": list(story.notes),
        "erased_at": rfc3339(found.erased_at) if found.erased_at else None,
    }


def creator_json(request: Request) -> CreatorJson | None:
    """Write which caller made a request; nothing is known of it where callers have no names."""
    if not request.created_by:
        return None
    return {"name": request.created_by, "title": request.created_by_title or None}


def stage_json(found: Found) -> StageJson:
    """Write which stage is or was asked last."""
    story, panel = found.story, found.panel
    return {
        "number": story.stage + 1,
        "of": len(found.policy.stages),
        "name": found.policy.stages[story.stage].name,
        "escalated": story.escalated,
        "approvers": list(panel.approvers),
        "required": panel.required,
        "reject_when": panel.reject_when,
        "assurance": panel.assurance,
    }


def undelivered_json(
    each: Undelivered, *, tried_again: int | None, next_attempt_at: dt.datetime | None
) -> UndeliveredJson:
    """Write what a channel did not take, and when it is tried again; how often is not kept of what is over."""
    return {
        "to": each.to,
        "channel": each.channel,
        "occasion": each.occasion,
        "tried_again": tried_again,
        "next_attempt_at": None if each.permanent else instant_json(next_attempt_at),
    }


def awaited_json(found: Found) -> AwaitedJson:
    """Write what is still needed, from whom, and what happens when nobody answers."""
    return {
        "from": [holder for slot in found.awaited if (holder := found.holder(slot))],
        "approvals_needed": found.panel.required - found.votes(yes=True),
        "next_reminder_at": instant_json(found.next_reminder_at),
        "if_nobody_answers": silence_now(found),
    }


def outcome_json(seen: Preview) -> OutcomeJson:
    """Write what would happen."""
    return {
        "status": seen.found.story.status,
        "settled_at": instant_json(seen.found.story.settled_at),
        "events": list(seen.timeline),
        "notes": list(seen.found.story.notes),
    }


def instant_json(at: dt.datetime | None) -> str | None:
    """Write an instant, or nothing."""
    return rfc3339(at) if at else None


def summary_json(entry: Entry, base_url: str) -> SummaryJson:
    """Write what lists say of a request."""
    said = entry.body["summary"]
    return {
        "request_id": entry.request_id,
        "status": Status(said["status"]),
        "requester": said["requester"],
        "item": said["item"],
        "created_at": said["created_at"],
        "created_by": said["created_by"] or None,
        "settled_at": said["settled_at"],
        "due_at": said["due_at"],
        "reference": said["reference"],
        "tags": said["tags"],
        "revision": said["revision"],
        "status_url": f"{base_url}/api/requests/{entry.request_id}",
    }


def consumption_json(used: Consumption) -> ConsumptionJson:
    """Write that a yes was used."""
    request, story = used.found.request, used.found.story
    return {
        "request_id": request.request_id,
        "decision": decision_json(story.decision) if story.decision else None,
        "content_digest": content_digest(request),
        "consumed_at": used.used_at,
        "consumed_by": used.used_by,
    }

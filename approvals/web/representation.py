"""JSON as it goes out: how a request, its story and a preview are written.

The types say what an answer looks like; the description of the API is made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict

from approvals.rules.callbacks import Kind
from approvals.rules.digest import content_digest
from approvals.rules.story import Status
from approvals.rules.telling import CallbackJson, Url, instant_json
from approvals.rules.trail import TrailEntryJson
from approvals.rules.value import rfc3339
from approvals.rules.written import (
    DecisionJson,
    InstantJson,
    TimelineEntryJson,
    decision_json,
)

if TYPE_CHECKING:
    from approvals.people.delivery import Addressees
    from approvals.people.links import Invitation
    from approvals.records.requests import Entry
    from approvals.rules.callbacks import Attempt, Subscription
    from approvals.rules.preview import Preview
    from approvals.rules.story import Found
    from approvals.service.calling import Redelivery
    from approvals.service.granting import Consumption


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
    requester_url: Url
    """The page of who asked: what has become of it, and taking it back. Whoever has it can do that."""
    undeliverable: list[str]
    """Whom no channel can ever reach."""
    status_url: Url
    deadline: InstantJson


class SentAgainJson(TypedDict):
    """An event that is on its way again."""

    id: str
    """The same as before, so that a receiver that has it can tell."""
    kind: Kind


class RedeliveryJson(TypedDict):
    """What was sent again."""

    request_id: str
    callbacks: list[SentAgainJson]
    messages: int
    """How many messages were sent again."""
    messages_failed: int
    """How many of them no channel took."""


class SubscriptionJson(TypedDict):
    """An address at which a caller is told of the end of each of its requests."""

    subscription_id: str
    created_by: str
    created_at: InstantJson
    callback: CallbackJson


class SubscriptionsJson(TypedDict):
    """Subscriptions: the caller's own, or all to an operator."""

    subscriptions: list[SubscriptionJson]


class PingResultJson(TypedDict):
    """What became of a ping."""

    url: Url
    """Without its query."""
    delivered: bool
    status: int | None
    """What the receiver answered."""
    reason: str | None
    """A word for what was wrong."""


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


def creation_json(
    found: Found, invitations: list[Invitation] | None, addressees: Addressees, requester_url: str
) -> CreationJson:
    """Write what the caller who creates a request is told: this is the one answer with links in it.

    A caller that may not decide is shown none of those who answer (`None`): it learns who is told instead.
    """
    request = found.request
    told: CreationJson = {
        "request_id": request.request_id,
        "status": found.story.status,
        "undeliverable": addressees.undeliverable,
        "requester_url": requester_url,
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


def outcome_json(seen: Preview) -> OutcomeJson:
    """Write what would happen."""
    return {
        "status": seen.found.story.status,
        "settled_at": instant_json(seen.found.story.settled_at),
        "events": list(seen.timeline),
        "notes": list(seen.found.story.notes),
    }


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


def redelivery_json(done: Redelivery) -> RedeliveryJson:
    """Write what was sent again."""
    return {
        "request_id": done.found.request.request_id,
        "callbacks": [{"id": each.event_id, "kind": each.kind} for each in done.callbacks],
        "messages": done.messages,
        "messages_failed": done.failed,
    }


def subscription_json(subscription: Subscription) -> SubscriptionJson:
    """Write a subscription, without its secret."""
    kept = subscription.callback.without_secret
    return {
        "subscription_id": subscription.subscription_id,
        "created_by": subscription.created_by,
        "created_at": rfc3339(subscription.created_at),
        "callback": {"url": kept.url, "on": kept.on, "format": kept.format},
    }


def ping_json(url: str, attempt: Attempt) -> PingResultJson:
    """Write what became of a ping."""
    return {
        "url": url,
        "delivered": attempt.outcome == "delivered",
        "status": attempt.status,
        "reason": attempt.reason or None,
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

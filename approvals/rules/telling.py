"""How a request is told to callers: what `GET` answers and what callbacks carry. Pure.

The types say what an answer looks like; the description of the API is made of them. Instants are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from approvals.rules.callbacks import CHANNEL, Format, On
from approvals.rules.digest import content_digest
from approvals.rules.hearing import silence_now
from approvals.rules.policy import Assurance, Demand, RejectWhen, Silence
from approvals.rules.story import Status
from approvals.rules.value import load_json, rfc3339
from approvals.rules.written import CancellationJson, DecisionJson, InstantJson, cancellation_json, decision_json

if TYPE_CHECKING:
    import datetime as dt

    from approvals.rules.callbacks import LateCallback
    from approvals.rules.story import Found, Request, Undelivered

Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})]


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
    """A message that a channel did not take, or a callback that its receiver did not."""

    to: str | None
    """A person, or the address of a receiver; nobody in particular where a channel has many readers."""
    channel: str
    """`callback`, or the name of a channel."""
    occasion: str
    tried_again: int | None
    """How often it was tried again; nothing of a panel that is over."""
    next_attempt_at: InstantJson | None


class LinkJson(TypedDict):
    """Something to read before deciding."""

    title: str
    url: Url
    sha256: str | None


class CallbackJson(TypedDict):
    """Where the caller is told what becomes of it."""

    url: Url
    """Without its query, which is a secret."""
    on: On
    format: Format


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
    callback: CallbackJson | None
    form: dict[str, Any] | None
    undelivered: list[UndeliveredJson]
    undelivered_count: int
    notes: list[str]
    """What operators should know."""
    erased_at: InstantJson | None
    """When what was asked and said was erased."""


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
        "callback": callback_json(request),
        "form": load_json(found.policy.form),
        "undelivered": [
            *(undelivered_json(each, tried_again=None, next_attempt_at=None) for each in story.never_delivered),
            *(
                undelivered_json(each, tried_again=story.attempts, next_attempt_at=story.deliver_at)
                for each in story.undelivered
            ),
            *map(late_callback_json, found.late_callbacks),
        ],
        "undelivered_count": len(story.undelivered)
        + story.undelivered_more
        + len(story.never_delivered)
        + story.never_delivered_more
        + len(found.late_callbacks),
        "notes": list(story.notes),
        "erased_at": rfc3339(found.erased_at) if found.erased_at else None,
    }


def creator_json(request: Request) -> CreatorJson | None:
    """Write which caller made a request; nothing is known of it where callers have no names."""
    if not request.created_by:
        return None
    return {"name": request.created_by, "title": request.created_by_title or None}


def callback_json(request: Request) -> CallbackJson | None:
    """Write where the caller is told, but for the secret."""
    wanted = request.callback and request.callback.without_secret
    return {"url": wanted.url, "on": wanted.on, "format": wanted.format} if wanted else None


def late_callback_json(late: LateCallback) -> UndeliveredJson:
    """Write what a receiver did not take."""
    return {
        "to": late.to or None,
        "channel": CHANNEL,
        "occasion": late.kind,
        "tried_again": max(late.attempts - 1, 0),
        "next_attempt_at": instant_json(late.next_at),
    }


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


def instant_json(at: dt.datetime | None) -> str | None:
    """Write an instant, or nothing."""
    return rfc3339(at) if at else None

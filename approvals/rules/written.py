"""How what was decided is written for callers: the types of the answers, which the description is made of. Pure.

Instants are RFC 3339 in UTC; stages are counted from one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from approvals.rules.durations import DURATION_SCHEMA
from approvals.rules.policy import Assurance, Silence
from approvals.rules.story import Status
from approvals.rules.value import load_json, rfc3339

if TYPE_CHECKING:
    from approvals.rules.story import Cancellation, Decision


InstantJson = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class DecisionJson(TypedDict):
    """A person's answer."""

    decision_id: str
    is_approved: bool
    approver: str
    on_behalf_of: str | None
    """Who was asked first, after it was passed on."""
    comments: str
    option: str | None
    """The named answer that was chosen."""
    form: dict[str, Any] | None
    """What was filled in."""
    channel: str
    """`api` or `page`."""
    assurance: Assurance
    """How sure it is that it is theirs."""
    signed_in_as: str | None
    """Who was signed in, as `tenant/object`."""
    stage: int
    escalated: bool
    decided_at: InstantJson
    caller: str | None
    """The caller that said so for them, where it was no page."""
    content_digest: str | None
    """The digest of what they were shown; nothing where that is not known."""


class CancellationJson(TypedDict):
    """How a request was taken back."""

    by: str
    reason: str
    cancelled_at: InstantJson
    caller: str | None


Event = Literal["asked", "answered", "escalated", "reminded", "passed_on", "again", "settled"]


class ImaginedJson(TypedDict, total=False):
    """What is said of an imagined answer, or of the end."""

    approver: str
    is_approved: bool
    counts: bool
    """Whether the answer would count."""
    why: str
    """Why it would not."""
    status: Status
    """What the request comes to."""


class AskedJson(TypedDict, total=False):
    """Who is asked, until when."""

    people: list[str]
    deadline: InstantJson
    if_nobody_answers: Silence


class TimelineEntryJson(ImaginedJson, AskedJson):
    """Something that would happen."""

    at: InstantJson
    after: Annotated[str, DURATION_SCHEMA]
    """How long after the request is made, as an ISO 8601 duration."""
    after_hours: float
    event: Event
    stage: int


class ProblemAt(TypedDict):
    """One thing wrong with a body."""

    pointer: str
    """A JSON pointer (RFC 6901) to the field; empty for the whole body."""
    detail: str


class InvalidEvidence(TypedDict):
    """Each field that is wrong, twenty at most."""

    errors: list[ProblemAt]


class ParameterAt(TypedDict):
    """A parameter that is wrong, and how."""

    parameter: str
    detail: str


class QueryEvidence(TypedDict):
    """Each parameter that is wrong."""

    errors: list[ParameterAt]


class ContentEvidence(TypedDict):
    """The digest of what is asked."""

    content_digest: str | None


class StatusEvidence(TypedDict):
    """Where the request stands."""

    request_status: Status


class ActionEvidence(TypedDict):
    """The digests of the action that was approved, and of the one that was sent."""

    approved: str
    sent: str


class GrantEvidence(TypedDict):
    """When it happened, and by whom."""

    at: InstantJson
    by: str


class KeyReusedEvidence(TypedDict):
    """Which request the key belongs to."""

    request_id: str


class RightMissingEvidence(TypedDict):
    """What is lacking."""

    right: str
    """The right that would do, or `approvers` where the caller may not have this person asked."""
    pointer: NotRequired[str]
    """The field it is about."""


class PassedOnEvidence(TypedDict):
    """Who is asked instead, if it was passed on."""

    passed_on_to: NotRequired[str]


class StaleEvidence(TypedDict):
    """What the request has come to."""

    revision: int
    etag: str
    """An ETag that stands for the revision of now."""


class VotedEvidence(TypedDict):
    """The answer that stands."""

    decision: NotRequired[DecisionJson]


class ClosedEvidence(TypedDict):
    """How the request ended."""

    request_id: str
    request_status: Status
    deadline: InstantJson
    settled_at: NotRequired[InstantJson]
    decision: NotRequired[DecisionJson]
    cancellation: NotRequired[CancellationJson]


def decision_json(decision: Decision) -> DecisionJson:
    """Write an answer."""
    return {
        "decision_id": decision.decision_id,
        "is_approved": decision.is_approved,
        "approver": decision.approver,
        "on_behalf_of": decision.on_behalf_of,
        "comments": decision.comments,
        "option": decision.option,
        "form": load_json(decision.form),
        "channel": decision.channel,
        "assurance": decision.assurance,
        "signed_in_as": decision.signed_in_as,
        "stage": decision.stage + 1,
        "escalated": decision.escalated,
        "decided_at": rfc3339(decision.decided_at),
        "caller": decision.caller or None,
        "content_digest": decision.content_digest,
    }


def cancellation_json(cancellation: Cancellation) -> CancellationJson:
    """Write how a request was taken back."""
    return {
        "by": cancellation.by,
        "reason": cancellation.reason,
        "cancelled_at": rfc3339(cancellation.cancelled_at),
        "caller": cancellation.caller or None,
    }

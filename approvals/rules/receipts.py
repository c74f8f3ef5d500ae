"""What a receipt says of a request that has ended: enough to be checked by a stranger, and nobody's own words. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785
from typing_extensions import TypedDict

from approvals.rules.digest import content_digest
from approvals.rules.policy import Assurance
from approvals.rules.story import Status
from approvals.rules.trail import without_words
from approvals.rules.value import rfc3339
from approvals.rules.written import InstantJson

if TYPE_CHECKING:
    import datetime as dt

    from approvals.rules.policy import Policy
    from approvals.rules.story import Decision, Found
    from approvals.rules.trail import TrailEntryJson

SETTLING = {"created", "asked", "escalated", "reminded", "passed_on", "answered", "settled"}
"""The steps that led to an end. What was not delivered, refused or done later changes nothing of it."""


class VoteClaim(TypedDict):
    """An answer that counted."""

    decision_id: str
    approver: str
    on_behalf_of: str | None
    is_approved: bool
    option: str | None
    stage: int
    escalated: bool
    channel: str
    assurance: Assurance
    signed_in_as: str | None
    caller: str | None
    content_digest: str | None
    """Of what they were shown; nothing where that is not known."""
    decided_at: InstantJson


class ReceiptClaims(TypedDict):
    """The payload of a receipt: claims of RFC 7519, and our own."""

    iss: str
    """The service that says so: the address its links begin with."""
    iat: int
    """When it was signed, in seconds since 1970."""
    sub: str
    """The request's id."""
    requester: str
    created_by: str | None
    outcome: Status
    created_at: InstantJson
    settled_at: InstantJson
    decision_id: str | None
    """The answer that settled it; nothing when silence did, or when it was taken back."""
    cancelled_by: str | None
    votes: list[VoteClaim]
    content_digest: str | None
    """Of what was asked; nothing when that was erased, or for a request of before there were digests."""
    digest_version: int | None
    policy_digest: str
    trail_digest: str


def claims_of(found: Found, steps: list[TrailEntryJson], issuer: str, settled_at: dt.datetime) -> dict[str, Any]:
    """Give what a receipt of an ended request says, but when it is signed. `steps`: its trail at the end."""
    request, story = found.request, found.story
    agreed = content_digest(request)
    said: dict[str, Any] = {
        "iss": issuer,
        "sub": request.request_id,
        "requester": request.requester,
        "created_by": request.created_by or None,
        "outcome": story.status.value,
        "created_at": rfc3339(request.created_at),
        "settled_at": rfc3339(settled_at),
        "decision_id": story.decision.decision_id if story.decision else None,
        "cancelled_by": story.cancellation.by if story.cancellation else None,
        "votes": [vote_claim(vote) for vote in story.votes],
        "content_digest": agreed,
        "digest_version": request.digest_version if agreed else None,
        "policy_digest": policy_digest(request.effective_policy),
        "trail_digest": trail_digest(steps),
    }
    return said


def vote_claim(vote: Decision) -> VoteClaim:
    """Write an answer without its words."""
    return {
        "decision_id": vote.decision_id,
        "approver": vote.approver,
        "on_behalf_of": vote.on_behalf_of,
        "is_approved": vote.is_approved,
        "option": vote.option,
        "stage": vote.stage + 1,
        "escalated": vote.escalated,
        "channel": vote.channel,
        "assurance": vote.assurance,
        "signed_in_as": vote.signed_in_as,
        "caller": vote.caller or None,
        "content_digest": vote.content_digest,
        "decided_at": rfc3339(vote.decided_at),
    }


def policy_digest(policy: Policy) -> str:
    """Give the digest of what was agreed on who decides; its form belongs to the content."""
    return digest_of(policy.model_dump(mode="json", exclude={"form"}))


def trail_digest(steps: list[TrailEntryJson]) -> str:
    """Give the digest of the steps that led to the end, without anybody's words, which may be erased."""
    return digest_of([dict(each) for each in without_words(steps) if each["kind"] in SETTLING])


def digest_of(value: Any) -> str:
    """Give the SHA-256 of canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()

"""Early answers: how something that was just received relates to what stands. Pure.

The service asks here before it raises an event and after it has looked again; the orchestrator decides by `hearing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.rules.events import MAX_CHANGES
from approvals.rules.hearing import reassignment_obstacle
from approvals.rules.policy import identity_key
from approvals.rules.story import Status

if TYPE_CHECKING:
    from approvals.rules.story import Cancellation, Change, Decision, Found


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

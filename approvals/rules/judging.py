"""Early answers: how something that was just received relates to what stands. Pure.

The service asks here before it raises an event and after it has looked again; the orchestrator decides by `hearing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.rules.events import MAX_CHANGES
from approvals.rules.hearing import is_stale, panel_of, reassignment_obstacle
from approvals.rules.story import Status

if TYPE_CHECKING:
    from approvals.rules.story import Cancellation, Change, Decision, Found


def judge_decision(
    found: Found, decision: Decision, *, stage: int | None = None, place: tuple[int, bool, int] | None = None
) -> str:
    """Say how an answer relates to what stands. `stage`: the one its giver named; `place`: the slot of their link.

    `recorded`: it stands already. `decided`, `closed`: the request is settled otherwise. `voted`: this person, or
    this slot, answered otherwise. `unclear`: they answered an earlier panel and are asked again. `elsewhere`: another
    panel is being asked. `self`, `not_yours`: not theirs to give. `late`: the deadline has passed. `open`: the
    orchestration has to hear it.
    """
    story, request = found.story, found.request
    if request.forbids(decision.approver):
        return "self"
    if any(vote.decision_id == decision.decision_id for vote in votes_of(found)):
        return "recorded"
    if request.has_first_rules:
        return judge_by_first_rules(found, decision, stage)
    elsewhere = place[:2] != (story.stage, story.escalated) if place else stage not in (None, story.stage)
    if elsewhere:
        earlier = [
            vote
            for vote in votes_by(found, decision.approver)
            if (vote.place == place if place else vote.stage == stage)
        ]
        return relate(found, decision, earlier, "elsewhere")
    slot = place[2] if place else found.slot_of(decision.approver)
    if slot is None:
        return relate(found, decision, votes_by(found, decision.approver), "not_yours")
    return judge_for_slot(found, decision, slot, is_clear=stage is not None or place is not None)


def judge_for_slot(found: Found, decision: Decision, slot: int, *, is_clear: bool) -> str:
    """Judge an answer for a slot of the present panel; `is_clear`: its giver said which stage is meant."""
    theirs = votes_by(found, decision.approver)
    if vote := found.story.vote_of(slot):
        return relate(found, decision, [vote] if vote in theirs else [], "voted")
    if found.story.is_open and theirs and not is_clear:
        return "unclear"
    if found.story.is_open and slot in found.awaited:
        return "late" if decision.heard_at >= found.due_at else "open"
    return relate(found, decision, [], "not_yours")


def votes_by(found: Found, person: str) -> list[Decision]:
    """Give all answers of a person, oldest first."""
    return [vote for vote in votes_of(found) if found.request.is_same(vote.approver, person)]


def relate(found: Found, decision: Decision, earlier: list[Decision], otherwise: str) -> str:
    """Compare an answer with those its giver gave before at the place it is for, or say what it is while it is open."""
    if earlier and earlier[-1].says_the_same_as(decision, wholly=True):
        return "recorded"
    if not found.story.is_open:
        return "decided" if found.story.decision else "closed"
    return "voted" if earlier else otherwise


def votes_of(found: Found) -> tuple[Decision, ...]:
    """Give all answers; a story of the first version has the decision alone."""
    story = found.story
    return story.votes or ((story.decision,) if story.decision else ())


def judge_by_first_rules(found: Found, decision: Decision, stage: int | None) -> str:
    """Judge as requests of before version 1.3 were judged: by the person and the stage, whichever panel it was."""
    story = found.story
    earlier = [vote for vote in votes_by(found, decision.approver) if stage in (None, vote.stage)]
    if earlier and stage is None and story.is_open and is_asked_again(found, earlier[-1]):
        return "unclear"
    if earlier:
        same = earlier[-1].says_the_same_as(decision, wholly=False)
        return "recorded" if same else "voted" if story.is_open else "decided"
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
    """Say how a cancellation relates to what stands: `recorded`, `decided`, `closed`, `stale`, `late` or `open`."""
    story = found.story
    if story.status is Status.CANCELLED:
        return "recorded"
    if not story.is_open:
        return "decided" if story.decision else "closed"
    if is_stale(found, cancellation.if_revision):
        return "stale"
    return "late" if cancellation.heard_at >= found.due_at else "open"


def judge_change(found: Found, change: Change) -> str:
    """Say how passing a slot on relates to what stands.

    `recorded`: it has been done. `decided`, `closed`: the request is settled. `stale`: it was meant for another
    revision. `self`, `asked`: not to this person. `nobody`: nobody of that name is asked. `voted`: the slot has
    answered. `exhausted`: it was passed on too often. `late`, `open`: as for a decision.
    """
    story = found.story
    if is_done(found, change):
        return "recorded"
    if not story.is_open:
        return "decided" if story.decision else "closed"
    if is_stale(found, change.if_revision):
        return "stale"
    panel = panel_of(found, change)
    slot = panel.slot_of(change.holder) if panel and panel.panel.approvers else None
    if not panel or slot is None:
        return "nobody"
    if panel.story.vote_of(slot):
        return "voted"
    if reason := reassignment_obstacle(panel, change.to):
        return reason
    if len(story.changes) >= MAX_CHANGES:
        return "exhausted"
    return "late" if change.heard_at >= found.due_at else "open"


def is_done(found: Found, change: Change) -> bool:
    """Tell whether a change, or one that says the same, was made and stands."""
    request, changes = found.request, found.story.changes
    if any(each.change_id == change.change_id for each in changes):
        return True
    same = [each for each in changes if is_repeated(found, each, change)]
    if request.has_first_rules:
        slot = found.slot_of(change.to) if found.panel.approvers else None
        return bool(same) and found.slot_id(slot or 0) in found.story.holders and slot is not None
    return any((each.stage, each.escalated) == (change.stage, change.escalated) for each in same)


def is_repeated(found: Found, made: Change, change: Change) -> bool:
    """Tell whether a change says what one that was made said, whichever panel was meant.

    From version 2 on word for word, and only while the one who was given the slot has it.
    """
    is_same = found.request.is_same
    if not is_same(made.holder, change.holder) or not is_same(made.to, change.to):
        return False
    if found.request.has_first_rules:
        return True
    panel = found.at_panel(made.stage or 0, escalated=made.escalated)
    says_the_same = (made.kind, made.reason) == (change.kind, change.reason) and is_same(made.by, change.by)
    return says_the_same and panel.slot_of(change.to) is not None and panel.slot_of(change.holder) is None


def locate(found: Found, change: Change, stage: int | None = None) -> Found | None:
    """Give the request at the panel whose slot a change is about: the present one, or the next that its holder is in.

    `stage`: the one that is meant, counted from 0. Where none is named, a change that was made already is that one
    again, and never the next stage's. A panel that has the holder's answer is given only when no other is.
    """
    for made in found.story.changes:
        if stage in (None, made.stage) and is_repeated(found, made, change):
            return found.at_panel(made.stage or 0, escalated=made.escalated)
    panels = [
        panel
        for panel in found.panels_to_come
        if stage in (None, panel.story.stage) and panel.panel.approvers and panel.slot_of(change.holder) is not None
    ]
    waiting = (panel for panel in panels if not panel.story.vote_of(panel.slot_of(change.holder) or 0))
    return next(waiting, panels[0] if panels else None)

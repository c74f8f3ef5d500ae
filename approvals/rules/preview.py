"""What would happen: the rules of `model`, run over answers that are only imagined. Pure.

It is the orchestrator's own story without the orchestrator: the same `wakes_at` says when, the same `hear` says
what becomes of it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from approvals.rules import events, hearing, judging
from approvals.rules.durations import write_duration
from approvals.rules.story import Decision, Found, Request, Story, TimerFired
from approvals.rules.value import Value, rfc3339
from approvals.rules.written import AskedJson, Event, ImaginedJson, TimelineEntryJson

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ImaginedAnswer(Value):
    """An answer somebody might give, so long after the request was made."""

    approver: str
    is_approved: bool
    after: dt.timedelta
    comments: str = ""
    option: str | None = None


class Preview(Value):
    """The timeline, and how it ends."""

    found: Found
    timeline: tuple[TimelineEntryJson, ...]


def play(request: Request, answers: list[ImaginedAnswer]) -> Preview:
    """Play a request to its end. An answer that would not count is in the timeline with the reason."""
    found = Found(request=request, story=Story())
    now, timeline = request.created_at, [timeline_entry(found, request.created_at, "asked")]
    coming = sorted(answers, key=lambda answer: answer.after)
    wake = events.next_wake_at(found, now)
    while found.story.is_open:
        if coming and request.created_at + coming[0].after < wake:
            answer = coming.pop(0)
            now = request.created_at + answer.after
            following, said = give_answer(found, answer, now, len(timeline))
            timeline.append(timeline_entry(found, now, "answered", **said))
        else:
            now = wake
            following = hearing.apply_event(found, TimerFired(heard_at=now), "", now)
        timeline += timeline_entries(found, following, now)
        moved = (found.story.stage, found.story.escalated) != (following.story.stage, following.story.escalated)
        if now == wake or moved:
            wake = events.next_wake_at(following, now)
        found = following
    for answer in coming:
        at = request.created_at + answer.after
        timeline.append(timeline_entry(found, at, "answered", approver=answer.approver, counts=False, why="closed"))
    return Preview(found=found, timeline=tuple(timeline))


def give_answer(found: Found, answer: ImaginedAnswer, now: dt.datetime, number: int) -> tuple[Found, ImaginedJson]:
    """Give an imagined answer; say whether it counted, and if not, why."""
    slot = found.slot_of(answer.approver) or 0
    decision = Decision(
        decision_id=f"imagined-{number}",
        is_approved=answer.is_approved,
        approver=answer.approver,
        comments=answer.comments,
        option=answer.option,
        decided_at=now,
        assurance="signed-in",
        stage=found.story.stage,
        escalated=found.story.escalated,
        slot=slot,
    )
    judgement = judging.judge_decision(found, decision, stage=found.story.stage)
    owed = found.policy.problems_with(is_approved=answer.is_approved, comments=answer.comments, option=answer.option)
    if judgement == "open" and owed:
        judgement = "; ".join(f"{problem.pointer}: {problem.detail}" for problem in owed)
    said: ImaginedJson = {"approver": answer.approver, "is_approved": answer.is_approved, "counts": judgement == "open"}
    if judgement != "open":
        return found, {**said, "why": judgement}
    return hearing.apply_event(found, decision, events.slot_key(found.story, slot), now), said


def timeline_entries(before: Found, after: Found, now: dt.datetime) -> list[TimelineEntryJson]:
    """Say what has come of a step."""
    if not after.story.is_open:
        return [timeline_entry(after, now, "settled", status=after.story.status)]
    occasion = hearing.occasion(before, after)
    return [] if occasion == "renewed" else [timeline_entry(after, now, cast("Event", occasion))]


def timeline_entry(found: Found, at: dt.datetime, event: Event, **more: Unpack[ImaginedJson]) -> TimelineEntryJson:
    """Write a line of the timeline."""
    asked: AskedJson = {}
    if event in ("asked", "escalated", "reminded"):
        asked = {
            "people": [holder for slot in found.awaited if (holder := found.holder(slot))],
            "deadline": rfc3339(found.due_at),
            "if_nobody_answers": found.panel.on_timeout,
        }
    return {
        "at": rfc3339(at),
        "after": write_duration(at - found.request.created_at),
        "after_hours": round((at - found.request.created_at).total_seconds() / 3600, 6),
        "event": event,
        "stage": found.story.stage + 1,
        **more,
        **asked,
    }


class Outlook(Value):
    """What one answer, or none, would make of a request as it stands; nothing where that answer would not count."""

    if_approved: Found | None
    if_rejected: Found | None
    if_silent: Found


def look_ahead(found: Found, slot: int) -> Outlook:
    """Say what would become of a request by the next answer of a slot, or by silence: by the same rules."""
    now = found.story.asked_at or found.request.created_at
    silent = hearing.apply_event(found, TimerFired(heard_at=found.due_at), "", found.due_at)
    return Outlook(
        if_approved=answered(found, slot, now, is_approved=True),
        if_rejected=answered(found, slot, now, is_approved=False),
        if_silent=silent,
    )


def answered(found: Found, slot: int, now: dt.datetime, *, is_approved: bool) -> Found | None:
    """Give the request after an answer of a slot's holder; nothing when it would not count."""
    options = [option.name for option in found.policy.options if option.approves is is_approved]
    answer = ImaginedAnswer(
        approver=found.holder(slot) or "somebody",
        is_approved=is_approved,
        after=now - found.request.created_at,
        comments="-",
        option=options[0] if found.policy.options_only and options else None,
    )
    following, said = give_answer(found, answer, now, 0)
    return following if said["counts"] else None

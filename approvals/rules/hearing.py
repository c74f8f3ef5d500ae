"""What becomes of a request when something happens: an answer, a change, a cancellation, a timer, silence. Pure.

The orchestrator feeds `apply_events` with what happened and has the last word; `preview` runs the same functions over
answers that are only imagined.

    Pending ── the panel's required approvals, or silence that approves ──> next stage, after the last: Approved
       ├────── a rejection that ends it, or silence that rejects ─────────> Rejected
       ├────── silence that escalates ────────────────────────────────────> another panel is asked instead
       ├────── silence ───────────────────────────────────────────────────> Timeout
       └────── taken back ────────────────────────────────────────────────> Cancelled     These four are final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from approvals.rules.deliveries import close_deliveries, count_attempt, split
from approvals.rules.events import slot_key
from approvals.rules.notices import AGAIN, RENEWED
from approvals.rules.policy import LONGEST_TIMER, MAX_REMINDERS
from approvals.rules.story import Cancellation, Change, Decision, Event, Found, Mark, Status, TimerFired
from approvals.rules.value import utc

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from approvals.rules.policy import Silence


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
            if is_stale(found, heard.if_revision):
                return spend(found, key, "A cancellation was meant for an earlier revision and was not counted.")
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
    story, awaited = found.story, found.awaited
    if key not in {slot_key(story, slot) for slot in awaited}:
        return found
    here = (vote.stage, vote.escalated) == (story.stage, story.escalated) and vote.slot in awaited
    if not here or slot_key(story, vote.slot) != key:
        return spend(found, key, "An answer that is not this slot's was not counted.")
    if vote.heard_at >= found.due_at:
        return ignore_late(found, key, "An answer came after the deadline and was not counted.")
    holder = found.holder(vote.slot)
    stranger = holder is not None and not found.request.is_same(holder, vote.approver)
    if stranger or found.request.forbids(vote.approver):
        return found.with_story(
            story.with_spent_event(key, "An answer by someone who may not give it was not counted.")
        )
    if not found.panel.accepts(vote.assurance):
        return found.with_story(
            story.with_spent_event(key, "An answer by someone who was not signed in was not counted.")
        )
    return settle_if_decided(found.with_story(story.model_copy(update={"votes": (*story.votes, vote)})), vote, now)


def is_stale(found: Found, if_revision: int | None) -> bool:
    """Tell whether a wish was meant for another revision of the story than this one."""
    return if_revision is not None and if_revision != found.story.revision


def spend(found: Found, key: str, note: str) -> Found:
    """Go on after an event that counts for nothing: its wait is made anew, under the next name."""
    return found.with_story(found.story.with_spent_event(key, note))


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
    fresh: dict[str, Any] = {"stage": stage, "escalated": escalated, "asked_at": utc(now), "reminded": 0}
    if found.request.has_first_rules:  # their slots were numbered anew in each panel
        fresh |= {"holders": {}, "generations": {}}
    else:
        fresh |= {"marks": add_mark(found, "escalated" if escalated else "asked", now, stage)}
    return found.with_story(found.story.model_copy(update={**fresh, **close_deliveries(found)}))


def add_mark(found: Found, kind: Literal["asked", "escalated", "reminded"], now: dt.datetime, stage: int) -> Any:
    """Give the marks of a story with one more."""
    return (*found.story.marks, Mark(kind=kind, at=now, stage=stage))


def settle(found: Found, status: Status, now: dt.datetime, **by: Decision | Cancellation | None) -> Found:
    """Settle it."""
    update = {"status": status, "settled_at": utc(now), **close_deliveries(found), **by}
    return found.with_story(found.story.model_copy(update=update))


def apply_timer(found: Found, wake: TimerFired, now: dt.datetime) -> Found:
    """Take silence for what was agreed, or count a reminder; a timer of an earlier panel means nothing."""
    if wake.heard_at >= found.due_at:
        match silence_now(found):
            case "approve":
                return advance(found.with_story(found.story.with_note(f"Silence approved {found.stage_name}.")), now)
            case "reject":
                overruling = latest_rejection(found) if found.panel.on_timeout == "approve" else None
                return settle(found, Status.REJECTED, now, decision=overruling)
            case "escalate":
                return ask_panel(found, now, stage=found.story.stage, escalated=True)
            case _:
                return settle(found, Status.TIMEOUT, now)
    if found.next_reminder_at and wake.heard_at >= found.next_reminder_at:
        return count_reminder(found, now)
    if found.story.deliver_at and wake.heard_at >= found.story.deliver_at:
        return count_attempt(found)
    return found


def silence_now(found: Found) -> Silence:
    """Say what silence would be taken for now: what was agreed, but it never overrules a rejection."""
    agreed = found.panel.on_timeout
    return "reject" if agreed == "approve" and latest_rejection(found) else agreed


def latest_rejection(found: Found) -> Decision | None:
    """Give the last answer of the present panel that rejects: silence never overrules one, but before version 2."""
    here = (found.story.stage, found.story.escalated)
    votes = found.story.votes if not found.request.has_first_rules else ()
    return next((vote for vote in reversed(votes) if vote.place[:2] == here and not vote.is_approved), None)


def count_reminder(found: Found, now: dt.datetime) -> Found:
    """Count a reminder. Those missed while nobody could be reminded are passed over, not sent all at once."""
    story, every = found.story, found.panel.remind_every or LONGEST_TIMER
    elapsed = (utc(now) - (story.asked_at or found.request.created_at)) // every
    count = min(MAX_REMINDERS, max(story.reminded + 1, elapsed))
    # those who did not get a message get this one
    superseded: dict[str, Any] = {"undelivered": split(story.undelivered)[0], "deliver_at": None}
    if not found.request.has_first_rules:
        superseded["marks"] = add_mark(found, "reminded", now, story.stage)
    return found.with_story(story.model_copy(update={"reminded": count, **superseded}))


def pass_slot_on(found: Found, change: Change) -> Found:
    """Pass a slot on, if that is allowed; either way the next change goes under the next name."""
    story = found.story.with_next_number("change")
    if is_stale(found, change.if_revision):
        return found.with_story(story.with_note("A change was meant for an earlier revision and was ignored."))
    panel = panel_of(found, change)
    slot = panel.slot_of(change.holder) if panel and panel.panel.approvers else None
    if not panel or slot is None or panel.story.vote_of(slot) or reassignment_obstacle(panel, change.to):
        return found.with_story(story.with_note("A change that is not allowed was ignored."))
    if change.heard_at >= found.due_at:
        return found.with_story(story.with_note("A change came after the deadline."))
    story = story.with_next_number(slot_key(panel.story, slot))
    update: dict[str, Any] = {
        "holders": {**story.holders, panel.slot_id(slot): change.to},
        "generations": {**story.generations, panel.slot_id(slot): panel.generation(slot) + 1},
        "changes": (*story.changes, change),
        "attempts": 0,
    }
    return found.with_story(story.model_copy(update=update))


def panel_of(found: Found, change: Change) -> Found | None:
    """Give the request at the panel a change is about; nothing for one that is over, or that there is not."""
    if change.stage is None:
        return found
    place = (change.stage, change.escalated)
    return next((each for each in found.panels_to_come if (each.story.stage, each.story.escalated) == place), None)


def is_about_asked_panel(found: Found, change: Change) -> bool:
    """Tell whether a change is about the panel that is asked now."""
    return change.stage is None or (change.stage, change.escalated) == (found.story.stage, found.story.escalated)


def reassignment_obstacle(panel: Found, person: str) -> str | None:
    """Say why a slot of a panel cannot be passed on to a person: `self`, `asked`, or nothing.

    Whoever holds a slot is asked already; before version 2 so was whoever had passed theirs on.
    """
    if panel.request.forbids(person):
        return "self"
    asked = {panel.holder(slot) or "" for slot in range(panel.panel.slots)}
    if panel.request.has_first_rules:
        asked |= set(panel.panel.approvers)
    return "asked" if any(panel.request.could_be_same(person, one) for one in asked) else None


def occasion(before: Found | None, found: Found) -> str:
    """Say why people are told.

    `asked`, `escalated`, `passed_on`, `reminded`; `again`, what was not delivered; or `renewed`, nobody's news.
    """
    if before is None or before.story.stage != found.story.stage:
        return "asked"
    if before.story.escalated != found.story.escalated:
        return "escalated"
    if len(before.story.changes) < len(found.story.changes):
        # whoever is asked in a later stage hears of it when that begins
        return "passed_on" if is_about_asked_panel(found, found.story.changes[-1]) else RENEWED
    if before.story.reminded < found.story.reminded:
        return "reminded"
    return AGAIN if before.story.attempts < found.story.attempts else RENEWED

"""JSON as it goes out: how a request, its story and a preview are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals.rules.hearing import silence_now
from approvals.rules.value import load_json, rfc3339

if TYPE_CHECKING:
    import datetime as dt

    from approvals.people.delivery import Addressees
    from approvals.people.links import Invitation
    from approvals.rules.preview import Preview
    from approvals.rules.story import Found, Request, Undelivered


def creation_json(found: Found, invitations: list[Invitation] | None, addressees: Addressees) -> dict[str, Any]:
    """Write what the caller who creates a request is told: this is the one answer with links in it.

    A caller that may not decide is shown none (`None`): it learns who is told instead.
    """
    request = found.request
    return {
        "request_id": request.request_id,
        "status": found.story.status,
        **(told_json(addressees) if invitations is None else links_json(invitations)),
        **({} if invitations is None else {"decision_url": request.decision_url}),
        "undeliverable": addressees.undeliverable,
        "status_url": request.status_url,
        "deadline": rfc3339(request.deadline),
    }


def links_json(invitations: list[Invitation]) -> dict[str, Any]:
    """Write everyone's link, and where a system decides for them."""
    first = invitations[0]
    return {
        "approval_url": None if first.approver else first.url,
        "approvals": [
            {
                "approver": invitation.approver,
                "stage": invitation.stage + 1,
                "escalated": invitation.escalated,
                "approval_url": invitation.url,
            }
            for invitation in invitations
        ],
    }


def told_json(addressees: Addressees) -> dict[str, Any]:
    """Write who is told of a new request, and through which channels."""
    people = [{"approver": person, "channels": channels} for person, channels in addressees.told.items()]
    return {"told": people + [{"approver": None, "channels": [room]} for room in addressees.rooms]}


def story_json(found: Found) -> dict[str, Any]:
    """Write the whole story of a request."""
    request, story = found.request, found.story
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
        "created_at": rfc3339(request.created_at),
        "deadline": rfc3339(found.due_at),
        "settled_at": instant_json(story.settled_at),
        "decision": story.decision.to_json() if story.decision else None,
        "cancellation": story.cancellation.to_json() if story.cancellation else None,
        "stage": stage_json(found),
        "awaited": awaited_json(found) if story.is_open else None,
        "votes": [vote.to_json() for vote in story.votes],
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
        "options": [option.model_dump() for option in found.policy.options],
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
        "notes": story.notes,
    }


def creator_json(request: Request) -> dict[str, Any] | None:
    """Write which caller made a request; nothing is known of it where callers have no names."""
    if not request.created_by:
        return None
    return {"name": request.created_by, "title": request.created_by_title or None}


def stage_json(found: Found) -> dict[str, Any]:
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
) -> dict[str, Any]:
    """Write what a channel did not take, and when it is tried again; how often is not kept of what is over."""
    return {
        "to": each.to,
        "channel": each.channel,
        "occasion": each.occasion,
        "tried_again": tried_again,
        "next_attempt_at": None if each.permanent else instant_json(next_attempt_at),
    }


def awaited_json(found: Found) -> dict[str, Any]:
    """Write what is still needed, from whom, and what happens when nobody answers."""
    return {
        "from": [found.holder(slot) for slot in found.awaited if found.holder(slot)],
        "approvals_needed": found.panel.required - found.votes(yes=True),
        "next_reminder_at": instant_json(found.next_reminder_at),
        "if_nobody_answers": silence_now(found),
    }


def preview_json(seen: Preview) -> dict[str, Any]:
    """Write what would happen."""
    return {
        "status": seen.found.story.status,
        "settled_at": instant_json(seen.found.story.settled_at),
        "events": list(seen.timeline),
        "notes": seen.found.story.notes,
    }


def instant_json(at: dt.datetime | None) -> str | None:
    """Write an instant, or nothing."""
    return rfc3339(at) if at else None

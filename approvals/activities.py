"""What an orchestration does to the world. An activity may run twice, so each message carries a key of its own."""

from __future__ import annotations

import logging

import azure.durable_functions as df

from approvals import channels, settings
from approvals.channels import Message
from approvals.model import Found, Request, Status, stage_name
from approvals.value import Value, rfc3339

logger = logging.getLogger("approvals.activities")

blueprint = df.Blueprint()

SUBJECTS = {
    "asked": "{requester} asks: {item} (until {due})",
    "escalated": "Nobody else answered. {requester} asks: {item} (until {due})",
    "passed_on": "Passed on to you. {requester} asks: {item} (until {due})",
    "reminded": "Still waiting for you. {requester} asks: {item} (until {due})",
}


class Notice(Value):
    """What people are told, and why now."""

    found: Found
    occasion: str


@blueprint.activity_trigger(input_name="asked")
def submit_approval_request(asked: str) -> int:
    """Tell those whose answer is awaited. Gives the number of channels that were told; a renewal tells nobody."""
    notice = noticed(asked)
    found, request = notice.found, notice.found.request
    if notice.occasion not in SUBJECTS or not request.tell:
        return 0
    if notice.occasion == "passed_on":
        people = [found.story.changes[-1].to]
    else:
        people = [holder for slot in found.awaited if (holder := found.holder(slot))]
    subject = SUBJECTS[notice.occasion]
    story = found.story
    return tell(
        Message(
            key=f"{request.request_id}-{notice.occasion}-{story.stage}-{story.escalated:d}"
            f"-{story.reminded}-{len(story.changes)}",
            subject=subject.format(requester=request.requester, item=request.item, due=rfc3339(found.due_at)),
            body=f"{', '.join(people) or 'Whoever may'}: decide at {request.approval_url} ({stage_name(found)})",
        )
    )


def noticed(asked: str) -> Notice:
    """Read what the activity is given; the first version gave the request alone."""
    try:
        return Notice.decoded(asked)
    except ValueError:
        return Notice.decoded({"found": {"request": Request.decoded(asked), "story": {}}, "occasion": "asked"})


@blueprint.activity_trigger(input_name="settled")
def process_approval(settled: str) -> int:
    """Act on the outcome: tell the requester. Gives the number of channels that were told."""
    found = Found.decoded(settled)
    request, story = found.request, found.story
    if story.status is Status.TIMEOUT:  # the alert on approvals that time out looks for this line
        logger.warning("Request %s: %s", request.request_id, story.status)
    if not request.tell:
        return 0
    return tell(
        Message(
            key=f"{request.request_id}-{story.status}",
            subject=f"{story.status}: {request.item}",
            body=because(found),
        )
    )


def because(found: Found) -> str:
    """Say in a sentence how it came to the outcome."""
    story = found.story
    if story.decision:
        comments = f": {story.decision.comments}" if story.decision.comments else ""
        return f"{story.decision.approver} has decided{comments}"
    if story.cancellation:
        reason = f": {story.cancellation.reason}" if story.cancellation.reason else ""
        return f"{story.cancellation.by} has cancelled it{reason}"
    if story.status in (Status.TIMEOUT, Status.APPROVED, Status.REJECTED):
        return f"nobody answered {stage_name(found)} until {rfc3339(found.due_at)}"
    return str(story.status)


def tell(message: Message) -> int:
    """Send a message through every configured channel."""
    ways = channels.configured(settings.current())
    for channel in ways:
        channel.send(message)
    return len(ways)

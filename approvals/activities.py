"""What an orchestration does to the world. An activity may run twice, so each message carries a key of its own."""

from __future__ import annotations

import logging

import azure.durable_functions as df

from approvals import channels, settings
from approvals.channels import Message
from approvals.model import Found, Request, Status, rfc3339

logger = logging.getLogger("approvals.activities")

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="asked")
def submit_approval_request(asked: str) -> int:
    """Tell those who may decide that they are asked, or asked again. Gives the number of channels that were told."""
    request = Request.decoded(asked)
    return tell(
        Message(
            key=f"{request.request_id}-asked",
            subject=f"{request.requester} asks: {request.item} (until {rfc3339(request.deadline)})",
            body=f"Decide: {request.approval_url}",
        )
    )


@blueprint.activity_trigger(input_name="settled")
def process_approval(settled: str) -> int:
    """Act on the outcome: tell the requester. Gives the number of channels that were told."""
    found = Found.decoded(settled)
    request, story = found.request, found.story
    logger.debug("Request %s: %s", request.request_id, story.status)
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
    if story.status is Status.TIMEOUT:
        return f"nobody decided until {rfc3339(found.request.deadline)}"
    return str(story.status)


def tell(message: Message) -> int:
    """Send a message through every configured channel."""
    ways = channels.configured(settings.current())
    for channel in ways:
        channel.send(message)
    return len(ways)

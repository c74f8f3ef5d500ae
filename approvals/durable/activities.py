"""What an orchestration does to the world. An activity may run twice, so each message carries a key of its own.

People's links are made here, as messages are sent: no history, status or log has one. Activities are asynchronous:
those that are not share the worker's few threads with the turns of orchestrations, and would hold them up.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, cast

import azure.durable_functions as df

from approvals import settings, signals
from approvals.durable.instances import Instances
from approvals.errors import SchedulerUnavailable
from approvals.people import delivery
from approvals.records.announced import announced_end
from approvals.records.opening import store_of
from approvals.records.requests import Requests
from approvals.records.store import StoreUnavailable
from approvals.records.subscriptions import addressed
from approvals.rules.callbacks import OWN_CHANNELS, delivery_of
from approvals.rules.deliveries import RECORDS
from approvals.rules.notices import OUTCOME, RENEWED, Notice, key_of
from approvals.rules.story import Found, Request, Status, Undelivered
from approvals.rules.value import decode_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from approvals.rules.callbacks import Kind

logger = logging.getLogger("approvals.durable.activities")

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="asked")
@blueprint.durable_client_input(client_name="client")
async def submit_approval_request(asked: str, client: df.DurableOrchestrationClient) -> str:
    """Tell those whose answer is awaited, and whoever asked. Gives what could not be delivered, as JSON."""
    notice = read_notice(asked)
    measure(notice)
    unbegun = await begin_callbacks(notice, client)
    return write_undelivered((*unbegun, *await send_notice(notice)))


@blueprint.activity_trigger(input_name="settled")
@blueprint.durable_client_input(client_name="client")
async def process_approval(settled: str, client: df.DurableOrchestrationClient) -> str:
    """Act on the outcome: write it into the records, tell whom it concerns. Gives what could not be done, as JSON."""
    try:
        notice = Notice.from_json(settled)
    except ValueError:  # before version 2 of the rules it is the story alone, the first time
        notice = Notice(found=Found.from_json(settled), occasion=OUTCOME)
    request, story = notice.found.request, notice.found.story
    if notice.occasion == OUTCOME:
        logger.info("Request %s: %s", request.request_id, story.status)
        signals.REQUEST_SETTLED.write(
            request=request.request_id,
            status=story.status,
            by="decision" if story.decision else "cancellation" if story.cancellation else "silence",
            seconds=round(((story.settled_at or request.created_at) - request.created_at).total_seconds(), 1),
        )
        if story.status is Status.TIMEOUT:
            signals.REQUEST_TIMED_OUT.write(request=request.request_id)
    unwritten = await write_end(notice, client)
    unbegun = await begin_callbacks(notice, client)
    return write_undelivered((*unwritten, *unbegun, *await send_notice(notice)))


def measure(notice: Notice) -> None:
    """Write for operators to count that people were reminded, or others asked."""
    counted = {"reminded": signals.REQUEST_REMINDED, "escalated": signals.REQUEST_ESCALATED}.get(notice.occasion)
    if counted:
        counted.write(request=notice.found.request.request_id, stage=notice.found.story.stage + 1)


def read_notice(asked: str) -> Notice:
    """Read what the activity is given; the first version gave the request alone."""
    try:
        return Notice.from_json(asked)
    except ValueError:
        return Notice.from_json({"found": {"request": Request.from_json(asked), "story": {}}, "occasion": "asked"})


async def write_end(notice: Notice, client: df.DurableOrchestrationClient) -> tuple[Undelivered, ...]:
    """Write into the records how a request ended, or say that it could not be, to be tried again like a message.

    The notice says only what a message says: the whole story is read from the instance.
    """
    if notice.tried and not any(each.channel == RECORDS for each in notice.tried):
        return ()
    request_id = notice.found.request.request_id
    try:
        if await announced_end(request_id):
            return ()
        found = await Instances(client).read(request_id)
        if found and not found.story.is_open:
            await Requests(store_of(settings.current())).keep(found, dt.datetime.now(dt.UTC))
            return ()
        reason = "not there"  # the host has not yet stored what the orchestration said of itself
    except (StoreUnavailable, SchedulerUnavailable) as error:
        reason = type(error).__name__
    signals.RECORD_LATE.write(request=request_id, reason=reason)
    return (Undelivered(channel=RECORDS, key=key_of(notice.found, OUTCOME), occasion=OUTCOME),)


async def begin_callbacks(notice: Notice, client: df.DurableOrchestrationClient) -> tuple[Undelivered, ...]:
    """Begin to tell the caller of the request what is owed to it. Gives what could not be begun."""
    unbegun = []
    for owed in notice.owed_callbacks:
        try:
            for each in await addressed(store_of(settings.current()), notice.found.request.created_by, owed):
                await Instances(client).start_callback(delivery_of(each.key, cast("Kind", each.occasion)))
        except (SchedulerUnavailable, StoreUnavailable) as error:
            signals.DELIVERY_FAILED.write(channel=owed.channel, key=owed.key, reason=type(error).__name__)
            unbegun.append(owed)  # what was begun is not begun again
    return tuple(unbegun)


async def send_notice(notice: Notice) -> tuple[Undelivered, ...]:
    """Send what a notice means through the channels of this process. Gives what failed."""
    if not notice.found.request.tell:
        return ()
    dispatch = delivery.Dispatch.of(settings.current())
    if notice.tried:
        return await dispatch.retry(
            notice.found, [each for each in notice.tried if each.channel not in (RECORDS, *OWN_CHANNELS)]
        )
    return await dispatch.announce(notice.found, notice.occasion, notice.key)


def write_undelivered(failed: Iterable[Undelivered]) -> str:
    """Write what failed, for the orchestration."""
    return "[" + ",".join(each.model_dump_json(exclude_defaults=True) for each in failed) + "]"


def read_undelivered(result: object) -> tuple[Undelivered, ...]:
    """Read what an activity could not deliver. Before version 1.2 it gave a number, and never said."""
    failed = decode_json(result)
    return tuple(Undelivered.model_validate(each) for each in failed) if isinstance(failed, list) else ()


def whole_notice_undelivered(notice: Notice) -> tuple[Undelivered, ...]:
    """Say that a whole notice failed, or that nobody knows what became of it; a renewal told nobody anyway."""
    if notice.occasion == RENEWED:
        return notice.callbacks
    key = notice.key or key_of(notice.found, notice.occasion)
    return (*notice.callbacks, Undelivered(key=key, occasion=notice.occasion))

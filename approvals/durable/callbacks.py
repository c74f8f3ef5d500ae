"""An attempt to send a callback: an activity, which may run twice, so that a receiver goes by the event's id.

What is sent is read when it is sent, from the request's own instance; the address, too, stands nowhere else.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING

import azure.durable_functions as df

from approvals import settings, signals
from approvals.durable.instances import Instances
from approvals.errors import SchedulerUnavailable
from approvals.receivers.allowed import Receivers
from approvals.receivers.events import CallbackEvent, event_type
from approvals.receivers.sending import send_event
from approvals.records import callbacks as records
from approvals.records.opening import store_of
from approvals.records.store import StoreUnavailable
from approvals.rules.callbacks import Attempt, Delivery, next_attempt_at, read_target
from approvals.rules.telling import story_json

if TYPE_CHECKING:
    from approvals.rules.callbacks import Callback
    from approvals.rules.story import Found

logger = logging.getLogger("approvals.durable.callbacks")

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="owed")
@blueprint.durable_client_input(client_name="client")
async def send_callback(owed: str, client: df.DurableOrchestrationClient) -> str:
    """Send an event once, and write down how that went. Gives what became of it, as JSON."""
    delivery = Delivery.from_json(owed)
    said, to = await try_to_send(delivery, Instances(client))
    at = dt.datetime.now(dt.UTC)
    next_at = next_attempt_at(delivery.started or at, at, said, delivery.attempt)
    if said.outcome == "failed" or (said.outcome == "gone" and said.status):
        signals.CALLBACK_FAILED.write(
            request=delivery.request_id,
            kind=delivery.kind,
            receiver=to or "-",
            reason=said.reason,
            status=said.status or "-",
            attempt=delivery.attempt,
            gives_up=str(next_at is None).lower(),
        )
    await keep(delivery, said.model_copy(update={"next_at": next_at}), to, at)
    return said.model_dump_json(exclude_defaults=True)


async def try_to_send(delivery: Delivery, instances: Instances) -> tuple[Attempt, str]:
    """Send an event to the address in its request's input. Gives what became of it, and the address as it is shown."""
    with contextlib.suppress(StoreUnavailable):
        if await records.is_overtaken(store_of(settings.current()), delivery):
            return Attempt(outcome="gone", reason="sent_again"), ""
    try:
        found = await instances.read_at(delivery.request_id, delivery.revision)
        callback = found and await find_callback(delivery, found, instances)
    except SchedulerUnavailable:
        return Attempt(outcome="failed", reason="scheduler"), ""
    if not found or not callback:
        return Attempt(outcome="gone", reason="erased" if not found else "unsubscribed"), ""
    return await send(delivery, found, callback)


async def find_callback(delivery: Delivery, found: Found, instances: Instances) -> Callback | None:
    """Find where an event goes: to the request's own address, or to one that was subscribed. Raises as reading does."""
    if not delivery.subscription:
        return found.request.callback
    subscription = await instances.subscription(delivery.subscription)
    return subscription.callback if subscription else None


async def send(delivery: Delivery, found: Found, callback: Callback) -> tuple[Attempt, str]:
    """Send an event of a request as it stands."""
    request, story, chosen = found.request, found.story, settings.current()
    target = read_target(callback.url)
    rule = Receivers.of(chosen).rule_for(target, request.created_by)
    if not rule:
        return Attempt(outcome="failed", reason="not_allowed"), target.shown
    event = CallbackEvent(
        event_id=delivery.event_id,
        type=event_type(chosen.event_type_prefix, delivery.kind),
        source=chosen.public_base_url or request.base_url,
        subject=request.request_id,
        time=story.settled_at or dt.datetime.now(dt.UTC),
        data=story_json(found),
    )
    return await send_event(event, callback.format, target, rule), target.shown


async def keep(delivery: Delivery, said: Attempt, to: str, at: dt.datetime) -> None:
    """Write down how an attempt went. Where that fails the next one, or nobody, says it: the receiver counts."""
    try:
        await records.keep_attempt(store_of(settings.current()), delivery, said, to, at)
    except StoreUnavailable as error:
        signals.RECORD_LATE.write(request=delivery.request_id, reason=type(error).__name__)

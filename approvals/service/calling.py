"""Callbacks as operators see them: sending again what was not taken, and trying whether a receiver is there."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import Invalid
from approvals.people.delivery import Dispatch
from approvals.receivers.allowed import Receivers
from approvals.receivers.events import CallbackEvent, PingJson, event_type
from approvals.records import callbacks, subscriptions, trail
from approvals.rules.callbacks import OWN_CHANNELS, delivery_of, read_target
from approvals.rules.deliveries import RECORDS
from approvals.rules.notices import OUTCOME, callbacks_of, end_kind
from approvals.rules.trail import entry
from approvals.rules.value import Problem
from approvals.service.desk import Desk, records_at_hand

if TYPE_CHECKING:
    from approvals.rules.callbacks import Attempt, Delivery, Format
    from approvals.rules.story import Found, Undelivered

logger = logging.getLogger("approvals.service")

MESSAGES = 40
"""How many messages are sent again in one call."""


@dataclass(frozen=True)
class Redelivery:
    """What was sent again."""

    found: Found
    callbacks: list[Delivery]
    """Which events are on their way."""
    messages: int
    """How many messages were sent."""
    failed: int
    """How many of them no channel took."""


@dataclass(frozen=True)
class Calling(Desk):
    """Telling callers, again."""

    async def redeliver(self, request_id: str, by: str, *, everything: bool) -> Redelivery:
        """Send again what was not taken: callbacks, each in an orchestration of its own, and messages.

        `everything`: callbacks that were taken, too. Raises what `find` raises, and RecordsUnavailable.
        """
        found = await self.find(request_id)
        with records_at_hand():
            begun = [await self.begin_again(found, each) for each in await self.owed(found, everything=everything)]
            await trail.append(
                self.store, request_id, entry(self.received_at, "sent_again", by=by, caller=self.caller.name)
            )
        messages = messages_of(found)
        failed = await Dispatch.of(self.settings).retry(found, messages)
        logger.info("Request %s: %d callbacks and %d messages sent again", request_id, len(begun), len(messages))
        return Redelivery(found, begun, len(messages), len(failed))

    async def owed(self, found: Found, *, everything: bool) -> list[callbacks.SentCallback | Delivery]:
        """Give the events that are to be sent again, and the end where nobody has begun to tell of it."""
        sent = await callbacks.callbacks_of(self.store, found.request.request_id)
        owed: list[callbacks.SentCallback | Delivery] = [each for each in sent if everything or not each.is_delivered]
        if found.suspended or not (kind := end_kind(found)):
            return owed
        known = {(each.revision, each.subscription) for each in sent}
        for end in callbacks_of(found, OUTCOME):
            each_to = await subscriptions.addressed(self.store, found.request.created_by, end)
            ends = [delivery_of(each.key, kind) for each in each_to]
            owed += [each for each in ends if (each.revision, each.subscription) not in known]
        return owed

    async def begin_again(self, found: Found, each: callbacks.SentCallback | Delivery) -> Delivery:
        """Begin to send an event. Raises SchedulerUnavailable, StoreUnavailable."""
        delivery = (
            await callbacks.begin_again(self.store, found.request.request_id, each)
            if isinstance(each, callbacks.SentCallback)
            else each
        )
        await self.instances.start_callback(delivery)
        return delivery

    async def ping(self, url: str, form: Format, base_url: str) -> tuple[str, Attempt]:
        """Send a ping to a receiver, and say what became of it, beside the address as it is shown.

        Raises Invalid where no rule is for it.
        """
        target = read_target(url)
        rule = Receivers.of(self.settings).rule_for(target)
        if not rule:
            detail = f"is not to be called: CALLBACKS has no rule for {target.shown}"
            raise Invalid((Problem("/callback_url", detail),))
        from approvals.receivers.sending import send_event  # noqa: PLC0415 - the use cases know no network

        event = CallbackEvent(
            event_id=f"ping-{uuid.uuid4().hex}",
            type=event_type(self.settings.event_type_prefix, "ping"),
            source=self.settings.public_base_url or base_url,
            subject="",
            time=self.received_at,
            data=PingJson(ping=True),
        )
        return target.shown, await send_event(event, form, target, rule)


def messages_of(found: Found) -> list[Undelivered]:
    """Give the messages that were not delivered; of what is erased nothing can be said any more."""
    if found.erased_at:
        return []
    failed = (*found.story.undelivered, *found.story.never_delivered)
    return [each for each in failed if each.channel not in (RECORDS, *OWN_CHANNELS)][:MESSAGES]

"""Subscriptions: a caller is told of the end of each of its requests, without naming an address in each."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import Invalid, NoSubscription
from approvals.receivers.allowed import Receivers
from approvals.records import subscriptions
from approvals.rules.callbacks import Callback, Subscription, read_target
from approvals.rules.value import Problem
from approvals.service.desk import Desk, records_at_hand

if TYPE_CHECKING:
    from approvals.rules.callbacks import Format

SUBSCRIPTION_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Subscribing(Desk):
    """Keeping addresses to which callbacks go."""

    async def subscribe(self, url: str, form: Format) -> Subscription:
        """Keep an address to be told at of the end of each of the caller's requests that ends from now on.

        Raises Invalid where the operator does not allow it, or there are too many; SchedulerUnavailable,
        RecordsUnavailable: it may have been kept then, and is told of twice when it is sent again.
        """
        self.check_receiver(url, "/callback_url")
        with records_at_hand():
            known = await subscriptions.subscriptions_of(self.store, self.caller.name)
        if len(known) >= subscriptions.SUBSCRIPTIONS:
            raise Invalid((Problem("", f"there are {len(known)} subscriptions of this caller: end one first"),))
        made = Subscription(
            subscription_id=uuid.uuid4().hex,
            created_by=self.caller.name,
            created_at=self.received_at,
            callback=Callback(url=url, format=form),
        )
        await self.instances.start_subscription(made)
        with records_at_hand():
            await subscriptions.keep(self.store, made)
        return made

    async def unsubscribe(self, subscription_id: str) -> None:
        """Send nothing there any more. Raises NoSubscription, SchedulerUnavailable, RecordsUnavailable."""
        found = None
        if SUBSCRIPTION_ID.fullmatch(subscription_id):
            with records_at_hand():
                found = await subscriptions.find(self.store, subscription_id)
        if not found or not (self.sees_all or found.created_by == self.caller.name):
            raise NoSubscription
        await self.instances.end_subscription(found)
        with records_at_hand():
            await subscriptions.drop(self.store, found)

    async def subscriptions(self) -> list[Subscription]:
        """Give those of the caller, or all to an operator, without their secrets. Raises RecordsUnavailable."""
        with records_at_hand():
            return await subscriptions.subscriptions_of(self.store, None if self.sees_all else self.caller.name)

    @property
    def sees_all(self) -> bool:
        """Whether everyone's are the caller's to see and to end."""
        return self.reach.everything in self.caller.rights

    def check_receiver(self, url: str, pointer: str) -> None:
        """See that the operator lets this caller be told there. Raises Invalid."""
        target = read_target(url)
        if not Receivers.of(self.settings).rule_for(target, self.caller.name):
            detail = f"is not to be called: CALLBACKS has no rule for {target.shown} and this caller"
            raise Invalid((Problem(pointer, detail),))

"""Who wants to be told of the end of every request that a caller makes: a row for each, by caller.

The address stands in an orchestration's input, since its query is a secret; here it has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.records.indexes import EVERYTHING, scope_of
from approvals.records.store import Delete, Put
from approvals.rules.callbacks import CHANNEL, SUBSCRIBERS, Subscription, subscribed_key

if TYPE_CHECKING:
    from approvals.records.store import Store
    from approvals.rules.story import Undelivered

SUBSCRIPTIONS = 20
"""How many a caller may have; each is a callback more for each of its requests."""
LISTED = 1000


def partition_of(scope: str) -> str:
    """Name the partition of subscriptions: of all, or of one caller's."""
    return f"subscriptions:{scope}"


async def keep(store: Store, subscription: Subscription) -> None:
    """Write down that there is one. Raises StoreUnavailable."""
    body = subscription.without_secret.model_dump(mode="json")
    for scope in (EVERYTHING, scope_of(subscription.created_by)):  # the last is what sends
        await store.write(partition_of(scope), Put(subscription.subscription_id, body))


async def drop(store: Store, subscription: Subscription) -> None:
    """Write down that there is one no more. Raises StoreUnavailable."""
    for scope in (scope_of(subscription.created_by), EVERYTHING):
        await store.write(partition_of(scope), Delete(subscription.subscription_id))


async def find(store: Store, subscription_id: str) -> Subscription | None:
    """Read one, without its secret, or nothing. Raises StoreUnavailable."""
    row = await store.get(partition_of(EVERYTHING), subscription_id)
    return Subscription.model_validate(row.body) if row else None


async def subscriptions_of(store: Store, caller: str | None) -> list[Subscription]:
    """Read a caller's, or all, without their secrets. Raises StoreUnavailable."""
    scope, limit = (EVERYTHING, LISTED) if caller is None else (scope_of(caller), SUBSCRIPTIONS)
    return [Subscription.model_validate(row.body) for row in await store.scan(partition_of(scope), limit=limit)]


async def addressed(store: Store, created_by: str, owed: Undelivered) -> list[Undelivered]:
    """Give what is owed with whom it is owed to: the address in the request, or one for each subscription.

    Raises StoreUnavailable.
    """
    if owed.channel != SUBSCRIBERS:
        return [owed]
    keys = [subscribed_key(owed.key, each.subscription_id) for each in await subscriptions_of(store, created_by)]
    return [owed.model_copy(update={"channel": CHANNEL, "key": key}) for key in keys]

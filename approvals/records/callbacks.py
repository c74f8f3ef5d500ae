"""What became of the callbacks of a request: a row for each event, in the request's partition.

It says how far the receiver's side has come; that an event is sent is the scheduler's to remember.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from approvals.records import trail
from approvals.records.requests import partition_of
from approvals.records.store import Put
from approvals.rules.callbacks import CHANNEL, Attempt, Delivery, Kind, LateCallback, subscribed_key
from approvals.rules.trail import entry
from approvals.rules.value import Instant, Value

if TYPE_CHECKING:
    import datetime as dt

    from approvals.records.store import Store

EVENTS = 250
"""How many events of a request are read: more than it can have revisions."""


class SentCallback(Value):
    """How far an event has come."""

    revision: int
    subscription: str = ""
    kind: Kind
    to: str = ""
    """The receiver's address, without its query."""
    outcome: Literal["delivered", "gone", "failed", "busy"]
    attempts: int
    again: int = 0
    """How often somebody had it sent again."""
    at: Instant
    """When it was tried last."""
    next_at: Instant | None = None
    """When it is tried again; nothing: it is not."""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.outcome == "delivered"

    @property
    def late(self) -> LateCallback:
        """What a story says of it while it is not."""
        return LateCallback(kind=self.kind, to=self.to, attempts=self.attempts, next_at=self.next_at)


def key_of(event: Delivery | SentCallback) -> str:
    """Name the row of an event for a receiver."""
    return subscribed_key(f"{CHANNEL}-{event.revision:06d}", event.subscription)


async def keep_attempt(store: Store, delivery: Delivery, said: Attempt, to: str, at: dt.datetime) -> None:
    """Write down how an attempt went, and into the trail when it was the last one. Raises StoreUnavailable."""
    partition, key = partition_of(delivery.request_id), key_of(delivery)
    row = await store.get(partition, key)
    before = SentCallback.model_validate(row.body) if row else None
    if before and (before.again > delivery.again or (before.again == delivery.again and before.is_delivered)):
        return  # an attempt that ran twice, or was overtaken by one that somebody wished
    kept = SentCallback(
        revision=delivery.revision,
        subscription=delivery.subscription,
        kind=delivery.kind,
        to=to or (before.to if before else ""),
        outcome=said.outcome,
        attempts=delivery.attempt,
        again=delivery.again,
        at=at,
        next_at=said.next_at,
    )
    await store.write(partition, Put(key, body_of(kept)))
    if said.next_at is None:
        kind: Literal["delivered", "not_delivered"] = "delivered" if kept.is_delivered else "not_delivered"
        said_of_it = entry(at, kind, to=kept.to, channel=CHANNEL, occasion=kept.kind, reason=said.reason)
        await trail.append(store, delivery.request_id, said_of_it)


async def is_overtaken(store: Store, delivery: Delivery) -> bool:
    """Tell whether somebody has had an event sent again since this delivery began. Raises StoreUnavailable."""
    row = await store.get(partition_of(delivery.request_id), key_of(delivery))
    return bool(row and SentCallback.model_validate(row.body).again > delivery.again)


async def callbacks_of(store: Store, request_id: str) -> list[SentCallback]:
    """Read how far every event of a request has come, oldest first. Raises StoreUnavailable."""
    rows = await store.scan(partition_of(request_id), after=f"{CHANNEL}-", before=f"{CHANNEL}.", limit=EVENTS)
    return [SentCallback.model_validate(row.body) for row in rows]


async def begin_again(store: Store, request_id: str, sent: SentCallback) -> Delivery:
    """Give the next delivery of an event that was sent before, and write down that it begins."""
    kept = sent.model_copy(update={"again": sent.again + 1, "outcome": "failed", "attempts": 0, "next_at": sent.at})
    await store.write(partition_of(request_id), Put(key_of(sent), body_of(kept)))
    return Delivery(
        request_id=request_id, revision=sent.revision, kind=sent.kind, subscription=sent.subscription, again=kept.again
    )


def body_of(sent: SentCallback) -> dict[str, Any]:
    """Write a row."""
    return sent.model_dump(mode="json", exclude_none=True)

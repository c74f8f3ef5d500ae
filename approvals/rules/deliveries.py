"""What could not be delivered, and when it is sent again. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from approvals.rules.callbacks import OWN_CHANNELS
from approvals.rules.value import utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from approvals.rules.story import Found, Undelivered

SEND_AGAIN_AFTER = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""How long after a failed delivery it is tried again, the first time, the second, and so on."""
RECORDS = "records"
"""Where the end of a request is written: a channel like others, as far as trying again goes."""
NEVER_DELIVERED_KEPT = 10
"""Of what was never delivered so many messages are named, and the rest are counted."""


def close_deliveries(found: Found) -> dict[str, Any]:
    """Give the fields of a story whose panel, or all of it, is over: what was not delivered is not sent any more.

    The caller is still owed what it was not told: that is no panel's.
    """
    callbacks, messages = split(found.story.undelivered)
    never = keep_never_delivered(found, messages)
    return {"undelivered": callbacks, "attempts": 0, "deliver_at": None, **never}


def close_late(found: Found, failed: Iterable[Undelivered]) -> dict[str, Any]:
    """Give the fields that take note of what failed for a panel that is over meanwhile."""
    callbacks, messages = split(failed)
    late = {"undelivered": (*found.story.undelivered, *callbacks)} if callbacks else {}
    return {**late, **keep_never_delivered(found, messages)}


def split(failed: Iterable[Undelivered]) -> tuple[tuple[Undelivered, ...], tuple[Undelivered, ...]]:
    """Give the callbacks that could not be begun, and the messages."""
    every = tuple(failed)
    callbacks = tuple(each for each in every if each.channel in OWN_CHANNELS)
    return callbacks, tuple(each for each in every if each.channel not in OWN_CHANNELS)


def keep_never_delivered(found: Found, failed: Iterable[Undelivered]) -> dict[str, Any]:
    """Give the fields that keep what was never delivered in the record. Before version 2 of the rules none is kept."""
    never = (*found.story.never_delivered, *failed)
    if found.request.has_first_rules or len(never) == len(found.story.never_delivered):
        return {}
    more = found.story.never_delivered_more + len(never[NEVER_DELIVERED_KEPT:])
    return {"never_delivered": never[:NEVER_DELIVERED_KEPT], "never_delivered_more": more}


def record_delivery(
    found: Found, tried: Iterable[Undelivered], failed: Iterable[Undelivered], now: dt.datetime
) -> Found:
    """Take note of what became of messages: of those `tried` again, and all others, these `failed`.

    What failed is tried again after a growing delay, as often as the request says; a decision waits for none of it.
    """
    story, tried = found.story, tuple(tried)
    rest = (*(each for each in story.undelivered if each not in tried), *failed)
    update: dict[str, Any] = {"undelivered": rest, "deliver_at": None}
    attempts = min(found.request.retries, len(SEND_AGAIN_AFTER))
    if any(not each.permanent for each in rest) and story.attempts < attempts:
        update["deliver_at"] = story.deliver_at or utc(now) + SEND_AGAIN_AFTER[story.attempts]
    return found.with_story(story.model_copy(update=update))


def count_attempt(found: Found) -> Found:
    """Count that what failed is tried again."""
    return found.with_story(found.story.model_copy(update={"attempts": found.story.attempts + 1, "deliver_at": None}))

"""What an instance listens to: the names of its events, what stands in them, and when it wakes by itself. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from approvals.rules.policy import LONGEST_TIMER
from approvals.rules.story import Cancellation, Change, Decision
from approvals.rules.value import utc

if TYPE_CHECKING:
    from approvals.rules.story import Found, Story

MAX_SPENT_WAITS = 10
"""How many events of a name that count for nothing are survived; each costs the instance a round."""
MAX_CHANGES = 10
"""How often a request's answers may be passed on, by reassignment and delegation together."""
KEY_GUARD = dt.timedelta(hours=1)
"""How long after its start an instance made with an Idempotency-Key stays unfinished, see `guard_end`."""


def slot_key(story: Story, slot: int) -> str:
    """Name the kind of event that answers a slot. The first slot of all keeps the first version's name."""
    panel = 2 * story.stage + story.escalated
    return f"decision-{panel}-{slot}" if panel or slot else "decision"


def event_name(request_id: str, key: str, number: int) -> str:
    """Name an event so that it is waited on once in the instance and nowhere else.

    The SDK keeps one early event a name and hands it to every later wait of that name (measured); the host
    compares names without case and the SDK with it, so all of ours are lower case.
    """
    return f"{key}-{number}-{request_id}".lower()


def awaited_events(found: Found) -> dict[str, str]:
    """Give the event names that can change something now, each with the kind of event it is for."""
    story = found.story
    keys = [slot_key(story, slot) for slot in found.awaited] + ["cancel"]
    panels = found.panels_to_come if not found.request.has_first_rules else [found]
    if any(each.panel.approvers for each in panels) and len(story.changes) < MAX_CHANGES:
        keys.append("change")
    bound = 1 + MAX_SPENT_WAITS + len(story.changes)
    return {
        event_name(found.request.request_id, key, story.event_number(key)): key
        for key in sorted(keys)
        if story.event_number(key) <= bound
    }


def read_event(key: str, data: object) -> Decision | Change | Cancellation:
    """Read the data of an event of a kind. Raises ValueError when it cannot be read."""
    kinds: dict[str, type[Decision | Change | Cancellation]] = {"cancel": Cancellation, "change": Change}
    return kinds.get(key, Decision).from_json(data)


def next_wake_at(found: Found, now: dt.datetime) -> dt.datetime:
    """Say when to wake at the latest: for a reminder, at the deadline, or after the longest timer."""
    times = [found.due_at, utc(now) + LONGEST_TIMER]
    times += [at for at in (found.next_reminder_at, found.story.deliver_at) if at]
    return min(times)


def guard_end(started_at: dt.datetime) -> dt.datetime:
    """Say until when an instance with an Idempotency-Key must not finish.

    The durable extension silently replaces a finished instance that is started again (recorded), so a caller
    that looked before the first start and is held up may come back and wipe out a decided request. As long as
    the instance is unfinished its start is refused; after the guard, whoever looks finds it.
    """
    return utc(started_at) + KEY_GUARD


def event_kind(name: str, request_id: str) -> str:
    """Give the kind of event a name is for."""
    return name.removesuffix(f"-{request_id}").rpartition("-")[0]

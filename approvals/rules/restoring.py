"""Reading back a story that left its texts in the history (`Story.abridged_snapshot`). Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from approvals.rules.events import event_kind, read_event
from approvals.rules.story import EPOCH, Cancellation, Change, Decision, Mark, Story, short_digest
from approvals.rules.value import decode_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from approvals.rules.story import Request


def restore_story(request: Request, published: object, events: Iterable[tuple[str, object]]) -> Story:
    """Read a story as it was published, with the texts it left out taken from the events of the history.

    `events` are names and data, oldest first. Raises ValueError when it is no story.
    """
    story = Story.from_json(published)
    if not story.abridged:
        return story
    raw = decode_json(published)
    heard: dict[str, Decision | Change | Cancellation] = {}
    cancelled: Cancellation | None = None
    for name, data in events:
        try:
            thing = read_event(event_kind(name, request.request_id), data)
        except ValueError:
            continue
        if isinstance(thing, Cancellation):
            cancelled = cancelled or thing
        else:
            heard.setdefault(short_digest(thing.decision_id if isinstance(thing, Decision) else thing.change_id), thing)
    votes = tuple(v for d in raw.get("v", ()) if isinstance(v := heard.get(d), Decision))
    changes = tuple(c for d in raw.get("c", ()) if isinstance(c := heard.get(d), Change))
    settled_by_vote = raw.get("d") and votes
    return story.model_copy(
        update={
            "votes": votes,
            "changes": changes,
            "notes": (*raw.get("n", ()), *([f"Messages not delivered: {raw['u']}."] if raw.get("u") else [])),
            "undelivered_more": raw.get("u", 0),
            "marks": tuple(read_mark(mark) for mark in raw.get("m", ())),
            "cancellation": cancelled if raw.get("x") else None,
            "decision": votes[-1] if settled_by_vote else None,
            "holders": {slot: c.to for slot, d in raw.get("h", {}).items() if isinstance(c := heard.get(d), Change)},
        }
    )


def read_mark(text: str) -> Mark:
    """Read a mark that was written short. Raises ValueError for what is none."""
    stage, _, milliseconds = text[1:].partition(":")
    kinds = {"a": "asked", "e": "escalated", "r": "reminded"}
    at = EPOCH + dt.timedelta(milliseconds=int(milliseconds))
    return Mark.model_validate({"kind": kinds.get(text[:1]), "at": at, "stage": int(stage)})

"""Erasing: what was asked and said goes, outcome, people and instants stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.records.requests import RECORD, STATE, TRAIL, Requests, partition_of, record_of, summary_of
from approvals.records.store import Conflict, Put, Replace
from approvals.records.trail import append, frozen_trail
from approvals.rules.erasing import without_content
from approvals.rules.trail import entry, without_words
from approvals.rules.value import rfc3339

if TYPE_CHECKING:
    import datetime as dt

    from approvals.records.store import Store

TRIES = 5


async def erase(store: Store, request_id: str, *, by: str, reason: str, caller: str, now: dt.datetime) -> bool:
    """Erase the content of an ended request; False when nothing of it is written, or it has not ended.

    Raises StoreUnavailable. Once it is done, doing it again changes nothing.
    """
    requests = Requests(store)
    for _ in range(TRIES):
        state = await requests.entry(request_id)
        found = await requests.record(request_id)
        if not state or not found or not state.has_ended:
            return False
        if state.is_erased:
            return True
        bare = without_content(found, now)
        trail = without_words(await frozen_trail(store, request_id) or [])
        body = state.body | summary_of(bare) | {"erased": rfc3339(now)}
        try:
            await store.write(
                partition_of(request_id),
                Replace(STATE, body, state.etag),
                Put(RECORD, record_of(bare)),
                Put(TRAIL, {"entries": trail}),
            )
        except Conflict:
            continue
        await append(store, request_id, entry(now, "erased", by=by, caller=caller, reason=reason))
        return True
    return False

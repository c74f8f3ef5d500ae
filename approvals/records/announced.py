"""Writes that are announced in this process, so that one end is not read and written twice at the same moment.

Whoever gives an answer waits until it is recorded, and writes what stands then; the activity that acts on the outcome
writes the same, and often runs meanwhile in the same process. It waits for the other, looks, and mostly finds it done.
In another process there is nothing to wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 0.5
"""How long an announced write is waited for."""


LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, list[asyncio.Event]]] = WeakKeyDictionary()


@contextlib.contextmanager
def announced(request_id: str) -> Iterator[None]:
    """Say that this call means to write what stands of a request."""
    here, over = LOOPS.setdefault(asyncio.get_running_loop(), {}), asyncio.Event()
    here.setdefault(request_id, []).append(over)
    try:
        yield
    finally:
        over.set()
        here[request_id].remove(over)
        if not here[request_id]:
            del here[request_id]


async def announced_is_over(request_id: str) -> bool:
    """Wait a moment for whoever has announced a write; tell whether somebody had."""
    writers = list(LOOPS.get(asyncio.get_running_loop(), {}).get(request_id, ()))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            for over in writers:
                await over.wait()
    return bool(writers)

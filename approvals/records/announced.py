"""Writes that are announced in this process, so that one end is not read and written twice at the same moment.

Whoever gives an answer waits until it is recorded, and writes what stands then. The activity that acts on the outcome
writes the same, and often runs meanwhile in the same process: it waits for the other, and mostly finds its work done.
In another process there is nothing to wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 0.5
"""How long an announced write is waited for."""


@dataclass(eq=False)
class Announcement:
    """A write that somebody means to make."""

    over: asyncio.Event = field(default_factory=asyncio.Event)
    end: bool = False
    """Whether it wrote how the request ended."""


HERE: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, list[Announcement]]] = WeakKeyDictionary()
"""What is announced in each event loop, by the id of the request."""


@contextlib.contextmanager
def announced(request_id: str) -> Iterator[Announcement]:
    """Say that this call means to write what becomes of a request."""
    here, mine = HERE.setdefault(asyncio.get_running_loop(), {}), Announcement()
    here.setdefault(request_id, []).append(mine)
    try:
        yield mine
    finally:
        mine.over.set()
        here[request_id].remove(mine)
        if not here[request_id]:
            del here[request_id]


async def announced_end(request_id: str) -> bool:
    """Wait a moment for whoever has announced a write; tell whether one of them wrote how the request ended."""
    writing = list(HERE.get(asyncio.get_running_loop(), {}).get(request_id, ()))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            for each in writing:
                await each.over.wait()
                if each.end:
                    return True
    return False

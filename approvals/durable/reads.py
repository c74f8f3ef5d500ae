"""Reads that many ask for at once, made once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RUNNING: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, asyncio.Task[Any]]] = WeakKeyDictionary()
NEXT: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, asyncio.Task[Any]]] = WeakKeyDictionary()


async def shared_read(key: Any, read: Callable[[], Awaitable[Any]]) -> Any:
    """Give what a read gives that begins after this call, and is made for all who ask for it until it begins.

    One is made at a time. Nobody is given one that had begun before they asked: what they have just been told is
    recorded may be missing in it.
    """
    loop = asyncio.get_running_loop()
    running, following = RUNNING.setdefault(loop, {}), NEXT.setdefault(loop, {})

    async def begin(after: asyncio.Task[Any] | None) -> Any:
        if after:
            await asyncio.wait([after])
            running[key] = following.pop(key)
        try:
            return await read()
        finally:
            if running.get(key) is asyncio.current_task():
                del running[key]

    if key in following:
        return await asyncio.shield(following[key])
    if key in running:
        task = following[key] = loop.create_task(begin(running[key]))
    else:
        task = running[key] = loop.create_task(begin(None))
    return await asyncio.shield(task)

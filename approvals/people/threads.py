"""Blocking work in threads of its own, with an end: for libraries that know no total time.

A library's time-outs are for each read: a server that sends a byte a second holds a thread for ever. Here whoever
waits gives up in time, and the thread that is given up is stopped, so that it ends when its read does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

AT_ONCE = 16
"""How many threads work for one purpose at once, in the whole process; one that was given up counts until it ends."""


class Stopped(BaseException):
    """Raised within a thread that nobody waits for any more; no `except Exception` of a library keeps it."""


FREE: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]] = WeakKeyDictionary()


async def run_in_thread(purpose: str, work: Callable[[], T]) -> T:
    """Give what the work gives, or raise what it raises. Cancelled, as by a time-out, it stops the thread.

    Waits in line while `AT_ONCE` others work for the same purpose. The thread writes no log: the host drops lines
    without an invocation (recorded).
    """
    loop = asyncio.get_running_loop()
    free = FREE.setdefault(loop, {}).setdefault(purpose, asyncio.Semaphore(AT_ONCE))
    await free.acquire()
    ended: asyncio.Future[T] = loop.create_future()

    def end(result: T | None, error: BaseException | None) -> None:
        if not thread_ended.is_set():
            thread_ended.set()
            free.release()
            if not ended.cancelled():
                ended.set_exception(error) if error else ended.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, it is whoever waits that is told
            error = raised
        for _ in range(2):  # it may be stopped here, too, and once
            with contextlib.suppress(Stopped, RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(end, result, error)

    thread_ended = threading.Event()
    thread = threading.Thread(target=run, name=purpose, daemon=True)
    thread.start()
    try:
        return await ended
    except asyncio.CancelledError:
        stop_thread(thread)
        raise


def stop_thread(thread: threading.Thread) -> None:
    """Have a thread raise `Stopped` as soon as it runs Python again: a read that blocks has a time-out of its own."""
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped))

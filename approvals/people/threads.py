"""Blocking work in threads of its own, with an end: for libraries that know no total time.

A library's time-outs are for each read: a server that sends a byte a second holds a thread for ever. Here whoever
waits gives up in time, and the thread that is given up is stopped, so that it ends when its read does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

AT_ONCE = 16
"""How many threads work for one purpose at once, in the whole process; one that was given up counts until it ends."""


STOP_AGAIN_SECONDS = 1.0
"""A library that is stopped may still say good-bye, and be kept waiting for the answer: it is stopped again."""


class Stopped(SystemExit):
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
    worker = Worker(purpose, work, loop)
    worker.outcome.add_done_callback(lambda _: free.release())
    worker.start()
    try:
        return await asyncio.shield(worker.outcome)
    except asyncio.CancelledError:
        worker.stop()
        raise


class Worker(threading.Thread, Generic[T]):
    """A thread that does one thing. What became of it is known when it has ended, not before."""

    def __init__(self, purpose: str, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name=purpose, daemon=True)
        self.work, self.loop = work, loop
        self.outcome: asyncio.Future[T] = loop.create_future()
        self.known = threading.Event()

    def run(self) -> None:
        """Do it, and tell the event loop."""
        todo = [self.work]
        told: Callable[[], None] = partial(self.fail, RuntimeError("stopped"))
        while not self.known.is_set():
            with contextlib.suppress(Stopped):  # which may happen anywhere here, and again
                if todo:
                    told = self.outcome_of(todo.pop())
                self.tell(told)

    def outcome_of(self, work: Callable[[], T]) -> Callable[[], None]:
        """Do the work, and give what is to be told of it."""
        try:
            return partial(self.outcome.set_result, work())
        except Exception as error:  # noqa: BLE001 - it is whoever waits that is told
            return partial(self.fail, error)
        except BaseException as error:  # noqa: BLE001 - told as it is, this would end the event loop
            return partial(self.fail, RuntimeError(type(error).__name__))

    def fail(self, error: Exception) -> None:
        """Have the error raised where it is awaited, if it still is."""
        self.outcome.set_exception(error)
        self.outcome.exception()  # it is no defect when nobody asks

    def tell(self, told: Callable[[], None]) -> None:
        """Have the event loop know, and wait until it does: a thread that has ended must not be stopped."""

        def know() -> None:
            if not self.known.is_set():
                self.known.set()
                told()

        try:
            self.loop.call_soon_threadsafe(know)
            self.known.wait(STOP_AGAIN_SECONDS)
        except RuntimeError:  # the loop has been closed
            self.known.set()

    def stop(self) -> None:
        """Stop it, again and again until it has ended: a read that blocks has a time-out of its own."""
        if not self.known.is_set():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), ctypes.py_object(Stopped))
            self.loop.call_later(STOP_AGAIN_SECONDS, self.stop)

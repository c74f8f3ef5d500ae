"""One call of a function: where it runs, what context it gets, and which log lines are counted as its own.

The Functions host keeps a line that an app logs only while the invocation it belongs to runs, and drops the rest
without a word. The worker finds the invocation as this module does (`get_current_invocation_id` of the Python
worker 4.34; what arrives was recorded on host 4.1037): by the asyncio task, whose children inherit it, or else by
a value of the thread. So the lines of `asyncio.to_thread`, of executors and of the app's own threads are lost,
unless the thread sets `context.thread_local_storage.invocation_id`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

logger = logging.getLogger("devhost.invocations")

OF_THE_HOST = ("devhost", "durabletask", "grpc", "aiohttp.server", "asyncio")
"""Loggers that speak for this host: here they share a process with the app, on the real host they do not."""

_THREAD = threading.local()
_TASK: ContextVar[tuple[asyncio.AbstractEventLoop, str] | None] = ContextVar("invocation", default=None)
_RUNNING: set[str] = set()


class TraceContext(NamedTuple):
    """W3C trace context of an invocation; empty strings when the caller sent none."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: Mapping[str, str] = {}


class RetryContext(NamedTuple):
    """Function-level retries, of which this host has none."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: None = None


class Invocation(func.Context):
    """The invocation context that a function gets when it has an unbound parameter named `context`."""

    # Plain values in place of the abstract properties.
    invocation_id: str = ""
    function_name: str = ""
    function_directory: str = ""
    thread_local_storage: Any = _THREAD
    trace_context: Any = TraceContext()
    retry_context: Any = RetryContext()

    def __init__(self, function_name: str, folder: Path, trace_context: TraceContext | None = None) -> None:
        self.invocation_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_directory = str(folder)
        if trace_context is not None:
            self.trace_context = trace_context

    async def run(
        self, call: Callable[..., Any], arguments: Mapping[str, Any], threads: Executor, *, is_async: bool
    ) -> Any:
        """Call a function as this invocation, a sync one on a thread; give what it returns, raise what it raises."""
        loop = asyncio.get_running_loop()
        _RUNNING.add(self.invocation_id)
        try:
            if not is_async:
                return await loop.run_in_executor(threads, self._run_on_thread, call, arguments)
            before = _TASK.set((loop, self.invocation_id))
            try:
                return await call(**arguments)
            finally:
                _TASK.reset(before)
        finally:
            _RUNNING.discard(self.invocation_id)

    def _run_on_thread(self, call: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        _THREAD.invocation_id = self.invocation_id
        try:
            return call(**arguments)
        except StopIteration as error:  # a future cannot carry it: the call would hang
            raise RuntimeError("the function raised StopIteration") from error
        finally:
            _THREAD.invocation_id = None


def find_invocation_id() -> str | None:
    """Give the id of the invocation that the running code is counted to, or nothing."""
    loop = asyncio._get_running_loop()  # noqa: SLF001 - as the worker asks; the public one raises
    if loop is not None and asyncio.current_task(loop) is not None:
        of_task = _TASK.get()
        # A thread with a loop of its own inherits the variable, but not the worker's task.
        if of_task and of_task[0] is loop:
            return of_task[1]
    return getattr(_THREAD, "invocation_id", None)


class InvocationFilter(logging.Filter):
    """Drops the app's lines that the real host drops; says so once a logger, without the line."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is kept."""
        if is_of_the_host(record.name) or find_invocation_id() in _RUNNING:
            return True
        if record.name not in self._told:
            self._told.add(record.name)
            logger.warning(
                "Lines that '%s' logs on %s, outside an invocation, are dropped, as the real host drops them: log in "
                "the function or its asyncio tasks, or set context.thread_local_storage.invocation_id on the thread.",
                record.name,
                threading.current_thread().name,
            )
        return False


def is_of_the_host(name: str) -> bool:
    """Tell whether a logger speaks for this host and not for the app."""
    return any(name == own or name.startswith(f"{own}.") for own in OF_THE_HOST)

"""App code in worker processes, as the real host runs it: a crash there ends a worker, not the host.

What was recorded of the real one: the calls in a worker that dies are answered 500 with an empty body, it is back
within a second, and the third death within three minutes ends the host. Turns and activities that were in it are
handed out again. The processes are children of this host and speak with it over a pair of sockets, in pickles.
"""
# ruff: noqa: S301 - what is unpickled comes from our own child or parent

from __future__ import annotations

import argparse
import asyncio
import copyreg
import json
import logging
import os
import pickle
import signal
import socket
import struct
import sys
import time
import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.http import HttpRequest

from devhost import index
from devhost.invocations import Invocation, InvocationFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from devhost.index import FunctionApp

logger = logging.getLogger("devhost.processes")

HTTP, ORCHESTRATOR, ACTIVITY, TIMER = "http", "orchestrator", "activity", "timer"
LENGTH = struct.Struct(">I")
DEATHS, DEATH_SECONDS = 3, 180.0
THREADS = 6


class WorkerEnded(Exception):
    """The worker process ended before it had answered."""


class FunctionRaised(Exception):
    """A function raised in its worker; the class that is raised has the name of what it raised there."""

    stack = ""


def rebuild(
    method: str, url: str, headers: dict[str, str], params: dict[str, str], route: dict[str, str], body: bytes
) -> HttpRequest:
    """Make a request of its parts."""
    return HttpRequest(method, url, headers=headers, params=params, route_params=route, body_type="bytes", body=body)


def take_apart(request: HttpRequest) -> tuple[Callable[..., HttpRequest], tuple[Any, ...]]:
    """Give pickle the parts of a request, which holds views that cannot be pickled."""
    parts = (dict(request.headers), dict(request.params), dict(request.route_params), request.get_body())
    return rebuild, (request.method, request.url, *parts)


copyreg.pickle(HttpRequest, take_apart)  # type: ignore[arg-type]


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Read one message. Raises IncompleteReadError when the other side is gone."""
    (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return pickle.loads(await reader.readexactly(size))


def write_frame(writer: asyncio.StreamWriter, message: Any) -> None:
    """Send one message. Raises what pickle raises on what cannot be sent, and sends nothing then."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    writer.write(LENGTH.pack(len(body)) + body)


# --- in the host ----------------------------------------------------------------------------------


@dataclass(eq=False)
class WorkerProcess:
    """One child, and the calls that are in it."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    calls: dict[int, asyncio.Future[Any]] = field(default_factory=dict)

    async def answer(self) -> None:
        """Hand the answers to who waits for them until the child is gone; then end the calls that are left."""
        try:
            while True:
                number, returned, value = await read_frame(self.reader)
                waiting = self.calls.pop(number)
                if waiting.done():
                    continue
                if returned:
                    waiting.set_result(value)
                else:
                    kind, message, stack = value
                    waiting.set_exception(type(kind, (FunctionRaised,), {"stack": stack})(message))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writer.close()
            for waiting in self.calls.values():
                if not waiting.done():
                    waiting.set_exception(WorkerEnded("The worker process ended in the middle of this call."))


@dataclass
class WorkerProcesses:
    """So many worker processes, kept at their number."""

    folder: Path
    number: int
    give_up: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    """Called when workers die too often."""
    _ready: list[WorkerProcess] = field(default_factory=list)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    _numbers: count[int] = field(default_factory=count)

    async def start(self) -> None:
        """Start the workers, and return when each has loaded the app. Raises WorkerEnded when they cannot."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self.number)]
        ready = asyncio.create_task(self._until(lambda: len(self._ready) == self.number))
        await asyncio.wait([ready, *self._keepers], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            raise WorkerEnded("the worker processes end as soon as they start; their output says why")

    async def stop(self) -> None:
        """End the workers."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    def distribute(self, app: FunctionApp) -> FunctionApp:
        """Give the app with functions that run in the workers."""

        def remote(kind: str, name: str) -> Callable[..., Any]:
            async def call(**arguments: Any) -> Any:
                return await self.run(kind, name, arguments)

            return call

        return replace(
            app,
            http=[replace(f, call=remote(HTTP, f.name), is_async=True) for f in app.http],
            orchestrators={
                name: replace(f, call=remote(ORCHESTRATOR, name), is_async=True)
                for name, f in app.orchestrators.items()
            },
            activities={
                name: replace(f, call=remote(ACTIVITY, name), is_async=True) for name, f in app.activities.items()
            },
            timers={name: replace(f, call=remote(TIMER, name), is_async=True) for name, f in app.timers.items()},
        )

    async def run(self, kind: str, name: str, arguments: dict[str, Any]) -> Any:
        """Run a function in the worker that has the least to do. Raises WorkerEnded when that ends meanwhile."""
        if not self._ready:
            await self._until(lambda: self._ready)
        worker = min(self._ready, key=lambda one: len(one.calls))
        number = next(self._numbers)
        write_frame(worker.writer, (number, kind, name, arguments))
        waiting = worker.calls[number] = asyncio.get_running_loop().create_future()
        return await waiting

    async def _until(self, holds: Callable[[], Any]) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)

    async def _keep(self) -> None:
        """Have one worker running, a new one whenever it ends."""
        while True:
            ours, theirs = socket.socketpair()
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "devhost.processes", str(theirs.fileno()), str(self.folder)),
                    *(["--verbose"] if logging.getLogger("azure").level == logging.NOTSET else []),
                    pass_fds=[theirs.fileno()],
                    cwd=Path(__file__).parent.parent,
                )
            worker = WorkerProcess(process, *await asyncio.open_connection(sock=ours))
            try:
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    await read_frame(worker.reader)  # it has loaded the app
                    async with self._changed:
                        self._ready.append(worker)
                        self._changed.notify_all()
                    await worker.answer()
            finally:
                if worker in self._ready:
                    self._ready.remove(worker)
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                status = await process.wait()
            logger.error("A worker process ended (status %s). Its calls are answered 500; another one starts.", status)
            self._deaths.append(time.monotonic())
            if len(self._deaths) == DEATHS and self._deaths[-1] - self._deaths[0] < DEATH_SECONDS:
                logger.critical("That was the third worker process in three minutes: the host ends.")
                self.give_up()
                return


# --- in the worker --------------------------------------------------------------------------------


async def work(app: FunctionApp, channel: socket.socket) -> None:
    """Run what the host asks for until it is gone."""
    reader, writer = await asyncio.open_connection(sock=channel)
    functions = {
        HTTP: {function.name: function for function in app.http},
        ORCHESTRATOR: app.orchestrators,
        ACTIVITY: app.activities,
        TIMER: app.timers,
    }
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="function")
    running: set[asyncio.Task[None]] = set()

    async def run(number: int, kind: str, name: str, arguments: dict[str, Any]) -> None:
        context = arguments.get("context")
        invocation = context if isinstance(context, Invocation) else Invocation(name, app.folder)
        try:
            function: Any = functions[kind][name]
            value = await invocation.run(function.call, arguments, threads, is_async=function.is_async)
            if kind == ACTIVITY:
                value = json.loads(ActivityTriggerConverter.encode(value, expected_type=None).value)
            write_frame(writer, (number, True, value))
        except Exception as error:  # noqa: BLE001 - whatever the function raised
            stack = "".join(traceback.format_tb(error.__traceback__))
            write_frame(writer, (number, False, (type(error).__name__, str(error), stack)))

    write_frame(writer, "ready")
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            task = asyncio.create_task(run(*await read_frame(reader)))
            running.add(task)
            task.add_done_callback(running.discard)


def main() -> None:
    """Be a worker of the host that holds the other end of the socket."""
    ask = argparse.ArgumentParser(prog="python -m devhost.processes")
    ask.add_argument("socket", type=int)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--verbose", action="store_true")
    said = ask.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the host ends its workers itself
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(InvocationFilter())
    if not said.verbose:
        for name in ("azure", "durabletask", "aiohttp", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)
    asyncio.run(work(index.load(said.folder), socket.socket(fileno=said.socket)))


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except SystemExit as told:
        status = told.code if isinstance(told.code, int) else 1
    except Exception:
        logger.exception("A worker process failed")
    sys.stdout.flush()
    # threads of functions must not keep a worker alive whose host is gone
    os._exit(status)

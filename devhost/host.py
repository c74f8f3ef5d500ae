"""One running host: the app's HTTP, the durable RPC, the worker, and a task hub if none is given."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from devhost import outbox as outboxes
from devhost.connection import Connection, TaskHubAddress, connect, connect_directly
from devhost.processes import WorkerProcesses
from devhost.rpc import PREFIX, WEBHOOKS, Rpc, client_binding
from devhost.taskhub.hub import TaskHub
from devhost.taskhub.unkind import UnkindTaskHub
from devhost.timers import Timers
from devhost.web import Web
from devhost.worker import Worker

if TYPE_CHECKING:
    from devhost.index import FunctionApp
    from devhost.outbox import Outbox

logger = logging.getLogger("devhost")

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
THREADS = 6
GOODBYE_SECONDS = 0.5
RECORD_LAG_SECONDS = 0.1
HIGHEST_PORT = 65535


class PortTaken(Exception):
    """Something else listens there."""


@dataclass
class Host:
    """Runs an app from `start` to `stop`. Port 0 means any free port."""

    app: FunctionApp
    bind: str = "127.0.0.1"
    port: int = 7071
    rpc_port: int = 17071
    address: TaskHubAddress | None = None
    unkind: int | None = None
    workers: int = 0
    """How many processes run the app's functions; 0: this one does."""
    hub: TaskHub | None = None
    outbox: Outbox | None = None
    _closing: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    @property
    def url(self) -> str:
        """The address of the app."""
        return f"http://{self.bind}:{self.port}"

    @property
    def rpc_url(self) -> str:
        """The address of the durable RPC."""
        return f"http://127.0.0.1:{self.rpc_port}{PREFIX}"

    @property
    def task_hub(self) -> str:
        """What task hub it uses, in words."""
        if self.hub:
            mood = f", unkind (seed {self.unkind})" if self.unkind is not None else ""
            return f"embedded, hub '{self.app.host.hub_name}'{mood}; its state is in memory and ends with this host"
        return str(self.address)

    async def start(self) -> None:
        """Listen and take work. Raises PortTaken when something else listens on the app's port."""
        if self.outbox:
            self._closing.push_async_callback(self.outbox.stop)
        connection = connect(self.address) if self.address else self.embed()
        self._closing.push_async_callback(connection.close)
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="function")
        self._closing.callback(threads.shutdown, wait=False, cancel_futures=True)
        if self.workers:
            processes = WorkerProcesses(self.app.folder, self.workers)
            self._closing.push_async_callback(processes.stop)
            await processes.start()
            self.app = processes.distribute(self.app)
        timers = Timers(self.app, threads, lambda: self.binding(self.url))
        await self.listen(connection, threads, timers)
        worker = Worker(self.app, connection, threads, lambda: self.binding(self.url))
        running = asyncio.create_task(worker.run())
        self._closing.push_async_callback(ended, running)
        self._closing.push_async_callback(ended, asyncio.create_task(timers.run()))
        await worker.tried.wait()

    def embed(self) -> Connection:
        """Open a task hub in this process."""
        self.hub = TaskHub() if self.unkind is None else UnkindTaskHub(seed=self.unkind)
        self.hub.open()
        self._closing.callback(self.hub.stop, grace=0)
        return connect_directly(self.hub)

    async def listen(self, connection: Connection, threads: ThreadPoolExecutor, timers: Timers) -> None:
        """Open the two ports: the app's, with the webhooks of the extension beside it, and the RPC's."""
        rpc = Rpc(connection, self.app.host.default_version, RECORD_LAG_SECONDS if self.hub else 0)
        try:
            self.rpc_port = await self.serve(rpc.handle, "127.0.0.1", self.rpc_port)
        except OSError:
            self.rpc_port = await self.serve(rpc.handle, "127.0.0.1", 0)  # as the real host does
        front = Web(self.app, self.binding, threads)

        # no key is checked here, so the webhooks of the extension and the outbox are for this machine alone
        is_private = is_loopback(self.bind)

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if is_private and request.raw_path.startswith(WEBHOOKS):
                return await rpc.handle(request)
            if is_private and request.method == "POST" and (timer := timers.find(request.path)):
                # waited for, unlike there: whoever asks knows that it has run
                return web.Response(status=202 if await timers.invoke(timer) else 500)
            if is_private and self.outbox and outboxes.leads_here(request.path):
                # by a name of this machine only: another, led here by its DNS, would let its page read the mail
                known = is_loopback(request.url.host or "")
                return self.outbox.handle(request) if known else web.Response(status=403)
            return await front.handle(request)

        try:
            self.port = await self.serve(handle, self.bind, self.port)
        except OSError as error:
            raise PortTaken(self.why_not(error)) from error

    def why_not(self, error: OSError) -> str:
        """Say why the app's port cannot be had, and how to choose another."""
        if error.errno != errno.EADDRINUSE:
            why = error.strerror or str(error)
            return (
                f"Port {self.port} of {self.bind} cannot be listened on: {why}. Choose others with --host and --port."
            )
        other = self.port + 1 if self.port < HIGHEST_PORT else self.port - 1
        return (
            f"Port {self.port} of {self.bind} is taken by another program. "
            f"Choose another: make run PORT={other}, or python -m devhost --port {other}."
        )

    async def serve(self, handle: Handler, bind: str, port: int) -> int:
        """Listen on a port with a handler; give the port."""
        listener = socket.create_server((bind, port), backlog=1024)
        server = web.Server(handle, access_log=None, auto_decompress=False, keepalive_timeout=120)
        runner = web.ServerRunner(server, shutdown_timeout=GOODBYE_SECONDS)
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        return listener.getsockname()[1]

    def binding(self, base: str) -> str:
        """Write the durableClient binding for a request that came to `base`."""
        return client_binding(base, f"http://127.0.0.1:{self.rpc_port}", self.app.host.hub_name)

    async def stop(self) -> None:
        """End everything within two seconds; the task hub last."""
        await self._closing.aclose()


def is_loopback(bind: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

"""Restate as the peer: its server and a service of its own (`bench/restate`), spoken to by the same callers.

It is not of this project's environment: `make bench-restate` installs it into `bench/restate`. Callers speak to its
ingress; its answer to a decision says that the decision is durable, not yet what became of it. It writes its data as it
does by default.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from bench.load import ANSWERED, ASKED, Callers
from bench.systems import ROOT, START_SECONDS, Failed, Process, System

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "restate"
FOLDER = ROOT / "bench" / "restate"
PYTHON = FOLDER / ".venv" / "bin" / "python"
SERVER = FOLDER / "node_modules" / "@restatedev" / "restate-server-linux-x64" / "bin" / "restate-server"


class PeerCallers(Callers):
    """Callers of Restate's ingress."""

    async def create(self, _: int = 0) -> str:
        """Begin a workflow; give its key."""
        request_id = uuid.uuid4().hex
        await self.said("POST", f"/approval/{request_id}/run/send", ASKED)
        return request_id

    async def decide(self, request_id: str) -> str | None:
        """Approve; the answer tells no status."""
        return (await self.said("POST", f"/approval/{request_id}/decide", ANSWERED)).get("status")

    async def look(self, request_id: str) -> str:
        """Give the status of a request."""
        return (await self.said("GET", f"/approval/{request_id}/look"))["status"]


@contextlib.asynccontextmanager
async def running_peer() -> AsyncIterator[System]:
    """Start the service and the server with an empty folder, and end both afterwards. Raises Failed."""
    if not PYTHON.exists() or not SERVER.exists():
        raise Failed("Restate is not installed: make bench-restate")
    async with contextlib.AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        statistics = folder / "statistics.json"
        command = [str(PYTHON), str(FOLDER / "service.py"), str(statistics)]
        service = await Process.start(command, r"^Listening on (http://\S+)")
        ending.push_async_callback(service.stop)
        ingress, admin, node = free_ports(3)
        settings = {
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_INGRESS__BIND_PORT": str(ingress),
            "RESTATE_ADMIN__BIND_PORT": str(admin),
            "RESTATE_BIND_PORT": str(node),
            "RUST_LOG": "warn",
        }
        where = ["--base-dir", str(folder / "data"), "--bind-ip", "127.0.0.1", "--listen-mode", "tcp"]
        server = await Process.start([str(SERVER), "--no-logo", "--node-name", "bench", *where], None, **settings)
        ending.push_async_callback(server.stop)
        await register(f"http://127.0.0.1:{admin}", service.found)
        server.found = f"http://127.0.0.1:{ingress}"
        yield System(NAME, hub=server, app=service, statistics=statistics, url=server.found, counting=service)


async def register(admin: str, service: str) -> None:
    """Tell the server of the service, once it hears. Raises Failed."""
    async with aiohttp.ClientSession() as session:
        for _ in range(10 * START_SECONDS):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"{admin}/deployments", json={"uri": service}) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)
    raise Failed("Restate did not take its service")


def free_ports(count: int) -> list[int]:
    """Give ports of this machine that are free now."""
    with contextlib.ExitStack() as closing:
        found = [closing.enter_context(contextlib.closing(socket.socket())) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]

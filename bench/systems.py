"""The systems: an app and a task hub each, every one a process of its own, on ports of this machine only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parent.parent
START_SECONDS, END_SECONDS = 30, 10
SAMPLE_SECONDS = 0.02
LINES = 20
CONFIGURED = ("ENDPOINT", "TASKHUB", "PUBLIC_BASE_URL", "NOTIFY_LOG", "NOTIFY_URLS", "RECORDS_FILE")

MODULE = (sys.executable, "-m")
APPS = {
    "ours": ["devhost", "--port", "0", "--rpc-port", "0", "--app", str(ROOT)],
    "sample": ["devhost", "--port", "0", "--rpc-port", "0", "--app", str(ROOT / "bench" / "sample")],
    "floor": ["devhost", "--port", "0", "--rpc-port", "0", "--app", str(ROOT / "bench" / "floor")],
    "seed": ["bench.seed"],
}


class Failed(Exception):
    """A process did not start, or did not do what it was there for."""


@dataclass
class Process:
    """A program run by itself; `found` is what its line of readiness said."""

    running: asyncio.subprocess.Process
    found: str
    lines: deque[str]
    reading: asyncio.Task[None]
    usage: psutil.Process

    @classmethod
    async def start(cls, command: list[str], ready: str | None, **environment: str) -> Self:
        """Run a command until it has printed a line that matches `ready`; without one, it has begun."""
        plain = {name: value for name, value in os.environ.items() if name not in CONFIGURED}
        running = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**plain, "PYTHONUNBUFFERED": "1", **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        lines = deque(maxlen=LINES)
        if ready is None:
            reading = asyncio.create_task(read(running.stdout, lines))
            return cls(running, "", lines, reading, psutil.Process(running.pid))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                async for line in running.stdout:
                    lines.append(line.decode(errors="replace"))
                    if found := re.search(ready, lines[-1]):
                        reading = asyncio.create_task(read(running.stdout, lines))
                        return cls(running, found[1], lines, reading, psutil.Process(running.pid))
        if running.returncode is None:
            running.kill()
        await running.wait()
        raise Failed(f"{command[-1]} did not start:\n{''.join(lines)}")

    async def stop(self) -> None:
        """End it as Ctrl-C would; after a while, for good."""
        if self.running.returncode is None:
            self.running.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.running.wait()
        except TimeoutError:
            self.running.kill()
            await self.running.wait()
        await self.reading

    @property
    def cpu_seconds(self) -> float:
        """Processor time so far, user and system, with that of its worker processes."""
        times = [each.cpu_times() for each in (self.usage, *self.usage.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    @property
    def memory(self) -> int:
        """Resident memory now, in bytes, with that of its worker processes."""
        return sum(each.memory_info().rss for each in (self.usage, *self.usage.children(recursive=True)))


async def read(output: asyncio.StreamReader, lines: deque[str]) -> None:
    """Keep the last of what a process has to say, lest it wait for somebody to listen."""
    async for line in output:
        lines.append(line.decode(errors="replace"))


@dataclass
class System:
    """One of them, running."""

    name: str
    hub: Process
    app: Process
    statistics: Path
    url: str
    """Where callers find it."""
    counting: Process
    """The one that counts."""

    async def counts(self) -> dict[str, int]:
        """Ask what was counted since it started: of ours, of the sample and of the seed by the task hub."""
        self.statistics.unlink(missing_ok=True)
        self.counting.running.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(END_SECONDS):
            while not self.statistics.exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.002)
        return json.loads(self.statistics.read_text())

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time so far: of the app, of app and hub."""
        return self.app.cpu_seconds, self.app.cpu_seconds + self.hub.cpu_seconds

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[dict[str, int]]:
        """Note the peak of resident memory meanwhile, in bytes: of the `app`, of app and hub (`both`)."""
        peaks = {"app": 0, "both": 0}

        async def watch() -> None:
            while True:
                app, hub = self.app.memory, self.hub.memory
                peaks.update(app=max(peaks["app"], app), both=max(peaks["both"], app + hub))
                await asyncio.sleep(SAMPLE_SECONDS)

        watching = asyncio.create_task(watch())
        try:
            yield peaks
        finally:
            watching.cancel()


@contextlib.asynccontextmanager
async def running(name: str, workers: int = 0) -> AsyncIterator[System]:
    """Start one of APPS with a task hub and, for ours, a file of records of its own, and end both afterwards.

    `workers`: in how many processes of their own the local host runs an app's functions.
    """
    async with contextlib.AsyncExitStack() as ending:
        statistics = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))) / "statistics.json"
        hub = await Process.start([*MODULE, "devhost.taskhub", "--stats", str(statistics)], r"127\.0\.0\.1:(\d+)")
        ending.push_async_callback(hub.stop)
        endpoint = f"http://127.0.0.1:{hub.found}"
        ready = r"^Listening on (http://\S+)"
        records = str(statistics.with_name("records.sqlite"))
        nobody = {"NOTIFY_LOG": "false", "NOTIFY_URLS": "", "RECORDS_FILE": records}
        command = [*MODULE, *APPS[name], *(["--workers", str(workers)] if "devhost" in APPS[name] else [])]
        app = await Process.start(command, ready, ENDPOINT=endpoint, TASKHUB="default", **nobody)
        ending.push_async_callback(app.stop)
        try:
            yield System(name, hub, app, statistics, url=app.found, counting=hub)
        except Exception as error:
            error.add_note("".join(["The app's last lines:\n", *app.lines]))
            raise

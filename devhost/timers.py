"""Functions that run by a schedule, and by `POST /admin/functions/{name}`, as the real host runs them.

One run of a timer at a time; what comes due meanwhile is not caught up. A timer's failure is a line in the log.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azure.functions.timer import TimerRequest

from devhost.invocations import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from devhost.index import FunctionApp, Timer

logger = logging.getLogger("devhost.timers")

ADMIN = "/admin/functions/"


@dataclass
class Timers:
    """The timers of an app, as long as it runs."""

    app: FunctionApp
    threads: Executor
    client_binding: Callable[[], str]
    running: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def run(self) -> None:
        """Run each timer when it is due, until cancelled."""
        await asyncio.gather(*(self.keep(timer) for timer in self.app.timers.values()))

    async def keep(self, timer: Timer) -> None:
        """Run one timer whenever it is due."""
        if timer.runs_at_start:
            await self.invoke(timer)
        while True:
            now = dt.datetime.now(dt.UTC)
            await asyncio.sleep((timer.next_after(now) - now).total_seconds())
            await self.invoke(timer)

    async def invoke(self, timer: Timer) -> bool:
        """Run a timer now, after a run that is under way; tell whether it did not fail."""
        arguments: dict[str, Any] = {timer.parameter: TimerRequest()}
        arguments |= dict.fromkeys(timer.client_parameters, self.client_binding())
        invocation = Invocation(timer.name, self.app.folder)
        if timer.wants_context:
            arguments["context"] = invocation
        async with self.running.setdefault(timer.name, asyncio.Lock()):
            try:
                await invocation.run(timer.call, arguments, self.threads, is_async=timer.is_async)
            except Exception:
                logger.exception("The timer function '%s' failed.", timer.name)
                return False
        return True

    def find(self, path: str) -> Timer | None:
        """Find the timer that a path of the host's administration names."""
        name = path.removeprefix(ADMIN).rstrip("/").lower()
        return next((timer for timer in self.app.timers.values() if timer.name.lower() == name), None)

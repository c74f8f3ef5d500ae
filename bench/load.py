"""The callers: so many at once, each on a connection that stays open. The same ones for every system."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    Item = TypeVar("Item")
    Result = TypeVar("Result")

PATIENCE_SECONDS = 300
"""The longest any one phase may take."""
GROWTH = 1.5
"""By how much a pause is longer than the one before it."""
FINAL = ("Approved", "Rejected")

ASKED = {"requester": "ada@example.com", "item": "New laptop", "timeout_hours": 24}
ANSWERED = {"is_approved": True, "approver": "grace@example.com", "comments": "Enjoy"}


class Unexpected(Exception):
    """A system answered what no caller asked for."""


@dataclass
class Callers:
    """Callers of one system; `pause` is the time in seconds before the first look at a request."""

    url: str
    at_once: int
    pause: float

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=self.at_once, keepalive_timeout=60)
        self.session = aiohttp.ClientSession(self.url, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def create(self, _: int = 0) -> str:
        """Ask; give the request's id."""
        return (await self.said("POST", "/api/requests", ASKED))["request_id"]

    async def decide(self, request_id: str) -> str | None:
        """Approve; give the status the answer tells, if it tells one."""
        return (await self.said("POST", f"/api/approvals/{request_id}", ANSWERED)).get("status")

    async def time_decision(self, request_id: str) -> float:
        """Approve; give the seconds until the answer."""
        began = time.perf_counter()
        await self.decide(request_id)
        return time.perf_counter() - began

    async def look(self, request_id: str) -> str:
        """Give the status of a request."""
        return (await self.said("GET", f"/api/requests/{request_id}"))["status"]

    async def see(self, request_id: str) -> float:
        """Approve and look until the status is final; give the seconds that took.

        A caller who is told the final status looks at once, to confirm it; one who is not looks after a pause, so
        that no look is wasted that could not succeed. Pauses grow: short ones find a quick answer, and many of
        them would slow down a busy system.
        """
        began, pause = time.perf_counter(), self.pause
        status = await self.decide(request_id)
        told = status in FINAL
        while not told or await self.look(request_id) not in FINAL:
            told = True
            await asyncio.sleep(pause)
            pause *= GROWTH
        return time.perf_counter() - began

    async def cycle(self, _: int = 0) -> float:
        """Ask, approve and look until it is final; give the seconds from the decision on."""
        return await self.see(await self.create())

    async def said(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send and read JSON. Raises Unexpected for any status but success."""
        async with self.session.request(method, path, json=body) as response:
            if not response.ok:
                raise Unexpected(f"{method} {path}: {response.status} {await response.text()}")
            return await response.json()

    async def all(
        self, call: Callable[[Item], Awaitable[Result]], items: Iterable[Item], at_once: int | None = None
    ) -> list[Result]:
        """Call with every item, so many at once; give the results.

        Raises TimeoutError when patience ends, and an ExceptionGroup of whatever a call raised.
        """
        left, results = iter(items), []

        async def caller() -> None:
            for item in left:
                results.append(await call(item))  # noqa: PERF401 - the callers share the items

        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for _ in range(at_once or self.at_once):
                group.create_task(caller())
        return results

"""The time, and waiting in it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """The time, and waiting in it."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""

    def elapsed(self) -> float:
        """Give seconds since some moment; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""
        return dt.datetime.now(dt.UTC)

    def elapsed(self) -> float:
        """Give seconds on the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, letting others run."""
        await asyncio.sleep(seconds)

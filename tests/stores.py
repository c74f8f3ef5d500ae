"""Stores for tests: one that misbehaves as told, and one that counts."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from approvals.records.store import StoreUnavailable, write_in_steps


@dataclass(eq=False)
class FaultyStore:
    """A store on a bad day: away, slow, throttling, or losing the answers of writes that happened."""

    inner: object
    seed: int = 0
    loses: float = 0.0
    """How many of all calls fail without having done anything."""
    loses_answers: float = 0.0
    """How many of all writes happen, and fail all the same."""
    seconds: float = 0.0
    """How long each call takes."""
    is_away: bool = False
    chance: random.Random = field(init=False)

    def __post_init__(self):
        self.chance = random.Random(self.seed)

    async def fail(self, share):
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.is_away or self.chance.random() < share:
            raise StoreUnavailable("503")

    async def get(self, partition, key):
        await self.fail(self.loses)
        return await self.inner.get(partition, key)

    async def scan(self, partition, *, after="", before="~", limit):
        await self.fail(self.loses)
        return await self.inner.scan(partition, after=after, before=before, limit=limit)

    async def write(self, partition, *changes):
        await self.fail(self.loses)
        etags = await self.inner.write(partition, *changes)
        if self.chance.random() < self.loses_answers:
            raise StoreUnavailable("the answer was lost")
        return etags

    async def write_each(self, writes):
        await asyncio.gather(*(self.write(partition, change) for partition, change in writes))

    async def write_between(self, before, partition, *changes, after=()):
        return await write_in_steps(self, before, partition, *changes, after=after)

    async def close(self):
        await self.inner.close()


@dataclass(eq=False)
class CountingStore:
    """A store that keeps what was asked of it: how many calls of each kind, and how many rows were read."""

    inner: object
    calls: list = field(default_factory=list)
    rows_read: int = 0

    async def get(self, partition, key):
        self.calls.append(("get", partition))
        row = await self.inner.get(partition, key)
        self.rows_read += row is not None
        return row

    async def scan(self, partition, *, after="", before="~", limit):
        self.calls.append(("scan", partition))
        rows = await self.inner.scan(partition, after=after, before=before, limit=limit)
        self.rows_read += len(rows)
        return rows

    async def write(self, partition, *changes):
        self.calls.append(("write", partition))
        return await self.inner.write(partition, *changes)

    async def write_each(self, writes):
        writes = list(writes)
        self.calls += [("write", partition) for partition, _ in writes]
        await self.inner.write_each(writes)

    async def write_between(self, before, partition, *changes, after=()):
        return await write_in_steps(self, before, partition, *changes, after=after)

    async def close(self):
        await self.inner.close()

    def count(self, kind=""):
        return sum(not kind or each == kind for each, _ in self.calls)

    def forget(self):
        self.calls.clear()
        self.rows_read = 0

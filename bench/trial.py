"""What is measured of a system while so many other requests are pending."""

from __future__ import annotations

import asyncio
import time
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench.load import PATIENCE_SECONDS

if TYPE_CHECKING:
    from bench.load import Callers
    from bench.systems import System

Figures = dict[str, float]
"""By the names of `table.ROWS`."""

CHECK_SECONDS = 0.03
MEGABYTE = 1e6
WARMING = 50


async def warm(system: System, callers: Callers) -> None:
    """Play some approvals that are not measured."""
    await callers.all(callers.see, await callers.all(callers.create, range(WARMING)))
    await waiting(system, 0)


async def fill(system: System, callers: Callers, pending: int) -> None:
    """Make requests that nobody decides, until there are that many."""
    there = (await system.counts())["pending_timers"]
    await callers.all(callers.create, range(pending - there))
    await waiting(system, pending)


async def waiting(system: System, requests: int) -> None:
    """Wait until that many requests wait for a decision and nothing else is under way: each holds one timer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await system.counts())["pending_timers"] != requests:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(CHECK_SECONDS)


async def measure(system: System, callers: Callers, requests: int, pending: int) -> Figures:
    """Create so many requests and decide them: some with nobody looking, some until seen, some one at a time.

    Then as many again from end to end.

    A phase ends when the task hub has nothing more to do, so that nothing is left for later that costs. What a
    decision costs is counted where nobody looks: how often somebody does is the caller's choice.
    """
    alone = max(requests // 10, 1)
    crowd = (requests - alone) // 2
    before = await system.counts()
    async with system.watched() as peaks:
        cpu, began = [system.cpu_seconds()], time.perf_counter()
        made = await callers.all(callers.create, range(requests))
        answered = time.perf_counter() - began
        await waiting(system, pending + requests)
        created = time.perf_counter() - began
        cpu.append(system.cpu_seconds())
        after_creation = await system.counts()

        began = time.perf_counter()
        answers = await callers.all(callers.time_decision, made[:crowd])
        await waiting(system, pending + requests - crowd)
        decided = time.perf_counter() - began
        cpu.append(system.cpu_seconds())
        after_decisions = await system.counts()

        began = time.perf_counter()
        together = await callers.all(callers.see, made[crowd : len(made) - alone])
        seen = time.perf_counter() - began
        await waiting(system, pending + alone)
        cpu.append(system.cpu_seconds())

        single = await callers.all(callers.see, made[len(made) - alone :], at_once=1)
        await waiting(system, pending)
        after = await system.counts()

        cpu_before, began = system.cpu_seconds(), time.perf_counter()
        await callers.all(callers.cycle, range(requests))
        cycled = time.perf_counter() - began
        await waiting(system, pending)
        cpu_cycles = system.cpu_seconds()[1] - cpu_before[1]

    def thousand(of: int) -> tuple[float, float]:
        """CPU seconds for 1,000 creates, decided with nobody looking and decided until seen."""
        create, decide, see = (cpu[i + 1][of] - cpu[i][of] for i in range(3))
        return 1000 * (create / requests + decide / crowd), 1000 * (create / requests + see / len(together))

    cpu_app, cpu_app_seen = thousand(0)
    cpu_both, cpu_both_seen = thousand(1)
    return {
        "cycles": requests / cycled,
        "cpu_cycles": 1000 * cpu_cycles / requests,
        "creates": requests / created,
        "creates_answered": requests / answered,
        "decisions": crowd / decided,
        "decisions_seen": len(together) / seen,
        "answer_p50": 1000 * median(answers),
        "latency_p50": 1000 * median(together),
        "latency_p99": 1000 * percentile_99(together),
        "alone_p50": 1000 * median(single),
        "alone_p99": 1000 * percentile_99(single),
        "cpu_app": cpu_app,
        "cpu_both": cpu_both,
        "cpu_hub": cpu_both - cpu_app,
        "cpu_app_seen": cpu_app_seen,
        "cpu_both_seen": cpu_both_seen,
        "memory_app": peaks["app"] / MEGABYTE,
        "memory_both": peaks["both"] / MEGABYTE,
        **({} if "turns" not in after else counted(before, after_creation, after_decisions, after, requests, crowd)),
    }


def counted(
    before: dict[str, int],
    created: dict[str, int],
    decided: dict[str, int],
    after: dict[str, int],
    requests: int,
    crowd: int,
) -> Figures:
    """Give what a task hub has counted, for one approval, creation or decision."""
    return {
        **{key: (after[key] - before[key]) / requests for key in ("turns", "activities", "actions")},
        "calls_creation": (calls(created) - calls(before)) / requests,
        "calls_decision": (calls(decided) - calls(created)) / crowd,
    }


def calls(counts: dict[str, int]) -> int:
    """Add up what clients have asked of the hub: starts, events and reads."""
    return sum(counts.get(kind, 0) for kind in ("starts", "events", "reads"))


def percentile_99(values: list[float]) -> float:
    """Give the value that 99 of 100 do not exceed."""
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]

"""Blocking work in threads: what it gives, how many at once, and that it ends."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from approvals.people.threads import AT_ONCE, run_in_thread
from tests.sinks import PATIENCE


async def test_what_the_work_gives_or_raises_is_given_or_raised():
    assert await run_in_thread("a", lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        await run_in_thread("a", lambda: 1 / 0)


async def test_what_would_end_the_process_is_an_error_like_any_other():
    with pytest.raises(RuntimeError, match="SystemExit"):
        await run_in_thread("a", lambda: sys.exit(1))


async def test_so_many_work_at_once_and_the_rest_wait_in_line_but_nobody_with_another_purpose():
    go, working, most = threading.Event(), [], []

    def work():
        working.append(None)
        most.append(len(working))
        go.wait(PATIENCE)
        working.pop()

    waiting = [asyncio.create_task(run_in_thread("a", work)) for _ in range(AT_ONCE + 5)]
    assert await run_in_thread("b", lambda: "taken") == "taken"
    go.set()
    await asyncio.gather(*waiting)

    assert len(most) == AT_ONCE + 5
    assert max(most) == AT_ONCE


async def test_work_that_is_given_up_is_stopped_and_its_place_is_free_when_it_has_ended():
    begun, ended = threading.Semaphore(0), threading.Semaphore(0)

    def work():
        begun.release()
        try:
            while True:
                try:
                    threading.Event().wait(0.01)
                except Exception:  # noqa: BLE001, S112 - as libraries do
                    continue
        finally:
            ended.release()

    given_up = [asyncio.create_task(run_in_thread("a", work)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    for _ in given_up:
        assert begun.acquire(timeout=PATIENCE)
    for task in given_up:
        task.cancel()
    assert all(isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(*given_up, return_exceptions=True))

    async with asyncio.timeout(PATIENCE):
        assert await run_in_thread("a", lambda: "taken") == "taken"
    for _ in given_up:
        assert ended.acquire(timeout=PATIENCE)


async def test_who_gives_up_in_line_leaves_nothing_behind():
    go = threading.Event()
    working = [asyncio.create_task(run_in_thread("a", lambda: go.wait(PATIENCE))) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    done = []

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run_in_thread("a", lambda: done.append(1))
    go.set()
    await asyncio.gather(*working)

    assert not done

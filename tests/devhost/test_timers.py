"""Functions that run by a schedule, on the local host."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from devhost.index import Timer
from devhost.timers import Timers
from tests.localhost import LocalHost

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


async def tick(timer, client): ...


def a_timer(call=tick, schedule="15 * * * * *", **fields):
    usual = {"parameter": "timer", "is_async": True, "wants_context": False, "client_parameters": ("client",)}
    return Timer("tick", call, schedule, **{**usual, **fields})


@pytest.mark.parametrize(
    ("schedule", "comes"),
    [
        ("15 * * * * *", "12:00:15"),
        ("0 */5 * * * *", "12:05:00"),
        ("0 30 12 * * *", "12:30:00"),
        ("0 0 13 1 3 *", "13:00:00"),
    ],
)
def test_a_schedule_has_seconds_first(schedule, comes):
    assert f"{a_timer(schedule=schedule).next_after(NOON):%H:%M:%S}" == comes


class App:
    folder = "."

    def __init__(self, *timers):
        self.timers = {timer.name: timer for timer in timers}


async def test_a_timer_gets_its_client_and_runs_once_at_a_time():
    running, seen = [], []

    async def slow(timer, client):
        assert not timer.past_due
        running.append(client)
        assert len(running) == 1
        await asyncio.sleep(0)
        seen.append(running.pop())

    timers = Timers(App(a_timer(slow)), None, lambda: "binding")
    assert await asyncio.gather(*(timers.invoke(timers.find("/admin/functions/Tick")) for _ in range(3))) == [True] * 3
    assert seen == ["binding"] * 3


async def test_a_timer_that_fails_is_a_line_in_the_log_and_comes_again(caplog):
    async def fail(timer, client):
        raise RuntimeError("away")

    timers = Timers(App(a_timer(fail)), None, lambda: "")

    assert await timers.invoke(timers.find("/admin/functions/tick")) is False
    assert "The timer function 'tick' failed." in caplog.text


async def test_one_that_runs_at_the_start_does():
    ran = asyncio.Event()

    async def once(timer, client):
        ran.set()

    running = asyncio.create_task(Timers(App(a_timer(once, runs_at_start=True)), None, lambda: "").run())
    await asyncio.wait_for(ran.wait(), 10)
    running.cancel()


@pytest.mark.parametrize("workers", [0, 1])
def test_the_apps_own_timers_run_when_they_are_asked_for(started, calling, workers):
    caller = calling(started(LocalHost("--workers", str(workers))))

    assert caller.http.post("/admin/functions/sweep", json={}).status_code == 202
    assert caller.http.post("/admin/functions/KEEP_HOUSE", json={}).status_code == 202
    assert caller.http.post("/admin/functions/other", json={}).status_code == 404
    assert caller.http.get("/admin/functions/sweep").status_code == 404

"""The end of a request is written once where one process both hears the answer and acts on the outcome."""

from __future__ import annotations

import asyncio

import pytest

from approvals.durable import activities
from approvals.records import announced as announcing
from approvals.records.announced import announced
from approvals.records.requests import Requests
from approvals.records.sqlite import SqliteStore
from approvals.rules import hearing
from approvals.rules.deliveries import RECORDS
from approvals.rules.notices import OUTCOME, notice_of
from approvals.rules.story import Found, Story
from tests.builders import NOON, asked, decided
from tests.schedulers import FakeScheduler, MovedClock
from tests.stores import CountingStore

OPEN = Found(request=asked(), story=Story())
ENDED = hearing.apply_event(OPEN, decided(), "decision", NOON)


class Ending:
    """A request whose instance has ended, and the activity that acts on it."""

    def __init__(self, monkeypatch):
        self.store, self.scheduler, self.reads = CountingStore(SqliteStore(":memory:")), FakeScheduler(MovedClock()), 0
        self.scheduler.there[OPEN.request.request_id] = ENDED
        monkeypatch.setattr(activities, "store_of", lambda _: self.store)
        monkeypatch.setattr(activities, "Instances", lambda _: self)

    async def read(self, request_id):
        self.reads += 1
        return await self.scheduler.read(request_id)

    async def begin(self):
        """An open request, as the records have it."""
        await self.requests.insert(OPEN, NOON)
        await self.requests.keep(OPEN, NOON)

    async def act(self):
        """Act on the outcome; give what could not be done."""
        return await activities.write_end(notice_of(ENDED, OUTCOME), None)

    @property
    def requests(self):
        return Requests(self.store)

    async def written(self):
        return await self.requests.record(OPEN.request.request_id)


@pytest.fixture
def ending(monkeypatch):
    return Ending(monkeypatch)


async def soon(work):
    """Begin some work, and let it come to its first wait."""
    task = asyncio.create_task(work)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_where_nobody_else_writes_the_end_the_activity_reads_and_writes_it(ending):
    await ending.begin()

    assert await ending.act() == ()

    assert (await ending.written()).story == ENDED.story
    assert ending.reads == 1


async def test_the_end_that_an_answer_writes_is_neither_read_nor_written_again(ending):
    await ending.begin()
    with announced(OPEN.request.request_id) as writing:
        acting = await soon(ending.act())
        writing.end = await ending.requests.keep(ENDED, NOON)
        ending.store.forget()

    assert await acting == ()
    assert (ending.reads, ending.store.calls) == (0, [])
    assert (await ending.written()).story == ENDED.story


async def test_an_answer_that_wrote_nothing_leaves_the_end_to_the_activity(ending):
    await ending.begin()
    with announced(OPEN.request.request_id):
        acting = await soon(ending.act())

    assert await acting == ()
    assert (await ending.written()).story == ENDED.story


async def test_an_answer_that_takes_long_is_not_waited_for(ending, monkeypatch):
    monkeypatch.setattr(announcing, "SECONDS", 0.01)
    await ending.begin()

    with announced(OPEN.request.request_id):
        assert await ending.act() == ()

    assert (await ending.written()).story == ENDED.story


async def test_an_answer_after_which_others_are_still_awaited_leaves_the_end_to_the_activity(ending):
    await ending.begin()
    with announced(OPEN.request.request_id) as writing:
        acting = await soon(ending.act())
        await ending.requests.keep(OPEN, NOON)
        writing.end = not OPEN.story.is_open

    assert await acting == ()
    assert (await ending.written()).story == ENDED.story


async def test_where_the_end_cannot_be_seen_yet_it_is_tried_again_like_a_message(ending):
    await ending.begin()
    ending.scheduler.there.clear()

    (undelivered,) = await ending.act()

    assert undelivered.channel == RECORDS


async def test_all_who_announce_a_write_are_waited_for_and_nothing_is_left_behind():
    with announced("a" * 32) as last:
        with announced("a" * 32):
            waiting = await soon(announcing.announced_end("a" * 32))
        await asyncio.sleep(0)
        assert not waiting.done()
        last.end = True

    assert await waiting
    assert not announcing.HERE[asyncio.get_running_loop()]
    assert not await announcing.announced_end("a" * 32)

"""What is written of a request while several processes write: what one remembers of its last write misleads nobody."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from approvals.records import indexes, requests
from approvals.records.lists import read_page
from approvals.records.requests import LEASE, UNDER_WAY, Requests
from approvals.records.retention import erase
from approvals.records.sqlite import SqliteStore
from approvals.records.store import StoreUnavailable
from approvals.rules import hearing
from tests.builders import ALAN, GRACE, NOON, a_panel, a_policy, decided, found, passed_on
from tests.chance import sized
from tests.stores import CountingStore, FaultyStore

BARE = found(a_policy(a_panel(GRACE, ALAN, required=2)))
ONE_YES = hearing.apply_event(BARE, decided(GRACE), "decision", NOON)
SETTLED = hearing.apply_event(ONE_YES, decided(ALAN, slot=1), "decision-0-1", NOON)
REQUEST_ID = BARE.request.request_id
HERE = indexes.list_partition(indexes.EVERYTHING)


@pytest.fixture
async def processes(tmp_path):
    """Two processes with one file: each knows what it wrote itself."""
    stores = [SqliteStore(tmp_path / "records.sqlite") for _ in range(2)]
    yield [Requests(store) for store in stores]
    for store in stores:
        await store.close()


async def begun(here):
    await here.insert(BARE, NOON)
    await here.keep(BARE, NOON)


async def listed(here, partition=HERE, now=NOON):
    page = await read_page(here.store, partition, after="", before="~", limit=100, now=now)
    return [entry.request_id for entry in page.entries]


async def test_what_this_process_wrote_last_is_not_read_again():
    here = Requests(CountingStore(SqliteStore(":memory:")))
    await begun(here)

    await here.keep(ONE_YES, NOON)
    await here.keep(SETTLED, NOON)

    assert here.store.count("get") == 0
    assert (await here.record(REQUEST_ID)).story == SETTLED.story


async def test_what_another_process_wrote_meanwhile_is_not_overwritten_with_less(processes):
    here, there = processes
    await begun(here)
    await there.keep(SETTLED, NOON)

    assert await here.keep(ONE_YES, NOON)

    assert (await here.record(REQUEST_ID)).story == SETTLED.story
    assert await listed(here, indexes.list_partition(indexes.EVERYTHING, "status", "Approved")) == [REQUEST_ID]
    assert await listed(here, indexes.list_partition(indexes.EVERYTHING, "status", "Pending")) == []


async def test_what_another_process_wrote_meanwhile_is_carried_on(processes):
    here, there = processes
    await begun(here)
    await there.keep(ONE_YES, NOON)

    assert await here.keep(SETTLED, NOON)

    assert (await there.record(REQUEST_ID)).story == SETTLED.story


async def test_what_was_erased_elsewhere_meanwhile_stays_erased(processes):
    here, there = processes
    await begun(here)
    await there.keep(SETTLED, NOON)
    assert await erase(there.store, REQUEST_ID, by="ada@example.com", caller="", reason="", now=NOON)

    await here.keep(SETTLED, NOON)

    assert (await here.entry(REQUEST_ID)).is_erased
    assert (await here.record(REQUEST_ID)).request.item != BARE.request.item


@sized(40, 1000)
async def test_whatever_two_processes_write_in_whatever_order_the_furthest_stands(tmp_path, times):
    chance = random.Random(7)
    for number in range(times):
        stores = [SqliteStore(tmp_path / f"{number}.sqlite") for _ in range(2)]
        both = [Requests(FaultyStore(store, seed=number, loses=0.05, loses_answers=0.05)) for store in stores]
        plain = Requests(stores[0])
        await begun(plain)
        told = [BARE]
        for _ in range(chance.randrange(1, 9)):
            story = chance.choice([BARE, ONE_YES, SETTLED, hearing.apply_event(BARE, passed_on(), "change", NOON)])
            try:
                if await chance.choice(both).keep(story, NOON):
                    told.append(story)
            except StoreUnavailable:
                continue  # it may be written all the same
        furthest = max(told, key=requests.progress_of)
        written = await plain.record(REQUEST_ID)
        assert requests.progress_of(written) >= requests.progress_of(furthest), number
        await plain.keep(written, NOON)
        entry = await plain.entry(REQUEST_ID)
        assert entry.index == indexes.index_rows(written), number
        for partition, key in entry.index:
            assert await plain.store.get(partition, key), (number, partition)
        for store in stores:
            await store.close()


async def test_no_more_is_remembered_than_is_said(monkeypatch):
    monkeypatch.setattr(requests, "REMEMBERED", 3)
    here = Requests(SqliteStore(":memory:"))

    for number in range(5):
        await here.insert(found(request_id=f"{number:032x}"), NOON)

    assert [int(each, 16) for each in here.written] == [2, 3, 4]


# --- rows that are written before the start -------------------------------------------------------


async def test_what_is_not_started_is_in_no_list_and_is_in_them_once_it_is():
    here = Requests(SqliteStore(":memory:"))

    await here.insert(BARE, NOON)
    assert await listed(here) == []

    await here.keep(BARE, NOON)
    assert await listed(here) == [REQUEST_ID]


async def test_rows_that_were_cleared_away_before_a_late_start_are_written_again():
    here = Requests(SqliteStore(":memory:"))
    await here.insert(BARE, NOON)
    late = NOON + UNDER_WAY + dt.timedelta(minutes=1)
    assert await listed(here, now=late) == []
    assert await here.store.scan(HERE, limit=9) == []

    heir = await here.inherit(await here.entry(REQUEST_ID), late)
    await here.keep(BARE, late)

    assert heir
    assert await listed(here, now=late) == [REQUEST_ID]


async def test_rows_are_written_again_where_the_first_word_of_a_start_comes_after_the_lease():
    here = Requests(SqliteStore(":memory:"))
    await here.insert(BARE, NOON)
    await listed(here, now=NOON + UNDER_WAY + dt.timedelta(minutes=1))

    await here.keep(BARE, NOON + LEASE)

    assert await listed(here) == [REQUEST_ID]


async def test_a_creation_that_is_given_up_leaves_no_row():
    here = Requests(SqliteStore(":memory:"))
    await here.insert(BARE, NOON, keyed=False)

    await here.drop(await here.entry(REQUEST_ID))

    assert await here.store.call(lambda db: db.execute("SELECT * FROM rows").fetchall()) == []

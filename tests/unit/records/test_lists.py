"""Lists: what a page holds, what it costs, and what becomes of it while others create and decide."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.records import indexes
from approvals.records.lists import read_page
from approvals.records.requests import Requests
from approvals.records.sqlite import SqliteStore
from approvals.rules import hearing
from tests.builders import ADA, ALAN, EVE, GRACE, NOON, a_panel, a_policy, cancelled, decided, found, passed_on
from tests.chance import examples
from tests.stores import CountingStore

MINUTE = dt.timedelta(minutes=1)


def numbered(n, policy=None, **fields):
    created = NOON + n * MINUTE
    times = {"created_at": created, "deadline": created + dt.timedelta(hours=24)}
    return found(policy or a_policy(a_panel(GRACE, ALAN)), request_id=f"{n:032x}", **{**times, **fields})


async def stored(store, *several):
    requests = Requests(store)
    for one in several:
        await requests.insert(one, NOON)
        await requests.keep(one, NOON)
    return requests


async def ids(store, partition, limit=100, **bounds):
    page = await read_page(store, partition, **{"after": "", "before": "~", **bounds}, limit=limit, now=NOON)
    return [int(entry.request_id, 16) for entry in page.entries]


def the_list(kind="", value="", scope=indexes.EVERYTHING):
    return indexes.list_partition(scope, kind, value)


@pytest.fixture
async def store():
    made = SqliteStore(":memory:")
    yield made
    await made.close()


async def test_the_newest_come_first(store):
    await stored(store, *map(numbered, [2, 0, 1]))

    assert await ids(store, the_list()) == [2, 1, 0]


async def test_a_request_is_found_by_what_it_is_and_by_nothing_else(store):
    one = numbered(1, reference="PO-7", tags=("it", "new"), created_by="deploy-bot")
    await stored(store, one, numbered(2, requester=EVE))

    for kind, value in [
        *(("status", "Pending"), ("requester", ADA), ("requester", ADA.upper()), ("reference", "PO-7")),
        *(("tag", "it"), ("tag", "new"), ("approver", GRACE), ("approver", ALAN)),
    ]:
        assert 1 in await ids(store, the_list(kind, value)), (kind, value)
    for kind, value in [("status", "Approved"), ("requester", GRACE), ("tag", "IT"), ("reference", "PO-70")]:
        assert await ids(store, the_list(kind, value)) == [], (kind, value)
    assert await ids(store, the_list(scope=indexes.scope_of("deploy-bot"))) == [1]
    assert await ids(store, the_list(scope=indexes.scope_of("other"))) == []


async def test_a_list_is_bounded_by_when_requests_were_made(store):
    await stored(store, *map(numbered, range(6)))
    after, before = NOON + 2 * MINUTE, NOON + 5 * MINUTE

    bounds = {"after": f"{indexes.newest_first(before)}~", "before": f"{indexes.newest_first(after)}~"}
    assert await ids(store, the_list(), **bounds) == [4, 3, 2]


async def test_what_is_decided_is_listed_where_it_stands_now(store):
    requests = await stored(store, numbered(1), numbered(2))

    await requests.keep(hearing.apply_event(numbered(1), decided(GRACE), "decision", NOON), NOON)

    assert await ids(store, the_list("status", "Pending")) == [2]
    assert await ids(store, the_list("status", "Approved")) == [1]
    assert await ids(store, the_list()) == [2, 1]


async def test_a_row_left_behind_shows_nothing(store):
    """A row is written before the old one is removed: whoever was killed between them left both."""
    requests = await stored(store, numbered(1))
    key = indexes.newest_first(numbered(1).request.created_at, numbered(1).request.request_id)
    await requests.point([(the_list("status", "Approved"), key), (the_list("tag", "x"), key)], f"{1:032x}", NOON)

    assert await ids(store, the_list("status", "Approved")) == []
    assert await ids(store, the_list("tag", "x")) == []
    assert len(await store.scan(the_list("tag", "x"), limit=10)) == 1  # whoever wrote it may be about to say so
    await read_page(store, the_list("tag", "x"), after="", before="~", limit=10, now=NOON + dt.timedelta(hours=1))
    assert await store.scan(the_list("tag", "x"), limit=10) == []


# --- the inbox ------------------------------------------------------------------------------------


def inbox(person):
    return indexes.inbox_partition(indexes.EVERYTHING, person)


async def test_an_inbox_has_what_awaits_a_person_the_most_urgent_first(store):
    soon = numbered(1, a_policy(a_panel(GRACE, hours=2)))
    later = numbered(2, a_policy(a_panel(GRACE, hours=20)))
    await stored(store, later, soon, numbered(3, a_policy(a_panel(EVE))))

    assert await ids(store, inbox(GRACE)) == [1, 2]
    assert await ids(store, inbox("Grace@EXAMPLE.com")) == [1, 2]


async def test_what_was_answered_passed_on_or_taken_back_is_not_in_the_inbox_any_more(store):
    both = numbered(1, a_policy(a_panel(GRACE, ALAN, required=2)))
    given_on, back = numbered(2), numbered(3)
    requests = await stored(store, both, given_on, back)

    await requests.keep(hearing.apply_event(both, decided(GRACE), "decision", NOON), NOON)
    await requests.keep(hearing.apply_event(given_on, passed_on(GRACE, EVE), "change", NOON), NOON)
    await requests.keep(hearing.apply_event(back, cancelled(), "cancel", NOON), NOON)

    assert await ids(store, inbox(GRACE)) == []
    assert await ids(store, inbox(ALAN)) == [1, 2]
    assert await ids(store, inbox(EVE)) == [2]


async def test_the_requesters_own_slot_awaits_nobody(store):
    await stored(store, numbered(1, a_policy(a_panel(ADA, GRACE))))

    assert await ids(store, inbox(ADA)) == []


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 1000])
async def test_a_page_costs_the_page_however_many_there_are(size):
    store = CountingStore(SqliteStore(":memory:"))
    await stored(store, *map(numbered, range(size)))
    store.forget()

    page = await read_page(store, the_list("status", "Pending"), after="", before="~", limit=50, now=NOON)

    assert len(page.entries) == 50
    assert (store.count("scan"), store.count("get"), store.rows_read) == (1, 50, 101)


# --- while others create and decide ---------------------------------------------------------------


@examples(20, 300)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 7))
async def test_what_matched_throughout_is_listed_once_whatever_happens_meanwhile(seed, limit):
    await page_under_disturbance(SqliteStore(":memory:"), random.Random(seed), limit)


@pytest.mark.large
async def test_the_same_holds_on_azures_tables(tables):
    from approvals.records.tables import TableStore  # noqa: PLC0415 - slow to import

    for seed in range(10):
        await page_under_disturbance(TableStore(tables, f"t{uuid.uuid4().hex}"), random.Random(seed), 1 + seed % 7)


async def page_under_disturbance(store, chance, limit):
    before = [numbered(n) for n in range(20)]
    requests = await stored(store, *before)
    undecided, coming, ended = list(before), iter(range(20, 60)), set()

    async def disturb():
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
            if chance.random() < 0.5:
                await stored(store, numbered(next(coming)))
            elif undecided:
                one = undecided.pop(chance.randrange(len(undecided)))
                ended.add(int(one.request.request_id, 16))
                await requests.keep(hearing.apply_event(one, decided(GRACE), "decision", NOON), NOON)

    seen, after = [], ""
    while after is not None:
        page, _ = await asyncio.gather(
            read_page(store, the_list("status", "Pending"), after=after, before="~", limit=limit, now=NOON), disturb()
        )
        seen += [int(entry.request_id, 16) for entry in page.entries]
        after = page.after

    throughout = {int(one.request.request_id, 16) for one in before} - ended
    assert len(seen) == len(set(seen))
    assert throughout <= set(seen)
    await store.close()

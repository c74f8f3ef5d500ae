"""Creation, exactly once: whoever is held up, killed, or repeated, one request is started for a key, and once."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from types import SimpleNamespace

import pytest
from durable_approvals.client import PATIENCE

from approvals.durable import instances
from approvals.durable.instances import START_SECONDS, Instances
from approvals.errors import KeyReused, RecordsUnavailable, SchedulerUnavailable, StillStarting
from approvals.records.requests import LEASE, START_WITHIN, Requests
from approvals.records.sqlite import SqliteStore
from approvals.rules.intake import Answer, Withdrawal
from approvals.rules.story import Found, Request, Status, Story
from approvals.service import creation, desk
from approvals.service.approvals import Approvals
from approvals.service.sweep import Sweep
from approvals.settings import Settings
from approvals.web.bodies import RequestBody
from tests.builders import EVE, GRACE, a_request, asked
from tests.chance import sized
from tests.localhost import ROOT
from tests.schedulers import FakeScheduler, MovedClock
from tests.stores import FaultyStore

SETTINGS = Settings(link_keys=("k" * 40,))


class Service:
    """The service over a fake scheduler and a store, with a clock that is moved."""

    def __init__(self, monkeypatch, store=None):
        self.clock = MovedClock()
        self.scheduler = FakeScheduler(self.clock)
        self.store = store or SqliteStore(":memory:")
        self.settings = SETTINGS
        monkeypatch.setattr(desk, "store_of", lambda _: self.store)

    def call(self):
        return Approvals(self.scheduler, self.settings, self.clock)

    async def create(self, key="order-1", **fields):
        body = RequestBody.model_validate(a_request(**fields))
        return await self.call().create(body.proposal(), key, "http://localhost:7071")

    async def sweep(self):
        await Sweep(self.store, self.scheduler, self.clock).run()

    @property
    def requests(self):
        return Requests(self.store)


@pytest.fixture
def service(monkeypatch):
    return Service(monkeypatch)


async def test_a_request_is_remembered_as_it_was_made(service):
    made = await service.create(tags=["it"], reference="PO-7")

    entry = await service.requests.entry(made.found.request.request_id)
    assert made.fresh
    assert entry.is_started
    assert (await service.requests.record(made.found.request.request_id)).request == made.found.request


async def test_the_same_key_and_body_is_the_same_request(service):
    first, again = await service.create(), await service.create()

    assert (first.fresh, again.fresh) == (True, False)
    assert again.found.request == first.found.request
    assert sum(service.scheduler.starts.values()) == 1


async def test_the_same_key_with_another_body_is_refused_whether_or_not_it_has_started(service):
    await service.create()
    with pytest.raises(KeyReused):
        await service.create(item="Another")

    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create(key="order-2")
    service.scheduler.is_away = False
    with pytest.raises(KeyReused):
        await service.create(key="order-2", item="Another")


async def test_without_the_records_nothing_is_started(service):
    service.store = FaultyStore(service.store, is_away=True)

    for key in ("order-1", None):
        with pytest.raises(RecordsUnavailable):
            await service.create(key=key)

    assert not service.scheduler.starts


async def test_a_start_that_was_not_heard_is_left_to_whoever_began_until_the_lease_is_over(service):
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create()
    service.scheduler.is_away = False

    with pytest.raises(StillStarting):
        await service.create()
    await service.sweep()
    assert not service.scheduler.starts

    service.clock.move(seconds=LEASE.total_seconds())
    again = await service.create()
    assert not again.fresh
    assert list(service.scheduler.starts.values()) == [1]


async def test_nobody_need_come_again_for_a_request_with_a_key_to_be_started(service):
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create()
    service.scheduler.is_away = False
    service.clock.move(minutes=11)

    await service.sweep()
    await service.sweep()

    assert list(service.scheduler.starts.values()) == [1]


async def test_a_request_without_a_key_that_never_started_is_forgotten(service):
    """Whoever sent it was told that it failed, and can only send another."""
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create(key=None)
    service.scheduler.is_away = False
    service.clock.move(minutes=11)

    await service.sweep()

    assert not service.scheduler.starts
    assert await service.store.scan("watch", limit=10) == []


async def test_a_start_that_hangs_is_given_up_long_before_another_may_begin_one(monkeypatch):
    monkeypatch.setattr(instances, "START_SECONDS", 0.01)
    client = SimpleNamespace(start_new=lambda *_: asyncio.Event().wait())

    with pytest.raises(SchedulerUnavailable):
        await Instances(client).start(asked())


def test_a_start_has_ended_long_before_another_may_begin_one():
    assert START_WITHIN.total_seconds() + START_SECONDS <= LEASE.total_seconds() / 2


async def test_who_repeats_for_as_long_as_the_client_does_gets_a_request_whose_maker_died_before_its_start(
    service, monkeypatch
):
    def die(_):
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(service.scheduler, "start", die)
        with pytest.raises(SystemExit):
            await service.create()

    service.clock.move(seconds=PATIENCE - 1)

    assert not (await service.create()).fresh
    assert list(service.scheduler.starts.values()) == [1]


async def test_who_is_held_up_for_longer_than_a_start_may_wait_starts_nothing(service, monkeypatch):
    insert = Requests.insert

    async def held_up(self, *arguments, **more):
        done = await insert(self, *arguments, **more)
        service.clock.move(seconds=START_WITHIN.total_seconds() + 1)
        return done

    monkeypatch.setattr(Requests, "insert", held_up)
    with pytest.raises(StillStarting):
        await service.create()

    assert not service.scheduler.starts


async def test_a_sweep_that_is_held_up_while_it_takes_a_creation_over_starts_nothing(service, monkeypatch):
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create()
    service.scheduler.is_away = False
    service.clock.move(minutes=11)
    inherit = Requests.inherit

    async def held_up(self, *arguments):
        entry = await inherit(self, *arguments)
        service.clock.move(seconds=START_WITHIN.total_seconds() + 1)
        return entry

    monkeypatch.setattr(Requests, "inherit", held_up)
    await service.sweep()

    assert not service.scheduler.starts


async def test_a_started_request_whose_instance_is_gone_is_unknown_and_never_started_again(service):
    made = await service.create()
    request_id = made.found.request.request_id
    await service.scheduler.purge(request_id)

    again = await service.create()
    service.clock.move(hours=1)
    await service.sweep()
    await service.sweep()
    found = await service.call().find(request_id)

    assert again.found.story.status is found.story.status is Status.UNKNOWN
    assert list(service.scheduler.starts.values()) == [1]
    assert await service.store.scan("open", limit=10) == []


async def test_an_end_that_was_written_is_what_a_purged_request_is_known_by(service):
    request_id = (await service.create()).found.request.request_id
    await service.call().decide(request_id, Answer(is_approved=True, approver=GRACE))
    await service.scheduler.purge(request_id)

    found = await service.call().find(request_id)

    assert found.story.status is Status.APPROVED
    assert (await service.create()).found.story.decision.approver == GRACE


async def test_a_request_of_before_there_were_records_is_taken_over_and_not_started(service):
    """It has no row, and a start would wipe out a decided one."""
    made = await service.create()
    await service.call().decide(made.found.request.request_id, Answer(is_approved=False, approver=EVE))
    service.store = SqliteStore(":memory:")

    again = await service.create()

    assert not again.fresh
    assert again.found.story.status is Status.REJECTED
    assert list(service.scheduler.starts.values()) == [1]
    assert (await service.requests.entry(made.found.request.request_id)).has_ended


GOLDENS = sorted(path for path in (ROOT / "tests/golden").glob("1.[0-3]/*.json"))


@pytest.mark.parametrize("file", GOLDENS, ids=lambda file: f"{file.parent.name}-{file.stem}")
async def test_a_request_that_an_earlier_build_made_and_ended_is_taken_over_as_it_is(service, file):
    """Its key is sent once more, and there is no row of it."""
    golden = json.loads(file.read_text())
    proposal = RequestBody.model_validate(a_request()).proposal()
    request_id = uuid.uuid5(creation.KEYS, "order-1").hex
    old = Request.model_validate(golden["request"]).model_copy(
        update={"request_id": request_id, "fingerprint": proposal.fingerprint}
    )
    ended = Found(request=old, story=Story.from_json(golden["output"]))
    service.scheduler.there[request_id] = ended

    again = await service.create()
    await service.sweep()
    await service.scheduler.purge(request_id)

    assert not again.fresh
    assert again.found == ended
    assert not service.scheduler.starts
    found = await service.call().find(request_id)
    assert (found.story.status, found.story.decision) == (ended.story.status, ended.story.decision)
    assert (await service.create()).found.story.status == ended.story.status


# --- answers, and a store on a bad day ------------------------------------------------------------


@pytest.mark.parametrize("trouble", [{"is_away": True}, {"seconds": 2.0}, {"loses": 0.5}, {"loses_answers": 0.5}])
async def test_an_answer_is_truly_given_whatever_the_records_do_and_written_in_the_end(service, trouble, monkeypatch):
    monkeypatch.setattr(desk, "KEEP_SECONDS", 0.05)
    ids = [(await service.create(key=f"order-{n}")).found.request.request_id for n in range(6)]
    fine, service.store = service.store, FaultyStore(service.store, **trouble)

    for n, request_id in enumerate(ids[:5]):
        standing = await service.call().decide(request_id, Answer(is_approved=n % 2 == 0, approver=GRACE))
        assert standing.confirmed
    cancelled = await service.call().cancel(ids[5], Withdrawal(by=GRACE))
    assert cancelled.found.story.status is Status.CANCELLED

    service.store = fine
    await service.sweep()
    said = [(await service.requests.record(request_id)).story.status for request_id in ids]
    assert said == ["Approved", "Rejected", "Approved", "Rejected", "Approved", "Cancelled"]
    assert await service.store.scan("open", limit=10) == []


async def test_an_older_story_never_overwrites_a_newer(service):
    made = await service.create()
    request_id = made.found.request.request_id
    await service.call().decide(request_id, Answer(is_approved=True, approver=GRACE))

    await service.requests.keep(made.found, service.clock.now())

    assert (await service.requests.record(request_id)).story.status is Status.APPROVED
    assert (await service.requests.entry(request_id)).has_ended


# --- everything at once ---------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing of it runs any further."""


class Deadly:
    """Something that is called, and whose caller may be killed before or after; nobody catches that."""

    def __init__(self, inner, chance, share):
        self.inner, self.chance, self.share = inner, chance, share

    def __getattr__(self, name):
        method = getattr(self.inner, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*arguments, **more):
            if self.chance.random() < self.share:
                raise Killed
            await asyncio.sleep(0)
            done = await method(*arguments, **more)
            if self.chance.random() < self.share:
                raise Killed
            return done

        return call


@sized(40, 500)
async def test_many_keys_with_many_callers_killed_held_up_and_purged_make_one_request_each(monkeypatch, times):
    keys, callers = times, 10
    service = Service(monkeypatch)
    chance = random.Random(7)
    steady, deadly = service.scheduler, Deadly(service.scheduler, chance, 0.08)
    store, deadly_store = service.store, Deadly(service.store, chance, 0.08)
    answers = {f"key-{n}": [] for n in range(keys)}

    async def one(key):
        await asyncio.sleep(0)
        try:
            body = RequestBody.model_validate(a_request(item=chance.choice(["Laptop", "Yacht"])))
            caller = Approvals(deadly, SETTINGS, service.clock)
            made = await caller.create(body.proposal(), key, "http://localhost:7071")
            answers[key].append(made.found.request.request_id)
        except (Killed, StillStarting, KeyReused):
            pass

    service.store = deadly_store
    for _ in range(3):
        await asyncio.gather(*(one(key) for key in answers for _ in range(callers // 2)))
        service.clock.move(minutes=chance.choice([0, 2, 11]))
    for request_id in list(steady.there):
        if chance.random() < 0.2 and (entry := await Requests(store).entry(request_id)) and entry.is_started:
            await steady.purge(request_id)
    service.store, service.scheduler = store, steady
    for _ in range(3):
        service.clock.move(minutes=11)
        await service.sweep()

    assert all(len(set(ids)) <= 1 for ids in answers.values())
    assert set(steady.starts.values()) == {1}
    for key in answers:
        for item in ("Laptop", "Yacht"):
            try:
                made = await service.create(key=key, item=item)
            except KeyReused:
                continue
            assert made.found.request.request_id in steady.starts
    assert len(steady.starts) == keys
    assert set(steady.starts.values()) == {1}
    assert await store.scan("watch", before=f"{0:013d}", limit=10) == []

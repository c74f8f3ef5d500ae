"""A yes is good for one thing, once: whoever asks, however often, and whatever fails in between."""

from __future__ import annotations

import asyncio
import random

import pytest

from approvals.errors import NotFound, RecordsUnavailable
from approvals.grant_errors import GrantExpired, GrantRevoked, GrantUsed, NotApproved, OtherAction, OtherContent
from approvals.records import grants
from approvals.records.sqlite import SqliteStore
from approvals.rules.digest import content_digest
from approvals.rules.intake import Answer, Withdrawal
from tests.builders import ADA, GRACE, NOON
from tests.chance import sized
from tests.stores import FaultyStore
from tests.unit.service.test_creation import Service
from tests.unit.service.test_remembering import kinds

ACTION = {"deploy": "shop", "version": "1.4"}


class Granted(Service):
    async def ask(self, **fields):
        return (await self.create(key=None, **{"action": ACTION, **fields})).found.request.request_id

    async def approved(self, **fields):
        request_id = await self.ask(**fields)
        await self.call().decide(request_id, Answer(is_approved=True, approver=GRACE))
        return request_id

    async def consume(self, request_id, action=ACTION, key=None):
        return await self.call().consume(request_id, action, key)


@pytest.fixture
def service(monkeypatch):
    return Granted(monkeypatch)


async def test_a_yes_is_used_once_and_the_decision_comes_with_it(service):
    request_id = await service.approved()

    used = await service.consume(request_id)
    with pytest.raises(GrantUsed) as caught:
        await service.consume(request_id)

    assert used.found.story.decision.approver == GRACE
    assert not used.replayed
    assert (caught.value.at, caught.value.by) == (used.used_at, "key")


async def test_whoever_lost_the_answer_sends_the_same_key_and_gets_it(service):
    request_id = await service.approved()

    first, again = await service.consume(request_id, key="k"), await service.consume(request_id, key="k")

    assert (first.replayed, again.replayed) == (False, True)
    assert again.used_at == first.used_at
    with pytest.raises(GrantUsed):
        await service.consume(request_id, key="other")


@pytest.mark.parametrize("action", [None, {}, {**ACTION, "version": "1.5"}, {**ACTION, "more": 1}, "deploy"])
async def test_another_action_is_refused_and_uses_nothing(service, action):
    request_id = await service.approved()

    with pytest.raises(OtherAction):
        await service.consume(request_id, action)

    assert not (await service.consume(request_id)).replayed


async def test_the_same_action_in_another_order_is_the_same(service):
    request_id = await service.approved()

    assert await service.consume(request_id, dict(reversed(ACTION.items())))


async def test_there_is_no_yes_while_it_is_open_nor_after_a_no(service):
    open_still, rejected, cancelled = [await service.ask() for _ in range(3)]
    await service.call().decide(rejected, Answer(is_approved=False, approver=GRACE))
    await service.call().cancel(cancelled, Withdrawal(by=ADA))

    for request_id in (open_still, rejected, cancelled):
        with pytest.raises(NotApproved):
            await service.consume(request_id)
    with pytest.raises(NotFound):
        await service.consume("f" * 32)


async def test_it_can_be_used_for_an_hour_or_as_long_as_was_said(service):
    hour, day = await service.approved(), await service.approved(grant_ttl="P1D")
    service.clock.move(hours=1)

    with pytest.raises(GrantExpired):
        await service.consume(hour)
    assert await service.consume(day)


async def test_one_that_was_used_in_time_is_told_so_after_it(service):
    request_id = await service.approved()
    await service.consume(request_id, key="k")
    service.clock.move(days=3)

    assert (await service.consume(request_id, key="k")).replayed
    with pytest.raises(GrantUsed):
        await service.consume(request_id)


async def test_what_was_taken_back_is_good_for_nothing_also_before_it_was_given(service):
    given, not_yet = await service.approved(), await service.ask()
    for request_id in (given, not_yet):
        await service.call().revoke(request_id, Withdrawal(by=ADA, reason="Stopped"))
        await service.call().revoke(request_id, Withdrawal(by=GRACE))
    await service.call().decide(not_yet, Answer(is_approved=True, approver=GRACE))

    for request_id in (given, not_yet):
        with pytest.raises(GrantRevoked) as caught:
            await service.consume(request_id)
        assert caught.value.by == ADA


async def test_use_and_revocation_are_in_the_trail(service):
    used, revoked = await service.approved(), await service.approved()
    await service.consume(used, key="k")
    await service.consume(used, key="k")
    await service.call().revoke(revoked, Withdrawal(by=ADA, reason="Stopped"))

    assert kinds((await service.call().trail(used))[1])[-1:] == ["consumed"]
    assert kinds((await service.call().trail(revoked))[1])[-1:] == ["revoked"]


async def test_a_grant_outlives_the_scheduler(service):
    request_id = await service.approved(grant_ttl="P30D")
    await service.scheduler.purge(request_id)

    assert (await service.consume(request_id)).found.story.decision.approver == GRACE


async def test_without_the_records_nobody_is_told_yes(service):
    request_id = await service.approved()
    fine, service.store = service.store, FaultyStore(service.store, is_away=True)

    with pytest.raises(RecordsUnavailable):
        await service.consume(request_id)

    service.store = fine
    assert await service.consume(request_id)


async def test_an_answer_for_another_content_is_refused(service):
    request_id = await service.ask()
    asked = content_digest((await service.call().find(request_id)).request)

    with pytest.raises(OtherContent):
        await service.call().decide(request_id, Answer(is_approved=True, approver=GRACE, content_digest="0" * 64))
    standing = await service.call().decide(request_id, Answer(is_approved=True, approver=GRACE, content_digest=asked))

    assert standing.found.story.decision.content_digest == asked


# --- many at once, and killed ---------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


class Deadly:
    """A store whose callers may be killed before or after what they ask for."""

    def __init__(self, inner, chance):
        self.inner, self.chance = inner, chance

    async def call(self, name, *arguments, **more):
        await asyncio.sleep(0)
        if self.chance.random() < 0.1:
            raise Killed
        done = await getattr(self.inner, name)(*arguments, **more)
        if self.chance.random() < 0.1:
            raise Killed
        return done

    async def get(self, *arguments):
        return await self.call("get", *arguments)

    async def scan(self, *arguments, **more):
        return await self.call("scan", *arguments, **more)

    async def write(self, *arguments):
        return await self.call("write", *arguments)


async def use_at_once(store, chance, request_id):
    """Have a hundred callers use one grant, each with a key of its own, until each has an answer."""
    winners = []

    async def executor(n):
        while True:
            try:
                _, is_ours = await grants.use(Deadly(store, chance), request_id, "bot", f"key-{n}", NOON)
            except Killed:
                continue  # a new process, the same key
            if is_ours:
                winners.append(n)
            return

    await asyncio.gather(*(executor(n) for n in range(100)))
    return winners


@sized(5, 40)
async def test_of_a_hundred_that_use_it_at_once_and_are_killed_one_does(times):
    for seed in range(times):
        store = SqliteStore(":memory:")
        assert len(await use_at_once(store, random.Random(seed), f"{seed:032x}")) == 1
        await store.close()


@pytest.mark.large
async def test_the_same_on_azures_tables(tables):
    from approvals.records.tables import TableStore  # noqa: PLC0415 - slow to import

    store = TableStore(tables)
    for seed in range(3):
        assert len(await use_at_once(store, random.Random(seed), f"{seed:032x}")) == 1
    await store.close()

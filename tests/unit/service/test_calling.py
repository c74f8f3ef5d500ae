"""Callbacks as callers and operators meet them: what is allowed, what is kept where, and what is sent again."""

from __future__ import annotations

import dataclasses
import json

import pytest

from approvals.errors import Invalid, RecordsUnavailable, SchedulerUnavailable, StillStarting
from approvals.people.channels import Undeliverable
from approvals.people.delivery import Dispatch
from approvals.people.links import Signer
from approvals.records import callbacks as records
from approvals.records.requests import LEASE
from approvals.rules.callbacks import Attempt, Delivery
from approvals.rules.intake import Answer, Withdrawal
from approvals.rules.story import Status, Undelivered
from approvals.service import calling
from tests.builders import ADA, GRACE, NOON
from tests.stores import FaultyStore
from tests.unit.service.test_creation import SETTINGS, Service

RULES = json.dumps({"hooks.example.com": {"auth": "url", "callers": ["key"]}})
URL = "https://hooks.example.com/1?sig=c2VjcmV0"


class Calling(Service):
    def __init__(self, monkeypatch):
        super().__init__(monkeypatch)
        self.settings = dataclasses.replace(SETTINGS, callbacks=RULES)

    async def settled(self, *, yes=True, **fields):
        """Ask, decide, and give the request as it ended."""
        made = await self.create(key=None, **{"callback_url": URL, **fields})
        request_id = made.found.request.request_id
        return (await self.call().decide(request_id, Answer(is_approved=yes, approver=GRACE))).found

    async def attempted(self, found, outcome, **more):
        """Write down an attempt to tell of its end."""
        delivery = Delivery(request_id=found.request.request_id, revision=found.story.revision, kind="approved", **more)
        said = Attempt(outcome=outcome, reason=outcome)
        await records.keep_attempt(self.store, delivery, said, "https://hooks.example.com/1", NOON)


@pytest.fixture
def service(monkeypatch):
    return Calling(monkeypatch)


# --- creating --------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://other.example.com/1?sig=secret", "http://hooks.example.com/1"])
async def test_an_address_without_a_rule_is_refused_with_the_setting_s_name(service, url):
    with pytest.raises(Invalid) as refused:
        await service.create(callback_url=url)

    (problem,) = refused.value.problems
    assert problem.pointer == "/callback_url"
    assert "CALLBACKS" in problem.detail
    assert "secret" not in problem.detail
    assert not service.scheduler.starts


async def test_what_is_kept_of_a_request_has_no_secret_before_and_after_its_start(service):
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create(callback_url=URL)
    before = await kept(service)
    service.scheduler.is_away = False
    service.clock.move(seconds=LEASE.total_seconds())
    made = await service.create(callback_url=URL)

    after = await kept(service)
    assert "hooks.example.com" in before
    assert "c2VjcmV0" not in before + after
    assert service.scheduler.there[made.found.request.request_id].request.callback.url == URL


async def kept(service):
    """Give all rows of all requests as text."""
    partitions = await service.store.partitions("request:", "state", limit=10)
    rows = [row for name in partitions for row in await service.store.scan(name, limit=100)]
    return json.dumps([row.body for row in rows])


async def test_one_with_a_secret_is_started_by_nobody_but_its_caller(service):
    service.scheduler.is_away = True
    with pytest.raises(SchedulerUnavailable):
        await service.create(callback_url=URL)
    service.scheduler.is_away = False
    with pytest.raises(StillStarting):
        await service.create(callback_url=URL)
    service.clock.move(minutes=11)

    await service.sweep()
    assert not service.scheduler.starts
    made = await service.create(callback_url=URL)

    assert made.fresh, "the same key and body mean the same, and nobody was told of one that was made"
    assert list(service.scheduler.starts.values()) == [1]


# --- ends that the orchestration does not tell -----------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"), [(Status.FAILED, "failed"), (Status.CANCELLED, "cancelled"), (Status.APPROVED, "approved")]
)
async def test_the_sweep_sees_that_the_caller_is_told(service, status, kind):
    made = await service.create(callback_url=URL)
    request_id = made.found.request.request_id
    ended = made.found.story.model_copy(update={"status": status, "settled_at": NOON})
    service.scheduler.there[request_id] = made.found.with_story(ended)

    await service.sweep()
    await service.sweep()

    (told,) = service.scheduler.callbacks
    assert (told.request_id, told.kind, told.revision) == (request_id, kind, 2)


# --- sending again ---------------------------------------------------------------------------------


async def test_what_was_not_taken_is_sent_again_under_its_id_and_counted(service):
    found = await service.settled()
    await service.attempted(found, "failed")
    request_id = found.request.request_id

    first = await service.call().redeliver(request_id, ADA, everything=False)
    second = await service.call().redeliver(request_id, ADA, everything=False)

    assert [each.again for each in (*first.callbacks, *second.callbacks)] == [1, 2]
    assert {each.event_id for each in service.scheduler.callbacks} == {f"{request_id}-callback-{found.story.revision}"}
    assert len({each.instance_id for each in service.scheduler.callbacks}) == 2


async def test_an_older_delivery_is_overtaken_by_one_that_somebody_wished(service):
    found = await service.settled()
    await service.attempted(found, "failed")
    (again,) = (await service.call().redeliver(found.request.request_id, ADA, everything=False)).callbacks
    older = again.model_copy(update={"again": 0})

    assert await records.is_overtaken(service.store, older)
    assert not await records.is_overtaken(service.store, again)
    await records.keep_attempt(service.store, again, Attempt(outcome="delivered"), "", NOON)
    await records.keep_attempt(service.store, older, Attempt(outcome="failed"), "", NOON)
    (sent,) = await records.callbacks_of(service.store, found.request.request_id)
    assert sent.is_delivered


async def test_an_end_that_nobody_began_to_tell_of_is_begun(service):
    found = await service.settled()

    done = await service.call().redeliver(found.request.request_id, ADA, everything=False)

    assert [each.kind for each in done.callbacks] == ["approved"]


async def test_without_the_records_nothing_is_sent_again(service):
    found = await service.settled()
    service.store = FaultyStore(service.store, is_away=True)

    with pytest.raises(RecordsUnavailable):
        await service.call().redeliver(found.request.request_id, ADA, everything=True)


class Post:
    """A channel that takes messages, or does not."""

    name, personal = "mail-1", True

    def __init__(self):
        self.taken, self.is_full = [], False

    def reaches(self, _person):
        return True

    def send(self, message):
        if self.is_full:
            raise Undeliverable("It is full.")
        self.taken.append(message.to)
        return "It took it."


async def test_messages_that_no_channel_took_are_sent_again_to_whom_they_still_concern(service, monkeypatch):
    post = Post()
    monkeypatch.setattr(
        calling.Dispatch, "of", lambda _: Dispatch((post,), Signer(service.settings.link_keys), tells_requester=True)
    )
    made = await service.create(approvers=[GRACE], key=None)
    request_id = made.found.request.request_id
    failed = [
        Undelivered(to=person, channel="mail-1", key=f"{request_id}-asked", occasion="asked") for person in (GRACE, ADA)
    ]
    lost = [Undelivered(channel=name, key="k", occasion="approved") for name in ("callback", "records", "subscribers")]
    story = made.found.story.model_copy(update={"undelivered": (*failed, *lost)})
    service.scheduler.there[request_id] = made.found.with_story(story)

    done = await service.call().redeliver(request_id, ADA, everything=False)
    assert (done.messages, done.failed) == (2, 0)
    assert post.taken == [GRACE]

    post.is_full = True
    done = await service.call().redeliver(request_id, ADA, everything=False)
    assert (done.messages, done.failed) == (2, 1)


async def test_of_what_was_erased_no_message_is_sent_again(service):
    found = await service.settled()
    await service.call().erase(found.request.request_id, Withdrawal(by=ADA))

    done = await service.call().redeliver(found.request.request_id, ADA, everything=False)

    assert done.messages == 0


# --- the trail -------------------------------------------------------------------------------------


async def test_the_history_says_what_became_of_each_event_when_that_is_known(service):
    found = await service.settled()
    await service.attempted(found, "failed")
    await service.attempted(found, "delivered", again=1)

    _, entries = await service.call().trail(found.request.request_id)

    told = [(each["kind"], each["to"]) for each in entries if each.get("channel") == "callback"]
    assert told == [
        ("not_delivered", "https://hooks.example.com/1"),
        ("delivered", "https://hooks.example.com/1"),
    ]

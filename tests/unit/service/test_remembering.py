"""Looking back: the trail, the export of a day, and what is erased."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from approvals.errors import BadQuery, OwnRequest, StillOpen
from approvals.rules.intake import Answer, Delegation, Withdrawal
from approvals.service.housekeeping import Housekeeping
from approvals.settings import Settings
from tests.builders import ADA, ALAN, EVE, GRACE, NOON
from tests.unit.service.test_creation import SETTINGS, Service

PRIVATE = "the combination is 1234"
DAY = NOON.date()


class Remembered(Service):
    """A service with one request, whose words nobody else should read."""

    async def ask(self, **fields):
        usual = {"approvers": [GRACE, ALAN], "item": PRIVATE, "description": PRIVATE, "details": {"safe": PRIVATE}}
        return (await self.create(key=None, **{**usual, **fields})).found.request.request_id

    async def answer(self, request_id, by=GRACE, **fields):
        return await self.call().decide(request_id, Answer(is_approved=True, approver=by, comments=PRIVATE, **fields))

    async def day(self):
        self.clock.move(days=1)
        lines, cursor = [], None
        while True:
            page, cursor = await self.call().export(DAY, cursor)
            lines += page.lines
            if cursor is None:
                return lines

    def house(self, **settings):
        chosen = Settings(**{"link_keys": SETTINGS.link_keys, **settings})
        return Housekeeping(self.store, self.scheduler, chosen, self.clock)


@pytest.fixture
def service(monkeypatch):
    return Remembered(monkeypatch)


def kinds(entries):
    return [each["kind"] for each in entries]


# --- the trail ------------------------------------------------------------------------------------


async def test_every_step_is_told_with_its_instant_and_by_whom(service):
    request_id = await service.ask(required="all")
    service.clock.move(hours=1)
    await service.call().delegate(request_id, Delegation(approver=GRACE, to=EVE, comments="On leave"))
    service.clock.move(hours=1)
    await service.answer(request_id, EVE)
    service.clock.move(hours=1)
    await service.answer(request_id, ALAN)

    _, entries = await service.call().trail(request_id)

    assert kinds(entries) == ["created", "asked", "passed_on", "answered", "answered", "settled"]
    assert entries[0]["by"] == ADA
    assert entries[1]["people"] == [GRACE, ALAN]
    assert (entries[2]["by"], entries[2]["to"], entries[2]["reason"]) == (GRACE, EVE, "On leave")
    step = entries[3]
    assert step == {
        "at": step["at"],
        "kind": "answered",
        "by": EVE,
        "caller": "key",
        "stage": 1,
        "escalated": False,
        "outcome": "approved",
        "reason": PRIVATE,
        "channel": "api",
        "assurance": "key",
    }
    assert entries[3]["at"].startswith("2026-03-01T14:00:00")
    assert entries[-1]["outcome"] == "Approved"


async def test_who_was_refused_is_kept_the_first_twenty_times(service):
    request_id = await service.ask()

    for _ in range(25):
        with pytest.raises(OwnRequest):
            await service.call().decide(request_id, Answer(is_approved=True, approver=ADA))

    _, entries = await service.call().trail(request_id)
    refused = [each for each in entries if each["kind"] == "refused"]
    assert len(refused) == 20
    assert (refused[0]["by"], refused[0]["outcome"]) == (ADA, "self_approval")


async def test_the_trail_of_a_request_that_the_scheduler_has_forgotten_is_the_same(service):
    request_id = await service.ask()
    await service.answer(request_id)
    _, before = await service.call().trail(request_id)

    await service.scheduler.purge(request_id)

    assert (await service.call().trail(request_id))[1] == before


# --- a day ----------------------------------------------------------------------------------------


async def test_a_day_is_exported_without_anybodys_words_and_the_same_again(service):
    ids = []
    for _ in range(3):
        ids.append(await service.ask(reference="PO-7"))
        await service.answer(ids[-1])
        service.clock.move(minutes=1)
    await service.ask()

    lines = await service.day()
    await service.call().erase(ids[0], Withdrawal(by=ADA))

    assert [json.loads(line)["request_id"] for line in lines] == ids
    assert PRIVATE not in "".join(lines)
    assert json.loads(lines[0])["votes"][0]["approver"] == GRACE
    assert json.loads(lines[0])["reference"] == "PO-7"
    assert await service.day() == lines


async def test_a_day_is_exported_page_by_page(service, monkeypatch):
    monkeypatch.setattr("approvals.records.exports.LINES", 2)
    ids = []
    for _ in range(5):
        ids.append(await service.ask())
        await service.answer(ids[-1])
        service.clock.move(minutes=1)

    assert [json.loads(line)["request_id"] for line in await service.day()] == ids


async def test_a_day_that_is_not_over_is_not_exported(service):
    with pytest.raises(BadQuery, match="not over"):
        await service.call().export(DAY, None)
    with pytest.raises(BadQuery, match="not over"):
        await service.call().export(DAY + dt.timedelta(days=400), None)


class Archive:
    """A container that keeps what it has."""

    def __init__(self):
        self.files = {}

    async def put(self, name, lines):
        said = b"".join([each async for each in lines])
        self.files.setdefault(name, said)


async def test_each_day_that_is_over_gets_a_file_once(service):
    archive = Archive()
    request_id = await service.ask()
    await service.answer(request_id)

    await service.house().export(archive)
    assert not archive.files
    service.clock.move(days=3)
    await service.answer(await service.ask())
    await service.house().export(archive)
    service.clock.move(days=1)
    await service.house().export(archive)

    assert list(archive.files) == ["2026-03-01.jsonl", "2026-03-04.jsonl"]
    assert json.loads(archive.files["2026-03-01.jsonl"])["request_id"] == request_id


# --- erasing --------------------------------------------------------------------------------------


async def everything_kept(service):
    rows = await service.store.call(lambda db: db.execute("SELECT body FROM rows").fetchall())
    return "".join(body for (body,) in rows)


async def test_what_was_asked_and_said_is_erased_and_who_decided_when_stays(service):
    request_id = await service.ask()
    await service.answer(request_id)
    assert PRIVATE in await everything_kept(service)

    left = await service.call().erase(request_id, Withdrawal(by=ADA, reason="The wish of a person"))
    again = await service.call().erase(request_id, Withdrawal(by=EVE))

    assert PRIVATE not in await everything_kept(service)
    assert request_id not in service.scheduler.there
    assert (left.request.item, left.request.description, left.request.details) == ("", "", None)
    assert (left.story.status, left.story.decision.approver, left.story.decision.comments) == ("Approved", GRACE, "")
    assert left.erased_at == again.erased_at
    _, entries = await service.call().trail(request_id)
    assert kinds(entries) == ["created", "asked", "answered", "settled", "erased"]
    assert (entries[-1]["by"], entries[-1]["reason"]) == (ADA, "The wish of a person")


async def test_an_open_request_is_not_erased(service):
    request_id = await service.ask()

    with pytest.raises(StillOpen):
        await service.call().erase(request_id, Withdrawal(by=ADA))

    assert (await service.call().find(request_id)).request.item == PRIVATE


async def test_after_so_many_days_it_is_erased_by_itself_and_not_before(service):
    old = await service.ask()
    await service.answer(old)
    service.clock.move(days=20)
    young = await service.ask()
    await service.answer(young)
    open_still = await service.ask(timeout="P30D")

    await service.house(retention_days=30).erase()
    assert (await service.call().find(old)).erased_at is None
    service.clock.move(days=11)
    await service.house().erase()
    assert (await service.call().find(old)).erased_at is None
    await service.house(retention_days=30).erase()

    assert (await service.call().find(old)).erased_at
    assert (await service.call().find(young)).erased_at is None
    assert (await service.call().find(open_still)).story.is_open


async def test_erasing_goes_on_where_it_stopped(service, monkeypatch):
    monkeypatch.setattr("approvals.service.housekeeping.REQUESTS_AT_ONCE", 2)
    ids = []
    for _ in range(5):
        ids.append(await service.ask())
        await service.answer(ids[-1])
    service.clock.move(days=31)
    house = service.house(retention_days=30)

    for run in (2, 4, 5):
        await house.erase()
        found = [await service.call().find(each) for each in ids]
        assert sum(each.erased_at is not None for each in found) == run

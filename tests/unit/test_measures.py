"""What operators count: each measure's situation is brought about, and its line is in the log once."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from approvals import signals
from approvals.durable import activities
from approvals.durable.instances import Instances
from approvals.records import sqlite
from approvals.records.requests import Requests
from approvals.rules.notices import notice_of
from approvals.rules.story import Status
from approvals.service.housekeeping import Housekeeping
from approvals.settings import Settings
from tests.builders import GRACE, HOUR, NOON, a_panel, a_policy, cancelled, decided, found
from tests.infra import workbook
from tests.schedulers import MovedClock

SETTLED = activities.process_approval._function._func.client_function
ASKED = activities.submit_approval_request._function._func.client_function


@pytest.fixture
def counted(caplog):
    """Give the lines of a signal."""
    caplog.set_level(logging.INFO, "approvals")
    return lambda signal: [line for line in caplog.messages if line.startswith(f"{signal.code} ")]


@pytest.mark.parametrize(
    ("status", "by", "more"),
    [
        (Status.APPROVED, "decision", {"decision": decided()}),
        (Status.CANCELLED, "cancellation", {"cancellation": cancelled()}),
        (Status.TIMEOUT, "silence", {}),
    ],
)
async def test_how_long_a_request_took_and_what_ended_it(counted, monkeypatch, status, by, more):
    one = found(a_policy(a_panel(GRACE)))
    settled = {"status": status, "settled_at": NOON + dt.timedelta(seconds=84.25), **more}
    one = one.with_story(one.story.model_copy(update=settled))

    async def read(_, __):
        return one

    monkeypatch.setattr(Instances, "read", read)

    await SETTLED(notice_of(one, "outcome").model_dump_json(), None)

    assert counted(signals.REQUEST_SETTLED) == [
        f"request_settled request={one.request.request_id} status={status.value} by={by} seconds=84.2"
    ]


@pytest.mark.parametrize(
    ("occasion", "signal"), [("reminded", signals.REQUEST_REMINDED), ("escalated", signals.REQUEST_ESCALATED)]
)
async def test_reminders_and_escalations_are_counted(counted, occasion, signal):
    one = found(a_policy(a_panel(GRACE)))

    await ASKED(notice_of(one, occasion).model_dump_json(), None)
    await ASKED(notice_of(one, "asked").model_dump_json(), None)

    assert counted(signal) == [f"{signal.code} request={one.request.request_id} stage=1"]


async def test_open_requests_are_counted_by_age(counted):
    store = sqlite.SqliteStore(":memory:")
    clock = MovedClock(NOON)
    ages = [0.5, 2, 23, 25, 100, 24 * 8]
    for number, age in enumerate(ages):
        made = NOON - age * HOUR
        one = found(a_policy(a_panel(GRACE, hours=29 * 24)), request_id=f"{number:032x}", created_at=made)
        await Requests(store).keep(one, NOON)

    await Housekeeping(store, None, Settings(), clock).count_open()

    assert counted(signals.OPEN_REQUESTS) == ["open_requests hour=1 day=2 week=2 older=1"]


async def test_counting_waits_for_a_store_that_is_away(counted, caplog):
    class Away:
        async def scan(self, *_, **__):
            raise sqlite.StoreUnavailable

    await Housekeeping(Away(), None, Settings(), MovedClock(NOON)).count_open()

    assert counted(signals.OPEN_REQUESTS) == []
    assert "counted later" in caplog.text


def test_a_measure_shows_fields_that_its_lines_have():
    for measure in signals.MEASURES:
        assert set(measure.numbers) <= set(measure.signal.fields), measure.title
        assert "{grain}" in measure.shows
        assert workbook.query(measure).startswith(f'AppTraces | where Message startswith_cs "{measure.signal.code} "')

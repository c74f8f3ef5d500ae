"""What is mended in the durable SDK; a new version of it fails here first."""

import datetime as dt
from importlib import import_module
from importlib.metadata import version

import pytest
from azure.durable_functions.models.history import HistoryEvent
from dateutil.parser import parse

from approvals.durable import sdk, workflow

STAMPS = [
    "2026-03-01T12:00:00.1234567Z",
    "2026-03-01T12:00:00.9999999Z",
    "2026-03-01T12:00:00Z",
    "2026-03-01T12:00:00.1Z",
    "2026-03-01T12:00:00+02:00",
    "2026-03-01T12:00:00.000-11:30",
    "2024-02-29T23:59:59.0000001Z",
    "Sun, 01 Mar 2026 12:00:00 GMT",
    "2026-03-01 12:00",
]


def test_the_sdk_is_as_it_was_when_it_was_mended():
    assert version("azure-functions-durable") == "1.7.0", "Look whether it still guesses, then mend or delete sdk.py."
    for name in sdk.MODULES:
        assert getattr(import_module(name), sdk.PARSER).__name__ == "read_timestamp", f"{name} has changed."
    assert workflow.NAME  # importing the orchestrator is what mends it


@pytest.mark.parametrize("text", STAMPS)
def test_a_timestamp_is_read_as_dateutil_reads_it(text):
    assert sdk.reader(parse)(text) == parse(text)
    assert HistoryEvent(0, 0, IsPlayed=False, Timestamp=text).timestamp == parse(text)


def test_every_instant_the_extension_can_write_is_read_alike():
    read = sdk.reader(lambda text: pytest.fail(f"{text} was left to dateutil"))
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for number in range(2000):
        at = start + dt.timedelta(microseconds=number * 7_919_000_123)
        assert read(at.strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{number % 10}Z") == at


def test_what_is_no_timestamp_fails_as_before():
    with pytest.raises(ValueError, match="nonsense"):
        sdk.reader(parse)("nonsense")


def test_mending_twice_mends_once():
    before = getattr(import_module(sdk.MODULES[0]), sdk.PARSER)

    sdk.mend()

    assert getattr(import_module(sdk.MODULES[0]), sdk.PARSER) is before

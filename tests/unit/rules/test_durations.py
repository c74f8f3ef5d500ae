"""Durations and instants, as ISO 8601 and RFC 3339 have them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.rules.durations import check_instant, read_duration, write_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P2D", dt.timedelta(days=2)),
        ("PT8H", dt.timedelta(hours=8)),
        ("PT90M", dt.timedelta(minutes=90)),
        ("PT0S", dt.timedelta()),
        ("P1DT2H3M4S", dt.timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0.001S", dt.timedelta(milliseconds=1)),
        ("P0001D", dt.timedelta(days=1)),
    ],
)
def test_a_duration_is_read(text, length):
    assert read_duration(text) == length


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P1Y2M3D", "P1MT1H"])
def test_years_and_months_are_refused_since_they_differ_in_length(text):
    with pytest.raises(ValueError, match=r"years or months.*write days"):
        read_duration(text)


def test_weeks_are_to_be_written_as_days():
    with pytest.raises(ValueError, match="in days, not in weeks"):
        read_duration("P2W")


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "p1d", "1D", "P-1D", "-P1D", "P1", "PT1", "P1H", "PT1D", "PT1S1M", "P1D ", " P1D"),
        *("P1.5D", "PT1.5H", "PT1,5S", "PT1.0001S", "P99999D", "P1D\n", "P\N{ARABIC-INDIC DIGIT ONE}D", "PT1S" * 20),
        *("P" + "9" * 5000 + "D", "24", "2 days", "PT1H30"),
    ],
)
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="must be an ISO 8601 duration"):
        read_duration(text)


@given(st.timedeltas(min_value=dt.timedelta(), max_value=dt.timedelta(days=9999)))
def test_a_duration_that_is_written_is_read_as_the_same_to_the_millisecond(length):
    milliseconds = dt.timedelta(milliseconds=length // dt.timedelta(milliseconds=1))

    assert read_duration(write_duration(length)) == milliseconds


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01T17:00:00Z", "2026-12-01T17:00:00.000Z"),
        ("2026-12-01t17:00:00.5z", "2026-12-01T17:00:00.500Z"),
        ("2026-12-01T18:30:00.123456789+01:30", "2026-12-01T17:00:00.123Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
    ],
)
def test_an_instant_is_kept_in_utc(text, utc):
    assert check_instant(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-12-01", "2026-12-01T17:00:00", "2026-12-01T17:00Z", "2026-12-01T25:00:00Z", "2026-02-30T17:00:00Z"),
        *("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2026-12-01T17:00:00." + "0" * 5000 + "Z"),
        *("2026-W49-2T17:00:00Z", "20261201T170000Z", "2026-12-01T17:00:60Z"),
    ],
)
def test_anything_else_is_no_instant(text):
    with pytest.raises(ValueError, match="must be a date and time with its zone"):
        check_instant(text)

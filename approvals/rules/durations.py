"""Durations and instants as people and programs write them: ISO 8601, from days to seconds. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from approvals.rules.formats import is_date_time
from approvals.rules.value import rfc3339, utc

LONGEST_TEXT = 40
"""How many characters a duration or an instant may have."""
DURATION = re.compile(
    r"P(?=.)(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8}(?:\.\d{1,3})?)S)?)?",
    re.ASCII,
)
"""`dayTimeDuration` of XML Schema 1.1, part 2 (3.4.27), without a sign and to the millisecond."""
PATTERN = rf"^{re.sub(r'[?]P<[a-z]+>', '?:', DURATION.pattern).replace('(?:?:', '(?:')}$"
IN_PARTS = re.compile(r"P(?:[\d.,]+[YMWD])*(?:T.*)?", re.ASCII)
WORDS = 'must be an ISO 8601 duration, such as "P2D" or "PT8H30M"'


def read_duration(text: str) -> dt.timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds, to the millisecond.

    Raises ValueError with a sentence: years and months have no length of their own, and weeks are written as days.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(WORDS)
    found = DURATION.fullmatch(text)
    if not found:
        date = text.partition("T")[0] if IN_PARTS.fullmatch(text) else ""
        if "Y" in date or "M" in date:
            raise ValueError('must not have years or months, which differ in length: write days, such as "P30D"')
        if "W" in date:
            raise ValueError('must be written in days, not in weeks, such as "P7D"')
        raise ValueError(WORDS)
    return dt.timedelta(**{unit: float(number) for unit, number in found.groupdict().items() if number})


def write_duration(length: dt.timedelta) -> str:
    """Write a duration that is not negative as ISO 8601, to the millisecond: `P1DT2H`, `PT0S`."""
    milliseconds = length // dt.timedelta(milliseconds=1)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M")) if number)
    time += f"{seconds}S" if rest or not (days or time) else ""
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def check_duration(text: str) -> str:
    """Accept a duration that can be read."""
    read_duration(text)
    return text


def check_instant(text: str) -> str:
    """Accept an instant of RFC 3339, and give it in UTC, to the millisecond; a leap second is the one before it."""
    try:
        if len(text) <= LONGEST_TEXT and is_date_time(text):
            return rfc3339(utc(dt.datetime.fromisoformat(re.sub(r":60(?=[.Z+-])", ":59", text.upper()))))
    except OverflowError:  # at the ends of the calendar, in another zone
        pass
    raise ValueError('must be a date and time with its zone, such as "2026-12-01T17:00:00Z"')


DURATION_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": PATTERN, "maxLength": LONGEST_TEXT, "examples": ["P2D", "PT8H"]}
)
Duration = Annotated[str, AfterValidator(check_duration), DURATION_SCHEMA]
InstantText = Annotated[
    str,
    AfterValidator(check_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": LONGEST_TEXT}),
]

"""The formats of texts in forms, each really checked, in time linear in the text. Pure."""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from approvals.rules.saying import say

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
LEAP_SECOND = "60"
DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"'
LABEL = r"(?!-)[A-Za-z0-9\x80-\U0010ffff-]{1,63}(?<!-)"
MAILBOX = re.compile(rf"(?P<local>{DOT_ATOM}|{QUOTED})@(?:{LABEL}(?:\.{LABEL})*|\[(?P<address>[^\]]*)\])")
LOCAL_BYTES, DOMAIN_BYTES = 64, 255
CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
URI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:(?://(?:(?:(?!@){CHARACTER})*@)?"
    rf"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?:(?![@:]){CHARACTER})*)(?::[0-9]*)?(?:/(?:{CHARACTER}|/)*)?"
    rf"|(?!//)(?:{CHARACTER}|/)*)(?:\?(?:{CHARACTER}|[/?])*)?(?:#(?:{CHARACTER}|[/?])*)?"
)


def is_date(text: str) -> bool:
    """Tell whether this is a full-date of RFC 3339."""
    try:
        return bool(DATE.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def is_date_time(text: str) -> bool:
    """Tell whether this is a date-time of RFC 3339; a leap second ends a day in UTC."""
    found = DATE_TIME.fullmatch(text)
    if not found:
        return False
    date, minute, second, _ = found.groups()
    zone = text[found.end(4) if found[4] else found.end(3) :].upper()
    try:
        at = dt.datetime.fromisoformat(f"{date}T{minute}:{'59' if second == LEAP_SECOND else second}{zone}")
        return second != LEAP_SECOND or f"{at.astimezone(dt.UTC):%H:%M}" == "23:59"
    except (ValueError, OverflowError):
        return False


def is_email(text: str) -> bool:
    """Tell whether this is a Mailbox of RFC 5321, or of RFC 6531 with letters of any script."""
    found = MAILBOX.fullmatch(text)
    if not found or len(found["local"].encode()) > LOCAL_BYTES or len(text.encode()) > LOCAL_BYTES + DOMAIN_BYTES + 1:
        return False
    address = found["address"]
    return address is None or is_address(address.removeprefix("IPv6:"), six=address.startswith("IPv6:"))


def is_uri(text: str) -> bool:
    """Tell whether this is a URI of RFC 3986: with its scheme."""
    found = URI.fullmatch(text)
    return found is not None and (found["address"] is None or is_address(found["address"], six=True))


def is_address(text: str, *, six: bool) -> bool:
    """Tell whether this is an IP address of that version."""
    try:
        return bool(IPv6Address(text) if six else IPv4Address(text))
    except AddressValueError:
        return False


class Format(NamedTuple):
    """What a format accepts, in words that can follow "must be", and how it is checked."""

    accepted: str
    fits: Callable[[str], bool]


FORMATS = {
    "email": Format(say("an email address"), is_email),
    "uri": Format(say("an address with its scheme, such as https://example.com/"), is_uri),
    "date": Format(say("a date (year-month-day)"), is_date),
    "date-time": Format(say("a date and time with its zone, such as 2026-11-24T09:00:00Z"), is_date_time),
}

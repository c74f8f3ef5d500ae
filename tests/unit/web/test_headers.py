"""Headers of a call: keys, preferences, conditions."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.errors import (
    BadHeader,
)
from approvals.web import headers


@pytest.mark.parametrize("key", ["k", "order-1", '"8e03978e-40d5-43e8-bc93-6894a57f9324"', "!~", "x" * 254, "x" * 255])
def test_a_key_is_taken_as_it_is(key):
    assert headers.idempotency_key({"idempotency-key": key}) == key


def test_no_key_is_none():
    assert headers.idempotency_key({}) is None


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "a\tb", "a\nb", "k\n", "\x7f", "\N{EURO SIGN}", "\xe9", "x" * 256], ids=ascii
)
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(BadHeader, match="Idempotency-Key"):
        headers.idempotency_key({"idempotency-key": key})


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("wait=0", 0),
        ("wait=1", 1),
        ("wait=24", 24),
        ("wait=25", 25),
        ("wait=26", 25),
        ("wait=999999999", 25),
        ("wait=007", 7),
        ('wait="5"', 5),
        ("Wait = 5 ", 5),
        ("wait=5; strict", 5),
        ("respond-async, wait=5", 5),
        ("wait=5, return=minimal", 5),
        ("wait=3, wait=9", 3),
        ("wait=soon, wait=9", 9),
        (",,wait=5,", 5),
        ("", 0),
        ("wait", 0),
        ("wait=", 0),
        ('wait=""', 0),
        ("wait=soon", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=1e1", 0),
        ("wait=0x10", 0),
        ("await=5", 0),
        ("wait=5 6", 0),
        ("respond-async", 0),
        ('x="a, wait=3", wait=5', 5),
        (r'x="a\", wait=3", wait=5', 5),
        ('x="a, wait=3', 0),
        (r'x="a, wait=3\\'[:-1], 0),
        ("\0", 0),
        ("=" * 8000, 0),
        ("wait=" + "9" * 5000, 0),
    ],
    ids=lambda value: str(value)[:20],
)
def test_how_long_a_caller_prefers_to_wait(said, seconds):
    assert headers.preferred_wait({"prefer": said}) == seconds


def test_who_prefers_nothing_does_not_wait():
    assert headers.preferred_wait({}) == 0


HOSTILE = [
    '"\\"' + '\\"' * 4090,
    '\\"' * 4096,
    '"' * 8192,
    '"\\' * 4096,
    '"a' * 4096,
    "wait" + " " * 8188,
    "wait=5;" * 1170,
]


@pytest.mark.parametrize("said", HOSTILE, ids=lambda said: said[:6])
def test_what_a_header_costs_grows_with_its_length_alone(said):
    began = time.process_time()

    headers.preferred_wait({"prefer": said})

    assert time.process_time() - began < 0.1, "8 KB take a thousandth of a second when each character is read once"


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(wait ?= ?\"?[0-9]{0,12}\"?[;,] ?){0,3}"))
def test_no_preference_breaks_anything(said):
    assert 0 <= headers.preferred_wait({"prefer": said}) <= 25


ETAG = '"12-0a1b2c3d"'


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (ETAG, True),
        ('"13-0a", "12-0a1b2c3d"', True),
        (' "12-0a1b2c3d" ', True),
        ("*", True),
        (" * ", True),
        # the revision alone is compared: what proxies make of the rest, or a body's `revision`, is one, too
        ('W/"12-0a1b2c3d"', True),
        ('"12-0a1b2c3d-gzip"', True),
        ('"12-0a1b2c3d--gzip"', True),
        ('"12-0a1b2c3d;br"', True),
        ('"12-0a1b2c3d:gzip"', True),
        ('W/"12-0a1b2c3d-df"', True),
        ('"12-of another body"', True),
        ('"12"', True),
        ("12", True),
        ('W/"12"', True),
        ('"13-0a1b2c3d"', False),
        ('"11"', False),
        ('"1"', False),
        ('"2-0a1b2c3d"', False),
        ('"120"', False),
        ('"12a-0b"', False),
        ('"12345678901234567890123456789012"', False),  # a tag of before version 1.3: a digest
        ('"0a1b2c3d"', False),
        ('"12', False),
        ('12"', False),
        ('""', False),
        ("a", False),
        ("", False),
        (",", False),
        ('*, "13"', False),
        ('"-12"', False),
    ],
)
def test_whether_a_caller_knows_the_present_revision(said, known):
    assert headers.matches_if_match(ETAG, {"if-match": said}) is known


def test_who_says_nothing_of_what_they_know_is_told_apart():
    assert headers.matches_if_match(ETAG, {}) is None


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("TEXT/HTML ; Q=0.9, application/json;q=0.8", True),
        ("text/*", True),
        ("text/html;level=1;q=0.5, */*;q=0.1", True),
        ("application/json;q=0, */*", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html", False),
        ("text/html;q=0.4, application/*;q=0.5", False),
        ("text/html;q=0", False),
        ("text/html;q=0, */*", False),
        ("image/png", False),
        (";;,,;q=", False),
    ],
)
def test_a_page_is_for_who_ranks_it_above_json(accept, page):
    assert headers.prefers_html({"accept": accept}) is page


def test_who_says_nothing_of_what_they_accept_gets_json():
    assert headers.prefers_html({}) is False

"""A caller's details as rows for people: all of them as they were sent, and a bound on what is shown."""

import json
import time

import pytest

from approvals.people.messages import compose
from approvals.people.wording import detail_rows
from approvals.rules.value import compact, load_json
from tests.builders import GRACE, a_panel, a_policy, found

LABEL = "<&" * 3000
WORST = {
    "a long name before many values": {LABEL: [{"a": n} for n in range(800)]},
    "many values": {str(n): [] for n in range(1700)},
    "empty objects": {"a": [{}] * 5000},
    "long names at every step": {LABEL[:3000]: {LABEL[:3000]: {LABEL[:3000]: {LABEL[:3000]: {"a": [{"b": 1}] * 300}}}}},
    "depth": json.loads('{"a":' * 14 + "[1,2,{}]" + "}" * 14),
    "a long text": {"a": '"<' * 5400},
    "long names": {f"{n}{LABEL[:1500]}": n for n in range(10)},
}
"""Details of up to 16 KiB that are hardest to show."""


@pytest.mark.parametrize("text", ["10000000000000000.01", "123456789012345678.0", "0.00000025", "1250.00", "2e5", "7"])
def test_a_number_is_shown_as_it_was_sent(text):
    assert detail_rows(load_json(f'{{"a": {text}, "l": [{text}]}}')) == ([(("a",), text), (("l",), text)], 0)


def test_details_are_rows_with_the_names_on_the_way():
    details = {"a": {"b": [{"c": 1}, {"c": True}]}, "l": ["x", None, False], "e": {}, "n": None}

    assert detail_rows(details) == (
        [
            (("a", "b", "1", "c"), "1"),
            (("a", "b", "2", "c"), "yes"),
            (("l",), "x, none, no"),
            (("e",), "none"),
            (("n",), "none"),
        ],
        0,
    )
    assert detail_rows(None) == detail_rows({}) == ([], 0)


def test_what_lies_deeper_than_four_steps_is_shown_as_its_json():
    details = {"a": {"b": {"c": {"d": {"e": [1, {"f": load_json("1.50")}]}}}}}

    assert detail_rows(details) == ([(("a", "b", "c", "d"), '{"e":[1,{"f":1.50}]}')], 0)


@pytest.mark.parametrize("near", [-1, 0, 1, 900])
def test_a_hundred_rows_are_shown_and_the_others_counted(near):
    shown, more = detail_rows({str(n): n for n in range(100 + near)})

    assert (len(shown), more) == (min(100, 100 + near), max(0, near))


def test_a_long_name_is_cut_and_a_value_is_not():
    ((path, value),) = detail_rows({"n" * 121: "v" * 9000})[0]

    assert path == ("n" * 119 + "…",)
    assert value == "v" * 9000


@pytest.mark.parametrize("worst", WORST)
def test_a_message_with_the_hardest_details_is_small_and_soon_written(worst):
    details = compact(WORST[worst])
    assert len(details.encode()) <= 16 * 1024
    one = found(a_policy(a_panel(GRACE)), details=details)
    began = time.thread_time()

    message = compose(one, "asked", key="k", to=GRACE, link="https://approvals.example.com/approve/x")

    assert len(message.html.encode()) < 500_000
    assert len(message.text) < 4_000
    assert time.thread_time() - began < 0.5


def test_a_message_says_how_many_more_there_are():
    one = found(a_policy(a_panel(GRACE)), details=compact({f"n{n}": n for n in range(150)}))

    message = compose(one, "asked", key="k", to=GRACE, link=None)

    assert "and 50 more" in message.html
    assert "│ and 142 more" in message.text

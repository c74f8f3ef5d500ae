"""Numbers of callers: written back as they were sent, compared by their value."""

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from approvals.rules.value import Number, canonical, compact, did_you_mean, exact, load_json

AS_SENT = [
    "10000000000000000.01",
    "123456789012345678.0",
    "0.00000025",
    "1250.00",
    "1e3",
    "2.5E-7",
    "-0.0",
    "0e5",
    "12",
]


@pytest.mark.parametrize("text", AS_SENT)
def test_a_number_is_written_as_it_was_read(text):
    assert compact(load_json(f'{{"n":[{text},{{"n":{text}}}]}}')) == f'{{"n":[{text},{{"n":{text}}}]}}'
    assert str(load_json(text)) == text
    assert f"{load_json(text)}" == text
    assert exact(load_json(text)) == Decimal(text)


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1e-400", "1e99999999999999999999", "1e-99999999999999999999"])
def test_a_number_no_float_is_near_to_is_none(text):
    with pytest.raises(OverflowError):
        Number(text)


def test_a_copy_is_written_alike():
    assert compact(copy.deepcopy({"n": Number("1.50")})) == '{"n":1.50}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@example(2**53 + 1)  # to Python's reader `…e0` is a float, which loses its last digit
@given(JSON)
def test_what_has_no_such_numbers_is_written_as_the_library_writes_it(value):
    assert compact(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    read = json.loads(canonical(value), parse_float=Decimal)
    assert read == json.loads(json.dumps(value), parse_float=Decimal)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=20),
    st.integers(0, 9),
)
def test_numbers_are_the_same_text_exactly_when_they_have_the_same_value(number, zeros):
    one, same = Number(f"{number:f}"), Number(f"{number:f}{'0' * zeros}")
    other = Number(f"{number + Decimal('1e-20'):f}") if abs(number) < 10**7 else Number("0.5")

    assert canonical(one) == canonical(same)
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("timeout_hour", " (did you mean `timeout_hours`?)"),
        ("requester_", " (did you mean `requester`?)"),
        ("x", ""),
        ("requester" * 1000, ""),
    ],
)
def test_a_mistyped_word_has_a_near_one(word, near):
    assert did_you_mean(word, ["timeout_hours", "requester", "requester" * 1000]) == near

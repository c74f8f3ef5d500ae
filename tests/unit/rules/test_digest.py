"""What was agreed to, as a digest: the same for what means the same, another for everything else."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.rules.digest import action_digest, content_digest, inexact_numbers
from approvals.rules.story import Request
from approvals.web import jsontext
from tests.builders import a_policy, asked
from tests.chance import examples

SALT = "5a17" * 8


def a_request(**fields):
    usual = {"salt": SALT, "digest_version": 1, "action": '{"deploy":"shop","version":"1.4"}', "details": '{"n":1}'}
    return asked(policy=a_policy(), **{**usual, **fields})


def test_it_is_sha256_over_the_salt_and_canonical_json():
    """Worked out by hand from RFC 8785: keys sorted, no blanks."""
    canonical = (
        '{"action":{"deploy":"shop","version":"1.4"},"description":"","details":"{\\"n\\":1}","form":null,'
        '"item":"New laptop","options":[],"version":1}'
    )

    assert content_digest(a_request()) == hashlib.sha256(SALT.encode() + canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        *({"item": "New laptop!"}, {"description": "x"}, {"details": '{"n":2}'}, {"details": '{"n":1.0}'}),
        *({"action": '{"deploy":"shop","version":"1.5"}'}, {"action": None}, {"salt": SALT[::-1]}),
    ],
)
def test_anything_else_has_another(other):
    assert content_digest(a_request(**other)) != content_digest(a_request())


def test_a_request_of_before_there_were_digests_has_none():
    assert content_digest(asked()) is None
    assert content_digest(Request.model_validate(asked().model_dump())) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [('{"a":1,"b":2}', '{"b":2, "a":1}'), ("1250.00", "1250"), ("1e2", "100"), ('"\\u00e9"', '"é"'), ("-0.0", "0")],
)
def test_actions_that_mean_the_same_are_the_same(one, other):
    assert action_digest(SALT, jsontext.read(one)) == action_digest(SALT, jsontext.read(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", '"1"'), ("[1,2]", "[2,1]"), ("null", "{}"), ("true", "1"), ('"\\u00e9"', '"e\\u0301"')],
)
def test_actions_that_mean_something_else_are_not(one, other):
    assert action_digest(SALT, jsontext.read(one)) != action_digest(SALT, jsontext.read(other))


@pytest.mark.parametrize("text", ["0.1", "1250.00", "9007199254740991", "1e300", "-17", "0.30000000000000004", "true"])
def test_numbers_that_a_double_keeps_are_taken(text):
    assert list(inexact_numbers(jsontext.read(text))) == []


@pytest.mark.parametrize(
    "text", ["9007199254740993", "10000000000000000.01", "0.10000000000000000555", "1.00000000000000000001"]
)
def test_numbers_that_it_does_not_keep_are_pointed_to(text):
    (problem,) = inexact_numbers(jsontext.read(f'{{"a":[1,{{"b/c":{text}}}]}}'))

    assert problem.pointer == "/a/1/b~1c"
    assert "send it as a string" in problem.detail


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
ACTIONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@examples(100, 2000)
@given(ACTIONS, ACTIONS)
def test_two_actions_have_one_digest_only_if_they_are_equal(one, other):
    """JSON of Python with sorted keys is the judge: it does not know RFC 8785."""

    def judge(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=True)

    assert (action_digest(SALT, one) == action_digest(SALT, other)) == (judge(one) == judge(other))

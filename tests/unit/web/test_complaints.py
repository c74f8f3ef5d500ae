"""What a mistake in a body is told: our words, and the field that was perhaps meant."""

import json
import math

import pytest

from approvals.errors import Invalid
from approvals.rules.intake import Answer, Delegation, Withdrawal
from approvals.web import bodies
from approvals.web.complaints import OTHERWISE
from tests.builders import ADA, GRACE, a_request

KINDS = [
    bodies.RequestBody,
    bodies.PreviewBody,
    bodies.ReassignmentBody,
    Answer,
    Withdrawal,
    Delegation,
]


def complaints(kind, content):
    with pytest.raises(Invalid) as caught:
        bodies.validate(kind, content)
    return {problem.pointer: problem.detail for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("content", "pointer", "near"),
    [
        (a_request(timeout_hour=3), "/timeout_hour", "timeout_hours"),
        (a_request(timeoutHours=3), "/timeoutHours", "timeout_hours"),
        (a_request(aprovers=[GRACE]), "/aprovers", "approvers"),
        (a_request(stages=[{"aprovers": [GRACE]}]), "/stages/0/aprovers", "approvers"),
        (a_request(stages=[{"nam": "x"}]), "/stages/0/nam", "name"),
        (a_request(escalate_to={"require": 1}), "/escalate_to/require", "required"),
        (a_request(options=[{"name": "x", "aproves": True}]), "/options/0/aproves", "approves"),
    ],
    ids=str,
)
def test_an_unknown_field_says_which_one_is_near(content, pointer, near):
    assert complaints(bodies.RequestBody, content)[pointer] == f"is not a field here (did you mean `{near}`?)"


def test_a_field_that_is_like_none_says_no_more():
    assert complaints(bodies.RequestBody, a_request(zebra=1)) == {"/zebra": "is not a field here"}
    assert complaints(bodies.RequestBody, a_request(**{"x" * 50_000: 1}))[f"/{'x' * 50_000}"] == "is not a field here"


def test_the_spelling_of_json_is_meant_and_not_our_own():
    said = complaints(bodies.ReassignmentBody, {"by": ADA, "form": GRACE, "to": ADA, "holder": "x"})

    assert said["/form"] == "is not a field here (did you mean `from`?)"
    assert said["/holder"] == "is not a field here"
    assert said["/from"] == "is required"


def test_in_a_preview_the_field_is_looked_for_where_it_stands():
    said = complaints(bodies.PreviewBody, {"request": a_request(aprovers=[]), "answers": [{"is_aproved": True}]})

    assert said["/request/aprovers"].endswith("(did you mean `approvers`?)")
    assert said["/answers/0/is_aproved"].endswith("(did you mean `is_approved`?)")


@pytest.mark.parametrize(
    "wrong", [None, True, 0, -1, 10**30, 1.5, math.inf, "", "x", [], {}, [None], [[]], {"a": 1}], ids=str
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_of_a_library_leaks(kind, wrong):
    """Every field of every body is given everything that it should not be."""
    for name, field in kind.model_fields.items():
        content = {field.alias or name: wrong}
        try:
            bodies.validate(kind, content)
        except Invalid as error:
            said = json.dumps([problem.detail for problem in error.problems])
            for word in ("Input should", "pydantic", "Extra inputs", "valid dictionary", "instance of", OTHERWISE):
                assert word not in said, f"{kind.__name__} {content}: {said}"


def test_a_wrong_type_is_told_in_plain_words():
    said = complaints(
        bodies.RequestBody, {"requester": 1, "item": None, "approvers": "x", "required": [], "on_timeout": "?"}
    )

    assert said["/requester"] == "must be a string"
    assert said["/approvers"] == "must be a list"
    assert said["/on_timeout"].startswith("must be one of 'timeout'")

"""A caller's form: which schemas are taken, and what is said of an answer."""

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.rules import forms
from tests.chance import examples

TEXT = {"type": "string"}
PLACES = {
    "at the root": lambda ref: ref,
    "in a property": lambda ref: {"properties": {"a": ref}},
    "in the items of a list": lambda ref: {"properties": {"a": {"items": ref}}},
    "in a branch": lambda ref: {"anyOf": [TEXT, ref]},
    "behind a reference": lambda ref: {"$ref": "#/$defs/a", "$defs": {"a": {"not": ref}}},
    "in any other property": lambda ref: {"additionalProperties": ref},
    "when a property is there": lambda ref: {"dependentSchemas": {"a": ref}},
}


def pointers(schema, answer):
    return [problem.pointer for problem in forms.answer_problems(schema, answer)]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        {"properties": {"pattern": TEXT, "$ref": TEXT, "$id": TEXT}},
        {"enum": [{"$ref": "x"}, {"pattern": "y"}]},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": TEXT}},
        {"$defs": {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}}, "b": TEXT}, "$ref": "#/$defs/a"},
        {"properties": {"a": True, "b": False}},
    ],
    ids=str,
)
def test_a_schema_is_taken(schema):
    assert forms.schema_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "nonsense"}, "/type"),
        ({"properties": {"a": {"minimum": "x"}}}, "/properties/a/minimum"),
        ({"required": "a"}, "/required"),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, "/properties/a/pattern"),
        ({"patternProperties": {"^(a+)+$": TEXT}}, "/patternProperties"),
        ({"$id": "http://[", "$ref": "y"}, "/$id"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef"),
    ],
    ids=str,
)
def test_a_schema_that_is_none_or_uses_what_is_not_offered_is_pointed_to(schema, pointer):
    assert forms.schema_problem(schema).pointer == pointer


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "target",
    [
        "https://example.com/a",
        "file:///etc/passwd",
        "other.json",
        "#",
        "#/x",
        "#/$defs/nobody",
        "#/type",
        "http://[",
        "",
    ],
)
def test_a_reference_to_anything_but_its_own_definitions_is_refused_and_nothing_is_fetched(monkeypatch, target, place):
    def no_network(*_args, **_kwargs):
        raise AssertionError("the network was tried")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)

    problem = forms.schema_problem(PLACES[place]({"$ref": target}))

    assert problem.pointer.endswith("/$ref")


@pytest.mark.parametrize(
    "definitions",
    [
        {"a": {"$ref": "#/$defs/a"}},
        {"a": {"properties": {"b": {"$ref": "#/$defs/b"}}}, "b": {"items": {"$ref": "#/$defs/a"}}},
    ],
    ids=str,
)
def test_a_schema_that_goes_in_a_circle_is_refused(definitions):
    assert "without end" in forms.schema_problem({"$ref": "#/$defs/a", "$defs": definitions}).detail


def test_a_schema_that_doubles_with_every_reference_is_refused_at_once():
    chain = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(100)} | {"d100": TEXT}
    began = time.perf_counter()

    problem = forms.schema_problem({"$ref": "#/$defs/d0", "$defs": chain})

    assert "schemas" in problem.detail
    assert time.perf_counter() - began < 5


def test_problems_of_an_answer_point_into_it_and_do_not_say_it_back():
    schema = {"properties": {"a/b": {"type": "integer"}, "l": {"items": {"enum": ["x"]}}}, "required": ["n"]}

    problems = forms.answer_problems(schema, {"a/b": "s3cret", "l": ["x", "s3cret"]})

    assert [p.pointer for p in problems] == ["", "/a~1b", "/l/1"]
    assert "s3cret" not in str(problems)


@pytest.mark.parametrize(("amount", "fits"), [(19.99, True), (0.1 + 0.2, False), (19.999, False), (10**400, True)])
def test_hundredths_are_judged_in_decimals(amount, fits):
    schema = {"properties": {"amount": {"multipleOf": 0.01}}}

    assert (pointers(schema, {"amount": amount}) == []) is (fits and amount < 10**300)


@pytest.mark.parametrize(("text", "fits"), [("2026-02-28", True), ("2026-02-30", False)])
def test_dates_are_checked(text, fits):
    assert (pointers({"properties": {"on": {"format": "date"}}}, {"on": text}) == []) is fits


def test_a_very_deep_answer_is_a_problem_and_no_defect():
    schema = {"$defs": {}, "properties": {"a": {"uniqueItems": True}}}
    deep = []
    for _ in range(5000):
        deep = [deep]

    assert isinstance(forms.answer_problems(schema, {"a": [deep, deep]}), list)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "$ref", "$defs", "items", "enum", "required", "a", "allOf", "not"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@examples(30, 300)
@given(
    schema=st.dictionaries(st.sampled_from(["type", "properties", "$ref", "$defs", "items", "a"]), JSON), answer=JSON
)
def test_any_object_is_taken_and_can_be_answered_or_is_refused(schema, answer):
    if forms.schema_problem(schema) is None:
        assert isinstance(forms.answer_problems(schema, answer), list)

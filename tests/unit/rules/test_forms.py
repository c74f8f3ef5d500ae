"""The vocabulary of forms: what is taken, what is refused and where, and what is said of an answer."""

import datetime as dt
import gc
import json
import time
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from approvals.rules import forms, vocabulary
from approvals.rules.formats import FORMATS
from approvals.rules.value import Number, load_json

TEXT = {"type": "string"}
SECONDS = 0.5
"""What reading and judging may cost in CPU; measured: under 0.05 for the largest."""


def form(required=(), /, **properties):
    return {"properties": properties, "required": list(required)}


def refused(schema):
    """Give what is refused in a form, by pointer."""
    with pytest.raises(vocabulary.NotOffered) as caught:
        vocabulary.read_form(schema)
    return {problem.pointer: problem.detail for problem in caught.value.problems}


def refused_in(field):
    """Give what is refused in the one field of a form."""
    return {at.removeprefix("/properties/it"): detail for at, detail in refused(form(it=field)).items()}


def judged(schema, answer):
    """Give what is wrong with an answer, by pointer, after the defaults were filled in."""
    read = vocabulary.read_form(schema)
    return {each.pointer: each.detail for each in forms.answer_problems(read, forms.fill_in(read, answer))}


def wrong(field, value):
    """Give what is wrong with a value of the one field of a form."""
    return judged(form(it=field), {"it": value}).get("/it")


class CpuTime:
    """Counts what its block costs this thread in CPU, and holds it to a limit; the collector does not count."""

    def __enter__(self):
        gc.disable()
        self.began = time.thread_time()
        return self

    def __exit__(self, *failure):
        self.spent = time.thread_time() - self.began
        gc.enable()
        assert failure[0] or self.spent < SECONDS


# --- what is taken --------------------------------------------------------------------------------

EVERY_WORD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "A form",
    "description": "With everything",
    "order": ["when", "line"],
    "additionalProperties": False,
    "required": ["line", "read"],
    "properties": {
        "line": {"type": "string", "title": "A line", "minLength": 2, "maxLength": 40.0, "default": "so"},
        "mail": {"type": "string", "format": "email"},
        "site": {"type": "string", "format": "uri"},
        "day": {"type": "string", "format": "date"},
        "when": {"type": "string", "format": "date-time"},
        "amount": {"type": "string", "money": "EUR", "default": "1250.00"},
        "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.01},
        "count": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9, "default": 3},
        "sure": {"type": "boolean", "default": False},
        "read": {"const": True, "title": "I have read it"},
        "one": {"enum": ["a", 1, 2.5], "default": "a"},
        "named": {"type": "string", "oneOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]},
        "some": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1, "default": ["a"]},
        "many": {"type": "array", "items": {"anyOf": [{"const": "r", "title": "Red"}]}, "maxItems": 1},
        "lines": {"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 3},
        "numbers": {"type": "array", "items": {"type": "integer", "minimum": 1}, "default": [1, 2]},
        "group": {
            "type": "object",
            "title": "Where",
            "order": ["b", "a"],
            "properties": {"a": TEXT, "b": {"type": "array", "items": {"enum": ["x"]}}},
            "required": ["a"],
            "additionalProperties": True,
        },
    },
}


def test_every_word_of_the_vocabulary_is_taken_and_the_order_is_obeyed():
    read = vocabulary.read_form(EVERY_WORD)

    assert [field.name for field in read.fields][:3] == ["when", "line", "mail"]
    assert [field.name for field in read.fields[-1].kind.fields] == ["b", "a"]
    assert read.closed
    assert judged(EVERY_WORD, {"read": True}) == {}


def test_every_word_that_is_known_is_in_the_form_with_everything():
    """Or the test above would not notice that a word is not taken any more."""
    text = json.dumps(EVERY_WORD)

    assert [word for word in vocabulary.KNOWN if f'"{word}"' not in text] == []


ELICITATION = [
    # the examples of the protocol's specification, revision 2025-11-25, but for `pattern`
    {
        "type": "string",
        "title": "Display Name",
        "description": "Text",
        "minLength": 3,
        "maxLength": 50,
        "default": "abc",
    },
    {"type": "string", "format": "email", "default": "user@example.com"},
    {"type": "number", "title": "Display Name", "minimum": 0, "maximum": 100, "default": 50},
    {"type": "boolean", "title": "Display Name", "default": False},
    {"type": "string", "title": "Color", "enum": ["Red", "Green", "Blue"], "default": "Red"},
    {"type": "string", "oneOf": [{"const": "#FF0000", "title": "Red"}], "default": "#FF0000"},
    {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "enum": ["R", "G"]}, "default": ["R"]},
    {"type": "array", "items": {"anyOf": [{"const": "#00FF00", "title": "Green"}]}, "default": ["#00FF00"]},
]


@pytest.mark.parametrize("field", ELICITATION, ids=lambda field: json.dumps(field)[:60])
def test_what_mcp_takes_for_elicitation_is_taken(field):
    assert vocabulary.read_form({"type": "object", "properties": {"it": field}, "required": ["it"]})


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "pointer", "said"),
    [
        ({}, "/properties", "at least one field"),
        ({"properties": {}}, "/properties", "at least one field"),
        ({"type": "array"}, "/type", "object"),
        (form(a=TEXT) | {"type": ["object"]}, "/type", "object"),
        (form(a=TEXT) | {"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "2020-12"),
        (form(a=TEXT) | {"$schema": 1}, "/$schema", "2020-12"),
        (form(a=TEXT) | {"$defs": {}}, "/$defs", "write the field itself"),
        (form(a=TEXT) | {"unevaluatedProperties": False}, "/unevaluatedProperties", "is not a word"),
        (form(a=TEXT) | {"requird": ["a"]}, "/requird", "did you mean `required`?"),
        (form(a=TEXT) | {"a~/b": 1}, "/a~0~1b", "is not a word"),
        (form(a=TEXT) | {"format": "date"}, "/format", "does not go with a form"),
        (form(a=TEXT) | {"required": "a"}, "/required", "must be a list"),
        (form(["amuont"], amount=TEXT), "/required/0", "did you mean `amount`?"),
        (form(["a", "a"], a=TEXT), "/required/1", "already"),
        (form(a=TEXT) | {"order": ["b"]}, "/order/0", "is not the name"),
        (form(a=TEXT) | {"additionalProperties": {}}, "/additionalProperties", "true or false"),
        ({"properties": {"": TEXT}}, "/properties/", "1 to 100"),
        ({"properties": {"x" * 101: TEXT}}, f"/properties/{'x' * 101}", "1 to 100"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_a_form_does_not_offer_is_pointed_to_and_said(schema, pointer, said):
    problems = refused(schema)

    assert list(problems) == [pointer, *(["/properties"] if schema == {"type": "array"} else [])]
    assert said in problems[pointer]


@pytest.mark.parametrize(
    ("field", "pointer", "said"),
    [
        (True, "", "must be an object"),
        ({}, "/type", "is required"),
        ({"type": "strnig"}, "/type", "did you mean `string`?"),
        ({"type": ["string", "null"]}, "/type", "is required, one of"),
        ({"type": "null"}, "/type", "is required, one of"),
        (TEXT | {"title": 1}, "/title", "must be text"),
        (TEXT | {"pattern": "^(a+)+$"}, "/pattern", "for ever"),
        (TEXT | {"minlength": 1}, "/minlength", "did you mean `minLength`?"),
        (TEXT | {"maximum": 1}, "/maximum", 'does not go with type "string"'),
        (TEXT | {"format": "regex"}, "/format", "email, uri, date, date-time"),
        (TEXT | {"format": "datetime"}, "/format", "did you mean `date-time`?"),
        (TEXT | {"minLength": -1}, "/minLength", "whole number from 0"),
        (TEXT | {"maxLength": 1.5}, "/maxLength", "whole number from 1"),
        (TEXT | {"maxLength": True}, "/maxLength", "whole number from 1"),
        (TEXT | {"maxLength": 10**400}, "/maxLength", "whole number from 1"),
        (TEXT | {"minLength": 3, "maxLength": 2}, "/minLength", "is more than maxLength"),
        (TEXT | {"default": 1}, "/default", "does not fit its field: must be text"),
        (TEXT | {"maxLength": 2, "default": "abc"}, "/default", "must be at most 2 characters"),
        (TEXT | {"contentMediaType": "text/html"}, "/contentMediaType", "is not a word"),
        (TEXT | {"money": "euro"}, "/money", "ISO 4217"),
        ({"type": "number", "money": "EUR"}, "/type", "no digit is lost"),
        (TEXT | {"money": "EUR", "maxLength": 9}, "/maxLength", "does not go"),
        (TEXT | {"money": "EUR", "default": "1,5"}, "/default", "an amount in EUR"),
        ({"type": "number", "minimum": "1"}, "/minimum", "must be a number"),
        ({"type": "number", "multipleOf": 0}, "/multipleOf", "more than 0"),
        ({"type": "number", "minimum": 2, "exclusiveMaximum": 1}, "", "no number keeps"),
        ({"type": "integer", "default": 1.5}, "/default", "whole number"),
        ({"type": "boolean", "default": "yes"}, "/default", "true or false"),
        ({"const": True, "default": True}, "/default", "a person ticks it"),
        ({"const": "v1"}, "/const", "must be true"),
        ({"const": 1}, "/const", "must be true"),
        ({"const": True, "type": "string"}, "/type", "boolean"),
        ({"enum": []}, "/enum", "at least one choice"),
        ({"enum": ["a", "a"]}, "/enum/1", "already"),
        ({"enum": [1, 1.0]}, "/enum/1", "already"),
        ({"enum": ["a", None]}, "/enum/1", "text or a number"),
        ({"enum": ["a", {"b": 1}]}, "/enum/1", "text or a number"),
        ({"enum": [True]}, "/enum/0", "text or a number"),
        ({"enum": ["a"], "type": "integer"}, "/enum/0", "whole number"),
        ({"enum": ["a"], "type": "object"}, "/type", "of a choice"),
        ({"enum": ["a"], "enumNames": ["A"]}, "/enumNames", "oneOf"),
        ({"enum": ["a"], "default": "b"}, "/default", "is not one of the choices"),
        ({"enum": ["a"], "oneOf": [{"const": "b"}]}, "/oneOf", "does not go with `enum`"),
        ({"oneOf": [TEXT]}, "/oneOf/0", "`const` and `title`"),
        ({"oneOf": [{"const": "a", "titel": "A"}]}, "/oneOf/0/titel", "did you mean `title`?"),
        ({"oneOf": [{"const": "a", "title": 1}]}, "/oneOf/0/title", "must be text"),
        ({"type": "array"}, "/items", "is required"),
        ({"type": "array", "items": {}}, "/items/type", "is required"),
        ({"type": "array", "items": {"type": "boolean"}}, "/items/type", "not offered within a list"),
        ({"type": "array", "items": {"const": True}}, "/items", "must be text, numbers or choices"),
        ({"type": "array", "items": TEXT | {"money": "EUR"}}, "/items", "must be text, numbers or choices"),
        ({"type": "array", "items": form(a=TEXT) | {"type": "object"}}, "/items/type", "not offered within a list"),
        ({"type": "array", "items": {"type": "array", "items": TEXT}}, "/items/type", "not offered within a list"),
        ({"type": "array", "items": TEXT | {"default": "a"}}, "/items/default", "belongs to the list"),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "/uniqueItems", "is not a word"),
        ({"type": "array", "items": {"enum": ["a"]}, "minItems": 2}, "/minItems", "more than there are choices"),
        (TEXT | {"minLength": 4095}, "/minLength", "more than the 4,096 characters of an answer hold"),
        ({"type": "array", "items": TEXT, "minItems": 2048}, "/minItems", "more than the 4,096 characters"),
        ({"type": "array", "items": {"enum": ["a"]}, "default": ["b"]}, "/default/0", "is not one of the choices"),
        ({"type": "object"}, "/properties", "at least one field"),
        (form(a=TEXT) | {"type": "object", "default": {}}, "/default", "does not go with"),
        (form(a=form(b=TEXT) | {"type": "object"}) | {"type": "object"}, "/properties/a/type", "within an object"),
        (form(a={"type": "array", "items": TEXT}) | {"type": "object"}, "/properties/a/type", "within an object"),
        ({"$ref": "#/$defs/a"}, "/$ref", "write the field itself"),
        ({"anyOf": [TEXT, {"type": "null"}]}, "/anyOf/0", "`const` and `title`"),
        ({"not": {}}, "/not", "is not a word"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_a_field_does_not_offer_is_pointed_to_and_said(field, pointer, said):
    assert said in refused_in(field)[pointer]


def test_everything_that_is_refused_is_told_at_once_and_twenty_things_at_most():
    assert list(refused(form(a={"type": "x"}, b=TEXT | {"format": "y"}, c=True))) == [
        "/properties/a/type",
        "/properties/b/format",
        "/properties/c",
    ]
    assert len(refused(form(**{f"p{n}": {} for n in range(100)}))) == 20


@pytest.mark.parametrize("near", [-1, 0, 1])
def test_of_fields_there_are_at_most_a_hundred_those_within_objects_counted(near):
    inner = {f"i{n}": TEXT for n in range(40)}
    outer = {f"o{n}": TEXT for n in range(59 + near)}
    schema = form(group={"type": "object", "properties": inner}, **outer)

    if near > 0:
        assert "more than 100 fields" in str(refused(schema))
    else:
        assert vocabulary.read_form(schema)


@pytest.mark.parametrize("near", [-1, 0, 1])
def test_of_choices_there_are_at_most_two_hundred_in_all(near):
    schema = form(
        a={"enum": list(range(100))},
        b={"type": "array", "items": {"oneOf": [{"const": n} for n in range(100 + near)]}},
    )

    if near > 0:
        assert "more than 200 choices" in str(refused(schema))
    else:
        assert vocabulary.read_form(schema)


def test_defaults_that_no_answer_could_hold_are_refused():
    long = TEXT | {"default": "x" * 3000}

    assert "defaults" in refused(form(a=long, b=long))[""]


# --- attacks --------------------------------------------------------------------------------------

CHAIN = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(24)} | {
    "d24": {"type": "number"}
}
ATTACKS = {
    "a chain of anyOf": form(it={"$ref": "#/$defs/d0"}) | {"$defs": CHAIN},
    "unevaluatedProperties": form(a=TEXT) | {"allOf": [{"properties": {"b": {}}}] * 60, "unevaluatedProperties": False},
    "a pattern": form(it=TEXT | {"pattern": "^(a+)+$"}),
    "patterns of names": {"patternProperties": {"^(a+)+$": TEXT}, **form(a=TEXT)},
    "a format that compiles the answer": form(it=TEXT | {"format": "regex"}),
    "another draft within": form(it={"$schema": "http://json-schema.org/draft-03/schema#", "type": "any"}),
    "4,000 choices a hundred times": form(**{f"p{n}": {"$ref": "#/$defs/e"} for n in range(100)})
    | {"$defs": {"e": {"enum": list(range(4000))}}},
    "4,000 choices": form(it={"enum": list(range(4000))}),
    "items that must differ": form(it={"type": "array", "items": TEXT, "uniqueItems": True}),
    "thousands of errors": {"type": "object", "additionalProperties": {"allOf": [{"type": "null"}] * 500}},
    "a list at the top": {"type": "array"},
    "words of other drafts": form(a=TEXT) | {"dependencies": {"a": ["b"]}},
    "depth": {"properties": {"a": {"properties": {"a": {"properties": {"a": {"properties": {"a": TEXT}}}}}}}},
    "thousands of words": {**form(a=TEXT), **{f"w{n}": 1 for n in range(1600)}},
    "a long word": {**form(a=TEXT), "propertie" * 1700: 1},
    "names of sixteen kilobytes": {"required": ["b" * 15_000], "properties": {"a" * 100: TEXT}},
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_with_a_pointer_at_once(attack):
    with CpuTime():
        problems = refused(ATTACKS[attack])

    assert 1 <= len(problems) <= 20
    assert all(pointer.startswith("/") for pointer in problems)


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (TEXT, 1, "must be text"),
        (TEXT | {"minLength": 2, "maxLength": 3}, "abcd", "must be between 2 and 3 characters"),
        (TEXT | {"maxLength": 3}, "\N{PILE OF POO}" * 3, None),
        (TEXT | {"format": "date"}, "2026-02-30", "must be a date (year-month-day)"),
        (TEXT | {"money": "EUR"}, "1250.00", None),
        (TEXT | {"money": "EUR"}, 1250, "must be an amount in EUR, such as 1250.00, as text"),
        (TEXT | {"money": "EUR"}, "1.2e3", "must be an amount in EUR, such as 1250.00, as text"),
        ({"type": "number"}, True, "must be a number"),
        ({"type": "number", "minimum": 1, "maximum": 10}, 11, "must be between 1 and 10"),
        ({"type": "number", "exclusiveMinimum": 0}, 0, "must be more than 0"),
        ({"type": "number", "exclusiveMaximum": 1}, 1.0, "must be less than 1"),
        ({"type": "integer"}, 1.5, "must be a whole number"),
        ({"type": "integer"}, 3.0, None),
        ({"type": "boolean"}, 1, "must be true or false"),
        ({"const": True}, False, "must be true"),
        ({"const": True}, 1, "must be true"),
        ({"enum": ["a", 1]}, True, "is not one of the choices"),
        ({"enum": ["a", 1]}, 1.0, None),
        ({"enum": ["a", 1]}, [], "is not one of the choices"),
        ({"type": "array", "items": TEXT, "maxItems": 1}, "a", "must be a list"),
        ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"], "must be at most 1 entry"),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2}, ["a"], "must be at least 2 choices"),
        (form(a=TEXT) | {"type": "object"}, [], "must be an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_with_a_value_is_said_by_what_is_accepted(field, value, said):
    assert wrong(field, value) == said


@pytest.mark.parametrize(("amount", "fits"), [("19.99", True), ("19.999", False), ("1e22", True), ("1e300", True)])
def test_hundredths_are_judged_in_decimals(amount, fits):
    assert (wrong({"type": "number", "multipleOf": 0.01}, Number(amount)) is None) is fits


def test_a_bound_is_judged_to_the_last_digit():
    field = load_json('{"type": "number", "maximum": 10000000000000000.01}')

    assert wrong(field, Number("10000000000000000.01")) is None
    assert wrong(field, Number("10000000000000000.02")) == "must be at most 10000000000000000.01"


def test_problems_of_an_answer_point_into_it_and_do_not_say_it_back():
    schema = form(
        ["n"],
        **{"a/b": {"type": "integer"}, "l": {"type": "array", "items": {"enum": ["x"]}}, "n": TEXT},
        g=form(["in"], **{"in": TEXT}) | {"type": "object", "additionalProperties": False},
    ) | {"additionalProperties": False}

    problems = judged(schema, {"a/b": "s3cret", "l": ["x", "s3cret"], "g": {"inn": "s3cret"}, "other": "s3cret"})

    assert problems == {
        "/a~1b": "must be a number",
        "/l/1": "is not one of the choices",
        "/n": "is required",
        "/g/in": "is required",
        "/g/inn": "is not a field of the form (did you mean `in`?)",
        "/other": "is not a field of the form",
    }


def test_twenty_problems_are_looked_for_and_no_more(monkeypatch):
    looked = []
    judge = forms.Text.problem
    monkeypatch.setattr(forms.Text, "problem", lambda self, value: looked.append(value) or judge(self, value))

    problems = judged(form(a={"type": "array", "items": TEXT}), {"a": list(range(1000))})

    assert len(problems) == 20
    assert len(looked) == 20


def test_defaults_are_filled_in_where_nothing_was_sent():
    schema = form(
        ["a", "e"],
        a=TEXT | {"default": "x"},
        b=TEXT,
        c={"type": "boolean", "default": False},
        d=form(f=TEXT | {"default": "y"}) | {"type": "object"},
        e={"type": "array", "items": {"enum": ["z"]}, "default": ["z"]},
    )
    read = vocabulary.read_form(schema)

    assert forms.fill_in(read, {}) == {"a": "x", "c": False, "e": ["z"]}
    assert forms.fill_in(read, {"a": "", "c": True, "d": {}, "e": []}) == {"a": "", "c": True, "d": {"f": "y"}, "e": []}
    assert judged(schema, {}) == {}


def test_an_answer_that_the_defaults_make_too_long_is_a_problem_and_no_lost_decision():
    schema = form(a=TEXT | {"default": "x" * 3000}, b=TEXT)

    assert "4,096" in judged(schema, {"b": "y" * 2000})[""]
    assert judged(schema, {"a": "", "b": "y" * 2000}) == {}


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fitting", "other"),
    [
        (
            "email",
            [
                "joe@example.com",
                "a.b+c@x.example",
                '"joe b"@example.com',
                "a@[127.0.0.1]",
                "a@[IPv6:::1]",
                "a@localhost",
                "o'brien@example.org",
                "ada@bücher.example",
                "~t@example.com",
                "a@" + "x" * 63 + ".example",
            ],
            [
                "",
                "@",
                "a",
                "a@",
                "@b",
                "a b@c",
                "a@b@c",
                ".a@b",
                "a.@b",
                "a..b@c",
                "a@b..c",
                "a@-b",
                "a@b-",
                "a@b=c",
                "a@[127.0.0.300]",
                "a@[IPv6:x]",
                "a@[::1]",
                "a@b\n",
                " a@b",
                "a" * 65 + "@b",
                "a@" + "x" * 64,
                "a@b.",
            ],
        ),
        (
            "uri",
            [
                "https://example.com",
                "http://[::1]:80/a?b=c#d",
                "mailto:a@b",
                "urn:isbn:1",
                "tel:+1-816",
                "a:",
                "a:/b/",
                "ftp://u:p@h/x;type=a",
                "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com",
                "x:a//b",
                "https://x/a//b",
            ],
            [
                "",
                "example.com",
                "/a",
                "//a/b",
                "#a",
                ":a",
                "1a:b",
                "http://a b",
                "http://[x]/",
                "http://a:b/",
                "a:%",
                "a:%2",
                "a:<b>",
                "a:\\b",
                "http://a/\n",
                "https://bücher.example",
                "a:#b#c",
                "http://a[0]/",
                'a:"',
            ],
        ),
        (
            "date",
            ["2026-02-28", "2024-02-29", "0001-01-01"],
            [
                "",
                "2026-02-29",
                "2026-2-8",
                "20260228",
                "2026-W09-1",
                "2026-02-28T00:00:00Z",
                "2026-02-28 ",
                "২০২৬-02-28",
            ],
        ),
        (
            "date-time",
            [
                "2026-02-28T09:00:00Z",
                "2026-02-28t09:00:00.123456789z",
                "2026-02-28T09:00:00+05:30",
                "1998-12-31T23:59:60Z",
                "1998-12-31T15:59:60.5-08:00",
                "1937-01-01T12:00:27.87+00:20",
            ],
            [
                "",
                "2026-02-28",
                "2026-02-28T09:00:00",
                "2026-02-28 09:00:00Z",
                "2026-02-28T9:00:00Z",
                "2026-02-30T09:00:00Z",
                "2026-02-28T24:00:00Z",
                "2026-02-28T09:60:00Z",
                "2026-02-28T09:00:61Z",
                "1998-12-31T22:59:60Z",
                "2026-02-28T09:00:00+24:00",
                "2026-02-28T09:00:00+05:60",
                "2026-02-28T09:00Z",
                "2026-02-28T09:00:00.Z",
            ],
        ),
    ],
    ids=["email", "uri", "date", "date-time"],
)  # after RFC 5321 (and 6531), 3986 and 3339
def test_a_format_is_really_checked(name, fitting, other):
    assert [text for text in fitting if not FORMATS[name].fits(text)] == []
    assert [text for text in other if FORMATS[name].fits(text)] == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        "a" * 4096,
        "a." * 2048,
        "a@" * 2048,
        "a:" + "%41" * 1365,
        '"' * 4096,
        '"\\' * 2048 + '"@a',
        "a:" + "/" * 4094,
        "http://" + "a@" * 2044,
        "1" * 4096,
        "a@" + "b-" * 2047,
        "http://" + "%4" * 2000,
    ],
)
def test_checking_a_format_is_linear(name, text):
    with CpuTime() as cpu:
        FORMATS[name].fits(text)

    assert cpu.spent < 0.02


# --- any form and any answer, against an independent judge ----------------------------------------


def is_decimal_multiple(_validator, step, instance, _schema):
    """Judge as people count: the library divides binary fractions."""
    if (
        isinstance(instance, int | float)
        and not isinstance(instance, bool)
        and Decimal(str(instance)) % Decimal(str(step))
    ):
        yield ValidationError("no multiple")


def is_amount(_validator, _currency, instance, _schema):
    """Judge an amount by hand: digits without a zero before them, and one to four more after a point."""
    whole, point, cents = instance.removeprefix("-").partition(".") if isinstance(instance, str) else ("", "", "")
    whole_fits = whole.isascii() and whole.isdecimal() and len(whole) <= 15 and (whole == "0" or whole[0] != "0")
    cents_fit = not point or (cents.isascii() and cents.isdecimal() and len(cents) <= 4)
    if not (whole_fits and cents_fit):
        yield ValidationError("no amount")


Oracle = extend(Draft202012Validator, {"multipleOf": is_decimal_multiple, "money": is_amount})
NAMES = st.sampled_from(["a", "b", "c d", "é", "a/b", "~0"])
LABELS = {"title": st.text(max_size=5), "description": st.text(max_size=5)}
DAYS = st.dates().map(str)
TIMES = st.datetimes(timezones=st.just(dt.UTC)).map(lambda at: at.isoformat())
MAILS = st.sampled_from(["ada@example.com", "ada", "grace@example.org"])
ADDRESSES = st.sampled_from(["https://example.com/a?b#c", "urn:a:b", "a b", "", "http://[::1]/"])
NUMBERS = st.integers(-12, 12) | st.sampled_from([0.5, 1.25, -2.0, 0.01, 19.99, 1e3])
SCALARS = (
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "b", "abc", "12.50", "-0", "007"]) | DAYS | MAILS
)
VALUES = SCALARS | TIMES | ADDRESSES | st.lists(SCALARS, max_size=4) | st.dictionaries(NAMES, SCALARS, max_size=3)


def between(low, high, numbers):
    """Draw one bound, both in their order, or none."""
    return st.lists(numbers, max_size=2, unique=True).map(
        lambda two: dict(zip((low, high), sorted(two), strict=False)) if len(two) != 1 else {low: two[0]}
    )


def fields_of(kind, **words):
    return st.fixed_dictionaries({"type": st.just(kind)}, optional={**LABELS, **words})


SIZED = between("minLength", "maxLength", st.integers(1, 4))
TEXTS = st.tuples(fields_of("string"), SIZED).map(lambda two: two[0] | two[1])
FORMATTED = fields_of("string", format=st.sampled_from(sorted(FORMATS)))
AMOUNTS = fields_of("string").map(lambda field: field | {"money": "EUR"})
NUMERIC = st.tuples(
    st.sampled_from(["number", "integer"]),
    between("minimum", "maximum", NUMBERS) | between("exclusiveMinimum", "exclusiveMaximum", NUMBERS),
    st.sampled_from([{}, {"multipleOf": 0.01}, {"multipleOf": 3}, {"multipleOf": 0.25}]),
).map(lambda three: {"type": three[0]} | three[1] | three[2])
MEMBERS = st.lists(st.sampled_from(["", "a", "b", "abc", 1, 2.5, -3]), min_size=1, max_size=4, unique=True)
CHOICE = MEMBERS.map(lambda some: {"enum": some}) | st.tuples(st.sampled_from(["oneOf", "anyOf"]), MEMBERS).map(
    lambda two: {two[0]: [{"const": each, "title": f"The {each}"} for each in two[1]]}
)
SIMPLE = st.one_of(TEXTS, FORMATTED, AMOUNTS, NUMERIC, fields_of("boolean"), st.just({"const": True}), CHOICE)
LISTS = st.tuples(
    TEXTS.map(lambda each: {k: v for k, v in each.items() if k not in LABELS}) | NUMERIC | CHOICE
).flatmap(
    lambda one: between(
        "minItems",
        "maxItems",
        st.just(1) if "enum" in one[0] or "oneOf" in one[0] or "anyOf" in one[0] else st.integers(1, 3),
    ).map(lambda sizes: {"type": "array", "items": one[0]} | sizes)
)


@st.composite
def objects(draw, inner):
    properties = draw(st.dictionaries(NAMES, inner, min_size=1, max_size=4))
    some = st.lists(st.sampled_from(sorted(properties)), unique=True)
    return {"properties": properties} | draw(
        st.fixed_dictionaries({}, optional={"required": some, "order": some, "additionalProperties": st.booleans()})
    )


FORMS = objects(SIMPLE | LISTS | objects(SIMPLE).map(lambda group: {"type": "object"} | group))


@st.composite
def answers(draw, schema):
    """Draw what nearly fits: each property is left out, of some value, or made to fit or to miss by one."""
    found = draw(st.dictionaries(NAMES, VALUES, max_size=2))
    for name, field in schema["properties"].items():
        if draw(st.integers(0, 4)):
            found[name] = draw(fitting(field) | VALUES)
    return found


def fitting(field):
    """Draw what fits or misses by one."""
    members = field.get("enum") or [each["const"] for each in field.get("oneOf", field.get("anyOf", ()))]

    def near(word, otherwise):
        return field.get(word, otherwise) + (1 if word.startswith("max") else -1)

    match field:
        case {"properties": _}:
            return answers(field)
        case {"items": item}:
            return st.lists(fitting(item), min_size=max(0, near("minItems", 1)), max_size=near("maxItems", 3))
        case {"const": value}:
            return st.just(value)
        case {"money": _}:
            return st.sampled_from(["0", "-1.5", "1250.00", "01", "1.", "1.00001"])
        case {"format": name}:
            return {"date": DAYS, "date-time": TIMES, "email": MAILS, "uri": ADDRESSES}[name]
        case _ if members:
            return st.sampled_from([*members, *(each == 1 for each in members if each == 1)])
        case {"type": "string"}:
            return st.text("ab", min_size=max(0, near("minLength", 1)), max_size=near("maxLength", 4))
        case {"type": "boolean"}:
            return st.booleans()
    bounds = [field[word] for word in vocabulary.BOUNDS if word in field]
    return st.sampled_from([each + by for each in bounds for by in (-1, -0.01, 0, 0.25, 1)] or [0]) | NUMBERS


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_fits_when_an_independent_judge_says_so(data):
    compare_with_the_oracle(data)


@pytest.mark.large
@settings(deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_answer_fits_when_an_independent_judge_says_so_in_a_large_sweep(data):
    compare_with_the_oracle(data)


def compare_with_the_oracle(data):
    """Compare with jsonschema and its format checkers.

    Two differences are meant: `multipleOf` is judged in decimals, and `money` is no word of JSON Schema; the oracle
    is taught both. In the pools of formats above, both judges agree; where the library's checkers are looser (it
    takes any text with an @ for an address), the documents decide, see `test_a_format_is_really_checked`.
    """
    schema = data.draw(FORMS)
    answer = data.draw(answers(schema))

    with CpuTime():
        problems = forms.answer_problems(vocabulary.read_form(schema), answer)

    oracle = Oracle(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    expected = {place for error in oracle.iter_errors(answer) for place in places(error)}
    mine = {problem.pointer for problem in problems}
    # what is wrong with a value ends the look at what is within it
    expected = {place for place in expected if not any(place.startswith(f"{at}/") for at in mine)}
    assert mine == expected or len(problems) == 20, (schema, answer, problems)


def places(error):
    """Give the pointers of an error, as ours have them: at the field that is missing, or should not be there."""
    at = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error.absolute_path)
    names = []
    if error.validator == "required":
        names = [name for name in error.validator_value if error.message == f"{name!r} is a required property"]
    elif error.validator == "additionalProperties":
        names = [name for name in error.instance if name not in error.schema["properties"]]
    else:
        return [at]
    return [f"{at}/{name.replace('~', '~0').replace('/', '~1')}" for name in names]


JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*sorted(vocabulary.KNOWN), "a", "$ref", "pattern"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(schema=st.dictionaries(st.sampled_from([*sorted(vocabulary.KNOWN), "a"]), JSON), answer=JSON)
def test_any_object_is_taken_and_can_be_answered_or_is_refused_with_pointers(schema, answer):
    refused, read = read_or_refused(schema)

    assert len(refused) <= 20
    assert bool(refused) is (read is None)
    assert read is None or len(forms.answer_problems(read, answer)) <= 20


def read_or_refused(schema):
    try:
        return (), vocabulary.read_form(schema)
    except vocabulary.NotOffered as error:
        return error.problems, None


# --- the work -------------------------------------------------------------------------------------


def sizes(count):
    """Build the hardest forms with so many fields, and answers of up to 4,096 characters."""
    words = "x" * 30
    nobody = {"type": "array", "items": TEXT | {"minLength": 2, "format": "email"}}
    yield form(**{f"p{n}": TEXT | {"title": words, "default": words} for n in range(count)}), {"q": "x" * 4000}
    yield (
        form(**{f"p{n}": {"enum": [f"{words}{n}{i}" for i in range(2)]} for n in range(count)}),
        {f"p{n}": words for n in range(count)},
    )
    yield form(**{f"p{n}": nobody for n in range(count)}), {"p0": ["a@b"] * 600, "p1": [""] * 800}
    yield (
        form(**{f"p{n}": TEXT for n in range(count)}) | {"additionalProperties": False},
        {f"x{n}": n for n in range(400)},
    )
    yield form(p={"type": "array", "items": {"type": "number", "multipleOf": 0.01}}), {"p": [Number("1e300")] * 600}
    yield form(p={"type": "number", "multipleOf": Number("4.9e-324")}), {"p": 10**4090 + 1}


def test_the_largest_forms_and_answers_cost_next_to_nothing():
    for schema, answer in sizes(100):
        with CpuTime() as cpu:
            for _ in range(3):
                read = vocabulary.read_form(schema)
                forms.answer_problems(read, forms.fill_in(read, answer))
        assert cpu.spent < 3 * 0.1, json.dumps(schema)[:80]

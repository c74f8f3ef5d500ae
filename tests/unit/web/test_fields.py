"""A form as fields of a page: which field a schema becomes, what typed text means, where a problem is shown."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from approvals.rules import forms
from approvals.rules.value import Problem
from approvals.web import fields
from tests.chance import examples

USE_CASES = Path(__file__).parents[3] / "docs/use-cases"
TEXT = {"type": "string"}


def form(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def only(schema, typed=None, problems=()):
    """Give the one field of a form with one property, called it."""
    (field,) = fields.fields(form(it=schema), typed, problems)
    return field


def typed_into(schema, *texts):
    """Type into the one field of a form with one property, called it."""
    return fields.answer(form(it=schema), {"form/it": texts})


def wrong(schema, *texts):
    answer, (problem,) = typed_into(schema, *texts)
    assert answer == {}
    assert problem.pointer == "/it"
    return problem.detail


def shown(schema, typed):
    """Give the fields as they are shown after an answer was read, judged and refused."""
    answer, unread = fields.answer(schema, typed)
    problems = [*unread, *forms.answer_problems(schema, answer)]
    again = fields.fields(schema, typed, problems)
    return {field.pointer: field for field in every(again)}, fields.unplaced(again, problems)


def every(several):
    for field in several:
        yield field
        yield from every(field.fields)


# --- which field a schema becomes -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (TEXT, "text"),
        (TEXT | {"maxLength": 200}, "text"),
        (TEXT | {"maxLength": 201}, "paragraph"),
        (TEXT | {"contentMediaType": "text/plain"}, "paragraph"),
        (TEXT | {"format": "date"}, "date"),
        (TEXT | {"format": "email"}, "email"),
        (TEXT | {"format": "uri"}, "text"),
        ({"type": ["string", "null"]}, "text"),
        ({"anyOf": [TEXT | {"format": "date"}, {"type": "null"}]}, "date"),
        ({"anyOf": [{"const": "I agree"}, {"type": "null"}]}, "json"),
        ({"type": "number"}, "number"),
        ({"type": "integer"}, "integer"),
        ({"type": "boolean"}, "yes_no"),
        ({"enum": ["a", 1, None]}, "choice"),
        ({"oneOf": [{"const": 1, "title": "One"}, {"const": 2}]}, "choice"),
        ({"type": "array", "items": {"enum": ["a"]}}, "choices"),
        ({"type": "array", "items": TEXT}, "lines"),
        (form(a=TEXT), "group"),
        ({"const": {"v": 1}}, "fixed"),
        ({}, "json"),
        (True, "json"),
        (False, "json"),
        ({"enum": []}, "json"),
        ({"type": ["string", "number"]}, "json"),
        ({"type": "object"}, "json"),
        ({"allOf": [TEXT]}, "json"),
        ({"anyOf": [TEXT, {"type": "number"}]}, "json"),
        (TEXT | {"if": {"const": "a"}, "then": {"minLength": 3}}, "json"),
        ({"type": "array"}, "json"),
        ({"type": "array", "items": form(a=TEXT)}, "json"),
        ({"type": "array", "items": {"type": "number"}}, "json"),
        ({"type": "array", "items": TEXT, "prefixItems": [TEXT]}, "json"),
    ],
    ids=str,
)
def test_a_property_becomes_the_field_that_can_hold_it(schema, kind):
    assert forms.schema_problem(form(it=schema)) is None

    assert only(schema).kind == kind


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"oneOf": [form(a=TEXT), form(b=TEXT)]},
        {"enum": [{"a": 1}]},
        {"const": {"a": 1}},
        form(a=TEXT, required=["b"]),
        form(a=TEXT) | {"allOf": [{"required": ["a"]}]},
    ],
    ids=str,
)
def test_an_answer_that_is_no_list_of_properties_is_one_field_for_its_json(schema):
    (field,) = fields.fields(schema)

    assert (field.name, field.pointer, field.kind, field.required) == ("form", "", "json", True)
    assert fields.answer(schema, {"form": ['{"a": [1, "b"]}']}) == ({"a": [1, "b"]}, [])


def test_fields_come_in_the_order_of_the_properties_and_say_which_must_be_answered():
    found = fields.fields(form(["b"], z=TEXT, b=TEXT, a=TEXT))

    assert [(field.name, field.required) for field in found] == [("form/z", False), ("form/b", True), ("form/a", False)]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cost_center", "Cost center"),
        ("costCenter", "Cost center"),
        ("cost-center", "Cost center"),
        ("rollbackURL", "Rollback URL"),
        ("", "Answer"),
        ("_", "Answer"),
    ],
)
def test_a_property_without_a_title_is_labelled_by_its_name(name, label):
    assert fields.fields(form(**{name: TEXT}))[0].label == label
    assert fields.fields(form(**{name: TEXT | {"title": "Said so"}}))[0].label == "Said so"


def test_a_name_with_slashes_is_still_one_name():
    schema = form(**{"a/b~c": TEXT})

    (field,) = fields.fields(schema)

    assert field.name == "form/a~1b~0c"
    assert fields.answer(schema, {field.name: ["x"]}) == ({"a/b~c": "x"}, [])


def test_a_reference_is_followed_and_what_is_said_beside_it_wins():
    schema = form(it={"$ref": "#/$defs/days", "title": "How long?"})
    schema["$defs"] = {"days": {"$ref": "#/$defs/count", "title": "Days"}, "count": {"type": "integer", "maximum": 7}}

    (field,) = fields.fields(schema)

    assert (field.kind, field.label, field.hint) == ("integer", "How long?", "at most 7")


def test_a_reference_whose_limits_are_set_twice_is_not_guessed_at():
    schema = form(it={"$ref": "#/$defs/d", "properties": {"b": TEXT}}) | {"$defs": {"d": form(a=TEXT)}}

    assert fields.fields(schema)[0].kind == "json"


def test_the_whole_form_may_be_a_reference():
    schema = {"$ref": "#/$defs/f", "$defs": {"f": form(a=TEXT)}}

    assert [field.name for field in fields.fields(schema)] == ["form/a"]


def test_groups_end_at_sixteen_levels():
    schema = TEXT
    for _ in range(30):
        schema = form(a=schema)

    found = list(every(fields.fields(schema)))

    assert [field.kind for field in found] == ["group"] * 16 + ["json"]


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "number", "minimum": 1, "maximum": 10}, "between 1 and 10"),
        ({"type": "number", "minimum": 0.5}, "at least 0.5"),
        ({"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01}, "more than 0, a multiple of 0.01"),
        ({"type": "number", "exclusiveMaximum": 10.0}, "less than 10"),
        (TEXT | {"maxLength": 200}, "at most 200 characters"),
        (TEXT | {"minLength": 1}, "at least 1 character"),
        (TEXT | {"minLength": 4, "maxLength": 4}, "exactly 4 characters"),
        (TEXT | {"minLength": 0}, ""),
        (TEXT | {"format": "email"}, "an email address"),
        (TEXT | {"default": "none"}, "usually none"),
        ({"type": "array", "items": {"enum": [1, 2]}, "minItems": 1}, "at least 1 choice"),
        (
            {"type": "array", "items": TEXT | {"maxLength": 9}, "maxItems": 3},
            "at most 3 lines, each at most 9 characters",
        ),
        ({"type": "boolean", "default": True}, ""),
        (TEXT | {"minimum": 3}, ""),
    ],
    ids=str,
)
def test_a_hint_says_what_is_accepted(schema, hint):
    assert only(schema).hint == hint


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "boolean", "default": True},
        {"const": True, "default": True},
        {"enum": ["a"], "default": "a"},
        {"type": "array", "items": {"enum": ["a"]}, "default": ["a"]},
        TEXT | {"default": "a"},
        {"type": "number", "default": 1},
    ],
    ids=str,
)
def test_nothing_is_filled_in_that_nobody_filled_in(schema):
    assert only(schema).values == ()
    assert fields.answer(form(it=schema), {}) == ({}, [])


def test_any_json_value_may_be_chosen():
    members = ["a", "", 1, True, None, {"b": [2]}]
    field = only({"enum": members})

    assert [choice.value for choice in field.choices] == ["0", "1", "2", "3", "4", "5"]
    assert [choice.label for choice in field.choices] == ["a", "(empty)", "1", "Yes", "None", '{"b":[2]}']
    assert [typed_into({"enum": members}, choice.value)[0]["it"] for choice in field.choices] == members


def test_choices_are_called_by_their_titles():
    field = only({"oneOf": [{"const": "sat", "title": "Saturday"}, {"const": "sun"}]})

    assert [choice.label for choice in field.choices] == ["Saturday", "sun"]


@pytest.mark.parametrize("path", sorted(USE_CASES.glob("*.json")), ids=lambda path: path.stem)
def test_the_forms_of_the_use_cases_need_no_json(path):
    body = json.loads(path.read_text(encoding="utf-8"))

    assert "json" not in [field.kind for field in every(fields.fields(body.get("form") or form(a=TEXT)))]


# --- what typed text means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 12.5\t", 12.5),
        ("1e3", 1000),
        ("-.5", -0.5),
        ("+7.", 7),
        ("12,5", 12.5),
        ("0,25", 0.25),
        ("9007199254740992", 2**53),
        ("0" * 5000 + "1", 1),
        ("1e-999", 0.0),
        ("0." + "3" * 5000, 1 / 3),
    ],
)
def test_a_number_is_read_as_people_write_it(text, number):
    assert typed_into({"type": "number"}, text) == ({"it": number}, [])


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1,234",
        "1,234.5",
        "1.234,5",
        "1,2,3",
        "1 000",
        "1_000",
        "nan",
        "inf",
        "-Infinity",
        "0x10",
        "١٢",
        "1e",
        ".",
    ],
)
def test_what_is_no_number_or_could_be_two_is_said_to_be_none(text):
    assert wrong({"type": "number"}, text) == "is not a number"


@pytest.mark.parametrize("text", ["9007199254740993", "-1e16", "1e999", "9" * 5000])
def test_a_number_no_float_can_tell_from_its_neighbours_is_out_of_range(text):
    assert wrong({"type": "number"}, text) == "is out of range"


def test_a_whole_number_may_have_a_point_but_nothing_behind_it():
    answer, _ = typed_into({"type": "integer"}, "3.0")

    assert answer == {"it": 3}
    assert isinstance(answer["it"], int)
    assert wrong({"type": "integer"}, "3.5") == "is not a whole number"
    assert wrong({"type": "integer"}, "3." + "0" * 30 + "1") == "is not a whole number"


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        TEXT | {"maxLength": 999},
        TEXT | {"format": "date"},
        {"type": "number"},
        {"type": "array", "items": TEXT},
        {"type": "array", "items": {"enum": ["a"]}},
        {"enum": ["a"]},
        {"type": "boolean"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("texts", [(), ("",), ("  \r\n ",)])
def test_what_is_blank_is_left_out(schema, texts):
    assert typed_into(schema, *texts) == ({}, [])


def test_a_yes_or_no_that_nobody_answered_is_not_a_no():
    assert typed_into({"type": "boolean"}) == ({}, [])
    assert typed_into({"type": "boolean"}, "no") == ({"it": False}, [])
    assert typed_into({"type": "boolean"}, "yes") == ({"it": True}, [])


@pytest.mark.parametrize("text", ["true", "on", "1", "Yes"])
def test_what_is_neither_yes_nor_no_is_a_problem(text):
    assert wrong({"type": "boolean"}, text) == "is not one of the choices"


@pytest.mark.parametrize("text", ["2", "-1", "00", "a", "1.0", "\u0660", "9" * 99])
@pytest.mark.parametrize("schema", [{"enum": ["a", "b"]}, {"type": "array", "items": {"enum": ["a", "b"]}}], ids=str)
def test_a_choice_that_is_not_offered_is_a_problem(schema, text):
    assert wrong(schema, text) == "is not one of the choices"


def test_several_choices_are_several_values():
    assert typed_into({"type": "array", "items": {"enum": ["a", 2, None]}}, "0", "2") == ({"it": ["a", None]}, [])


@pytest.mark.parametrize(
    "schema",
    [TEXT, {"type": "number"}, {"type": "boolean"}, {"enum": ["yes"]}, {"type": "array", "items": TEXT}, {}],
    ids=str,
)
def test_a_value_given_twice_where_one_is_meant_is_a_problem(schema):
    assert wrong(schema, "1", "1") == "was given more than once"


def test_one_line_is_trimmed_and_a_paragraph_is_not():
    assert typed_into(TEXT, " a b ") == ({"it": "a b"}, [])
    assert typed_into(TEXT | {"maxLength": 500}, " a\r\n\r\nb\rc ") == ({"it": " a\n\nb\nc "}, [])


def test_lines_become_a_list_without_the_empty_ones():
    assert typed_into({"type": "array", "items": TEXT}, "a b\r\n\r\n c\r\n") == ({"it": ["a b", "c"]}, [])


def test_what_says_true_must_be_said_by_a_person():
    """A caller's "I have read the rollback plan" is nothing the server can say for anybody."""
    schema = form(["read"], read={"const": True, "title": "I have read the rollback plan"})

    assert fields.fields(schema)[0].kind == "yes_no"
    assert fields.answer(schema, {}) == ({}, [])
    assert fields.answer(schema, {"form/read": ["yes"]}) == ({"read": True}, [])
    found, _ = shown(schema, {"form/read": ["no"]})
    assert found["/read"].problems == ("Must be Yes.",)


def test_what_is_fixed_is_shown_and_put_in_whatever_is_typed():
    schema = form(version={"const": {"v": [2]}})

    assert fields.fields(schema, {"form/version": ["3"]})[0].value == '{"v":[2]}'
    assert fields.answer(schema, {"form/version": ["3"]}) == ({"version": {"v": [2]}}, [])


def test_a_group_with_nothing_typed_in_it_is_left_out_unless_it_is_required():
    inner = form(street=TEXT, country={"const": "PT"}, more=form(a=TEXT))
    schema = form(["home"], home=inner, work=inner)

    assert fields.answer(schema, {}) == ({"home": {"country": "PT"}}, [])
    assert fields.answer(schema, {"form/work/more/a": ["x"]}) == (
        {"home": {"country": "PT"}, "work": {"country": "PT", "more": {"a": "x"}}},
        [],
    )


@pytest.mark.parametrize("text", ["1", "null", "[]", '"a"', '{"a": 1}', " true "])
def test_json_is_taken_as_it_is(text):
    assert typed_into({}, text) == ({"it": json.loads(text)}, [])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "a",
        "NaN",
        "-Infinity",
        "1e999",
        '{"a": 1, "a": 2}',
        "9" * 5000,
        r'"\ud800"',
        r'{"\udfff": 1}',
        "[" * 17 + "]" * 17,
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        "\ufeff1",
    ],
    ids=lambda text: text[:20],
)
def test_what_the_api_would_not_read_as_json_is_none_here(text):
    assert wrong({}, text).startswith("is not JSON")


def test_an_answer_is_an_object():
    assert fields.answer({}, {"form": ["[1]"]}) == ({}, [Problem("", "is not a JSON object")])
    assert fields.answer({}, {}) == ({}, [])


def test_names_that_are_no_fields_are_passed_over():
    assert fields.answer(form(a=TEXT), {"comments": ["x"], "form": ["x"], "form/b": ["x"], "form/a/b": ["x"]}) == (
        {},
        [],
    )


# --- where a problem is shown ---------------------------------------------------------------------


def test_what_was_typed_is_shown_again_beside_what_is_wrong():
    found, rest = shown(form(["price"], price={"type": "number"}), {"form/price": ["12 euros"]})

    assert found["/price"].value == "12 euros"
    assert found["/price"].problems == ("Is not a number.",)
    assert rest == ()


def test_what_was_chosen_is_chosen_again():
    found, _ = shown(form(a={"type": "array", "items": {"enum": [1, 2, 3]}}), {"form/a": ["0", "2"]})

    assert found["/a"].values == ("0", "2")


@pytest.mark.parametrize("name", ["price", "it's", 'a"b', "a/b", "é\n", ""])
def test_a_missing_answer_is_asked_for_at_its_own_field(name):
    schema = form([name], **{name: TEXT, "group": form([name], **{name: TEXT, "o": TEXT})})

    found, rest = shown(schema, {"form/group/o": ["x"]})

    asked = [field.key for field in found.values() if field.problems == ("An answer is needed.",)]
    assert asked == [name, name]
    assert rest == ()


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        ({"type": "number", "minimum": 1, "maximum": 10}, "11", "Must be between 1 and 10."),
        (TEXT | {"maxLength": 3, "default": "abc"}, "abcd", "Must be at most 3 characters."),
        (TEXT | {"format": "date"}, "2026-02-30", "Must be a date (year-month-day)."),
        ({"type": "array", "items": TEXT | {"minLength": 2}}, "ab\nc", "Line 2: must be at least 2 characters."),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "a\na", "Must not say anything twice."),
        ({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2}, "0", "Must be at least 2 choices."),
        (TEXT | {"not": {"const": "a"}}, "a", 'Does not satisfy the form: not {"const":"a"}.'),
        ({"items": {"minimum": 3}}, "[4, 2]", "1: does not satisfy the form: minimum 3."),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_by_what_does(schema, text, said):
    found, rest = shown(form(it=schema), {"form/it": [text]})

    assert found["/it"].problems == (said,)
    assert rest == ()


def test_a_group_shows_what_is_wrong_with_it_and_no_field_of_it():
    group = form(a=TEXT, b=TEXT) | {"dependentRequired": {"a": ["b"]}}

    found, rest = shown(form(g=group), {"form/g/a": ["x"]})

    assert [field.pointer for field in found.values() if field.problems] == ["/g"]
    assert rest == ()


def test_what_is_wrong_within_a_group_is_said_at_the_field_alone():
    found, rest = shown(form(g=form(a=TEXT | {"maxLength": 1}, b=TEXT)), {"form/g/a": ["xx"]})

    assert [field.pointer for field in found.values() if field.problems] == ["/g/a"]
    assert rest == ()


def test_problems_of_the_whole_answer_are_left_over_for_the_page():
    found, rest = shown(form(a=TEXT, b=TEXT) | {"dependentRequired": {"a": ["b"]}}, {"form/a": ["x"]})

    assert not any(field.problems for field in found.values())
    assert [problem.pointer for problem in rest] == [""]


def test_a_field_for_the_whole_answer_shows_every_problem():
    found, rest = shown({"required": ["a"], "additionalProperties": TEXT}, {"form": ['{"b": 1}']})

    assert len(found[""].problems) == 2
    assert rest == ()


def test_what_no_page_can_carry_is_not_shown_again():
    assert only(TEXT, {"form/it": ["a\ud800"]}).value == "a?"
    assert typed_into(TEXT, "a\ud800") == ({"it": "a?"}, [])


# --- any schema, anything typed -------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "a/b", "~", "", "é"])
TYPED = st.sampled_from(["", " ", "0", "1", "yes", "no", "x", "1,5", "{}", '{"a": 1}', "null", "a\r\nb"]) | st.text()
WORDS = {
    "type": st.sampled_from(
        ["string", "number", "integer", "boolean", "array", "object", "null", ["string", "null"], []]
    ),
    "title": st.text(max_size=3),
    "default": st.none() | st.integers() | st.text(max_size=3),
    "enum": st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just({}), max_size=3),
    "const": st.none() | st.booleans() | st.text(max_size=3) | st.just([{}]),
    "format": st.sampled_from(["date", "email", "uuid", "date-time"]),
    "maxLength": st.integers(0, 400) | st.just(3.0),
    "minimum": st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False),
    "multipleOf": st.sampled_from([1, 0.01, 3]),
    "required": st.lists(NAMES, max_size=2, unique=True),
    "uniqueItems": st.booleans(),
    "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b"]),
}


def schemas(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    nested = {
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "additionalProperties": inner,
        "items": inner,
        "prefixItems": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
    }
    return st.booleans() | st.fixed_dictionaries({}, optional=WORDS | nested)


SCHEMA = st.recursive(st.booleans() | st.fixed_dictionaries({}, optional=WORDS), schemas, max_leaves=8)
FORM = st.fixed_dictionaries(
    {"$defs": st.fixed_dictionaries({"a": SCHEMA, "b": SCHEMA})},
    optional={"properties": st.dictionaries(NAMES, SCHEMA, max_size=4), **WORDS},
)


@examples(20, 200)
@given(schema=FORM, data=st.data())
def test_whatever_is_typed_into_whatever_form_is_read_and_every_problem_is_shown(schema, data):
    assume(forms.schema_problem(schema) is None)
    names = [field.name for field in every(fields.fields(schema))]
    typed = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), st.lists(TYPED, max_size=3)))

    answer, unread = fields.answer(schema, typed)
    problems = [*unread, *forms.answer_problems(schema, answer)]
    found = fields.fields(schema, typed, problems)

    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert [field.name for field in every(found)] == names
    assert len(set(names)) == len(names)
    told = [problem for problem in problems if problem not in fields.unplaced(found, problems)]
    assert bool(told) is any(field.problems for field in every(found))


LINE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
NUMBERS = st.floats(-1e9, 1e9) | st.integers(-(2**53), 2**53)
MEMBERS = st.lists(st.none() | st.booleans() | LINE | st.just({"a": []}), min_size=1, max_size=4)
LEAVES = st.one_of(
    st.tuples(st.just(TEXT), LINE),
    st.tuples(st.just(TEXT | {"maxLength": 300}), st.tuples(LINE, LINE).map("\n ".join)),
    st.tuples(st.just(TEXT | {"format": "date"}), st.dates().map(str)),
    st.tuples(st.just({"type": "number"}), NUMBERS),
    st.tuples(st.just({"type": ["integer", "null"]}), st.integers(-(2**53), 2**53)),
    st.tuples(st.just({"type": "boolean"}), st.booleans()),
    st.tuples(st.just({"type": "array", "items": TEXT}), st.lists(LINE, min_size=1)),
    st.tuples(st.just({}), st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8"))),
    MEMBERS.flatmap(lambda some: st.tuples(st.just({"enum": some}), st.sampled_from(some))),
    MEMBERS.flatmap(
        lambda some: st.tuples(
            st.just({"type": "array", "items": {"oneOf": [{"const": one} for one in some]}}),
            st.lists(st.sampled_from(some), min_size=1),
        )
    ),
    st.tuples(st.just({"const": "v1"}), st.just("v1")),
)


def grouped(inner):
    """Make a group of properties, each a schema and an answer that fits it."""
    return st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(
        lambda some: (
            form(list(some), **{name: schema for name, (schema, _) in some.items()}),
            {name: value for name, (_, value) in some.items()},
        )
    )


def typing(field, value):
    """Give what a person types, or clicks, to answer this."""
    match field.kind:
        case "group":
            return {name: texts for each in field.fields for name, texts in typing(each, value[each.key]).items()}
        case "choice" | "yes_no":
            return {field.name: [picked(field, value)]}
        case "choices":
            return {field.name: [picked(field, each) for each in value]}
        case "lines":
            return {field.name: ["\r\n".join(value)]}
        case "fixed":
            return {}
        case "text" | "paragraph" | "date":
            return {field.name: [value.replace("\n", "\r\n")]}
    return {field.name: [json.dumps(value)]}


def picked(field, value):
    return next(choice.value for choice in field.choices if choice.means is value or choice.means == value)


@examples(40, 100)
@given(grouped(st.recursive(LEAVES, grouped, max_leaves=6)))
def test_an_answer_that_is_typed_comes_back(asked):
    schema, value = asked
    assume(forms.schema_problem(schema) is None)
    assert fields.fields(schema)[0].name != "form"

    typed = {name: texts for field in fields.fields(schema) for name, texts in typing(field, value[field.key]).items()}

    assert fields.answer(schema, typed) == (value, [])

"""A form as inputs of a page: which input a field becomes, what typed text means, where a problem is shown."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.people import languages
from approvals.rules import forms, vocabulary
from approvals.rules.value import Number, Problem, compact
from approvals.web import fields
from tests.unit.rules.test_forms import EVERY_WORD, FORMS, answers, form

USE_CASES = Path(__file__).parent.parent.parent.parent / "docs/use-cases"
TEXT = {"type": "string"}
LINES = {"type": "array", "items": TEXT}
SEVERAL = {"type": "array", "items": {"enum": ["a", "b"]}}


def group(required=(), /, **properties):
    return form(required, **properties) | {"type": "object"}


def inputs(schema, typed=None, problems=()):
    return fields.form_inputs(vocabulary.read_kept_form(schema), typed, problems)


def read(schema, typed):
    return fields.read_answer(vocabulary.read_kept_form(schema), typed)


def only(schema, typed=None, problems=()):
    """Give the one input of a form with one field, called it."""
    (found,) = inputs(form(it=schema), typed, problems)
    return found


def typed_into(schema, *texts):
    """Type into the one input of a form with one field, called it."""
    return read(form(it=schema), {"form/it": texts})


def wrong(schema, *texts):
    answer, (problem,) = typed_into(schema, *texts)
    assert answer == {}
    assert problem.pointer == "/it"
    return problem.detail


def shown(schema, typed):
    """Give the inputs as they are shown after an answer was read, judged and refused."""
    read_form = vocabulary.read_form(schema)
    answer, unread = fields.read_answer(read_form, typed)
    problems = [*unread, *forms.answer_problems(read_form, forms.fill_in(read_form, answer))]
    again = fields.form_inputs(read_form, typed, problems)
    return {each.pointer: each for each in every(again)}, fields.problems_without_input(again, problems)


def every(several):
    for each in several:
        yield each
        yield from every(each.inputs)


# --- which input a field becomes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (TEXT, "text"),
        (TEXT | {"maxLength": 200}, "text"),
        (TEXT | {"maxLength": 201}, "paragraph"),
        (TEXT | {"format": "date"}, "date"),
        (TEXT | {"format": "email"}, "email"),
        (TEXT | {"format": "uri"}, "uri"),
        (TEXT | {"format": "date-time"}, "text"),
        (TEXT | {"money": "EUR"}, "money"),
        ({"type": "number"}, "number"),
        ({"type": "integer"}, "integer"),
        ({"type": "boolean"}, "yes_no"),
        ({"const": True}, "tick"),
        ({"enum": ["a", 1]}, "choice"),
        ({"oneOf": [{"const": 1, "title": "One"}, {"const": 2}]}, "choice"),
        (SEVERAL, "choices"),
        (LINES, "lines"),
        ({"type": "array", "items": {"type": "integer"}}, "lines"),
        (group(a=TEXT), "group"),
        # of requests in flight
        ({}, "json"),
        (False, "json"),
        ({"type": ["string", "null"]}, "json"),
        ({"const": {"v": 1}}, "json"),
        ({"$ref": "#/$defs/a"}, "json"),
        (group(a=group(b=TEXT)), "json"),
    ],
    ids=str,
)
def test_a_field_becomes_the_input_that_can_hold_it(schema, kind):
    assert only(schema).kind == kind


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"oneOf": [form(a=TEXT)]}, {"properties": True}], ids=str)
def test_an_old_form_without_named_fields_is_one_input_for_its_json(schema):
    (found,) = inputs(schema)

    assert (found.name, found.pointer, found.kind, found.required) == ("form", "", "json", True)
    assert read(schema, {"form": ['{"a": [1, "b"]}']}) == ({"a": [1, "b"]}, [])
    assert read(schema, {"form": ["[1]"]}) == ({}, [Problem("", "is not a JSON object")])
    assert read(schema, {}) == ({}, [])


def test_inputs_come_in_the_order_that_is_said_and_say_which_must_be_answered():
    found = inputs(form(["b"], z=TEXT, b=TEXT, a=TEXT) | {"order": ["a"]})

    assert [(each.name, each.required) for each in found] == [("form/a", False), ("form/z", False), ("form/b", True)]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cost_center", "Cost center"),
        ("costCenter", "Cost center"),
        ("cost-center", "Cost center"),
        ("rollbackURL", "Rollback URL"),
        ("_", "Answer"),
    ],
)
def test_a_field_without_a_title_is_labelled_by_its_name(name, label):
    assert inputs(form(**{name: TEXT}))[0].label == label
    assert inputs(form(**{name: TEXT | {"title": "Said so"}}))[0].label == "Said so"


def test_a_name_with_slashes_is_still_one_name():
    schema = form(**{"a/b~c": TEXT})

    (found,) = inputs(schema)

    assert found.name == "form/a~1b~0c"
    assert read(schema, {found.name: ["x"]}) == ({"a/b~c": "x"}, [])


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "number", "minimum": 1, "maximum": 10}, "between 1 and 10"),
        ({"type": "number", "minimum": 0.5}, "at least 0.5"),
        ({"type": "number", "exclusiveMinimum": 0, "multipleOf": Number("0.010")}, "more than 0, a multiple of 0.010"),
        (TEXT | {"maxLength": 200}, "at most 200 characters"),
        (TEXT | {"minLength": 1}, "at least 1 character"),
        (TEXT | {"minLength": 4, "maxLength": 4}, "exactly 4 characters"),
        (TEXT | {"minLength": 0}, ""),
        (TEXT | {"format": "email"}, "an email address"),
        (TEXT | {"money": "EUR"}, "an amount in EUR, such as 1250.00"),
        (TEXT | {"default": "none"}, "if left empty: none"),
        (SEVERAL | {"minItems": 1}, "at least 1 choice"),
        (
            {"type": "array", "items": TEXT | {"maxLength": 9}, "maxItems": 3},
            "one a line, at most 3 entries, each at most 9 characters",
        ),
        ({"type": "boolean", "default": True}, ""),
        ({"const": "v1"}, 'JSON that fits {"const":"v1"}'),
    ],
    ids=str,
)
def test_a_hint_says_what_is_accepted(schema, hint):
    assert only(schema).hint == hint


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "boolean", "default": False}, ("no",)),
        ({"enum": ["a", 1], "default": 1.0}, ("1",)),
        (SEVERAL | {"default": ["b", "a"]}, ("1", "0")),
        (LINES | {"default": ["a", "b"]}, ("a\nb",)),
        (TEXT | {"default": "a"}, ("a",)),
        ({"type": "number", "default": Number("1.50")}, ("1.50",)),
        (TEXT | {"money": "EUR", "default": "1.50"}, ("1.50",)),
    ],
    ids=str,
)
def test_a_default_stands_there_when_the_page_is_opened_and_not_when_it_was_taken_out(schema, values):
    assert only(schema).values == values
    assert only(schema, {}).values == ()
    assert typed_into(schema, *values)[0] == {"it": schema["default"]} or schema["default"] == ["b", "a"]


@pytest.mark.parametrize("schema", [{"type": "boolean"}, {"const": True}, {"enum": ["a"]}, SEVERAL, TEXT], ids=str)
def test_nothing_is_filled_in_that_nobody_filled_in(schema):
    assert only(schema).values == ()
    assert read(form(it=schema), {}) == ({}, [])


def test_choices_are_called_by_their_titles():
    found = only({"oneOf": [{"const": "sat", "title": "Saturday"}, {"const": "sun"}, {"const": ""}, {"const": 2.5}]})

    assert [option.label for option in found.options] == ["Saturday", "sun", "(empty)", "2.5"]
    assert [option.value for option in found.options] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("path", sorted(USE_CASES.glob("*.json")), ids=lambda path: path.stem)
def test_the_forms_of_the_use_cases_are_taken(path):
    body = json.loads(path.read_text(encoding="utf-8"))

    assert vocabulary.read_form(body.get("form") or form(a=TEXT))


# --- what typed text means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        (" 12.50\t", "12.50"),
        ("1e3", "1000"),
        ("-.5", "-0.5"),
        ("+7.", "7"),
        ("12,5", "12.5"),
        ("0,25", "0.25"),
        ("9007199254740993", "9007199254740993"),
        ("10000000000000000.01", "10000000000000000.01"),
        ("0" * 5000 + "1", "1"),
    ],
)
def test_a_number_is_read_as_people_write_it_to_the_last_digit(text, number):
    answer, problems = typed_into({"type": "number"}, text)

    assert (compact(answer), problems) == (f'{{"it":{number}}}', [])


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
@pytest.mark.parametrize("schema", [{"type": "number"}, TEXT | {"money": "EUR"}], ids=str)
def test_what_is_no_number_or_could_be_two_is_said_to_be_none(schema, text):
    assert wrong(schema, text) == "is not a number"


@pytest.mark.parametrize("text", ["1e999", "1e-999", "9" * 5000])
def test_a_number_that_no_float_is_near_to_is_out_of_range(text):
    assert wrong({"type": "number"}, text) == "is out of range"


def test_a_whole_number_may_have_a_point_but_nothing_behind_it():
    answer, _ = typed_into({"type": "integer"}, "3.0")

    assert compact(answer) == '{"it":3}'
    assert wrong({"type": "integer"}, "3.5") == "is not a whole number"
    assert wrong({"type": "integer"}, "3." + "0" * 30 + "1") == "is not a whole number"


@pytest.mark.parametrize(("text", "amount"), [("1250.00", "1250.00"), ("12,5", "12.5"), (" 7 ", "7"), ("1e3", "1000")])
def test_an_amount_keeps_its_zeros(text, amount):
    assert typed_into(TEXT | {"money": "EUR"}, text) == ({"it": amount}, [])


KINDS = [TEXT, TEXT | {"maxLength": 999}, TEXT | {"format": "date"}, TEXT | {"money": "EUR"}, {"type": "number"}]
KINDS += [{"type": "boolean"}, {"const": True}, {"enum": ["a"]}, LINES, {}]


@pytest.mark.parametrize("schema", [*KINDS, SEVERAL], ids=str)
@pytest.mark.parametrize("texts", [(), ("",), ("  \r\n ",)])
def test_what_is_blank_is_left_out(schema, texts):
    assert typed_into(schema, *texts) == ({}, [])


@pytest.mark.parametrize("schema", KINDS, ids=str)
def test_a_value_given_twice_where_one_is_meant_is_a_problem(schema):
    assert wrong(schema, "1", "1") == "was given more than once"


def test_a_yes_or_no_that_nobody_answered_is_not_a_no():
    assert typed_into({"type": "boolean"}, "no") == ({"it": False}, [])
    assert typed_into({"type": "boolean"}, "yes") == ({"it": True}, [])


@pytest.mark.parametrize("text", ["true", "on", "1", "Yes"])
@pytest.mark.parametrize("schema", [{"type": "boolean"}, {"const": True}], ids=str)
def test_what_is_no_answer_of_the_page_is_a_problem(schema, text):
    assert wrong(schema, text) == "is not one of the choices"


@pytest.mark.parametrize("text", ["2", "-1", "00", "a", "1.0", "\u0660", "9" * 99])
@pytest.mark.parametrize("schema", [{"enum": ["a", "b"]}, SEVERAL], ids=str)
def test_a_choice_that_is_not_offered_is_a_problem(schema, text):
    assert wrong(schema, text) == "is not one of the choices"


def test_several_choices_are_several_values():
    assert typed_into({"type": "array", "items": {"enum": ["a", 2, "c"]}}, "0", "2") == ({"it": ["a", "c"]}, [])


def test_one_line_is_trimmed_and_a_paragraph_is_not():
    assert typed_into(TEXT, " a b ") == ({"it": "a b"}, [])
    assert typed_into(TEXT | {"maxLength": 500}, " a\r\n\r\nb\rc ") == ({"it": " a\n\nb\nc "}, [])


def test_lines_become_a_list_without_the_empty_ones():
    assert typed_into(LINES, "a b\r\n\r\n c\r\n") == ({"it": ["a b", "c"]}, [])
    assert typed_into({"type": "array", "items": {"type": "integer"}}, "1\n 20") == ({"it": [1, 20]}, [])
    assert wrong({"type": "array", "items": {"type": "integer"}}, "1\nx") == "is not a number"


def test_what_says_true_must_be_said_by_a_person():
    """A caller's "I have read the rollback plan" is nothing the server can say for anybody."""
    schema = form(["read"], read={"const": True, "title": "I have read the rollback plan"})

    assert read(schema, {}) == ({}, [])
    assert read(schema, {"form/read": ["yes"]}) == ({"read": True}, [])
    found, _ = shown(schema, {})
    assert found["/read"].problems == ("I have read the rollback plan: an answer is needed.",)


def test_a_group_with_nothing_typed_in_it_is_left_out_unless_it_is_required():
    inner = group(["street"], street=TEXT, country=TEXT)
    schema = form(["home"], home=inner, work=inner)

    assert read(schema, {}) == ({"home": {}}, [])
    assert read(schema, {"form/work/country": ["x"]}) == ({"home": {}, "work": {"country": "x"}}, [])
    found, _ = shown(schema, {})
    assert [each.pointer for each in found.values() if each.problems] == ["/home/street"]


@pytest.mark.parametrize("text", ["1", "null", "[]", '"a"', '{"a": 1.50}', " true "])
def test_json_is_taken_as_it_is(text):
    answer, problems = typed_into({}, text)

    assert (compact(answer), problems) == (f'{{"it":{text.strip().replace(": ", ":")}}}', [])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "a",
        "NaN",
        "1e999",
        '{"a": 1, "a": 2}',
        "9" * 5000,
        r'"\ud800"',
        "[" * 17 + "]" * 17,
        "[" * 100_000,
        "\ufeff1",
    ],
    ids=lambda text: text[:20],
)
def test_what_the_api_would_not_read_as_json_is_none_here(text):
    assert wrong({}, text).startswith("is not JSON")


def test_names_that_are_no_inputs_are_passed_over():
    assert read(form(a=TEXT), {"comments": ["x"], "form": ["x"], "form/b": ["x"], "form/a/b": ["x"]}) == ({}, [])


# --- where a problem is shown ---------------------------------------------------------------------


def test_what_was_typed_is_shown_again_beside_what_is_wrong():
    found, rest = shown(form(["price"], price={"type": "number"}), {"form/price": ["12 euros"]})

    assert found["/price"].value == "12 euros"
    assert found["/price"].problems == ("Price is not a number.",)
    assert rest == ()


def test_what_was_chosen_is_chosen_again():
    found, _ = shown(form(a={"type": "array", "items": {"enum": [1, 2, 3]}}), {"form/a": ["0", "2"]})

    assert found["/a"].values == ("0", "2")


@pytest.mark.parametrize("name", ["price", "it's", 'a"b', "a/b", "é\n"])
def test_a_missing_answer_is_asked_for_at_its_own_input(name):
    schema = form([name], **{name: TEXT, "group": group([name], **{name: TEXT, "o": TEXT})})

    found, rest = shown(schema, {"form/group/o": ["x"]})

    asked = [each.label for each in found.values() if each.problems == (f"{each.label}: an answer is needed.",)]
    assert len(asked) == 2
    assert rest == ()


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        ({"type": "number", "minimum": 1, "maximum": 10}, "11", "It must be between 1 and 10."),
        (TEXT | {"maxLength": 3}, "abcd", "It must be at most 3 characters."),
        (TEXT | {"format": "date"}, "2026-02-30", "It must be a date (year-month-day)."),
        ({"type": "array", "items": TEXT | {"minLength": 2}}, "ab\nc", "It, line 2, must be at least 2 characters."),
        (SEVERAL | {"minItems": 2}, "0", "It must be at least 2 choices."),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_by_what_does(schema, text, said):
    found, rest = shown(form(it=schema), {"form/it": [text]})

    assert found["/it"].problems == (said,)
    assert rest == ()


@pytest.mark.parametrize("title", ["Out of which budget?", "Out of which budget:", "Out of which budget ؟"])
def test_what_a_label_ends_with_is_not_in_the_middle_of_a_sentence(title):
    found, _ = shown(form(["it"], it=TEXT | {"title": title}), {})

    assert found["/it"].problems == ("Out of which budget: an answer is needed.",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Antwort: ist kein JSON (Zeile 1, Spalte 2)."),
        (
            '{"a": 1, "a": 2}',
            (
                "Antwort: ist kein JSON, das hier angenommen wird: "
                "Das JSON hat ein Objekt mit zweimal demselben Schlüssel."
            ),
        ),
        ("NaN", "Antwort: ist kein JSON, das hier angenommen wird: NaN ist kein JSON."),
        ("[1]", "Antwort: ist kein JSON-Objekt."),
    ],
)
def test_what_is_wrong_with_json_is_said_in_the_language_of_the_page_alone(text, said):
    with languages.speaking(languages.choose("de")):
        _, problems = read({}, {"form": [text]})
        (found,) = inputs({}, {"form": [text]}, problems)

    assert found.problems == (said,)


def test_what_is_wrong_within_a_group_is_said_at_the_input_alone():
    found, rest = shown(form(g=group(a=TEXT | {"maxLength": 1}, b=TEXT)), {"form/g/a": ["xx"]})

    assert [each.pointer for each in found.values() if each.problems] == ["/g/a"]
    assert rest == ()


def test_problems_of_the_whole_answer_are_left_over_for_the_page():
    whole = Problem("", "comes to too much")

    assert fields.problems_without_input(inputs(form(a=TEXT), {}, [whole]), [whole]) == (whole,)
    (one,) = inputs({}, {"form": ["{}"]}, [whole, Problem("/a/b", "is required")])
    assert one.problems == ("Answer comes to too much.", "Answer: a/b: an answer is needed.")


def test_what_no_page_can_carry_is_not_shown_again():
    assert only(TEXT, {"form/it": ["a\ud800"]}).value == "a?"
    assert typed_into(TEXT, "a\ud800") == ({"it": "a?"}, [])


# --- any form, anything typed ---------------------------------------------------------------------

TYPED = st.sampled_from(["", " ", "0", "1", "yes", "no", "x", "1,5", "{}", '{"a": 1}', "null", "a\r\nb"]) | st.text()


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(schema=FORMS, data=st.data())
def test_whatever_is_typed_into_whatever_form_is_read_and_every_problem_is_shown(schema, data):
    names = [each.name for each in every(inputs(schema))]
    typed = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), st.lists(TYPED, max_size=3)))

    found, rest = shown(schema, typed)

    assert [each.name for each in found.values()] == names
    assert len(set(names)) == len(names)
    answer, unread = read(schema, typed)
    compact(answer).encode()
    judged = forms.answer_problems(vocabulary.read_form(schema), answer)
    assert bool(unread or judged) is any(each.problems for each in found.values())
    assert rest == ()


def typing(each, value):
    """Give what a person types, or clicks, to answer this."""
    match each.kind:
        case "group":
            return {
                name: texts
                for inner in each.inputs
                if (key := key_of(inner)) in value
                for name, texts in typing(inner, value[key]).items()
            }
        case "choice" | "yes_no" | "tick":
            return {each.name: [picked(each, value)]}
        case "choices":
            return {each.name: [picked(each, one) for one in value]}
        case "lines":
            return {each.name: ["\r\n".join(map(str, value))]}
    return {each.name: [str(value)]}


def picked(each, value):
    return next(option.value for option in each.options if option.means == value)


def key_of(each):
    return each.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def typeable(value, kind):
    """Leave out what a page cannot carry: what is blank, and names that the form does not have."""
    if isinstance(kind, forms.Group):
        kinds = {field.name: field.kind for field in kind.fields}
        found = {name: typeable(each, kinds[name]) for name, each in value.items() if name in kinds}
        return {name: each for name, each in found.items() if each not in ("", [], {})}
    return [each for each in value if each != ""] if isinstance(value, list) else value


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(FORMS, st.data())
def test_an_answer_that_is_typed_comes_back(schema, data):
    asked = vocabulary.read_form(schema)
    drawn = data.draw(answers(schema))
    fitting = {
        field.name: drawn[field.name]
        for field in asked.fields
        if field.name in drawn and not list(forms.find_problems(field.kind, drawn[field.name], ""))
    }
    answer = typeable(fitting, asked)
    known = {key_of(each): each for each in inputs(schema)}

    typed = {name: texts for key, value in answer.items() for name, texts in typing(known[key], value).items()}
    found, problems = fields.read_answer(asked, typed)

    groups = {field.name: {} for field in asked.fields if field.required and isinstance(field.kind, forms.Group)}
    assert problems == []
    assert found == groups | answer


def test_the_page_of_the_form_with_everything_has_an_input_for_each_field():
    assert [each.kind for each in every(inputs(EVERY_WORD))].count("json") == 0
    assert len(list(every(inputs(EVERY_WORD)))) == 19

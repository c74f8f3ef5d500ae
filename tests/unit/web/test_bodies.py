"""Everything that comes in as a body: limits, hygiene, strict types, and nonsense."""

from __future__ import annotations

import datetime as dt
import json
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.errors import (
    ApprovalError,
    BodyMissing,
    BodyTooLarge,
    Invalid,
    NotJsonMedia,
    Unreadable,
)
from approvals.rules import value
from approvals.rules.intake import Answer, Delegation, Untimely, Withdrawal
from approvals.rules.policy import Panel, Policy, Stage
from approvals.rules.text import one_line, prose
from approvals.rules.value import Problem
from approvals.web import bodies
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    NOON,
    a_cancellation,
    a_decision,
    a_panel,
    a_request,
    asked,
)
from tests.chance import examples, sized
from tests.unit.rules.test_text import IGNORABLE, NEARLY_UNSEEN

JSON = {"content-type": "application/json"}
KINDS = [
    bodies.RequestBody,
    Answer,
    Withdrawal,
    bodies.ReassignmentBody,
    Delegation,
    bodies.PreviewBody,
]
CAT = "\N{CAT FACE}"  # beyond the BMP: one code point, two UTF-16 units, four bytes
E_ACUTE = "e\N{COMBINING ACUTE ACCENT}"  # two code points, one in NFC
QA = "\N{DEVANAGARI LETTER QA}"  # one code point, two in NFC


def parse(body, kind=bodies.RequestBody, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return bodies.parse_body(kind, JSON if headers is None else headers, data)


def problems(body, kind=bodies.RequestBody):
    with pytest.raises(Invalid) as caught:
        parse(body, kind)
    return caught.value.problems


def pointers(body, kind=bodies.RequestBody):
    return [problem.pointer for problem in problems(body, kind)]


def refused(body, kind=bodies.RequestBody):
    with pytest.raises(Unreadable) as caught:
        parse(body, kind)
    return str(caught.value)


def a_reassignment(**fields):
    return {"by": ADA, "from": GRACE, "to": ALAN, **fields}


def a_delegation(**fields):
    return {"approver": GRACE, "to": ALAN, **fields}


def a_preview(*answers, **fields):
    return {"request": a_request(**fields), **({"answers": list(answers)} if answers else {})}


def an_answer(**fields):
    return {"approver": GRACE, "is_approved": True, "after_hours": 1, **fields}


def timeout_of(body):
    return body.to_policy().stages[0].panel.timeout


def nested(depth):
    """Build a request whose details reach down to the given level, the body being the first."""
    inner = []
    for _ in range(depth - 3):
        inner = [inner]
    return a_request(details={"deep": inner})


def with_details_of(size):
    """Build a request whose details are so many bytes, in characters of three bytes and one."""
    room = size - len(b'{"k":""}')
    return a_request(details={"k": "\N{EURO SIGN}" * (room // 3) + "x" * (room % 3)})


# --- the body as a whole --------------------------------------------------------------------------


def test_a_body_is_read():
    body = parse(a_request(timeout_hours=2, description="A\nB", details={"a": [1, None]}))

    assert (body.requester, body.item, body.description) == (ADA, "New laptop", "A\nB")
    assert timeout_of(body) == dt.timedelta(hours=2)
    assert body.details == {"a": [1, None]}


def test_what_is_left_out_has_a_default():
    body = parse(a_request())

    assert (body.description, body.details, timeout_of(body)) == ("", None, dt.timedelta(hours=24))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Answer, a_decision()),
        (Withdrawal, a_cancellation()),
        (bodies.ReassignmentBody, a_reassignment()),
        (Delegation, a_delegation()),
        (bodies.PreviewBody, a_preview()),
    ],
)
def test_the_other_bodies_are_read(kind, body):
    assert parse(body, kind).model_dump(exclude_defaults=True, by_alias=True) == body


def test_no_body_is_missing():
    with pytest.raises(BodyMissing):
        parse(b"")


@pytest.mark.parametrize("size", [65535, 65536])
def test_a_body_of_64_kib_is_read(size):
    assert parse(json.dumps(a_request()).encode().ljust(size)).requester == ADA


def test_a_byte_more_is_too_large_whatever_it_holds():
    for body in (json.dumps(a_request()).encode().ljust(65537), b"\xff" * 65537):
        with pytest.raises(BodyTooLarge, match="65536"):
            parse(body)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        " application/json ;x=y",
    ],
)
def test_json_may_be_announced_like_this(media):
    assert parse(a_request(), headers={"content-type": media}).requester == ADA


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/json"},
        {"content-type": "text/plain"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/problem+json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json, application/json"},
        {"content-type": "; application/json"},
    ],
)
def test_anything_else_is_not_json(headers):
    with pytest.raises(NotJsonMedia):
        parse(a_request(), headers=headers)


@pytest.mark.parametrize("body", [[], ["a"], "text", 1, 1.5, True, None])
def test_a_body_that_is_no_object_is_said_to_be_none(body):
    assert problems(body) == (Problem("", "must be a JSON object"),)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b" ", "not JSON"),
        (b"{", "not JSON"),
        (b'{"requester": "a', "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 01}', "not JSON"),
        (b'{"a": .5}', "not JSON"),
        (b'{"a": 1} {}', "not JSON"),
        (b'{"a": "\n"}', "not JSON"),
        (b'{"a": "\\x"}', "not JSON"),
        (b'{"a": "\\u12"}', "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"\x00", "not JSON"),
        (b"// no\n{}", "not JSON"),
        (b"requester=a&item=b", "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\xc0\xaf"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a": "\xf0\x9f\x98', "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b"NaN", "NaN"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": [-1e999]}', "out of range"),
        (b'{"a": ' + b"1" * 5001 + b"}", "too long"),
        (b'{"a": -' + b"1" * 5001 + b"}", "too long"),
        (b'{"a": 1, "a": 1}', "same key twice"),
        (b'{"a": 1, "\\u0061": 2}', "same key twice"),
        (b'{"x": [{"a": {"b": 1, "c": 2, "b": 3}}]}', "same key twice"),
        (b'{"": 1, "": 1}', "same key twice"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": ["\\udc00"]}', "surrogate"),
        (b'{"a": "\\ude00\\ud83d"}', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"a": {"\\udfff": 1}}', "surrogate"),
        (b'"\\ud800"', "surrogate"),
        (b"[" * 65536, "16 levels"),
        (b"[" * 32768 + b"]" * 32768, "16 levels"),
        (b'{"a":' * 13000, "16 levels"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "16 levels"),
    ],
)
def test_what_is_no_json_to_us_is_refused_with_a_reason(body, said):
    assert said in refused(body)


def test_a_whole_surrogate_pair_is_a_character():
    assert parse(b'{"requester": "\\ud83d\\udc31", "item": "b"}').requester == CAT


def test_keys_that_differ_in_case_or_in_composition_are_two_keys():
    details = {"a": 1, "A": 2, E_ACUTE: 3, unicodedata.normalize("NFC", E_ACUTE): 4}

    assert parse(a_request(details=details)).details == details


@pytest.mark.parametrize("depth", [3, 15, 16])
def test_sixteen_levels_are_read(depth):
    body = nested(depth)

    assert parse(body).details == body["details"]


def test_a_seventeenth_level_is_not():
    assert "16 levels" in refused(nested(17))


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet='{}[]",:\\u0dD8eE+-.1 aN\x00\ud800', max_size=80).map(
        lambda t: t.encode("utf-8", "surrogatepass")
    )
)
def test_any_bytes_are_read_or_refused_and_nothing_else(data):
    for kind in KINDS:
        try:
            value = parse(data, kind)
        except ApprovalError:
            continue
        assert isinstance(value, kind)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "requester",
        "item",
        "timeout_hours",
        "description",
        "details",
        "is_approved",
        "approver",
        "comments",
        "by",
        "reason",
        "from",
        "to",
        "approvers",
        "required",
        "reject_when",
        "on_timeout",
        "remind_every_hours",
        "escalate_to",
        "stages",
        "allow_self_approval",
        "comment_required",
        "options",
        "form",
        "stage",
        "option",
        "request",
        "answers",
    ]
)


@examples(30, 100)
@given(st.dictionaries(fields | st.text(max_size=3), anything, max_size=6))
def test_any_json_is_read_or_refused_with_a_pointer_to_each_wrong_field(value):
    for kind in KINDS:
        for problem in found_wrong(json.dumps(value).encode(), kind):
            name = problem.pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
            assert name in value or name in {field.alias or one for one, field in kind.model_fields.items()}


def found_wrong(body, kind):
    try:
        parse(body, kind)
    except Unreadable:
        return ()
    except Invalid as error:
        return error.problems or pytest.fail("a refusal without a reason")
    return ()


# --- fields ---------------------------------------------------------------------------------------


LIMITS = [
    (bodies.RequestBody, a_request, "requester", 254),
    (bodies.RequestBody, a_request, "item", 200),
    (bodies.RequestBody, a_request, "description", 8000),
    (Answer, a_decision, "approver", 254),
    (Answer, a_decision, "comments", 2000),
    (Withdrawal, a_cancellation, "by", 254),
    (Withdrawal, a_cancellation, "reason", 2000),
    (bodies.ReassignmentBody, a_reassignment, "by", 254),
    (bodies.ReassignmentBody, a_reassignment, "from", 254),
    (bodies.ReassignmentBody, a_reassignment, "to", 254),
    (bodies.ReassignmentBody, a_reassignment, "reason", 2000),
    (Delegation, a_delegation, "approver", 254),
    (Delegation, a_delegation, "to", 254),
    (Delegation, a_delegation, "comments", 2000),
]
ONE_LINE = [row for row in LIMITS if row[3] < 300]
PROSE = [row for row in LIMITS if row[3] > 300]


def of(rows):
    return pytest.mark.parametrize(
        ("kind", "build", "field", "most"), rows, ids=[f"{row[0].__name__}-{row[2]}" for row in rows]
    )


def read_of(body, field):
    return getattr(body, "holder" if field == "from" else field)


@of(LIMITS)
@pytest.mark.parametrize("one", ["x", CAT, "\N{LATIN SMALL LETTER E WITH ACUTE}", E_ACUTE], ids=ascii)
def test_lengths_are_counted_in_characters_after_nfc(kind, build, field, most, one):
    for count in (most - 1, most):
        body = parse(json.dumps(build(**{field: one * count}), ensure_ascii=False).encode(), kind)
        read = read_of(body, field)
        assert read == unicodedata.normalize("NFC", one) * count

    (problem,) = problems(json.dumps(build(**{field: one * (most + 1)}), ensure_ascii=False).encode(), kind)
    assert problem == Problem(f"/{field}", f"must have at most {most:,} characters, not {most + 1:,}")


@of(LIMITS)
def test_a_text_that_grows_in_nfc_is_counted_as_grown(kind, build, field, most):
    fits = parse(build(**{field: QA * (most // 2)}), kind)

    assert len(read_of(fits, field)) == most
    assert pointers(build(**{field: QA * (most // 2 + 1)}), kind) == [f"/{field}"]


@of(LIMITS)
def test_what_is_trimmed_does_not_count(kind, build, field, most):
    padded = " \t\n" + "x" * most + " \r\n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"

    assert read_of(parse(build(**{field: padded}), kind), field) == "x" * most


@of(ONE_LINE)
@pytest.mark.parametrize("text", ["", " ", "\t\n", "\N{IDEOGRAPHIC SPACE}"], ids=ascii)
def test_a_line_must_not_be_empty(kind, build, field, most, text):
    assert problems(build(**{field: text}), kind) == (Problem(f"/{field}", "must not be empty"),)


@of(PROSE)
@pytest.mark.parametrize("text", ["", " ", "\t\n"], ids=ascii)
def test_prose_may_be_empty(kind, build, field, most, text):
    assert getattr(parse(build(**{field: text}), kind), field) == ""


@of(ONE_LINE)
@pytest.mark.parametrize(
    "character",
    [*"\0\t\n\r\x1b\x7f\x85\u2028\u2029", *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"],
    ids=ascii,
)
def test_a_line_holds_no_control_and_nothing_that_turns_text_around(kind, build, field, most, character):
    assert pointers(build(**{field: f"Ada{character}Lovelace"}), kind) == [f"/{field}"]


@of(ONE_LINE)
@pytest.mark.parametrize("character", "\u00ad\u061c\u200b\u200d\u200e\u200f\u2800\u3164\ufe0f", ids=ascii)
def test_a_name_holds_nothing_that_nobody_sees_and_a_title_is_cleaned_of_it(kind, build, field, most, character):
    body = build(**{field: f"Ada{character}Lovelace"})

    if field == "item":
        assert parse(body, kind).item == "AdaLovelace"
    else:
        assert pointers(body, kind) == [f"/{field}"]


@of(PROSE)
def test_prose_has_lines_and_tabs_and_no_other_control(kind, build, field, most):
    read = parse(build(**{field: "One\r\nTwo\n\n\tThree"}), kind)

    assert getattr(read, field) == "One\r\nTwo\n\n\tThree"
    for character in "\0\x07\x0b\x0c\x1b\x7f\x85\u2028\u2029":
        assert pointers(build(**{field: f"a{character}b"}), kind) == [f"/{field}"]


@of(LIMITS)
@pytest.mark.parametrize("wrong", [None, True, 1, 1.5, [], ["x"], {}], ids=str)
def test_a_text_is_a_text(kind, build, field, most, wrong):
    assert pointers(build(**{field: wrong}), kind) == [f"/{field}"]


TURNS_TEXT_AROUND = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@sized(5_000)
def test_of_all_code_points_exactly_the_forbidden_are_refused_inside_and_none_is_left_at_the_ends(few):
    """By Unicode's own tables, not by the expressions that are tested; every day the first and some of the rest."""
    line, text, hidden = one_line(9), prose(9), IGNORABLE | NEARLY_UNSEEN
    for point in [*range(0x3100), *few(range(0x3100, sys.maxunicode + 1))]:
        one = chr(point)
        control = unicodedata.category(one) in {"Cc", "Zl", "Zp"}
        turns = unicodedata.bidirectional(one) in TURNS_TEXT_AROUND
        unseen = point in hidden
        for check, forbidden in ((line, control or turns or unseen), (text, control and one not in "\t\n\r")):
            inside = checked(check, f"a{one}b")
            assert (inside is None) == forbidden, f"U+{point:04X} inside: {inside!a}"
            if forbidden or one.isspace():
                trimmed = checked(check, f"{one}a{one}")
                assert (trimmed == "a") if one.isspace() else (trimmed is None), f"U+{point:04X} around: {trimmed!a}"


def checked(check, text):
    try:
        return check(text)
    except ValueError:
        return None


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_text_that_came_through_once_comes_through_unchanged(text):
    for check in (one_line(100), prose(100)):
        once = checked(check, text)
        assert once is None or check(once) == once


# --- timeout_hours --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "seconds"),
    [
        (1 / 3600, 1),
        (0.0002778, 1),
        (2 / 3600, 2),
        (0.5, 1800),
        (1, 3600),
        (1.0, 3600),
        (24, 86400),
        (719.9997222222222, 2591999),
        (719, 719 * 3600),
        (720, 2592000),
        (720.0, 2592000),
    ],
)
def test_a_timeout_is_from_one_second_to_thirty_days(hours, seconds):
    assert timeout_of(parse(a_request(timeout_hours=hours))) == pytest.approx(
        dt.timedelta(seconds=seconds), abs=dt.timedelta(milliseconds=100)
    )


@pytest.mark.parametrize(
    "hours", [0, 0.0, -0.0, -1, 0.9 / 3600, 720 + 1 / 3600, 721, 1e6, 1e308, -1e308, 5e-324, 2**53]
)
def test_a_timeout_is_no_shorter_and_no_longer(hours):
    (problem,) = problems(a_request(timeout_hours=hours))

    assert problem.pointer == "/timeout_hours"
    assert "30 days" in problem.detail


@pytest.mark.parametrize("hours", [2**53 + 1, -(2**53) - 1, 10**400, -(10**400), 10**4299])
def test_a_number_that_no_float_holds_is_out_of_range(hours):
    assert problems(a_request(timeout_hours=hours)) == (Problem("/timeout_hours", "is out of range"),)


@pytest.mark.parametrize("wrong", [True, False, "24", "", None, [24], {"hours": 24}], ids=str)
def test_a_timeout_is_a_number(wrong):
    assert pointers(a_request(timeout_hours=wrong)) == ["/timeout_hours"]


@settings(deadline=None)
@given(st.integers(1, 30 * 24 * 3600))
def test_every_whole_second_can_be_asked_for(seconds):
    assert timeout_of(parse(a_request(timeout_hours=seconds / 3600))) == dt.timedelta(seconds=seconds)


# --- details, and the other fields ----------------------------------------------------------------


@pytest.mark.parametrize("size", [16383, 16384])
def test_details_of_16_kib_are_read(size):
    body = with_details_of(size)

    assert len(value.compact(body["details"]).encode()) == size
    assert parse(body).details == body["details"]


def test_a_byte_more_of_details_is_refused():
    assert problems(with_details_of(16385)) == (
        Problem("/details", "must have at most 16,384 bytes of JSON, not 16,385"),
    )


def test_how_details_are_spelled_does_not_count():
    text = json.dumps(with_details_of(16384), indent=1)  # with spaces, and six bytes for each character of three

    assert len(text) > 32000
    assert len(value.compact(parse(text.encode()).details).encode()) == 16384


def test_details_may_be_null_and_are_no_other_thing_than_an_object():
    assert parse(a_request(details=None)).details is None
    assert parse(a_request(details={})).details == {}
    for wrong in ([], ["a"], "text", 1, True):
        assert pointers(a_request(details=wrong)) == ["/details"]


@pytest.mark.parametrize("wrong", [1, 0, 1.0, "true", "yes", "", None, [], {}], ids=repr)
def test_a_decision_is_true_or_false_and_nothing_like_it(wrong):
    assert pointers(a_decision(is_approved=wrong), Answer) == ["/is_approved"]


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        (bodies.RequestBody, ["/requester", "/item"]),
        (Answer, ["/is_approved", "/approver"]),
        (Withdrawal, ["/by"]),
        (bodies.ReassignmentBody, ["/by", "/from", "/to"]),
        (Delegation, ["/approver", "/to"]),
        (bodies.PreviewBody, ["/request"]),
    ],
)
def test_what_is_missing_is_named(kind, required):
    found = problems({}, kind)

    assert [problem.pointer for problem in found] == required
    assert {problem.detail for problem in found} == {"is required"}


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("colour", "/colour"),
        ("Item", "/Item"),
        ("", "/"),
        ("a/b", "/a~1b"),
        ("a~b", "/a~0b"),
        ("~1", "/~01"),
        ("/~", "/~1~0"),
        ("0", "/0"),
        ("a.b c", "/a.b c"),
        (CAT, f"/{CAT}"),
        ("request_id", "/request_id"),
        ("__class__", "/__class__"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "build"),
    [
        (bodies.RequestBody, a_request),
        (Answer, a_decision),
        (Withdrawal, a_cancellation),
        (bodies.ReassignmentBody, a_reassignment),
        (Delegation, a_delegation),
    ],
)
def test_a_field_we_do_not_know_is_pointed_to(kind, build, name, pointer):
    (problem,) = problems(build(**{name: 1}), kind)

    assert problem.pointer == pointer
    assert problem.detail.startswith("is not a field here")


def test_every_wrong_field_is_pointed_to_at_once():
    wrong = {"requester": "", "timeout_hours": 0, "description": 1, "colour": "red"}

    assert sorted(pointers(wrong)) == ["/colour", "/description", "/item", "/requester", "/timeout_hours"]


@pytest.mark.parametrize("pointer", ["/requester", "/details", "/timeout_hours"])
def test_what_was_sent_is_not_said_back(pointer):
    said = problems({"requester": ["s3cret"], "item": "x", "details": "s3cret", "timeout_hours": "s3cret"})

    assert pointer in [problem.pointer for problem in said]
    assert "s3cret" not in "".join(problem.detail for problem in said)


def test_bodies_that_mean_the_same_are_the_same_text():
    one = parse(
        b'{"requester": "ada@example.com", "item": "Caf\\u00e9", "timeout_hours": 5, "details": {"a": 1, "b": 2}}'
    )
    two = parse(
        json.dumps(
            {
                "details": {"b": 2, "a": 1},
                "item": f" Caf{E_ACUTE} ",
                "timeout_hours": 5.0,
                "description": "",
                "requester": ADA,
            }
        ).encode()
    )

    assert one.canonical() == two.canonical()


@pytest.mark.parametrize(
    "other", [{"item": "x"}, {"requester": GRACE}, {"timeout_hours": 5}, {"description": "x"}, {"details": {}}]
)
def test_bodies_that_mean_something_else_are_another_text(other):
    assert parse(a_request()).canonical() != parse(a_request(**other)).canonical()


def test_a_body_of_the_first_version_is_the_same_text_as_it_was_then():
    """Who sends it again after an upgrade, with the same Idempotency-Key, means the same request."""
    then = {"description": "", "details": None, "item": "New laptop", "requester": ADA, "timeout_hours": 24.0}

    assert json.loads(parse(a_request()).canonical_before()) == then


# --- policies: what is agreed ---------------------------------------------------------------------


def stages_of(**fields):
    return parse(a_request(**fields)).to_policy().stages


def staged(**stage):
    """Build a request of two stages, the second as given."""
    return a_request(stages=[{"name": "first"}, {"name": "second", **stage}])


def escalating(*approvers, **fields):
    return {"on_timeout": "escalate", "escalate_to": {"approvers": [*approvers], **fields}}


def test_a_request_that_agrees_on_nothing_has_one_open_slot_and_silence_is_a_timeout():
    policy = parse(a_request()).to_policy()

    assert policy == Policy(stages=(Stage(panel=Panel(timeout_seconds=24 * 3600)),), form_required="on_approve")
    assert policy.stages[0].panel.slots == 1
    assert policy.allow_self_approval is False


def test_the_short_form_is_one_stage():
    (stage,) = stages_of(
        approvers=[GRACE, ALAN],
        required="all",
        reject_when="impossible",
        timeout_hours=48,
        remind_every_hours=8,
        **escalating(EVE, timeout_hours=2, on_timeout="reject"),
    )

    assert stage == Stage(
        panel=a_panel(
            GRACE, ALAN, hours=48, required=2, reject_when="impossible", on_timeout="escalate", remind_hours=8
        ),
        escalation=a_panel(EVE, hours=2, on_timeout="reject"),
    )


def test_stages_are_asked_in_the_order_in_which_they_stand():
    body = parse(a_request(stages=[{"name": "Team", "approvers": [GRACE]}, {"approvers": [ALAN], "timeout_hours": 1}]))

    assert body.to_policy().stages == (
        Stage(name="Team", panel=a_panel(GRACE)),
        Stage(panel=a_panel(ALAN, hours=1)),
    )


def test_what_holds_for_the_whole_request_stands_beside_the_stages():
    policy = parse(
        a_request(
            stages=[{"approvers": [ADA]}],
            allow_self_approval=True,
            comment_required="on_reject",
            options=[{"name": "This week only", "approves": True}, {"name": "Later", "approves": False}],
            form={"type": "object", "title": "\N{EURO SIGN}"},
        )
    ).to_policy()

    assert policy.allow_self_approval is True
    assert policy.comment_required == "on_reject"
    assert [(option.name, option.approves) for option in policy.options] == [("This week only", True), ("Later", False)]
    assert policy.form == '{"type":"object","title":"\N{EURO SIGN}"}'


@pytest.mark.parametrize(("word", "count"), [("any", 1), ("all", 3), (1, 1), (2, 2), (3, 3)])
def test_how_many_are_required_is_a_word_or_a_number(word, count):
    (stage,) = stages_of(approvers=[GRACE, ALAN, EVE], required=word)

    assert stage.panel.required == count


@pytest.mark.parametrize("word", ["any", 1])
def test_where_nobody_is_named_one_answer_is_required(word):
    assert stages_of(required=word)[0].panel.required == 1


def test_who_may_decide_on_their_own_request_can_be_asked():
    policy = parse(a_request(approvers=[ADA], allow_self_approval=True)).to_policy()

    assert policy.stages[0].panel.approvers == (ADA,)
    assert not asked(policy=policy).forbids(ADA.upper())


def test_the_requester_may_be_among_those_asked_when_the_others_are_enough():
    assert stages_of(approvers=[ADA, GRACE, ALAN], required=2)[0].panel.slots == 3


def test_no_stages_at_all_is_the_short_form():
    assert parse(a_request(stages=None, approvers=[GRACE])).to_policy().stages == (Stage(panel=a_panel(GRACE)),)


def test_the_same_person_may_be_asked_in_several_stages():
    body = staged(approvers=[GRACE])
    body["stages"][0]["approvers"] = [GRACE]

    assert len(parse(body).to_policy().stages) == 2


# --- policies: nonsense ---------------------------------------------------------------------------

NONSENSE = {
    # what cannot be meant: (the fields of a stage, the pointers into it)
    "two of one": ({"approvers": [GRACE], "required": 2}, ["/required"]),
    "three of two": ({"approvers": [GRACE, ALAN], "required": 3}, ["/required"]),
    "two of nobody": ({"required": 2}, ["/required"]),
    "two of two, one of whom cannot": ({"approvers": [GRACE, ADA], "required": 2}, ["/required"]),
    "all of two, one of whom cannot": ({"approvers": [ADA.upper(), GRACE], "required": "all"}, ["/required"]),
    "none": ({"approvers": [GRACE], "required": 0}, ["/required"]),
    "fewer than none": ({"approvers": [GRACE], "required": -1}, ["/required"]),
    "one and a half": ({"approvers": [GRACE, ALAN], "required": 1.5}, ["/required"]),
    "most": ({"approvers": [GRACE], "required": "most"}, ["/required"]),
    "a number in words": ({"approvers": [GRACE], "required": "1"}, ["/required"]),
    "true of them": ({"approvers": [GRACE], "required": True}, ["/required"]),
    "null of them": ({"approvers": [GRACE], "required": None}, ["/required"]),
    "a list of numbers": ({"approvers": [GRACE], "required": [1]}, ["/required"]),
    "more than any number": ({"approvers": [GRACE], "required": 10**400}, ["/required"]),
    "only the requester": ({"approvers": [ADA]}, ["/approvers"]),
    "only the requester, shouting": ({"approvers": [ADA.upper()]}, ["/approvers"]),
    "the requester twice": ({"approvers": [ADA, ADA.upper()]}, ["/approvers/1", "/approvers"]),
    "somebody twice": ({"approvers": [GRACE, GRACE]}, ["/approvers/1"]),
    "somebody twice, shouting": ({"approvers": [GRACE, ALAN, GRACE.upper()]}, ["/approvers/2"]),
    "somebody twice, with a blank": ({"approvers": [GRACE, f" {GRACE} "]}, ["/approvers/1"]),
    "somebody thrice": ({"approvers": [GRACE, GRACE, GRACE]}, ["/approvers/1", "/approvers/2"]),
    "somebody twice, composed otherwise": ({"approvers": [f"Andr{E_ACUTE}", "ANDR\u00c9"]}, ["/approvers/1"]),
    "a sharp s twice": ({"approvers": ["Stra\u00dfe", "STRASSE"]}, ["/approvers/1"]),
    "nobody's name": ({"approvers": [GRACE, " "]}, ["/approvers/1"]),
    "a number's name": ({"approvers": [1]}, ["/approvers/0"]),
    "one who is no list": ({"approvers": GRACE}, ["/approvers"]),
    "null for people": ({"approvers": None}, ["/approvers"]),
    "escalating to nowhere": ({"approvers": [GRACE], "on_timeout": "escalate"}, ["/escalate_to"]),
    "escalating to null": ({"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": None}, ["/escalate_to"]),
    "an escalation for no reason": ({"approvers": [GRACE], "escalate_to": {"approvers": [EVE]}}, ["/escalate_to"]),
    "an escalation after approval": (
        {"approvers": [GRACE], "on_timeout": "approve", "escalate_to": {"approvers": [EVE]}},
        ["/escalate_to"],
    ),
    "escalating to whoever": ({"approvers": [GRACE], **escalating()}, ["/escalate_to/approvers"]),
    "escalating twice": (
        {"approvers": [GRACE], **escalating(ALAN, on_timeout="escalate")},
        ["/escalate_to/on_timeout"],
    ),
    "escalating to who escalates": (
        {"approvers": [GRACE], **escalating(ALAN, escalate_to={"approvers": [EVE]})},
        ["/escalate_to/escalate_to"],
    ),
    "escalating to the asked": ({"approvers": [GRACE, ALAN], **escalating(EVE, ALAN)}, ["/escalate_to/approvers/1"]),
    "escalating to the asked, shouting": (
        {"approvers": [GRACE], **escalating(GRACE.upper())},
        ["/escalate_to/approvers/0"],
    ),
    "escalating to the requester": ({"approvers": [GRACE], **escalating(ADA)}, ["/escalate_to/approvers"]),
    "escalating to somebody twice": ({"approvers": [GRACE], **escalating(EVE, EVE)}, ["/escalate_to/approvers/1"]),
    "escalating to fewer than required": (
        {"approvers": [GRACE], **escalating(EVE, required=2)},
        ["/escalate_to/required"],
    ),
    "escalating to too few who can": (
        {"approvers": [GRACE], **escalating(EVE, ADA, required="all")},
        ["/escalate_to/required"],
    ),
    "reminding at the deadline": ({"timeout_hours": 2, "remind_every_hours": 2}, ["/remind_every_hours"]),
    "reminding after the deadline": ({"timeout_hours": 2, "remind_every_hours": 3}, ["/remind_every_hours"]),
    "reminding after the usual deadline": ({"remind_every_hours": 24}, ["/remind_every_hours"]),
    "reminding always": ({"remind_every_hours": 0}, ["/remind_every_hours"]),
    "reminding truly": ({"remind_every_hours": True}, ["/remind_every_hours"]),
    "reminding an escalation too late": (
        {"approvers": [GRACE], **escalating(EVE, timeout_hours=1, remind_every_hours=1)},
        ["/escalate_to/remind_every_hours"],
    ),
    "rejecting when all do": ({"reject_when": "all"}, ["/reject_when"]),
    "waiting for ever": ({"on_timeout": "wait"}, ["/on_timeout"]),
    "no time": ({"timeout_hours": 0}, ["/timeout_hours"]),
    "an escalation with no time": (
        {"approvers": [GRACE], **escalating(EVE, timeout_hours=0)},
        ["/escalate_to/timeout_hours"],
    ),
    "a colour": ({"colour": "red"}, ["/colour"]),
    "an escalation's colour": ({"approvers": [GRACE], **escalating(EVE, colour="red")}, ["/escalate_to/colour"]),
    "an escalation's name": ({"approvers": [GRACE], **escalating(EVE, name="Boss")}, ["/escalate_to/name"]),
    "what is a number": ({"escalate_to": 1}, ["/escalate_to"]),
}
nonsense = pytest.mark.parametrize("what", NONSENSE)


@nonsense
def test_what_cannot_be_meant_is_pointed_to(what):
    fields, wrong = NONSENSE[what]

    assert pointers(a_request(**fields)) == wrong


@nonsense
def test_what_cannot_be_meant_is_pointed_to_in_its_stage(what):
    fields, wrong = NONSENSE[what]

    assert pointers(staged(**fields)) == [f"/stages/1{pointer}" for pointer in wrong]


@nonsense
def test_what_cannot_be_meant_cannot_be_previewed(what):
    fields, wrong = NONSENSE[what]

    assert pointers(a_preview(**fields), bodies.PreviewBody) == [f"/request{pointer}" for pointer in wrong]


def test_the_requester_is_recognised_in_every_spelling():
    for requester, approver in [
        (f"Andr{E_ACUTE}", "ANDR\u00c9"),
        ("ANDR\u00c9", f"andr{E_ACUTE}"),
        ("Stra\u00dfe", "STRASSE"),
        (ADA, f" {ADA.title()} "),
    ]:
        assert pointers(a_request(requester=requester, approvers=[approver])) == ["/approvers"]


@pytest.mark.parametrize("field", sorted(bodies.AskingBody.model_fields))
def test_a_field_of_the_short_form_does_not_stand_beside_stages(field):
    value = {"approvers": [GRACE], "required": 1, "escalate_to": None, "timeout_hours": 24, "remind_every_hours": None}
    value |= {"timeout": "P1D", "remind_every": "PT8H"}
    usual = {"reject_when": "any", "on_timeout": "timeout", "assurance": "any"}

    body = a_request(stages=[{"approvers": [GRACE]}], **{field: (value | usual)[field]})

    assert pointers(body) == [f"/{field}"]


@pytest.mark.parametrize("wrong", [[], {}, "x", 1, [1], [[]], [None]], ids=str)
def test_stages_are_a_list_of_at_least_one(wrong):
    (pointer,) = pointers(a_request(stages=wrong))

    assert pointer in {"/stages", "/stages/0"}


def test_the_short_form_has_no_name():
    assert pointers(a_request(name="Team")) == ["/name"]


def test_two_stages_do_not_share_a_name():
    body = a_request(stages=[{"name": "Team"}, {"name": "Boss"}, {"name": " Team "}])

    assert pointers(body) == ["/stages/2/name"]


def test_stages_without_a_name_are_told_apart_by_number():
    assert len(stages_of(stages=[{"approvers": [GRACE]}, {"approvers": [ALAN]}])) == 2


@pytest.mark.parametrize(("one", "two"), [("Yes", "Yes"), ("Yes", " YES "), (f"Caf{E_ACUTE}", "CAF\u00c9")])
def test_two_options_do_not_share_a_name(one, two):
    options = [{"name": one, "approves": True}, {"name": "No", "approves": False}, {"name": two, "approves": False}]

    assert pointers(a_request(options=options)) == ["/options/2/name"]


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ({"name": "x"}, ["/options/0/approves"]),
        ({"approves": True}, ["/options/0/name"]),
        ({"name": "", "approves": True}, ["/options/0/name"]),
        ({"name": "x", "approves": 1}, ["/options/0/approves"]),
        ({"name": "x", "approves": "true"}, ["/options/0/approves"]),
        ({"name": "x", "approves": True, "colour": "red"}, ["/options/0/colour"]),
        ("x", ["/options/0"]),
        (None, ["/options/0"]),
    ],
)
def test_an_option_has_a_name_and_a_meaning(option, wrong):
    assert pointers(a_request(options=[option])) == wrong


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("allow_self_approval", "true"),
        ("allow_self_approval", 1),
        ("allow_self_approval", None),
        ("comment_required", "sometimes"),
        ("comment_required", True),
        ("options", {}),
        ("options", None),
        ("form", []),
        ("form", "{}"),
        ("form", True),
    ],
)
def test_what_holds_for_the_whole_request_is_pointed_to(field, wrong):
    assert pointers(a_request(**{field: wrong})) == [f"/{field}"]


@pytest.mark.parametrize("wrong", ["", "never", "on_reject", True, None], ids=str)
def test_a_form_is_owed_by_an_approval_or_always(wrong):
    assert parse(a_request()).to_policy().form_required == "on_approve"
    assert parse(a_request(form_required="always")).to_policy().form_required == "always"
    assert pointers(a_request(form_required=wrong)) == ["/form_required"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1250.00", "1250"),
        ("1250.0", "1.25e3"),
        ("0.00000025", "2.5E-7"),
        ("-0.0", "0"),
        ("10000000000000000.010", "10000000000000000.01"),
    ],
)
def test_numbers_of_the_same_value_are_the_same_body(one, other):
    assert with_number(one).canonical() == with_number(other).canonical()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10000000000000000.01", "10000000000000000.02"),
        ("123456789012345678.0", "123456789012345680.0"),
        ("0.1", "0.10000000000000001"),
        ("1250", '"1250"'),
        ("1", "true"),
        ("10", "1"),
    ],
)
def test_numbers_of_other_values_are_another_body(one, other):
    assert with_number(one).canonical() != with_number(other).canonical()


@pytest.mark.parametrize("number", ["1250.00", "0.00000025", "1e3", "12", "-0.0", "10000000000000000.01"])
def test_a_body_is_written_as_it_was_before_numbers_kept_their_digits_so_that_its_key_finds_its_request(number):
    then = json.dumps(json.loads(number))

    assert with_number(number).canonical_before() == (
        f'{{"description": "", "details": {{"n": [{then}]}}, "item": "New laptop", '
        f'"requester": "{ADA}", "timeout_hours": 24.0}}'
    )


def with_number(text):
    body = json.dumps(a_request(details={"n": ["here"]})).replace('"here"', text)
    return bodies.parse_body(bodies.RequestBody, {"content-type": "application/json"}, body.encode())


def test_everything_that_cannot_be_meant_is_told_at_once():
    body = a_request(
        stages=[{"name": "x", "approvers": [ADA]}, {"name": "x", "approvers": [GRACE], "required": 2}],
        options=[{"name": "y", "approves": True}, {"name": "y", "approves": True}],
    )

    found = ["/options/1/name", "/stages/0/approvers", "/stages/1/name", "/stages/1/required"]
    assert sorted(pointers(body)) == found


def test_twenty_problems_are_told_and_no_more():
    body = a_request(stages=[{"approvers": [GRACE] * 20}] * 5)

    assert len(problems(body)) == bodies.PROBLEMS_TOLD == 20


# --- policies: limits -----------------------------------------------------------------------------

NEAR = [-1, 0, 1]
near_a_limit = pytest.mark.parametrize("near", NEAR)


def people(count):
    return [f"person-{n}@example.com" for n in range(count)]


def within(near, body, pointer, kind=bodies.RequestBody):
    """Assert that a body is read below and at a limit, and refused with one pointer above; give it, if read."""
    if near > 0:
        assert pointers(body, kind) == [pointer]
        return None
    return parse(body, kind)


@near_a_limit
def test_twenty_people_are_asked_at_most(near):
    within(near, a_request(approvers=people(20 + near)), "/approvers")
    within(near, staged(approvers=people(20 + near)), "/stages/1/approvers")
    within(near, a_request(approvers=[GRACE], **escalating(*people(20 + near))), "/escalate_to/approvers")


@near_a_limit
def test_five_stages_are_asked_at_most(near):
    body = within(near, a_request(stages=[{"name": f"{n}"} for n in range(5 + near)]), "/stages")

    assert near > 0 or len(body.to_policy().stages) == 5 + near


@near_a_limit
def test_ten_options_are_offered_at_most(near):
    within(near, a_request(options=[{"name": f"{n}", "approves": True} for n in range(10 + near)]), "/options")


@near_a_limit
@pytest.mark.parametrize("one", ["x", CAT, E_ACUTE], ids=ascii)
def test_the_names_of_stages_and_options_have_sixty_characters_at_most(near, one):
    name = one * (60 + near)

    within(near, staged(name=name), "/stages/1/name")
    within(near, a_request(options=[{"name": name, "approves": True}]), "/options/0/name")
    within(near, a_decision(option=name), "/option", Answer)
    within(near, a_preview(an_answer(option=name)), "/answers/0/option", bodies.PreviewBody)


@near_a_limit
def test_the_stage_a_decision_is_for_has_sixty_characters_at_most(near):
    within(near, a_decision(stage=CAT * (60 + near)), "/stage", Answer)


@near_a_limit
def test_the_names_of_people_have_254_characters_at_most(near):
    within(near, a_request(approvers=[GRACE, CAT * (254 + near)]), "/approvers/1")


@near_a_limit
def test_a_form_has_16_kib_at_most(near):
    form = {"title": "\N{EURO SIGN}" * 5456 + "x" * (16384 - 5456 * 3 - len('{"title":""}') + near)}

    assert len(value.compact(form).encode()) == 16384 + near
    within(near, a_request(form=form), "/form")


@near_a_limit
@pytest.mark.parametrize("one", ["x", CAT], ids=ascii)
def test_an_answer_to_a_form_has_4096_characters_of_json_at_most(near, one):
    answer = {"k": one * (4096 - len('{"k":""}') + near)}

    body = within(near, a_decision(form=answer), "/form", Answer)

    assert near > 0 or body.form == answer


@near_a_limit
def test_a_hundred_answers_are_imagined_at_most(near):
    within(near, a_preview(*[an_answer()] * (100 + near)), "/answers", bodies.PreviewBody)


@pytest.mark.parametrize("hours", [0, 0.0, 1e-9, 1, 8759.999, 8760, 8760.0])
def test_an_answer_is_imagined_within_a_year(hours):
    body = parse(a_preview(an_answer(after_hours=hours)), bodies.PreviewBody)

    assert body.answers[0].after_hours == hours


@pytest.mark.parametrize("hours", [-1, -1e-9, 8760.001, 8761, 1e308, 10**400, True, "1", [1]], ids=str)
def test_no_answer_is_imagined_before_or_after(hours):
    assert pointers(a_preview(an_answer(after_hours=hours)), bodies.PreviewBody) == ["/answers/0/after_hours"]


SECOND = 1 / 3600


@pytest.mark.parametrize("hours", [SECOND, 2 * SECOND, 1, 719, 720 - SECOND])
def test_people_are_reminded_every_second_at_most_and_before_the_deadline(hours):
    (stage,) = stages_of(timeout_hours=720, remind_every_hours=hours)

    assert stage.panel.remind_every == dt.timedelta(seconds=round(hours * 3600))


@pytest.mark.parametrize("hours", [-1, 0, 0.9 * SECOND, 720, 720 + SECOND, 1e308, 10**400, True, "1", [1]], ids=str)
def test_people_are_not_reminded_more_often_or_too_late(hours):
    assert pointers(a_request(timeout_hours=720, remind_every_hours=hours)) == ["/remind_every_hours"]


@near_a_limit
def test_all_stages_and_their_escalations_together_last_thirty_days_at_most(near):
    last = {"approvers": [GRACE], "timeout_hours": 44 + near * SECOND, **escalating(EVE, timeout_hours=100)}
    body = a_request(stages=[{"timeout_hours": 144}] * 4 + [last])

    within(near, body, "/stages")


@near_a_limit
def test_an_escalation_counts_into_the_thirty_days_of_the_short_form(near):
    body = a_request(approvers=[GRACE], timeout_hours=620, **escalating(EVE, timeout_hours=100 + near * SECOND))

    within(near, body, "/timeout_hours")


# --- the bodies that come with policies -----------------------------------------------------------


def test_from_whom_and_to_whom_is_said_in_plain_words():
    body = parse(a_reassignment(reason=" On leave "), bodies.ReassignmentBody)

    assert (body.by, body.holder, body.to, body.reason) == (ADA, GRACE, ALAN, "On leave")


def test_how_we_call_the_holder_is_no_field():
    body = {"by": ADA, "holder": GRACE, "to": ALAN}

    assert sorted(pointers(body, bodies.ReassignmentBody)) == ["/from", "/holder"]


def test_a_decision_names_its_stage_option_and_answer_if_it_likes():
    body = parse(a_decision(stage="Team", option="Yes", form={"a": 1}), Answer)

    assert (body.stage, body.option, body.form) == ("Team", "Yes", {"a": 1})
    assert parse(a_decision(stage=2), Answer).stage == 2
    assert parse(a_decision(stage=None, option=None, form=None), Answer).stage is None


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, False, "", " ", [], {}, 10**400], ids=str)
def test_a_stage_is_a_name_or_a_number_from_one(wrong):
    assert pointers(a_decision(stage=wrong), Answer) == ["/stage"]


@pytest.mark.parametrize("wrong", [[], "x", 1, True], ids=str)
def test_an_answer_to_a_form_is_an_object(wrong):
    assert pointers(a_decision(form=wrong), Answer) == ["/form"]


def test_a_preview_points_into_the_request_and_into_each_answer():
    body = a_preview(an_answer(approver=""), an_answer(is_approved=1), an_answer(colour="red"), item="")

    found = ["/answers/0/approver", "/answers/1/is_approved", "/answers/2/colour", "/request/item"]
    assert sorted(pointers(body, bodies.PreviewBody)) == found


@pytest.mark.parametrize(
    "other", [{"reject_when": "impossible"}, {"approvers": [GRACE]}, {"form": {}}, {"on_timeout": "reject"}]
)
def test_bodies_that_agree_on_something_else_are_another_text(other):
    assert parse(a_request()).canonical() != parse(a_request(**other)).canonical()


# --- one spelling of durations --------------------------------------------------------------------


def test_a_duration_says_the_same_as_hours():
    assert timeout_of(parse(a_request(timeout="P2D"))) == dt.timedelta(days=2)
    (stage,) = stages_of(
        approvers=[GRACE], timeout="PT8H", remind_every="PT1H", **escalating(EVE, timeout="PT30M", remind_every="PT5M")
    )
    assert stage.panel.remind_every == dt.timedelta(hours=1)
    assert stage.escalation.timeout == dt.timedelta(minutes=30)
    assert stage.escalation.remind_every == dt.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"timeout": "P1D"}),
        ({"timeout_hours": 36}, {"timeout": "P1DT12H"}),
        ({"remind_every_hours": 8}, {"remind_every": "PT480M"}),
        ({"stages": [{"timeout_hours": 2}, {}]}, {"stages": [{"timeout": "PT2H"}, {"timeout": "PT24H"}]}),
        (
            escalating(EVE, timeout_hours=2, remind_every_hours=1) | {"approvers": [GRACE]},
            escalating(EVE, timeout="PT2H", remind_every="PT1H") | {"approvers": [GRACE]},
        ),
        ({"deadline": "2026-12-01T17:00:00Z"}, {"deadline": "2026-12-01T18:00:00.0+01:00"}),
        ({}, {"timeout": None, "remind_every": None, "deadline": None}),
    ],
)
def test_bodies_that_differ_in_spelling_alone_are_the_same_text(one, other):
    assert parse(a_request(**one)).canonical() == parse(a_request(**other)).canonical()
    assert parse(a_request(**one)).canonical_before() == parse(a_request(**other)).canonical_before()


def test_another_deadline_is_another_text():
    one, other = ({"deadline": f"2026-12-01T17:00:0{second}Z"} for second in (0, 1))

    assert parse(a_request(**one)).canonical() != parse(a_request(**other)).canonical()
    assert parse(a_request(**one)).canonical() != parse(a_request()).canonical()


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"timeout": "P1D", "timeout_hours": 24}, ["/timeout", "/timeout_hours"]),
        ({"timeout": "P1D", "deadline": "2026-12-01T17:00:00Z"}, ["/timeout", "/deadline"]),
        ({"timeout_hours": 24, "deadline": "2026-12-01T17:00:00Z"}, ["/timeout_hours", "/deadline"]),
        (
            {"timeout": "P1D", "timeout_hours": 24, "deadline": "2026-12-01T17:00:00Z"},
            ["/timeout", "/timeout_hours", "/deadline"],
        ),
        ({"remind_every": "PT1H", "remind_every_hours": 1}, ["/remind_every", "/remind_every_hours"]),
        (
            {"approvers": [GRACE]} | escalating(EVE, timeout="P1D", timeout_hours=24),
            ["/escalate_to/timeout", "/escalate_to/timeout_hours"],
        ),
        ({"stages": [{"timeout": "P1D", "timeout_hours": 24}]}, ["/stages/0/timeout", "/stages/0/timeout_hours"]),
        ({"stages": [{}], "deadline": "2026-12-01T17:00:00Z"}, ["/deadline"]),
    ],
)
def test_two_spellings_exclude_each_other(said, wrong):
    assert pointers(a_request(**said)) == wrong


@pytest.mark.parametrize("text", ["PT0S", "PT0.999S", "P30DT1S", "P1M", "P1Y", "P1W", "24", "", 24, True, ["P1D"]])
@pytest.mark.parametrize("field", ["timeout", "remind_every"])
def test_a_duration_is_from_one_second_to_thirty_days(field, text):
    assert pointers(a_request(**{field: text})) == [f"/{field}"]


def test_problems_point_to_the_spelling_that_was_sent():
    late = {"timeout": "PT2H", "remind_every": "PT2H", "approvers": [GRACE]}

    assert pointers(a_request(**late)) == ["/remind_every"]
    assert pointers(a_request(stages=[late])) == ["/stages/0/remind_every"]
    assert pointers(a_request(timeout="P30D", approvers=[GRACE], **escalating(EVE))) == ["/timeout"]


def test_a_deadline_is_worked_out_when_the_request_is_made():
    proposal = parse(a_request(deadline="2026-03-01T14:00:00Z", approvers=[GRACE])).proposal()

    assert proposal.timed(NOON).policy.stages[0].panel.timeout == dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"deadline": "2026-03-01T12:00:00Z"}, "/deadline"),
        ({"deadline": "2026-03-31T12:00:01Z"}, "/deadline"),
        ({"deadline": "2026-03-01T14:00:00Z", "remind_every": "PT2H"}, "/remind_every"),
        ({"deadline": "2026-03-31T12:00:00Z", "approvers": [GRACE]} | escalating(EVE), "/deadline"),
    ],
)
def test_a_deadline_that_cannot_be_kept_is_pointed_to(fields, pointer):
    with pytest.raises(Untimely) as caught:
        parse(a_request(**fields)).proposal().timed(NOON)

    assert [problem.pointer for problem in caught.value.problems] == [pointer]


def test_an_imagined_answer_says_when_in_one_of_two_spellings():
    spelled = {name: value for name, value in an_answer().items() if name != "after_hours"}

    read = parse(a_preview({**spelled, "after": "PT90M"}), bodies.PreviewBody).answers[0].answer()
    assert read.after == dt.timedelta(minutes=90)
    assert pointers(a_preview(spelled), bodies.PreviewBody) == ["/answers/0/after"]
    both = ["/answers/0/after", "/answers/0/after_hours"]
    assert pointers(a_preview({**spelled, "after": "PT1H", "after_hours": 1}), bodies.PreviewBody) == both
    assert pointers(a_preview({**spelled, "after": "P366D"}), bodies.PreviewBody) == ["/answers/0/after"]

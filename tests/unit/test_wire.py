"""Everything that comes in: limits, hygiene, strict types; and that what goes out fits where it must go."""

from __future__ import annotations

import datetime as dt
import json
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import errors, model, wire
from approvals.errors import (
    ApprovalError,
    BadHeader,
    BodyMissing,
    BodyTooLarge,
    Invalid,
    NotJsonMedia,
    Problem,
    Unreadable,
)
from tests.builders import ADA, GRACE, NOON, a_cancellation, a_decision, a_request, asked, cancelled, decided

JSON = {"content-type": "application/json"}
CAT = "\N{CAT FACE}"  # beyond the BMP: one code point, two UTF-16 units, four bytes
E_ACUTE = "e\N{COMBINING ACUTE ACCENT}"  # two code points, one in NFC
QA = "\N{DEVANAGARI LETTER QA}"  # one code point, two in NFC


def parse(body, kind=wire.RequestBody, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return wire.parse(kind, JSON if headers is None else headers, data)


def problems(body, kind=wire.RequestBody):
    with pytest.raises(Invalid) as caught:
        parse(body, kind)
    return caught.value.problems


def pointers(body, kind=wire.RequestBody):
    return [problem.pointer for problem in problems(body, kind)]


def refused(body, kind=wire.RequestBody):
    with pytest.raises(Unreadable) as caught:
        parse(body, kind)
    return str(caught.value)


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
    assert body.timeout == dt.timedelta(hours=2)
    assert body.details == {"a": [1, None]}


def test_what_is_left_out_has_a_default():
    body = parse(a_request())

    assert (body.description, body.details, body.timeout) == ("", None, dt.timedelta(hours=24))


@pytest.mark.parametrize(
    ("kind", "body"), [(wire.DecisionBody, a_decision()), (wire.CancellationBody, a_cancellation())]
)
def test_the_other_bodies_are_read(kind, body):
    assert parse(body, kind).model_dump(exclude_defaults=True) == body


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
    for kind in (wire.RequestBody, wire.DecisionBody, wire.CancellationBody):
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
    ]
)


@settings(deadline=None)
@given(st.dictionaries(fields | st.text(max_size=3), anything, max_size=6))
def test_any_json_is_read_or_refused_with_a_pointer_to_each_wrong_field(value):
    for kind in (wire.RequestBody, wire.DecisionBody, wire.CancellationBody):
        for problem in found_wrong(json.dumps(value).encode(), kind):
            name = problem.pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
            assert name in value or name in kind.model_fields


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
    (wire.RequestBody, a_request, "requester", 254),
    (wire.RequestBody, a_request, "item", 200),
    (wire.RequestBody, a_request, "description", 8000),
    (wire.DecisionBody, a_decision, "approver", 254),
    (wire.DecisionBody, a_decision, "comments", 2000),
    (wire.CancellationBody, a_cancellation, "by", 254),
    (wire.CancellationBody, a_cancellation, "reason", 2000),
]
ONE_LINE = [row for row in LIMITS if row[3] < 300]
PROSE = [row for row in LIMITS if row[3] > 300]


def of(rows):
    return pytest.mark.parametrize(("kind", "build", "field", "most"), rows, ids=[f"{row[2]}" for row in rows])


@of(LIMITS)
@pytest.mark.parametrize("one", ["x", CAT, "\N{LATIN SMALL LETTER E WITH ACUTE}", E_ACUTE], ids=ascii)
def test_lengths_are_counted_in_characters_after_nfc(kind, build, field, most, one):
    for count in (most - 1, most):
        read = getattr(parse(json.dumps(build(**{field: one * count}), ensure_ascii=False).encode(), kind), field)
        assert read == unicodedata.normalize("NFC", one) * count

    (problem,) = problems(json.dumps(build(**{field: one * (most + 1)}), ensure_ascii=False).encode(), kind)
    assert problem == Problem(f"/{field}", f"must have at most {most:,} characters, not {most + 1:,}")


@of(LIMITS)
def test_a_text_that_grows_in_nfc_is_counted_as_grown(kind, build, field, most):
    fits = parse(build(**{field: QA * (most // 2)}), kind)

    assert len(getattr(fits, field)) == most
    assert pointers(build(**{field: QA * (most // 2 + 1)}), kind) == [f"/{field}"]


@of(LIMITS)
def test_what_is_trimmed_does_not_count(kind, build, field, most):
    padded = " \t\n" + "x" * most + " \r\n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"

    assert getattr(parse(build(**{field: padded}), kind), field) == "x" * most


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
    [*"\0\t\n\r\x1b\x7f\x85\u2028\u2029\u200e\u200f\u061c", *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"],
    ids=ascii,
)
def test_a_line_holds_no_control_and_nothing_that_turns_text_around(kind, build, field, most, character):
    assert pointers(build(**{field: f"Ada{character}Lovelace"}), kind) == [f"/{field}"]


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
UNSEEN = {
    "SOFT HYPHEN",
    "MONGOLIAN VOWEL SEPARATOR",
    "ZERO WIDTH SPACE",
    "WORD JOINER",
    "FUNCTION APPLICATION",
    "INVISIBLE TIMES",
    "INVISIBLE SEPARATOR",
    "INVISIBLE PLUS",
    "ZERO WIDTH NO-BREAK SPACE",
    "LANGUAGE TAG",
    "CANCEL TAG",
}
MARKS = {"\N{ARABIC LETTER MARK}", "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"}


def test_of_all_code_points_exactly_the_forbidden_are_refused_inside_and_none_is_left_at_the_ends():
    """The oracle is Unicode's own tables, not the expressions that are tested."""
    line, prose = wire.line(9), wire.prose(9)
    for point in range(sys.maxunicode + 1):
        one = chr(point)
        control = unicodedata.category(one) in {"Cc", "Zl", "Zp"}
        turns = one in MARKS or unicodedata.bidirectional(one) in TURNS_TEXT_AROUND
        name = unicodedata.name(one, "")
        unseen = name in UNSEEN or name.startswith(("TAG ", "INTERLINEAR ANNOTATION"))
        for check, forbidden in ((line, control or turns or unseen), (prose, control and one not in "\t\n\r")):
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
    for check in (wire.line(100), wire.prose(100)):
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
    assert parse(a_request(timeout_hours=hours)).timeout == pytest.approx(
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
    assert parse(a_request(timeout_hours=seconds / 3600)).timeout == dt.timedelta(seconds=seconds)


# --- details, and the other fields ----------------------------------------------------------------


@pytest.mark.parametrize("size", [16383, 16384])
def test_details_of_16_kib_are_read(size):
    body = with_details_of(size)

    assert len(wire.compact(body["details"]).encode()) == size
    assert parse(body).details == body["details"]


def test_a_byte_more_of_details_is_refused():
    assert problems(with_details_of(16385)) == (
        Problem("/details", "must have at most 16,384 bytes of JSON, not 16,385"),
    )


def test_how_details_are_spelled_does_not_count():
    text = json.dumps(with_details_of(16384), indent=1)  # with spaces, and six bytes for each character of three

    assert len(text) > 32000
    assert len(wire.compact(parse(text.encode()).details).encode()) == 16384


def test_details_may_be_null_and_are_no_other_thing_than_an_object():
    assert parse(a_request(details=None)).details is None
    assert parse(a_request(details={})).details == {}
    for wrong in ([], ["a"], "text", 1, True):
        assert pointers(a_request(details=wrong)) == ["/details"]


@pytest.mark.parametrize("wrong", [1, 0, 1.0, "true", "yes", "", None, [], {}], ids=repr)
def test_a_decision_is_true_or_false_and_nothing_like_it(wrong):
    assert pointers(a_decision(is_approved=wrong), wire.DecisionBody) == ["/is_approved"]


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        (wire.RequestBody, ["/requester", "/item"]),
        (wire.DecisionBody, ["/is_approved", "/approver"]),
        (wire.CancellationBody, ["/by"]),
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
    [(wire.RequestBody, a_request), (wire.DecisionBody, a_decision), (wire.CancellationBody, a_cancellation)],
)
def test_a_field_we_do_not_know_is_pointed_to(kind, build, name, pointer):
    assert problems(build(**{name: 1}), kind) == (Problem(pointer, "is not a field here"),)


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


# --- headers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["k", "order-1", '"8e03978e-40d5-43e8-bc93-6894a57f9324"', "!~", "x" * 254, "x" * 255])
def test_a_key_is_taken_as_it_is(key):
    assert wire.idempotency_key({"idempotency-key": key}) == key


def test_no_key_is_none():
    assert wire.idempotency_key({}) is None


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "a\tb", "a\nb", "k\n", "\x7f", "\N{EURO SIGN}", "\xe9", "x" * 256], ids=ascii
)
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(BadHeader, match="Idempotency-Key"):
        wire.idempotency_key({"idempotency-key": key})


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
        ("\0", 0),
        ("=" * 8000, 0),
        ("wait=" + "9" * 5000, 0),
    ],
    ids=lambda value: str(value)[:20],
)
def test_how_long_a_caller_prefers_to_wait(said, seconds):
    assert wire.preferred_wait({"prefer": said}) == seconds


def test_who_prefers_nothing_does_not_wait():
    assert wire.preferred_wait({}) == 0


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(wait ?= ?\"?[0-9]{0,12}\"?[;,] ?){0,3}"))
def test_no_preference_breaks_anything(said):
    assert 0 <= wire.preferred_wait({"prefer": said}) <= 25


# --- answers --------------------------------------------------------------------------------------


def test_a_new_request_is_told_with_its_addresses_and_deadline():
    request = asked(hours=2)

    assert wire.created(request, model.Story()) == {
        "request_id": request.request_id,
        "status": "Pending",
        "approval_url": f"http://localhost:7071/api/approvals/{request.request_id}",
        "status_url": f"http://localhost:7071/api/requests/{request.request_id}",
        "deadline": "2026-03-01T14:00:00.000Z",
    }


TOLD = [
    "request_id",
    "status",
    "requester",
    "item",
    "description",
    "details",
    "created_at",
    "deadline",
    "settled_at",
    "decision",
    "cancellation",
    "notes",
]


@pytest.mark.parametrize(
    ("heard", "status"),
    [(None, "Pending"), (decided(), "Approved"), (decided(yes=False), "Rejected"), (cancelled(), "Cancelled")],
)
def test_a_story_is_told_with_the_same_fields_whatever_has_happened(heard, status):
    request = asked(details='{"a":[1,"\N{EURO SIGN}"]}')
    story = model.hear_all(request, model.Story(), [heard] if heard else [], NOON)

    told = wire.told(model.Found(request=request, story=story))

    assert sorted(told) == sorted(TOLD)
    assert told["status"] == status
    assert told["details"] == {"a": [1, "\N{EURO SIGN}"]}
    assert json.loads(wire.compact(told)) == json.loads(json.dumps(told))


def test_what_goes_out_is_compact_and_speaks_every_script():
    assert wire.compact({"a": ["\N{EURO SIGN}", 1]}) == '{"a":["\N{EURO SIGN}",1]}'


# --- what must fit in the custom status -----------------------------------------------------------

CUSTOM_STATUS_BYTES = 16 * 1024  # what the extension takes, in UTF-16
WORST = ["x", '"', "\\", "\n", CAT, "\N{EURO SIGN}", "/", "<"]


@pytest.mark.parametrize("one", WORST, ids=ascii)
@pytest.mark.parametrize("kind", ["decision", "cancellation"])
def test_the_largest_story_fits_in_the_custom_status(kind, one):
    name = ('"' if one == "\n" else one) * model.NAME_CHARACTERS
    text = "x" + one * (model.COMMENTS_CHARACTERS - 2) + "x"
    story = model.Story(waits=dict.fromkeys(("decision", "cancel"), model.MAX_SPENT_WAITS + 2))
    for _ in range(model.MAX_NOTES + 5):
        story = story.noted("n" * 200)  # longer than any that is written
    if kind == "decision":
        body = parse(json.dumps(a_decision(approver=name, comments=text)).encode(), wire.DecisionBody)
        heard = decided(decision_id="f" * 32, yes=False, by=body.approver, comments=body.comments)
    else:
        body = parse(json.dumps(a_cancellation(by=name, reason=text)).encode(), wire.CancellationBody)
        heard = cancelled(by=body.by, reason=body.reason)
    story = model.hear(asked(), story, heard, NOON)

    size = len(wire.compact(story.published()).encode("utf-16-le"))

    assert len(story.notes) == model.MAX_NOTES
    assert len(text) == model.COMMENTS_CHARACTERS
    assert size < CUSTOM_STATUS_BYTES


def test_no_single_character_is_worse_than_those_that_were_tried():
    """A character that prose allows takes at most two units of UTF-16 in JSON, and so do these."""
    prose = wire.prose(9)
    for point in [*range(0x3000), 0xFFFD, 0x10000, sys.maxunicode]:
        if checked(prose, f"a{chr(point)}b"):
            assert len(wire.compact(chr(point))[1:-1].encode("utf-16-le")) <= 4
    assert max(len(wire.compact(one)[1:-1].encode("utf-16-le")) for one in WORST) == 4


def test_a_preference_within_quotes_is_none():
    assert wire.preferred_wait({"prefer": 'foo="a, wait=5"'}) == 0


def test_a_byte_order_mark_is_explained():
    with pytest.raises(errors.Unreadable, match="byte order mark"):
        wire.parse(wire.RequestBody, {"content-type": "application/json"}, b"\xef\xbb\xbf{}")


@pytest.mark.parametrize("name", ["\u200b", "\ufeff", "\u2060", "\U000e0041", "Ada\u200b"], ids=ascii)
def test_a_name_of_what_cannot_be_seen_is_no_name(name):
    body = json.dumps(a_decision(approver=name)).encode()

    with pytest.raises(errors.Invalid):
        wire.parse(wire.DecisionBody, {"content-type": "application/json"}, body)

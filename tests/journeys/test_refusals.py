"""What a caller sends that cannot be: each is refused with a reason of the one shape, and changes nothing."""

from __future__ import annotations

import gzip
import json

import pytest

from approvals import VERSION
from tests.builders import ADA, ALAN, EVE, GRACE, a_cancellation, a_decision, a_request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
JSON = {"Content-Type": "application/json"}
REQUESTS, REQUEST, CANCEL, REASSIGN, APPROVAL, DELEGATE, PREVIEW, HEALTH = ROUTES = [
    "/api/requests",
    "/api/requests/{id}",
    "/api/requests/{id}/cancel",
    "/api/requests/{id}/reassign",
    "/api/approvals/{id}",
    "/api/approvals/{id}/delegate",
    "/api/policies/preview",
    "/api/health",
]
OFFERED = {
    REQUESTS: "GET, POST, HEAD, OPTIONS",
    REQUEST: "GET, HEAD, OPTIONS",
    CANCEL: "POST, OPTIONS",
    REASSIGN: "POST, OPTIONS",
    APPROVAL: "POST, OPTIONS",
    DELEGATE: "POST, OPTIONS",
    PREVIEW: "POST, OPTIONS",
    HEALTH: "GET, HEAD, OPTIONS",
}


def a_reassignment(**fields):
    return {"by": ADA, "from": GRACE, "to": EVE, **fields}


def a_delegation(**fields):
    return {"approver": GRACE, "to": EVE, **fields}


def a_preview(**fields):
    return {"request": a_request(), **fields}


BODIES = {
    REQUESTS: a_request,
    CANCEL: a_cancellation,
    REASSIGN: a_reassignment,
    APPROVAL: a_decision,
    DELEGATE: a_delegation,
    PREVIEW: a_preview,
}
NAMES = {
    REQUESTS: "requester",
    CANCEL: "by",
    REASSIGN: "from",
    APPROVAL: "approver",
    DELEGATE: "approver",
    PREVIEW: "request",
}

taking = pytest.mark.parametrize("route", BODIES)
looking = pytest.mark.parametrize("route", [REQUEST, HEALTH])


@pytest.fixture(scope="module")
def pending(caller):
    """Give the id of a request that must be pending after everything that is refused here."""
    request_id = caller.asked()
    yield request_id
    assert caller.look(request_id).json()["status"] == "Pending"


def clean(answer):
    """Assert that an answer tells nothing of the machinery behind it, and that it is none of a defect."""
    told = answer.text + str(answer.headers)
    assert answer.status_code != 500
    for never in ("/runtime/webhooks/", "code=", "Traceback", 'File "'):
        assert never not in told
    return answer


def refused(answer, status, code):
    """Assert the one shape of every refusal; give the body."""
    clean(answer)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    body = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["type"] == f"/api/docs#overview--{code}"
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    return body


def written(body):
    return json.dumps(body).encode()


def with_field(body, text):
    """Write a field more into a body, as it stands."""
    return written(body)[:-1] + b', "more": ' + text + b"}"


BROKEN = {
    # what is wrong: (the content made of a good body and the name of its first text, headers, status, code)
    "empty": (lambda _body, _name: b"", JSON, 400, "body_missing"),
    "blank": (lambda _body, _name: b" \n", JSON, 400, "invalid_json"),
    "not JSON": (lambda _body, _name: b"requester=ada&item=laptop", JSON, 400, "invalid_json"),
    "truncated": (lambda body, _name: written(body)[:-5], JSON, 400, "invalid_json"),
    "followed by more": (lambda body, _name: written(body) * 2, JSON, 400, "invalid_json"),
    "an array": (lambda body, _name: written([body]), JSON, 422, "invalid"),
    "a text": (lambda body, _name: written(json.dumps(body)), JSON, 422, "invalid"),
    "null": (lambda _body, _name: b"null", JSON, 422, "invalid"),
    "a form": (
        lambda body, _name: written(body),
        {"Content-Type": "application/x-www-form-urlencoded"},
        415,
        "unsupported_media_type",
    ),
    "text/json": (lambda body, _name: written(body), {"Content-Type": "text/json"}, 415, "unsupported_media_type"),
    "not announced": (lambda body, _name: written(body), {}, 415, "unsupported_media_type"),
    "too large": (lambda body, _name: written(body).ljust(65537), JSON, 413, "body_too_large"),
    "far too large": (lambda _body, _name: b"x" * 5_000_000, {}, 413, "body_too_large"),
    "too deep": (lambda body, _name: with_field(body, b"[" * 16 + b"]" * 16), JSON, 400, "invalid_json"),
    "bottomless": (lambda _body, _name: b"[" * 65000, JSON, 400, "invalid_json"),
    "a key twice": (
        lambda _body, name: with_field({name: 1}, b'1, "%s": 2' % name.encode()),
        JSON,
        400,
        "invalid_json",
    ),
    "a key twice, within": (lambda body, _name: with_field(body, b'{"a": 1, "\\u0061": 1}'), JSON, 400, "invalid_json"),
    "NaN": (lambda body, _name: with_field(body, b"NaN"), JSON, 400, "invalid_json"),
    "infinity": (lambda body, _name: with_field(body, b"-Infinity"), JSON, 400, "invalid_json"),
    "1e999": (lambda body, _name: with_field(body, b"1e999"), JSON, 400, "invalid_json"),
    "5000 digits": (lambda body, _name: with_field(body, b"1" * 5000), JSON, 400, "invalid_json"),
    "not UTF-8": (lambda body, _name: with_field(body, b'"\xff"'), JSON, 400, "invalid_json"),
    "UTF-16": (lambda body, _name: json.dumps(body).encode("utf-16"), JSON, 400, "invalid_json"),
    "with a BOM": (lambda body, _name: b"\xef\xbb\xbf" + written(body), JSON, 400, "invalid_json"),
    "compressed": (
        lambda body, _name: gzip.compress(written(body)),
        {**JSON, "Content-Encoding": "gzip"},
        400,
        "invalid_json",
    ),
    "half a pair": (lambda body, name: written({**body, name: "\ud800"}), JSON, 400, "invalid_json"),
    "half a pair in a key": (lambda body, _name: written({**body, "\udfff": 1}), JSON, 400, "invalid_json"),
    "an unknown field": (lambda body, _name: written({**body, "colour": "red"}), JSON, 422, "invalid"),
    "a field missing": (lambda _body, _name: b"{}", JSON, 422, "invalid"),
    "a number for a text": (lambda body, name: written({**body, name: 1}), JSON, 422, "invalid"),
    "null for a text": (lambda body, name: written({**body, name: None}), JSON, 422, "invalid"),
    "a list for a text": (lambda body, name: written({**body, name: [body[name]]}), JSON, 422, "invalid"),
    "an empty name": (lambda body, name: written({**body, name: " "}), JSON, 422, "invalid"),
    "a name of two lines": (lambda body, name: written({**body, name: "Ada\nEve"}), JSON, 422, "invalid"),
    "a name turned around": (lambda body, name: written({**body, name: "Ada\u202eevE"}), JSON, 422, "invalid"),
}
broken = pytest.mark.parametrize("what", BROKEN)


@broken
@taking
def test_a_broken_body_is_refused_and_changes_nothing(caller, pending, route, what):
    content, headers, status, code = BROKEN[what]
    content = content(BODIES[route](), NAMES[route])

    answer = caller.http.post(route.format(id=pending), content=content, headers=headers)

    body = refused(answer, status, code)
    assert bool(body.get("errors")) == (code == "invalid")
    assert caller.look(pending).json()["status"] == "Pending"


@broken
@looking
def test_where_nothing_is_taken_a_broken_body_is_refused_as_any_other(caller, pending, route, what):
    content, headers, *_ = BROKEN[what]

    answer = caller.http.post(route.format(id=pending), content=content(a_decision(), "approver"), headers=headers)

    refused(answer, 405, "method_not_allowed")


@broken
@looking
def test_where_one_looks_a_body_means_nothing(caller, pending, route, what):
    content, headers, *_ = BROKEN[what]

    answer = caller.http.request(
        "GET", route.format(id=pending), content=content(a_decision(), "approver"), headers=headers
    )

    assert clean(answer).status_code == 200


WRONG_TYPES = [
    (REQUESTS, "timeout_hours", True),
    (REQUESTS, "timeout_hours", "24"),
    (REQUESTS, "timeout_hours", None),
    (REQUESTS, "timeout_hours", 10**400),
    (REQUESTS, "item", 1),
    (REQUESTS, "description", None),
    (REQUESTS, "details", []),
    (REQUESTS, "details", "{}"),
    (APPROVAL, "is_approved", 1),
    (APPROVAL, "is_approved", "true"),
    (APPROVAL, "is_approved", None),
    (APPROVAL, "comments", None),
    (CANCEL, "reason", 0),
    (REQUESTS, "a/b~c", 1),
    (REQUESTS, "approvers", GRACE),
    (REQUESTS, "required", "most"),
    (REQUESTS, "required", True),
    (REQUESTS, "stages", {}),
    (REQUESTS, "form", "{}"),
    (APPROVAL, "stage", 0),
    (APPROVAL, "stage", True),
    (APPROVAL, "form", []),
    (REASSIGN, "to", None),
    (REASSIGN, "holder", GRACE),
    (REASSIGN, "reason", None),
    (DELEGATE, "to", [ALAN]),
    (DELEGATE, "comments", 0),
    (PREVIEW, "answers", {}),
    (PREVIEW, "answers", None),
]


@pytest.mark.parametrize(("route", "field", "wrong"), WRONG_TYPES, ids=lambda value: str(value)[:24])
def test_a_field_of_the_wrong_type_is_pointed_to(caller, pending, route, field, wrong):
    answer = caller.http.post(route.format(id=pending), json=BODIES[route](**{field: wrong}))

    body = refused(answer, 422, "invalid")
    assert [error["pointer"] for error in body["errors"]] == ["/" + field.replace("~", "~0").replace("/", "~1")]


@taking
def test_a_chunked_body_does_not_arrive_and_that_is_said(caller, pending, route):
    """The Functions host hands on a body only with a Content-Length."""
    answer = caller.http.post(route.format(id=pending), content=iter([written(BODIES[route]())]), headers=JSON)

    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" in refused(answer, 400, "body_missing")["detail"]


# --- methods --------------------------------------------------------------------------------------


NOT_OFFERED = [(route, method) for route in ROUTES for method in METHODS if method not in OFFERED[route].split(", ")]


@pytest.mark.parametrize(("route", "method"), NOT_OFFERED)
def test_a_method_that_is_not_offered_is_told_which_are(caller, pending, route, method):
    answer = caller.http.request(method, route.format(id=pending))

    assert answer.headers["Allow"] == OFFERED[route]
    if method == "HEAD":
        assert clean(answer).status_code == 405
        assert not answer.content
    else:
        refused(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("route", ROUTES)
def test_who_asks_what_is_offered_is_told(caller, pending, route):
    answer = clean(caller.http.options(route.format(id=pending)))

    assert answer.status_code == 204
    assert answer.headers["Allow"] == OFFERED[route]
    assert not answer.content


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_method_nobody_knows_is_not_found_by_the_host(caller, pending, route, method):
    answer = clean(caller.http.request(method, route.format(id=pending)))

    assert answer.status_code in {404, 405}


@pytest.mark.parametrize("path", [REQUEST, HEALTH, "/api/requests/nobody"])
def test_head_is_get_without_the_body(caller, pending, path):
    get, head = (caller.http.request(method, path.format(id=pending)) for method in ("GET", "HEAD"))

    assert clean(head).status_code == get.status_code
    assert not head.content
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "ETag"):
        assert head.headers.get(name) == get.headers.get(name)


# --- addresses ------------------------------------------------------------------------------------


STRANGE = [
    "nobody",
    "0",
    "-",
    "cancel",
    "null",
    "f" * 31,
    "f" * 33,
    "F" * 32,
    "g" * 32,
    "%20",
    "a%20b",
    "a%2Fb",
    "%2F",
    "..%2F..%2Fhealth",
    "%2e%2e",
    "%00",
    "%0A",
    "%ff",
    "%25",
    "%252F",
    "%E2%82%AC",
    "%F0%9F%90%B1",
    "%EF%BC%90" * 32,
    "%7Bid%7D",
    "'",
    "%22",
    ";",
    "a;b=c",
    "$",
    "a+b",
    "%3Fcode=x",
    "%23",
    "00000000-0000-0000-0000-000000000000",
    "f" * 2000,
]
ids = pytest.mark.parametrize("strange", STRANGE, ids=lambda text: text[:40])


def unknown(answer):
    """Assert that nothing was found: by us, or, where no route fits, by the host, which says nothing."""
    if clean(answer).content:
        refused(answer, 404, "not_found")
    else:
        assert answer.status_code == 404


@ids
def test_nobody_is_found_under_a_strange_id(caller, strange):
    unknown(caller.http.get(f"/api/requests/{strange}"))


@ids
def test_nothing_is_decided_under_a_strange_id(caller, strange):
    unknown(caller.http.post(f"/api/approvals/{strange}", json=a_decision()))


@ids
def test_nothing_is_cancelled_under_a_strange_id(caller, strange):
    unknown(caller.http.post(f"/api/requests/{strange}/cancel", json=a_cancellation()))


@ids
@pytest.mark.parametrize("route", [REASSIGN, DELEGATE])
def test_nothing_is_passed_on_under_a_strange_id(caller, route, strange):
    unknown(caller.http.post(route.format(id=strange), json=BODIES[route](), headers={"If-Match": "*"}))


@pytest.mark.parametrize("route", [REQUEST, CANCEL, REASSIGN, APPROVAL, DELEGATE])
@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": '"old"'}], ids=str)
def test_a_request_that_is_not_there_is_not_found_whatever_is_known_of_it(caller, route, headers):
    method, body = ("GET", None) if route == REQUEST else ("POST", BODIES[route]())

    answer = caller.http.request(method, route.format(id="f" * 32), json=body, headers=headers)

    refused(answer, 404, "not_found")


@pytest.mark.parametrize(
    "change", [str.upper, lambda i: f"{i}%0A", lambda i: f"%20{i}", lambda i: f"{i}%2F", lambda i: i[:-1]]
)
def test_an_id_is_taken_as_it_was_given_and_no_other_way(caller, pending, change):
    strange = change(pending)

    unknown(caller.http.get(f"/api/requests/{strange}"))
    unknown(caller.http.post(f"/api/approvals/{strange}", json=a_decision()))


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/approvals", "/api/nothing", "/admin/host/status", "/favicon.ico"]
)
def test_where_there_is_nothing_the_host_says_so(caller, path):
    assert clean(caller.http.get(path)).status_code == 404


# --- what is answered -----------------------------------------------------------------------------


def test_the_health_of_the_app_is_told_and_kept_by_nobody(caller):
    answer = clean(caller.http.get("/api/health", params={"x": "y"}))

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": VERSION}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_good_answer_is_kept_by_nobody_and_tells_nothing_of_the_machinery(caller):
    made = caller.ask()
    request_id = made.json()["request_id"]
    other = caller.asked()

    answers = [
        made,
        caller.look(request_id),
        caller.decide(request_id),
        caller.decide(request_id, is_approved=False),
        caller.cancel(request_id),
        caller.cancel(other),
        caller.decide(other),
        caller.look(other),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 409, 409, 200, 410, 200]
    for answer in answers:
        clean(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] in {"application/json", "application/problem+json"}


# --- what is known of a request -------------------------------------------------------------------


OLD = '"0123456789abcdef0123456789abcdef"'
guarded = pytest.mark.parametrize("route", [CANCEL, REASSIGN])


def act(caller, route, request_id, known=None, **fields):
    headers = {} if known is None else {"If-Match": known}
    return caller.http.post(route.format(id=request_id), json=BODIES[route](**fields), headers=headers)


def tag(caller, request_id):
    return caller.look(request_id).headers["ETag"]


@guarded
def test_who_acts_on_what_others_decide_says_what_they_know(caller, route):
    request_id = caller.asked(approvers=[GRACE, ALAN])
    before = tag(caller, request_id)

    answer = act(caller, route, request_id)

    refused(answer, 428, "if_match_missing")
    assert tag(caller, request_id) == before


@guarded
@pytest.mark.parametrize("known", [OLD, "", "nonsense", '"*"', f"{OLD}, {OLD}", '"7"', 'W/"0-abc"'])
def test_who_knows_another_story_is_told_the_present_one(caller, route, known):
    request_id = caller.asked(approvers=[GRACE, ALAN])
    before = tag(caller, request_id)

    answer = act(caller, route, request_id, known.format(before))

    assert refused(answer, 412, "stale")["etag"] == '"1"'
    assert tag(caller, request_id) == before


@guarded
def test_who_knows_the_story_before_an_answer_is_told_the_one_after_it(caller, route):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    old = tag(caller, request_id)
    caller.decide(request_id, approver=ALAN).raise_for_status()

    stale = act(caller, route, request_id, old)
    fresh = act(caller, route, request_id, stale.json()["etag"])

    refused(stale, 412, "stale")
    assert clean(fresh).status_code == 200


@guarded
@pytest.mark.parametrize("known", ["*", "{}", f"{OLD}, {{}}", f"{{}},{OLD}"])
def test_who_knows_the_present_story_or_does_not_care_gets_through(caller, route, known):
    request_id = caller.asked(approvers=[GRACE, ALAN])

    answer = act(caller, route, request_id, known.format(tag(caller, request_id)))

    story = caller.look(request_id).json()
    assert clean(answer).status_code == 200
    assert story["status"] == ("Cancelled" if route == CANCEL else "Pending")
    assert [change["to"] for change in story["changes"]] == ([] if route == CANCEL else [EVE])


def test_a_request_of_several_stages_is_not_cancelled_blindly_though_the_first_is_open(caller):
    request_id = caller.asked(stages=[{"name": "Whoever"}, {"approvers": [GRACE]}])

    answer = act(caller, CANCEL, request_id)

    refused(answer, 428, "if_match_missing")


def test_a_request_in_which_nobody_is_named_is_cancelled_without_a_word_of_what_is_known(caller):
    request_id = caller.asked()

    answer = act(caller, CANCEL, request_id)

    assert clean(answer).status_code == 200
    assert caller.look(request_id).json()["status"] == "Cancelled"


def test_a_request_in_which_nobody_is_named_is_not_cancelled_by_who_knows_another_story(caller, pending):
    refused(act(caller, CANCEL, pending, OLD), 412, "stale")


def test_where_nobody_is_named_nobody_is_replaced(caller, pending):
    reassigned = act(caller, REASSIGN, pending, "*")
    delegated = act(caller, DELEGATE, pending)

    assert [error["pointer"] for error in refused(reassigned, 422, "invalid")["errors"]] == ["/from"]
    refused(delegated, 403, "not_yours")


def test_a_broken_body_is_told_before_what_is_known(caller):
    request_id = caller.asked(approvers=[GRACE])

    answer = act(caller, REASSIGN, request_id, OLD, to=1)

    refused(answer, 422, "invalid")


def test_deciding_and_delegating_ask_for_no_knowledge(caller):
    request_id = caller.asked(approvers=[GRACE])

    delegated = act(caller, DELEGATE, request_id)
    decided = caller.decide(request_id, approver=EVE)

    assert [clean(answer).status_code for answer in (delegated, decided)] == [200, 200]
    assert decided.json()["decision"]["on_behalf_of"] == GRACE


# --- what a policy refuses ------------------------------------------------------------------------


def pointed(answer):
    return [error["pointer"] for error in refused(answer, 422, "invalid")["errors"]]


@pytest.mark.parametrize("way", ["asked", "open"])
def test_nobody_decides_on_a_request_of_their_own(caller, way):
    request_id = caller.asked(**{"asked": {"approvers": [GRACE, ADA]}, "open": {}}[way])

    answer = caller.decide(request_id, approver=ADA.upper())

    refused(answer, 403, "self_approval")
    assert caller.look(request_id).json()["status"] == "Pending"


@pytest.mark.parametrize("route", [REASSIGN, DELEGATE])
def test_nobody_has_their_own_request_passed_on_to_them(caller, route):
    request_id = caller.asked(approvers=[GRACE])

    answer = act(caller, route, request_id, "*", to=ADA.title())

    refused(answer, 403, "self_approval")
    assert caller.look(request_id).json()["awaited"]["from"] == [GRACE]


def test_who_is_not_asked_does_not_decide(caller):
    request_id = caller.asked(approvers=[GRACE])

    refused(caller.decide(request_id, approver=EVE), 403, "not_yours")
    refused(act(caller, DELEGATE, request_id, approver=EVE, to=ALAN), 403, "not_yours")
    assert pointed(act(caller, REASSIGN, request_id, "*", **{"from": EVE, "to": ALAN})) == ["/from"]


@pytest.mark.parametrize("route", [REASSIGN, DELEGATE])
def test_who_passed_their_answer_on_is_told_to_whom(caller, route):
    request_id = caller.asked(approvers=[GRACE, ALAN])
    act(caller, route, request_id, "*").raise_for_status()

    body = refused(caller.decide(request_id, approver=GRACE), 403, "not_yours")

    assert body["passed_on_to"] == EVE


@pytest.mark.parametrize("route", [REASSIGN, DELEGATE])
def test_nothing_is_passed_on_to_who_is_asked_already(caller, route):
    request_id = caller.asked(approvers=[GRACE, ALAN])

    assert pointed(act(caller, route, request_id, "*", to=ALAN.upper())) == ["/to"]


@pytest.mark.parametrize("route", [REASSIGN, DELEGATE])
def test_what_has_been_answered_is_not_passed_on(caller, route):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    caller.decide(request_id).raise_for_status()

    body = refused(act(caller, route, request_id, "*"), 409, "already_voted")

    assert body["decision"]["approver"] == GRACE


def test_who_has_answered_does_not_answer_otherwise(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all", reject_when="impossible")
    caller.decide(request_id).raise_for_status()

    again = caller.decide(request_id)
    body = refused(caller.decide(request_id, is_approved=False), 409, "already_voted")

    assert clean(again).status_code == 200
    assert body["decision"]["is_approved"] is True


def test_a_stage_that_is_not_asked_takes_no_answer(caller):
    request_id = caller.asked(stages=[{"name": "Team", "approvers": [GRACE]}, {"name": "Finance", "approvers": [ALAN]}])

    body = refused(caller.decide(request_id, approver=ALAN, stage="Finance"), 409, "another_stage")

    assert "Team" in body["detail"]
    refused(caller.decide(request_id, approver=ALAN, stage=2), 409, "another_stage")
    refused(caller.decide(request_id, approver=ALAN), 403, "not_yours")
    for stage in ("Board", 3):
        assert pointed(caller.decide(request_id, approver=ALAN, stage=stage)) == ["/stage"]


def test_an_answer_is_passed_on_ten_times_and_not_an_eleventh(caller):
    request_id = caller.asked(approvers=["holder-0"])
    for number in range(10):
        act(caller, DELEGATE, request_id, approver=f"holder-{number}", to=f"holder-{number + 1}").raise_for_status()

    answer = act(caller, DELEGATE, request_id, approver="holder-10", to="holder-11")

    refused(answer, 409, "passed_on_too_often")
    assert caller.decide(request_id, approver="holder-10").status_code == 200


@pytest.mark.parametrize(
    ("policy", "decision", "pointers"),
    [
        ({"comment_required": "always"}, {}, ["/comments"]),
        ({"comment_required": "on_reject"}, {"is_approved": False, "comments": " "}, ["/comments"]),
        ({}, {"option": "Later"}, ["/option"]),
        ({"options": [{"name": "Later", "approves": False}]}, {"option": "Later"}, ["/option"]),
        ({"options": [{"name": "Later", "approves": False}]}, {"option": "Sooner"}, ["/option"]),
        ({"form": {"properties": {"a": {"type": "string"}}}}, {}, ["/form"]),
        ({}, {"form": {}}, ["/form"]),
        ({"form": {"properties": {"cost": {"type": "string"}}, "required": ["cost"]}}, {"form": {}}, ["/form/cost"]),
        ({"form": {"properties": {"a/b": {"type": "number"}}}}, {"form": {"a/b": "x"}}, ["/form/a~1b"]),
        (
            {"comment_required": "always", "form": {"properties": {"a": {"type": "number"}}}},
            {"form": {"a": "x"}, "option": "x"},
            ["/option", "/comments", "/form/a"],
        ),
    ],
)
def test_what_an_answer_owes_is_pointed_to(caller, policy, decision, pointers):
    request_id = caller.asked(approvers=[GRACE], **policy)

    answer = caller.decide(request_id, **decision)

    assert pointed(answer) == pointers
    assert caller.look(request_id).json()["status"] == "Pending"


@pytest.mark.parametrize(
    "form",
    [
        {"properties": {"a": {"$ref": "https://example.com/schema"}}},
        {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
        {"$ref": "#/x", "x": {"type": "nonsense"}},
        {"$id": "http://[", "$ref": "y"},
    ],
    ids=json.dumps,
)
def test_a_form_nobody_could_answer_is_not_asked(caller, form):
    pointers = pointed(caller.ask(form=form))

    assert pointers
    assert all(pointer.startswith("/form") for pointer in pointers)


def test_a_form_that_cannot_be_computed_is_no_defect(caller):
    request_id = caller.asked(form={"properties": {"a": {"type": "number", "multipleOf": 0.5}}})

    answer = caller.decide(request_id, form={"a": 10**400})

    assert clean(answer).status_code in {200, 422}


def test_nonsense_is_not_previewed_and_pointed_into_the_request(caller):
    body = a_preview(request=a_request(approvers=[ADA], required=2))

    assert pointed(caller.http.post(PREVIEW, json=body)) == ["/request/approvers"]

"""What a caller sends that cannot be: each is refused with a reason of the one shape, and changes nothing."""

from __future__ import annotations

import gzip
import json

import pytest

from approvals import VERSION
from tests.builders import a_cancellation, a_decision, a_request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
JSON = {"Content-Type": "application/json"}
REQUESTS, REQUEST, CANCEL, APPROVAL, HEALTH = ROUTES = [
    "/api/requests",
    "/api/requests/{id}",
    "/api/requests/{id}/cancel",
    "/api/approvals/{id}",
    "/api/health",
]
OFFERED = {
    REQUESTS: "POST, OPTIONS",
    REQUEST: "GET, HEAD, OPTIONS",
    CANCEL: "POST, OPTIONS",
    APPROVAL: "POST, OPTIONS",
    HEALTH: "GET, HEAD, OPTIONS",
}
BODIES = {REQUESTS: a_request, CANCEL: a_cancellation, APPROVAL: a_decision}
NAMES = {REQUESTS: "requester", CANCEL: "by", APPROVAL: "approver"}

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
    assert body["type"] == f"urn:durable-approvals:problem:{code}"
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


@pytest.mark.parametrize(
    "change", [str.upper, lambda i: f"{i}%0A", lambda i: f"%20{i}", lambda i: f"{i}%2F", lambda i: i[:-1]]
)
def test_an_id_is_taken_as_it_was_given_and_no_other_way(caller, pending, change):
    strange = change(pending)

    unknown(caller.http.get(f"/api/requests/{strange}"))
    unknown(caller.http.post(f"/api/approvals/{strange}", json=a_decision()))


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/api/approvals", "/api/nothing", "/admin/host/status", "/favicon.ico"]
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

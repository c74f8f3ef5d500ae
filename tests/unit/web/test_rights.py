"""What each caller may do: every route, every right, anyone's request. The oracle is the table of docs/api.md."""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import partial
from pathlib import Path

import azure.functions as func
import pytest

from approvals import errors, settings
from approvals.people.callers import RIGHTS, hash_of, identify
from approvals.records import subscriptions
from approvals.rules.callbacks import Callback, Subscription
from approvals.rules.story import Found, Story
from approvals.web import api, callbacks, grants, records, rights
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    HOUR,
    NOON,
    REQUEST_ID,
    a_cancellation,
    a_decision,
    a_panel,
    a_policy,
    a_principal,
    a_request,
    asked,
)

DOCUMENT = (Path(__file__).parents[3] / "docs/api.md").read_text(encoding="utf-8")
LET_IN = {200, 201, 202, 204, 409, 503}
"""Whoever is let in gets an answer, or hears that the scheduler of this test takes no event.

409: the request of these tests is open, and content is erased of ended ones only.
"""


def documented():
    """Read from docs/api.md who may do what: the right for one's own, and the right for everything."""
    row = r"^\| `([A-Z]+) /(api/[^`]*)` \| (?:`(\w+)`)? ?\| (?:`(\w+)`)? ?\|$"
    return {(method, path): (own, all_) for method, path, own, all_ in re.findall(row, DOCUMENT, re.MULTILINE)}


TABLE = documented()
CALLS = {
    ("POST", "api/requests"): (api.create, a_request(approvers=[GRACE])),
    ("GET", "api/requests"): (api.list_requests, None),
    ("GET", "api/inbox"): (api.list_inbox, None),
    ("GET", "api/requests/{request_id}/history"): (records.tell_history, None),
    ("DELETE", "api/requests/{request_id}/payload"): (records.erase, {"by": ADA, "reason": "wish"}),
    ("POST", "api/requests/{request_id}/consume"): (grants.consume, {"action": None}),
    ("POST", "api/requests/{request_id}/revoke"): (grants.revoke, {"by": ADA}),
    ("POST", "api/requests/{request_id}/redeliver"): (callbacks.redeliver, {"by": ADA}),
    ("GET", "api/subscriptions"): (callbacks.list_subscriptions, None),
    ("POST", "api/subscriptions"): (callbacks.subscribe, {"callback_url": "http://127.0.0.1:9/1"}),
    ("DELETE", "api/subscriptions/{subscription_id}"): (callbacks.unsubscribe, None),
    ("POST", "api/callbacks/ping"): (callbacks.ping, {"callback_url": "http://127.0.0.1:9/1"}),
    ("GET", "api/requests/{request_id}/receipt"): (grants.give_receipt, None),
    ("GET", "api/export"): (records.export_day, None),
    ("GET", "api/requests/{request_id}"): (api.read, None),
    ("POST", "api/requests/{request_id}/cancel"): (api.cancel, a_cancellation()),
    ("POST", "api/requests/{request_id}/reassign"): (api.reassign, {"by": ADA, "from": GRACE, "to": EVE}),
    ("POST", "api/approvals/{request_id}"): (api.decide, a_decision()),
    ("POST", "api/approvals/batch"): (api.decide_all, {"decisions": [a_decision(request_id=REQUEST_ID)]}),
    ("POST", "api/approvals/{request_id}/delegate"): (api.delegate, {"approver": GRACE, "to": EVE}),
    ("POST", "api/policies/preview"): (api.preview, {"request": a_request()}),
}
QUERIES = {"api/inbox": "?approver=grace%40example.com", "api/export": "?day=2020-01-01"}
KEYS = {right: f"dak_{right}".ljust(53, "x") for right in RIGHTS}
EXPIRED, ROTATED = "dak_expired".ljust(53, "x"), "dak_rotated".ljust(53, "x")
CALLERS = {f"has-{right}": {"sha256": [hash_of(key)], "rights": [right]} for right, key in KEYS.items()} | {
    "has-expired": {"sha256": [hash_of(EXPIRED)], "rights": list(RIGHTS), "expires": "2020-01-01T00:00:00Z"}
}


class Scheduler:
    """Keeps one request, takes every start and no event."""

    created_by = ""

    def __init__(self, _client):
        pass

    async def read(self, request_id):
        if request_id != REQUEST_ID:
            return None
        now = dt.datetime.now(dt.UTC)
        times = {"created_at": now, "deadline": now + 24 * HOUR}
        request = asked(policy=a_policy(a_panel(GRACE, ALAN)), created_by=self.created_by, **times)
        return Found(request=request, story=Story())

    look = read

    async def start(self, _request):
        return True

    async def raise_event(self, *_):
        raise errors.SchedulerUnavailable

    async def start_subscription(self, _made):
        pass

    end_subscription = start_subscription


@pytest.fixture
def service(monkeypatch):
    """Give a service with these callers, whose one request was created by `service(...)`."""

    def start(created_by="", **more):
        usual = {"link_keys": ("k" * 40,), "notify_urls": ("json://localhost/{approver}",)}
        rules = json.dumps({"127.0.0.1:9": {"auth": "url"}})
        chosen = settings.Settings(callers=json.dumps(CALLERS), callbacks=rules, **{**usual, **more})
        monkeypatch.setattr(settings, "current", lambda: chosen)
        monkeypatch.setattr(Scheduler, "created_by", created_by)
        monkeypatch.setattr(api, "Instances", Scheduler)
        monkeypatch.setattr(subscriptions, "find", partial(find_subscription, created_by))

    return start


async def find_subscription(created_by, _store, subscription_id):
    """Give the one subscription there is, which has the id of the request."""
    if subscription_id != REQUEST_ID:
        return None
    callback = Callback(url="http://127.0.0.1:9/1")
    return Subscription(subscription_id=REQUEST_ID, created_by=created_by, created_at=NOON, callback=callback)


async def answer_to(method, path, headers, body="of the table", request_id=REQUEST_ID):
    handler, usual = CALLS[(method, path)]
    body = usual if body == "of the table" else body
    ids = {"request_id": request_id, "subscription_id": request_id}
    call = func.HttpRequest(
        method,
        f"http://localhost:7071/{path.format(**ids)}{QUERIES.get(path, '')}",
        headers={"Content-Type": "application/json", "If-Match": "*", **headers},
        route_params=ids,
        body=b"" if body is None else json.dumps(body).encode(),
    )
    return await api.handle(call, None, path, {method: handler})


def told(answer):
    """Give the status; the request of these tests is open, so that whoever may use its yes is told there is none."""
    return 409 if b'"code":"not_approved"' in answer.get_body() else answer.status_code


def expected(right, own, all_, *, mine):
    """Say what a caller with one right is answered, from the sentences of docs/api.md."""
    if right and right == all_:
        return LET_IN
    if right and right == own:
        return LET_IN if mine else {404}
    return {403}


def test_the_documents_and_the_code_have_one_table():
    code = {
        (method, path): (demand.own or "", demand.all or "")
        for path, demands in rights.ROUTES.items()
        for method, demand in demands.items()
        if demand.own or demand.all
    }

    assert code == TABLE
    assert CALLS.keys() == TABLE.keys()


@pytest.mark.parametrize("whose", ["its own", "another's", "nobody's"])
@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda each: each.replace("{request_id}", "ID"))
async def test_what_a_caller_may_do(service, method, path, right, whose):
    own, all_ = TABLE[(method, path)]
    service({"its own": f"has-{right}", "another's": "has-other", "nobody's": "key"}[whose])
    mine = whose == "its own" or "_id}" not in path

    answer = await answer_to(method, path, {"x-approvals-key": KEYS[right]})

    assert told(answer) in expected(right, own, all_, mine=mine), answer.get_body()
    if told(answer) == 403:
        problem = json.loads(answer.get_body())
        assert problem["code"] == "right_missing"
        assert problem["right"] in (own, all_)


SOMEBODY = a_principal(GRACE, roles="Approvals.Operate")


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-approvals-key": "dak_wrong"}, {"x-approvals-key": EXPIRED}, {"x-approvals-key": ROTATED}, SOMEBODY],
    ids=["no key", "a wrong key", "an expired key", "a key that was rotated out", "a person's token"],
)
@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda each: each.replace("{request_id}", "ID"))
async def test_who_is_no_caller_is_told_so_before_anything_is_read(service, method, path, headers):
    service("key", trusts_sign_in=True)

    answer = await answer_to(method, path, headers, body="\ud800 no JSON at all")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert json.loads(answer.get_body())["code"] == "key_required"


async def test_with_several_rights_the_widest_counts(service, monkeypatch):
    both = "dak_both".ljust(53, "x")
    entry = {"sha256": [hash_of(both)], "rights": ["request", "read"]}
    monkeypatch.setitem(CALLERS, "has-both", entry)
    service("has-other")

    seen = await answer_to("GET", "api/requests/{request_id}", {"x-approvals-key": both})
    cancelled = await answer_to("POST", "api/requests/{request_id}/cancel", {"x-approvals-key": both})

    assert seen.status_code == 200
    assert cancelled.status_code == 403, "it may know of the request, and may not cancel it"


async def test_somebody_elses_request_cannot_be_told_from_none(service):
    service("has-other")
    key = {"x-approvals-key": KEYS["request"]}

    there = await answer_to("GET", "api/requests/{request_id}", {**key, "Prefer": "wait=20"})
    nowhere = await answer_to("GET", "api/requests/{request_id}", {**key, "Prefer": "wait=20"}, request_id="f" * 32)

    assert there.status_code == nowhere.status_code == 404
    assert there.get_body() == nowhere.get_body()
    assert dict(there.headers) == dict(nowhere.headers)


async def test_a_caller_that_may_only_ask_is_shown_no_link_and_told_who_is_told(service):
    service()

    answer = await answer_to("POST", "api/requests", {"x-approvals-key": KEYS["request"]})

    body = json.loads(answer.get_body())
    assert answer.status_code == 201
    assert body["told"] == [{"approver": GRACE, "channels": ["json-1"]}]
    assert body["undeliverable"] == []
    assert "/approve/" not in answer.get_body().decode() + answer.headers["Location"]


async def test_a_caller_that_may_decide_is_shown_the_links_if_it_may_ask(service, monkeypatch):
    both = "dak_both".ljust(53, "x")
    monkeypatch.setitem(CALLERS, "has-both", {"sha256": [hash_of(both)], "rights": ["request", "decide"]})
    service()

    answer = await answer_to("POST", "api/requests", {"x-approvals-key": both})

    assert "/approve/" in json.loads(answer.get_body())["approvals"][0]["approval_url"]


async def test_a_request_that_nobody_can_be_told_of_is_refused_to_a_caller_that_sees_no_links(service):
    service()

    answer = await answer_to(
        "POST", "api/requests", {"x-approvals-key": KEYS["request"]}, a_request(approvers=["..", "."])
    )

    assert answer.status_code == 422
    assert "nobody can be told" in answer.get_body().decode()


PERSON, ROOM = "json://localhost/{approver}", "json://localhost/room"


@pytest.mark.parametrize(
    ("channels", "fields", "told", "undeliverable"),
    [
        ([PERSON], {"approvers": [GRACE, ".."]}, {GRACE: ["json-1"]}, [".."]),
        ([PERSON, PERSON], {"approvers": [GRACE, ALAN]}, {GRACE: ["json-1", "json-2"], ALAN: ["json-1", "json-2"]}, []),
        ([ROOM, PERSON], {"approvers": [GRACE]}, {GRACE: ["json-2"], None: ["json-1"]}, []),
        ([ROOM], {}, {None: ["json-1"]}, []),
        ([PERSON], {"stages": [{"approvers": [GRACE]}, {"approvers": [".."]}]}, {GRACE: ["json-1"]}, [".."]),
        (
            [PERSON],
            {"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": [ALAN, "."]},
            {GRACE: ["json-1"]},
            ["."],
        ),
        ([PERSON], {"approvers": ["..", "."]}, None, None),
        ([PERSON], {"stages": [{"approvers": [".."]}, {"approvers": [GRACE]}]}, None, None),
        ([ROOM], {"approvers": [GRACE]}, None, None),
        ([PERSON], {}, None, None),
        ([], {"approvers": [GRACE]}, None, None),
    ],
    ids=range(11),
)
async def test_a_caller_that_sees_no_links_hears_who_is_told_and_who_cannot_be(
    service, channels, fields, told, undeliverable
):
    service(notify_urls=tuple(channels), notify_log=not channels)

    answer = await answer_to("POST", "api/requests", {"x-approvals-key": KEYS["request"]}, a_request(**fields))

    body = json.loads(answer.get_body())
    assert answer.status_code == (422 if told is None else 201)
    assert body.get("undeliverable") == undeliverable
    if told is not None:
        assert {each["approver"]: each["channels"] for each in body["told"]} == told


LIMITED = "dak_limited".ljust(53, "x")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"approvers": [GRACE, "eve@evil.org"]}, "/approvers/1"),
        ({}, "/approvers"),
        ({"stages": [{"approvers": [GRACE]}, {"approvers": ["eve@evil.org"]}]}, "/stages/1/approvers/0"),
        (
            {"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": ["eve@evil.org"]},
            "/escalate_to/approvers/0",
        ),
    ],
)
async def test_a_caller_may_name_only_whom_its_entry_lets_it_name(service, monkeypatch, fields, pointer):
    entry = {"sha256": [hash_of(LIMITED)], "rights": ["request", "decide", "operate"], "approvers": ["*@example.com"]}
    monkeypatch.setitem(CALLERS, "limited", entry)
    service("limited")
    key = {"x-approvals-key": LIMITED}

    answer = await answer_to("POST", "api/requests", key, a_request(**fields))
    fine = await answer_to("POST", "api/requests", key, a_request(approvers=[GRACE, ALAN]))

    assert (answer.status_code, fine.status_code) == (403, 201)
    assert json.loads(answer.get_body())["pointer"] == pointer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("api/requests/{request_id}/reassign", {"by": ADA, "from": GRACE, "to": "eve@evil.org"}),
        ("api/approvals/{request_id}/delegate", {"approver": GRACE, "to": "eve@evil.org"}),
    ],
)
async def test_nor_may_it_have_an_answer_passed_on_to_others(service, monkeypatch, path, body):
    entry = {"sha256": [hash_of(LIMITED)], "rights": ["decide", "operate"], "approvers": ["*@example.com"]}
    monkeypatch.setitem(CALLERS, "limited", entry)
    service("has-other")

    answer = await answer_to("POST", path, {"x-approvals-key": LIMITED}, body)
    fine = await answer_to("POST", path, {"x-approvals-key": LIMITED}, {**body, "to": EVE})

    assert json.loads(answer.get_body())["pointer"] == "/to"
    assert (answer.status_code, fine.status_code) == (403, 503)


TITLED = "dak_titled".ljust(53, "x")


@pytest.mark.parametrize("spelling", ["deploy-bot", "Deploy bot", "DEPLOY BOT", "deploy-bot.", "Deploy\u00a0bot"])
async def test_nobody_decides_on_what_they_asked_for_under_any_spelling_of_their_name(service, monkeypatch, spelling):
    entry = {"sha256": [hash_of(TITLED)], "rights": ["request", "decide"], "title": "Deploy bot"}
    monkeypatch.setitem(CALLERS, "deploy-bot", entry)
    service("deploy-bot")
    key = {"x-approvals-key": TITLED}

    named = await answer_to("POST", "api/requests", key, a_request(approvers=[spelling, GRACE]))
    decided = await answer_to("POST", "api/approvals/{request_id}", key, a_decision(approver=spelling))

    assert named.status_code == 422
    assert decided.status_code == 403
    assert json.loads(decided.get_body())["code"] == "self_approval"


# --- what a caller that may only ask cannot come to -----------------------------------------------

ASKING = {"x-approvals-key": KEYS["request"]}
OF_A_REQUEST = [call for call in TABLE if "{request_id}" in call[1]]


def all_of(answer):
    """Give everything of an answer that its caller sees."""
    return answer.status_code, answer.get_body(), dict(answer.headers)


@pytest.mark.parametrize(("method", "path"), OF_A_REQUEST, ids=lambda each: each.replace("{request_id}", "ID"))
@pytest.mark.parametrize("created_by", ["has-other", "key", "", "has-request2", "HAS-REQUEST", "has-request ", "app:x"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"If-Match": '"1"'},
        {"If-None-Match": "*"},
        {"Prefer": "wait=25"},
        {"Prefer": "respond-async"},
        {"X-HTTP-Method-Override": "GET"},
        {"x-functions-key": "master"},
        {"Idempotency-Key": "same"},
    ],
    ids=str,
)
async def test_of_anothers_request_nothing_is_said_that_is_not_said_of_none(service, method, path, created_by, more):
    service(created_by)

    theirs = await answer_to(method, path, {**ASKING, **more})
    none = await answer_to(method, path, {**ASKING, **more}, request_id="f" * 32)

    assert all_of(theirs) == all_of(none)
    assert theirs.status_code in (403, 404)


@pytest.mark.parametrize("prefer", ["", "wait=25"])
@pytest.mark.parametrize(("method", "path"), OF_A_REQUEST, ids=lambda each: each.replace("{request_id}", "ID"))
async def test_of_anothers_request_it_is_not_said_by_the_time_either(service, monkeypatch, method, path, prefer):
    asked_for = []
    read = Scheduler.read

    async def counted(self, request_id):
        asked_for.append(request_id)
        return await read(self, request_id)

    monkeypatch.setattr(Scheduler, "read", counted)
    monkeypatch.setattr(Scheduler, "look", counted)
    service("has-other")

    await answer_to(method, path, {**ASKING, "Prefer": prefer})
    await answer_to(method, path, {**ASKING, "Prefer": prefer}, request_id="f" * 32)

    assert asked_for.count(REQUEST_ID) == asked_for.count("f" * 32) <= 1


@pytest.mark.parametrize(
    "field", ["created_by", "created_by_title", "caller", "request_id", "rules", "base_url", "tell"]
)
async def test_what_the_service_says_of_a_request_cannot_be_sent(service, field):
    service()

    answer = await answer_to("POST", "api/requests", ASKING, a_request(approvers=[GRACE], **{field: "has-other"}))

    assert answer.status_code == 422


async def create_at(host, key, **headers):
    """Ask at an address of one's choice."""
    call = func.HttpRequest(
        "POST",
        f"https://{host}/api/requests?base_url=https://evil.example",
        headers={"Content-Type": "application/json", "x-approvals-key": key, **headers},
        body=json.dumps(a_request(approvers=[GRACE])).encode(),
    )
    return await api.handle(call, None, "api/requests", {"POST": api.create})


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:7071", "127.0.0.1.evil.example"]
)
async def test_a_caller_that_sees_no_links_cannot_lead_people_to_an_address_of_its_own(service, host):
    service()

    answer = await create_at(host, KEYS["request"])

    assert answer.status_code == 400
    assert json.loads(answer.get_body())["code"] == "bad_header"
    assert "PUBLIC_BASE_URL" in json.loads(answer.get_body())["detail"]


@pytest.mark.parametrize("host", ["localhost:7071", "127.0.0.1:7071", "[::1]:7071"])
async def test_on_the_developers_own_machine_the_address_may_be_that_of_the_call(service, host):
    service()

    assert (await create_at(host, KEYS["request"])).status_code == 201


@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}])
async def test_the_address_of_the_operator_goes_before_every_other(service, forwarded):
    service(public_base_url="https://approvals.example.com")

    answer = await create_at("evil.example", KEYS["request"], Host="evil.example", **forwarded)

    assert answer.status_code == 201
    assert "evil" not in str(all_of(answer))
    assert answer.headers["Location"].startswith("https://approvals.example.com/")


# --- everything that has a route ------------------------------------------------------------------


def test_a_route_without_a_row_does_not_start():
    with pytest.raises(LookupError, match="api/secrets has no row"):
        rights.route("api/secrets")


@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda each: each.replace("{request_id}", "ID"))
async def test_no_other_method_opens_what_a_key_is_wanted_for(service, method, path):
    service("key")
    handler, _ = CALLS[(method, path)]
    for other in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        call = func.HttpRequest(other, f"http://localhost/{path}", route_params={"request_id": REQUEST_ID}, body=b"{}")
        answer = await api.handle(call, None, path, {method: handler})
        assert answer.status_code in {401, 405, 204}, other
        assert (answer.status_code == 204) == (other == "OPTIONS")
        assert (answer.status_code == 401) == (other in ((method, "HEAD") if method == "GET" else (method,)))
        assert REQUEST_ID not in answer.get_body().decode()


async def test_health_says_nothing_of_who_may_call(service):
    service()
    call = func.HttpRequest("GET", "http://localhost/api/health", headers={}, body=b"")

    answer = await api.handle(call, None, "api/health", {"GET": api.report_health})

    assert json.loads(answer.get_body()).keys() == {"status", "version"}


async def test_a_preview_says_what_a_creation_would_say_of_whom_a_caller_may_name(service, monkeypatch):
    entry = {"sha256": [hash_of(LIMITED)], "rights": ["request"], "approvers": ["*@example.com"]}
    monkeypatch.setitem(CALLERS, "limited", entry)
    service("limited")
    asks = {"stages": [{"approvers": [GRACE]}, {"approvers": ["eve@evil.org"]}]}

    answer = await answer_to(
        "POST", "api/policies/preview", {"x-approvals-key": LIMITED}, {"request": a_request(**asks)}
    )

    assert (answer.status_code, json.loads(answer.get_body())["pointer"]) == (403, "/request/stages/1/approvers/0")


# --- applications ---------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [*RIGHTS, None])
@pytest.mark.parametrize(("method", "path"), TABLE, ids=lambda each: each.replace("{request_id}", "ID"))
async def test_an_application_may_do_what_its_roles_say_and_no_more(service, method, path, right):
    own, all_ = TABLE[(method, path)]
    service("app:11111111", trusts_sign_in=True)
    role = f"Approvals.{right.title()}" if right else "Approvals.Everything"
    token = a_principal(idtyp="app", azp="11111111", name=None, roles=role)

    answer = await answer_to(method, path, token)

    assert told(answer) in expected(right, own, all_, mine=True), answer.get_body()


# --- an answer in a caller's own name -------------------------------------------------------------


@pytest.mark.parametrize("allows", [False, True])
@pytest.mark.parametrize("name", ["has-decide", "HAS-DECIDE.", "Approval desk", "approval\u00a0DESK"])
async def test_who_attests_never_answers_as_itself_whatever_the_request_allows(service, monkeypatch, allows, name):
    monkeypatch.setitem(CALLERS, "has-decide", {**CALLERS["has-decide"], "title": "Approval desk"})
    service("has-other")

    answer = await answer_to(
        "POST",
        "api/approvals/{request_id}",
        {"x-approvals-key": KEYS["decide"]},
        a_decision(approver=name, is_approved=allows),
    )

    problem = json.loads(answer.get_body())
    assert (answer.status_code, problem["code"]) == (403, "self_approval")
    assert problem["detail"] == f"{name.replace(chr(0xA0), ' ')} is the calling system itself, which cannot decide."


async def test_who_attests_answers_for_others_also_on_what_it_asked_for_itself(service, monkeypatch):
    both = "dak_both".ljust(53, "x")
    entry = {"sha256": [hash_of(both)], "rights": ["request", "decide"], "title": "Portal"}
    monkeypatch.setitem(CALLERS, "has-both", entry)
    service("has-both")

    answer = await answer_to("POST", "api/approvals/{request_id}", {"x-approvals-key": both})

    assert answer.status_code == 503, "it was let in, and the scheduler of this test takes no event"


def test_what_is_documented_of_the_headers_is_what_is_read():
    chosen = settings.Settings(callers=json.dumps(CALLERS))
    now = dt.datetime.now(dt.UTC)

    for header in ({"authorization": f"Bearer {KEYS['read']}"}, {"x-approvals-key": KEYS["read"]}):
        assert identify(header, chosen, now).name == "has-read"

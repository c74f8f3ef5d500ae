"""Callers with names, over HTTP: who sees what, who may do what, and that no key is anywhere it should not be."""

from __future__ import annotations

import json

import pytest

from approvals.people.callers import hash_of
from tests.builders import ADA, ALAN, GRACE, a_cancellation, a_decision, a_request
from tests.conftest import Caller
from tests.journeys.test_messages import link_in
from tests.localhost import LocalHost, LocalTaskHub
from tests.sinks import SmtpSink, WebhookSink

KEYS = {name: f"dak_{name}".ljust(53, "x") for name in ("bot", "portal", "support", "board")}
RIGHTS = {"bot": ["request"], "portal": ["request", "decide"], "support": ["operate"], "board": ["read"]}
CALLERS = json.dumps(
    {
        name: {"sha256": [hash_of(KEYS[name])], "rights": RIGHTS[name]}
        | ({"title": "Deploy bot"} if name == "bot" else {})
        for name in KEYS
    }
)


class Named(Caller):
    """A calling system with a key of its own."""

    def __init__(self, base_url, name):
        super().__init__(base_url)
        self.http.headers["Authorization"] = f"Bearer {KEYS[name]}"


@pytest.fixture(scope="module")
def world():
    """Give a host that knows these callers, and each of them."""
    with WebhookSink() as room:
        host = LocalHost(CALLERS=CALLERS, NOTIFY_URLS=room.url(path="hook/{approver}")).start()
        people = {name: Named(host.url, name) for name in KEYS}
        try:
            yield host, people
        finally:
            for one in people.values():
                one.http.close()
            host.stop()


def test_a_bot_asks_and_somebody_else_decides(world):
    _, callers = world
    asked = callers["bot"].ask(approvers=[GRACE])
    request_id = asked.json()["request_id"]

    own = callers["bot"].decide(request_id)
    decided = callers["portal"].decide(request_id, comments="Fine")

    assert asked.status_code == 201
    assert "/approve/" not in asked.text
    assert asked.json()["told"] == [{"approver": GRACE, "channels": ["json-1"]}]
    assert (own.status_code, own.json()["right"]) == (403, "decide")
    assert decided.status_code == 200
    story = callers["bot"].look(request_id).json()
    assert story["status"] == "Approved"
    assert story["created_by"] == {"name": "bot", "title": "Deploy bot"}
    assert story["decision"]["caller"] == "portal"


def test_a_request_is_its_callers_and_theirs_who_read_everything(world):
    _, callers = world
    request_id = callers["bot"].asked(approvers=[GRACE])

    seen = {name: one.look(request_id).status_code for name, one in callers.items()}

    assert seen == {"bot": 200, "portal": 404, "support": 403, "board": 200}


def test_who_operates_may_cancel_and_reassign_and_who_asked_may_cancel(world):
    _, callers = world
    first, second = callers["bot"].asked(approvers=[GRACE]), callers["bot"].asked(approvers=[GRACE])
    acts = {"If-Match": "*"}
    passing_on = {"by": ADA, "from": GRACE, "to": ALAN}

    refused = callers["bot"].http.post(f"/api/requests/{first}/reassign", json=passing_on, headers=acts)
    passed_on = callers["support"].http.post(f"/api/requests/{first}/reassign", json=passing_on, headers=acts)
    by_support = callers["support"].http.post(f"/api/requests/{first}/cancel", json=a_cancellation(), headers=acts)
    by_other = callers["portal"].http.post(f"/api/requests/{second}/cancel", json=a_cancellation(), headers=acts)
    by_bot = callers["bot"].http.post(f"/api/requests/{second}/cancel", json=a_cancellation(), headers=acts)

    statuses = [each.status_code for each in (refused, passed_on, by_support, by_other, by_bot)]
    assert statuses == [403, 200, 200, 404, 200]
    story = callers["board"].look(first).json()
    assert (story["changes"][0]["caller"], story["cancellation"]["caller"]) == ("support", "support")


def test_a_bot_leads_nobody_to_an_address_of_its_own(world):
    _, callers = world
    body, evil = a_request(approvers=[GRACE]), {"Host": "evil.example"}

    bots = callers["bot"].http.post("/api/requests", json=body, headers=evil)
    portals = callers["portal"].http.post("/api/requests", json=body, headers=evil)

    assert (bots.status_code, bots.json()["code"]) == (400, "bad_header")
    assert portals.status_code == 201, "it is shown the links anyway"


def test_whatever_a_bot_tries_it_comes_to_no_link_no_decision_and_no_request_of_others(world):
    _, callers = world
    bot, heard = callers["bot"], []
    theirs = callers["portal"].ask(key="order-17", approvers=[GRACE, ALAN]).raise_for_status().json()
    links = [each["approval_url"] for each in theirs["approvals"]]
    own = bot.ask(key="order-17", approvers=[GRACE]).raise_for_status().json()["request_id"]
    before = callers["board"].look(theirs["request_id"])

    bodies = {
        "GET /api/requests/{}": None,
        "HEAD /api/requests/{}": None,
        "POST /api/requests/{}/cancel": a_cancellation(),
        "POST /api/requests/{}/reassign": {"by": ADA, "from": GRACE, "to": ADA},
        "POST /api/approvals/{}": a_decision(),
        "POST /api/approvals/{}/delegate": {"approver": GRACE, "to": ADA},
        "GET /approve/{}": None,
        "GET /approve/{}/": None,
        "POST /approve/{}": None,
    }
    for call, body in bodies.items():
        method, _, path = call.partition(" ")
        for headers in ({}, {"If-Match": "*"}, {"Prefer": "wait=20"}, {"If-None-Match": before.headers["ETag"]}):
            address = f"{path.format(theirs['request_id'])}?code=x&caller=portal&right=decide"
            heard.append(bot.http.request(method, address, json=body, headers=headers))
        if "cancel" not in call:
            heard.append(bot.http.request(method, path.format(own), json=body, headers={"If-Match": "*"}))
    heard += [bot.ask(key=key, approvers=[GRACE, ALAN]) for key in ("order-17", "portal/order-17", "portal:order-17")]
    typed = {"answer": "approve", "page": "x", "approver": GRACE}
    tokens = ("x", theirs["request_id"], KEYS["portal"], KEYS["bot"])
    heard += [bot.http.post(f"/approve/{token}", data=typed) for token in tokens]
    heard += [bot.http.get(path) for path in ("/api/requests", "/api/", "/api/callers", "/", "/api/approvals")]

    said = [f"{each.text} {dict(each.headers)}" for each in heard]
    for secret in (*(link.rpartition("/")[2] for link in links), *(KEYS[name] for name in KEYS)):
        assert not [each for each in said if secret in each]
    assert not [each for each in said if "/approve/" in each]
    about_theirs = [each for each in heard if theirs["request_id"] in str(each.request.url)]
    assert {each.status_code for each in about_theirs} <= {308, 403, 404, 415}
    assert max(each.elapsed.total_seconds() for each in about_theirs) < 10, "it is held back for nothing"
    after = callers["board"].look(theirs["request_id"])
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])
    assert callers["board"].look(own).json()["votes"] == []


def test_nothing_of_who_may_call_is_told_to_strangers(world):
    host, callers = world
    stranger = Caller(host.url)

    said = [stranger.http.get(path).text for path in ("/", "/api/health", "/assets/time.js", "/approve/x")]

    stranger.http.close()
    for name in callers:
        assert not [each for each in said if KEYS[name] in each or hash_of(KEYS[name]) in each]
    assert not [each for each in said if "Deploy bot" in each or "CALLERS" in each]


def test_an_idempotency_key_belongs_to_its_caller(world):
    _, callers = world

    bots = callers["bot"].ask(key="same", approvers=[GRACE])
    again = callers["bot"].ask(key="same", approvers=[GRACE])
    portals = callers["portal"].ask(key="same", approvers=[GRACE])

    assert (bots.status_code, again.status_code, portals.status_code) == (201, 200, 201)
    assert bots.json()["request_id"] == again.json()["request_id"] != portals.json()["request_id"]
    assert "/approve/" not in again.text
    assert "/approve/" in portals.text


def test_without_a_key_or_with_a_wrong_one_nobody_is_let_in(world):
    host, _ = world
    stranger = Caller(host.url)

    answers = [
        stranger.ask(),
        stranger.http.post("/api/requests", json=a_request(), headers={"x-approvals-key": "dak_wrong"}),
        stranger.look("0" * 32),
        stranger.http.post("/api/approvals/" + "0" * 32, json=a_decision()),
    ]

    stranger.http.close()
    assert {each.status_code for each in answers} == {401}
    assert {each.headers["WWW-Authenticate"] for each in answers} == {"Bearer"}


def test_no_key_and_no_hash_is_in_the_log(world):
    host, _ = world

    for key in KEYS.values():
        assert key not in host.output
        assert hash_of(key) not in host.output
    assert "Callers: bot, portal, support, board." in host.output


def test_a_message_and_a_page_say_which_system_asks(world, started, calling):
    with SmtpSink() as post:
        here = started(LocalHost(CALLERS=CALLERS, NOTIFY_URLS=post.url()))
        bot = Named(here.url, "bot")
        bot.ask(approvers=[GRACE]).raise_for_status()
        (mail,) = post.wait_for(1)
        page = calling(here).http.get(link_in(mail)).text
    bot.http.close()

    assert f"{ADA}, through Deploy bot asks for your approval" in mail.text
    assert "Deploy bot" in page


@pytest.mark.parametrize("callers", ["", "{}"])
def test_without_callers_one_line_says_so_and_nothing_else_does(started, calling, callers):
    here = started(LocalHost(CALLERS=callers))
    anyone = calling(here)

    asked = anyone.ask(approvers=[GRACE])
    health = anyone.http.get("/api/health").json()

    assert asked.status_code == 201
    assert asked.json()["approvals"][0]["approval_url"]
    assert here.output.count("any key of the platform may do everything") == 1
    assert set(health) == {"status", "version"}


def test_an_app_with_callers_that_make_no_sense_does_not_start_and_says_why():
    secret = KEYS["bot"]
    host = LocalHost(CALLERS=json.dumps({"bot": {"sha256": [secret], "rights": ["request"]}}))

    with pytest.raises(AssertionError) as caught:
        host.start()

    assert "CALLERS: bot: sha256.0" in str(caught.value)
    assert secret not in str(caught.value)


def test_what_was_asked_before_callers_had_names_is_found_by_key_and_body_and_shows_no_link(started):
    hub = started(LocalTaskHub())
    before = started(LocalHost(**hub.environment_of_a_host))
    anyone = Caller(before.url)
    answer = anyone.ask(key="old", approvers=[GRACE])
    assert answer.status_code == 201, answer.text
    made = answer.json()
    before.stop()
    with WebhookSink() as room:
        after = started(
            LocalHost(CALLERS=CALLERS, NOTIFY_URLS=room.url(path="{approver}"), **hub.environment_of_a_host)
        )
        bot = Named(after.url, "bot")

        again = bot.ask(key="old", approvers=[GRACE])
        other = bot.ask(key="old", approvers=[ALAN])
        seen = bot.look(made["request_id"])

    for one in (anyone, bot):
        one.http.close()
    assert (again.status_code, again.json()["request_id"]) == (200, made["request_id"])
    assert "/approve/" not in again.text
    assert (other.status_code, other.json()["request_id"] != made["request_id"]) == (201, True)
    assert seen.status_code == 404, "it belongs to nobody: only who reads everything sees it"

"""Callers with names, over HTTP: who sees what, who may do what, and that no key is anywhere it should not be."""

from __future__ import annotations

import json

import pytest

from approvals.people.callers import hash_of
from tests.builders import ADA, ALAN, GRACE, a_cancellation, a_decision, a_request
from tests.conftest import Caller
from tests.localhost import LocalHost, LocalTaskHub
from tests.sinks import WebhookSink

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

"""The caller is told, over real HTTP, by a receiver that takes it, refuses, hangs, or is not there."""

from __future__ import annotations

import json

import pytest
from durable_approvals import verify_callback
from standardwebhooks import Webhook

from tests.builders import ADA, ALAN, GRACE
from tests.conftest import Caller
from tests.localhost import ClockedHost
from tests.sinks import WebhookSink

SECRET, OLDER = "whsec_" + "bmV3ZXN0" * 4, "whsec_" + "b2xkZXN0" * 4
SAS = "sv=1.0&sig=c2VjcmV0LXNpZ25hdHVyZQ"


@pytest.fixture(scope="module")
def receiver():
    with WebhookSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def host(receiver):
    """Give a host that may call two addresses of the receiver, and a port where nobody listens."""
    here = f"127.0.0.1:{receiver.port}"
    rules = {
        f"{here}/hooks/*": {"auth": "standard-webhooks", "secrets": [SECRET, OLDER]},
        f"{here}/logic": {"auth": "url"},
        "127.0.0.1:9/*": {"auth": "url"},
    }
    running = ClockedHost(CALLBACKS=json.dumps(rules), EVENT_TYPE_PREFIX="org.example.approvals").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def caller(host):
    one = Caller(host.url)
    yield one
    one.http.close()


@pytest.fixture
def told(receiver):
    """Give what arrives from now on: `told(2)` waits for two."""
    before = len(receiver.received)
    return lambda count: receiver.wait_for(before + count)[before:]


def address(receiver, path="/hooks/1"):
    return f"http://127.0.0.1:{receiver.port}{path}"


def test_the_caller_is_told_the_end_once_as_a_signed_event(caller, receiver, told):
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))

    caller.decide(request_id, approver=GRACE)

    (event,) = told(1)
    assert Webhook(SECRET).verify(event.body, event.headers) == event.json
    assert verify_callback(event.headers, event.body, SECRET) == event.json
    assert event.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    story = caller.until(request_id, lambda seen: seen["undelivered"] == [])
    assert event.json == {
        "specversion": "1.0",
        "id": event.headers["webhook-id"],
        "source": caller.look(request_id).url.copy_with(path="/").__str__().rstrip("/"),
        "type": "org.example.approvals.request.approved",
        "subject": request_id,
        "time": story["settled_at"],
        "datacontenttype": "application/json",
        "data": story,
    }


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (lambda caller, it: caller.decide(it, approver=GRACE, is_approved=False), "rejected"),
        (lambda caller, it: caller.cancel(it, by=ADA), "cancelled"),
    ],
)
def test_each_end_is_told_as_what_it_is(caller, receiver, told, end, kind):
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.http.headers["If-Match"] = "*"

    end(caller, request_id)
    del caller.http.headers["If-Match"]

    assert told(1)[0].json["type"] == f"org.example.approvals.request.{kind}"


def test_silence_is_told(caller, host, receiver, told):
    caller.asked(timeout_hours=1 / 60, callback_url=address(receiver))

    host.move(61)

    assert told(1)[0].json["type"].endswith(".timed_out")


def test_every_change_is_told_where_that_is_wanted(caller, receiver, told):
    request_id = caller.asked(
        approvers=[GRACE, ALAN], required="all", callback_url=address(receiver), callback_on="every_change"
    )

    caller.decide(request_id, approver=GRACE)
    first = told(1)
    caller.decide(request_id, approver=ALAN)

    events = told(2)
    assert first == events[:1]
    assert [event.json["type"].rpartition(".")[2] for event in events] == ["voted", "approved"]
    assert len({event.json["id"] for event in events}) == 2
    assert events[1].json["data"]["revision"] > events[0].json["data"]["revision"]


def test_a_binary_event_is_the_bare_story_and_its_address_is_told_nowhere_whole(caller, host, receiver, told):
    url = address(receiver, f"/logic?{SAS}")
    made = caller.ask(approvers=[GRACE], callback_url=url, callback_format="binary")
    request_id = made.json()["request_id"]

    caller.decide(request_id, approver=GRACE)

    (event,) = told(1)
    story = caller.outcome(request_id)
    history = caller.http.get(f"/api/requests/{request_id}/history")
    assert event.path == f"/logic?{SAS}"
    assert event.json == story
    assert event.headers["content-type"] == "application/json"
    assert event.headers["ce-type"] == "org.example.approvals.request.approved"
    assert event.headers["ce-id"] == event.headers["webhook-id"]
    assert "webhook-signature" not in event.headers
    assert story["callback"] == {"url": address(receiver, "/logic"), "on": "settled", "format": "binary"}
    for text in (made.text, json.dumps(story), history.text, json.dumps(event.json), host.output):
        assert "c2VjcmV0" not in text


def test_a_receiver_that_is_away_is_tried_again_and_gets_the_same_event(caller, host, receiver, told):
    receiver.answers[:] = [500, ("redirect", address(receiver, "/elsewhere"))]
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.decide(request_id, approver=GRACE)
    first = told(1)
    late = caller.until(request_id, lambda story: story["undelivered"])["undelivered"]
    host.move(6)
    second = told(2)
    caller.until(request_id, lambda story: story["undelivered"][0]["tried_again"] == 1)
    host.move(31)

    third = told(3)
    assert [event.path for event in third] == ["/hooks/1"] * 3
    assert len({event.headers["webhook-id"] for event in third}) == 1
    assert first + second[1:] == third[:2]
    assert (late[0]["channel"], late[0]["occasion"], late[0]["to"]) == ("callback", "approved", address(receiver))
    caller.until(request_id, lambda story: story["undelivered"] == [])
    steps = caller.http.get(f"/api/requests/{request_id}/history").json()["entries"]
    assert [(step["kind"], step["channel"]) for step in steps[-1:]] == [("delivered", "callback")]


def test_a_receiver_that_is_gone_gets_nothing_more_until_somebody_has_it_sent_again(caller, receiver, told):
    receiver.answers[:] = [410]
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.decide(request_id, approver=GRACE)
    told(1)
    (late,) = caller.until(request_id, lambda story: story["undelivered"])["undelivered"]

    again = caller.http.post(f"/api/requests/{request_id}/redeliver", json={"by": ADA})

    events = told(2)
    assert late["next_attempt_at"] is None
    assert again.status_code == 202
    assert again.json()["callbacks"] == [{"id": events[0].headers["webhook-id"], "kind": "approved"}]
    assert events[0].headers["webhook-id"] == events[1].headers["webhook-id"]
    assert caller.until(request_id, lambda story: story["undelivered"] == [])["undelivered_count"] == 0
    steps = caller.http.get(f"/api/requests/{request_id}/history").json()["entries"]
    assert [step["kind"] for step in steps[-3:]] == ["not_delivered", "sent_again", "delivered"]


def test_what_was_taken_is_sent_again_only_where_that_is_asked_for(caller, receiver, told):
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.decide(request_id, approver=GRACE)
    told(1)
    caller.until(request_id, lambda story: story["undelivered"] == [])
    again = f"/api/requests/{request_id}/redeliver"

    nothing = caller.http.post(again, json={"by": ADA})
    everything = caller.http.post(again, json={"by": ADA, "everything": True})

    assert nothing.json()["callbacks"] == []
    assert len(everything.json()["callbacks"]) == 1
    assert len({event.headers["webhook-id"] for event in told(2)}) == 1


def test_a_ping_says_whether_a_receiver_takes_it(caller, receiver, told):
    def ping(url):
        return caller.http.post("/api/callbacks/ping", json={"callback_url": url})

    taken = ping(address(receiver, "/hooks/ping"))
    receiver.answers[:] = [403]
    refused = ping(address(receiver, "/hooks/ping"))
    nobody = ping("http://127.0.0.1:9/hooks")
    elsewhere = ping("https://other.example.com/hooks?sig=secret")

    assert taken.json() == {
        "url": address(receiver, "/hooks/ping"),
        "delivered": True,
        "status": 200,
        "reason": None,
    }
    assert told(2)[0].json["type"] == "org.example.approvals.request.ping"
    assert (refused.json()["delivered"], refused.json()["status"]) == (False, 403)
    assert (nobody.json()["delivered"], nobody.json()["reason"]) == (False, "not_reached")
    assert elsewhere.status_code == 422
    assert "CALLBACKS has no rule" in elsewhere.text
    assert "secret" not in elsewhere.text


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hooks/1",
        "http://127.0.0.1:9999/hooks/1",
        "http://localhost/hooks/1",
        "https://hooks.example.com/1",
    ],
)
def test_an_address_without_a_rule_is_refused_with_the_settings_name(caller, url):
    answer = caller.ask(callback_url=url)

    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["pointer"] == "/callback_url"
    assert "CALLBACKS" in problem["detail"]


def test_an_end_that_an_operator_made_is_told_too(caller, receiver, told):
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.until(request_id, lambda story: story["status"] == "Pending")
    ended = caller.http.post(f"/runtime/webhooks/durabletask/instances/{request_id}/terminate?reason=wrong")
    assert ended.status_code == 202
    caller.until(request_id, lambda story: story["status"] == "Cancelled")

    caller.sweep()

    assert told(1)[0].json["type"].endswith(".cancelled")


# --- subscriptions ---------------------------------------------------------------------------------


@pytest.fixture
def subscribed(caller):
    """Subscribe an address, and end that with the test."""
    kept = []

    def subscribe(url, **more):
        answer = caller.http.post("/api/subscriptions", json={"callback_url": url, **more})
        kept.append(answer.headers["Location"])
        return answer

    yield subscribe
    for where in kept:
        assert caller.http.delete(where).status_code in (204, 404)


def test_who_has_subscribed_is_told_of_each_end_until_they_have_not(caller, receiver, told, subscribed):
    answer = subscribed(address(receiver, f"/logic?{SAS}"), callback_format="binary")
    first, second = (caller.asked(approvers=[GRACE]) for _ in range(2))
    listed = caller.http.get("/api/subscriptions")
    caller.decide(first, approver=GRACE)
    caller.decide(second, approver=GRACE, is_approved=False)
    events = told(2)

    ended = caller.http.delete(answer.headers["Location"])
    caller.decide(caller.asked(approvers=[GRACE]), approver=GRACE)
    own = caller.asked(approvers=[GRACE], callback_url=address(receiver))
    caller.decide(own, approver=GRACE)

    assert answer.status_code == 201
    assert answer.json()["callback"] == {"url": address(receiver, "/logic"), "on": "settled", "format": "binary"}
    assert [each["subscription_id"] for each in listed.json()["subscriptions"]] == [answer.json()["subscription_id"]]
    assert {(event.json["request_id"], event.json["status"]) for event in events} == {
        (first, "Approved"),
        (second, "Rejected"),
    }
    assert {event.path for event in events} == {f"/logic?{SAS}"}
    assert ended.status_code == 204
    assert told(3)[2].json["subject"] == own
    assert "c2VjcmV0" not in answer.text + listed.text
    assert caller.http.delete(answer.headers["Location"]).json()["code"] == "no_subscription"


def test_a_subscription_whose_instance_somebody_ended_is_ended_all_the_same(caller, receiver, subscribed):
    answer = subscribed(address(receiver))
    instance = f"subscription-{answer.json()['subscription_id']}"
    caller.http.post(f"/runtime/webhooks/durabletask/instances/{instance}/terminate?reason=wrong")
    caller.purge(instance)

    assert caller.http.delete(answer.headers["Location"]).status_code == 204
    assert caller.http.get("/api/subscriptions").json()["subscriptions"] == []


def test_a_request_with_an_address_of_its_own_is_told_to_both_under_one_id(caller, receiver, told, subscribed):
    subscribed(address(receiver, "/hooks/all"))
    request_id = caller.asked(approvers=[GRACE], callback_url=address(receiver, "/hooks/own"))

    caller.decide(request_id, approver=GRACE)

    events = told(2)
    assert {event.path for event in events} == {"/hooks/all", "/hooks/own"}
    assert len({event.headers["webhook-id"] for event in events}) == 1


def test_an_address_that_is_not_allowed_is_not_subscribed_and_there_is_an_end_to_them(caller, receiver, subscribed):
    refused = caller.http.post("/api/subscriptions", json={"callback_url": "https://other.example.com/?sig=secret"})
    for number in range(20):
        assert subscribed(address(receiver, f"/hooks/{number}")).status_code == 201
    too_many = caller.http.post("/api/subscriptions", json={"callback_url": address(receiver)})

    assert refused.status_code == too_many.status_code == 422
    assert "CALLBACKS" in refused.text
    assert "secret" not in refused.text
    assert "20 subscriptions" in too_many.text
    assert caller.http.delete("/api/subscriptions/nonsense").status_code == 404


# --- last, since what hangs here comes again later ---------------------------------------------------


def test_receivers_that_hang_hold_up_no_approval(caller, receiver, told):
    receiver.answers[:] = ["hang"] * 20
    for _ in range(20):
        caller.decide(caller.asked(approvers=[GRACE], callback_url=address(receiver)), approver=GRACE)
    told(5)

    request_id = caller.asked(approvers=[GRACE])
    answer = caller.decide(request_id, approver=GRACE)

    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() < 5

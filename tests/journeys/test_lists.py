"""Lists over real HTTP: created, found, waited for, decided, and found elsewhere."""

from __future__ import annotations

import json
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from approvals.people.callers import hash_of
from tests.builders import ALAN, EVE, GRACE, a_decision
from tests.localhost import LocalHost


@pytest.fixture
def ada():
    return f"ada-{uuid.uuid4().hex}@example.com"


def listed(caller, path="/api/requests", **query):
    answer = caller.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [each["request_id"] for each in page["requests"]]


def test_a_request_is_listed_as_soon_as_it_is_made_and_where_it_stands_after_it_was_decided(caller, ada):
    request_id = caller.asked(requester=ada, approvers=[GRACE], reference="PO-7", tags=["it"])

    (summary,) = listed(caller, requester=ada)["requests"]
    assert summary["request_id"] == request_id
    assert (summary["status"], summary["reference"], summary["tags"]) == ("Pending", "PO-7", ["it"])
    assert caller.http.get(summary["status_url"]).status_code == 200

    caller.decide(request_id)
    caller.sweep()
    (summary,) = listed(caller, requester=ada)["requests"]
    assert summary["status"] == "Approved"
    assert summary["settled_at"]
    assert request_id in ids(listed(caller, status="Approved"))
    assert request_id not in ids(listed(caller, status="Pending"))


def test_a_list_goes_on_where_next_leads_until_its_end(caller, ada):
    made = [caller.asked(requester=ada, item=f"Item {n}") for n in range(5)]

    seen, address = [], f"/api/requests?requester={ada}&limit=2"
    while address:
        answer = caller.http.get(address)
        page = answer.json()
        seen += ids(page)
        address = page["next"]
        if address:
            assert answer.headers["Link"] == f'<{address}>; rel="next"'
            assert "code=" not in address

    assert seen == made[::-1]


def test_an_inbox_holds_what_awaits_a_person_until_they_have_answered(caller):
    who = f"grace-{uuid.uuid4().hex}@example.com"
    later = caller.asked(approvers=[who], timeout="PT9H")
    soon = caller.asked(approvers=[who, ALAN], timeout="PT1H")

    assert ids(listed(caller, "/api/inbox", approver=who)) == [soon, later]

    caller.decide(soon, approver=who)
    caller.sweep()
    assert ids(listed(caller, "/api/inbox", approver=who)) == [later]


def test_time_alone_changes_lists_within_a_minute_or_two(caller, host):
    first, second = f"a-{uuid.uuid4().hex}@example.com", f"b-{uuid.uuid4().hex}@example.com"
    escalation = {"approvers": [second], "timeout_hours": 5}
    request_id = caller.asked(approvers=[first], timeout_hours=1, on_timeout="escalate", escalate_to=escalation)

    host.move(3660)
    caller.until(request_id, lambda story: story["stage"]["escalated"])
    caller.sweep()

    assert ids(listed(caller, "/api/inbox", approver=first)) == []
    assert ids(listed(caller, "/api/inbox", approver=second)) == [request_id]


def test_an_end_in_silence_is_listed_as_soon_as_it_was_told(caller, host, ada):
    request_id = caller.asked(requester=ada, timeout_hours=1)

    host.move(3660)
    caller.until(request_id, lambda story: story["status"] == "Timeout")
    caller.purge(request_id)

    assert [each["status"] for each in listed(caller, requester=ada)["requests"]] == ["Timeout"]
    assert caller.look(request_id).json()["status"] == "Timeout"


WRONG = {
    "?limit=0": ("limit", "whole number from 1 to 100"),
    "?limit=101": ("limit", "whole number from 1 to 100"),
    "?limit=x": ("limit", "whole number from 1 to 100"),
    "?status=pending": ("status", "must be one of Pending"),
    "?status=Pending&tag=x": ("status", "does not go with another filter"),
    "?tag=a&tag=b": ("tag", "more than once"),
    "?colour=red": ("colour", "is not known here"),
    "?requester=": ("requester", "must not be empty"),
    "?created_after=yesterday": ("created_after", ""),
    "?cursor=abc": ("cursor", "is not one of this list"),
    "?cursor=%20": ("cursor", "is not one of ours"),
}


@pytest.mark.parametrize(("query", "told"), WRONG.items())
def test_a_wrong_parameter_is_named(caller, query, told):
    answer = caller.http.get(f"/api/requests{query}")

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_query"
    assert any(each["parameter"] == told[0] and told[1] in each["detail"] for each in answer.json()["errors"]), (
        answer.text
    )


def test_a_list_that_ends_with_its_page_leads_nowhere(caller, ada):
    for _ in range(2):
        caller.asked(requester=ada)

    assert listed(caller, requester=ada, limit=2)["next"] is None


def test_a_day_that_is_none_is_said_to_be(caller):
    for day, told in {
        "tomorrow": "must be a day",
        "2026-02-30": "must be a day",
        "0": "must be a day",
        "1700000000": "must be a day",
        "2999-01-01": "is not over",
    }.items():
        answer = caller.http.get("/api/export", params={"day": day})
        assert answer.status_code == 422
        assert told in answer.json()["errors"][0]["detail"]


def test_who_may_only_ask_sees_its_own_alone(started, calling, ada):
    keys = {name: f"dak_{name}".ljust(53, "x") for name in ("one", "other", "reader")}
    callers = {name: {"sha256": [hash_of(key)], "rights": ["request"]} for name, key in keys.items()}
    callers["reader"]["rights"] = ["read"]
    settings = {
        "CALLERS": json.dumps(callers),
        "PUBLIC_BASE_URL": "http://localhost",
        "NOTIFY_URLS": "json://localhost/{approver}",
    }
    host = started(LocalHost(**settings))

    def call(name):
        caller = calling(host)
        caller.http.headers["x-approvals-key"] = keys[name]
        return caller

    mine = call("one").asked(requester=ada, approvers=[GRACE])
    for path, query in (("/api/requests", {"requester": ada}), ("/api/inbox", {"approver": GRACE})):
        assert mine in ids(listed(call("one"), path, **query))
        assert mine in ids(listed(call("reader"), path, **query))
        assert mine not in ids(listed(call("other"), path, **query))


def test_a_cursor_is_of_one_list_alone(caller, ada):
    for _ in range(3):
        caller.asked(requester=ada)
    after = listed(caller, requester=ada, limit=1)["next"]
    (cursor,) = parse_qs(urlsplit(after).query)["cursor"]

    assert caller.http.get("/api/requests", params={"cursor": cursor}).status_code == 422
    assert caller.http.get("/api/requests", params={"cursor": cursor, "requester": ada, "limit": 2}).status_code == 200


def test_many_decisions_are_answered_in_order_each_as_if_it_had_come_alone(caller):
    ids_made = [caller.asked(approvers=[GRACE]) for _ in range(12)]
    decisions = [a_decision(request_id=each, is_approved=n % 2 == 0) for n, each in enumerate(ids_made)]
    decisions += [a_decision(request_id=ids_made[0], approver=EVE), a_decision(request_id="0" * 32)]

    answer = caller.http.post("/api/approvals/batch", json={"decisions": decisions})

    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [each["request_id"] for each in results] == [each["request_id"] for each in decisions]
    assert [each["status"] for each in results] == [200] * 12 + [409, 404]
    assert [each["body"]["status"] for each in results[:2]] == ["Approved", "Rejected"]
    assert results[-1]["body"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decisions": []}, "/decisions"),
        ({"decisions": [a_decision(request_id="0" * 32)] * 101}, "/decisions"),
        ({"decisions": [a_decision()]}, "/decisions/0/request_id"),
        ({"decisions": [a_decision(request_id="../x")]}, "/decisions/0/request_id"),
        ({"decisions": [a_decision(request_id="0" * 32, colour="red")]}, "/decisions/0/colour"),
    ],
)
def test_a_batch_that_makes_no_sense_decides_nothing(caller, body, pointer):
    answer = caller.http.post("/api/approvals/batch", json=body)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

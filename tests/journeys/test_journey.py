"""The seed's journey, over HTTP: ask, look, decide, and every way it ends."""

import concurrent.futures
import datetime as dt

import pytest

from approvals.rules.events import event_name
from tests.builders import ALAN, EVE, GRACE, a_request, decided


def test_a_new_request_is_pending_and_says_where_to_decide_and_to_look(caller, host):
    answer = caller.ask(timeout_hours=2)

    body = answer.json()
    assert answer.status_code == 201
    assert body["status"] == "Pending"
    assert body["approval_url"].startswith(f"{host.url}/approve/")
    assert body["decision_url"] == f"{host.url}/api/approvals/{body['request_id']}"
    assert body["status_url"] == f"{host.url}/api/requests/{body['request_id']}"
    assert answer.headers["Location"] == body["status_url"]
    assert body["deadline"].endswith("Z")


def test_the_whole_story_is_told(caller):
    details = {
        "price": 1200,
        "why": ["old one broke", None],
        "nested": {"__class__": "a", "__module__": "b", "__data__": 1},
    }
    request_id = caller.asked(description="A\nsecond line", details=details, timeout_hours=1)

    body = caller.look(request_id).json()
    assert (body["requester"], body["item"], body["description"]) == ("ada@example.com", "New laptop", "A\nsecond line")
    assert body["details"] == details
    assert body["status"] == "Pending"
    assert body["decision"] is None


def test_an_approval_is_recorded_with_approver_comments_and_time(caller):
    request_id = caller.asked()

    answer = caller.decide(request_id, comments="Enjoy")

    story = caller.look(request_id).json()
    assert answer.status_code == 200
    assert story["status"] == "Approved"
    assert story["decision"]["approver"] == GRACE
    assert story["decision"]["comments"] == "Enjoy"
    assert story["decision"]["decided_at"] <= story["settled_at"]
    assert answer.json()["decision"] == story["decision"]


def test_a_rejection_is_recorded(caller):
    request_id = caller.asked()

    answer = caller.decide(request_id, is_approved=False, comments="Too dear")

    assert answer.status_code == 200
    assert caller.look(request_id).json()["status"] == "Rejected"


def test_a_request_nobody_answers_times_out(caller, host):
    request_id = caller.asked(timeout_hours=1 / 60)

    host.move(seconds=60)

    story = caller.outcome(request_id)

    assert story["status"] == "Timeout"
    assert story["settled_at"] >= story["deadline"]


def test_a_late_decision_is_told_that_it_came_too_late(caller, host):
    request_id = caller.asked(timeout_hours=1 / 60)
    host.move(seconds=60)
    caller.outcome(request_id)

    answer = caller.decide(request_id)

    assert answer.status_code == 410
    assert answer.json()["code"] == "no_longer_open"
    assert answer.json()["request_status"] == "Timeout"


def test_the_same_decision_again_is_the_same_answer(caller):
    request_id = caller.asked()
    first = caller.decide(request_id, comments="Yes")

    again = caller.decide(request_id, comments="Yes")

    assert again.status_code == 200
    assert again.json()["decision"] == first.json()["decision"]


def test_a_contradiction_is_told_what_stands(caller):
    request_id = caller.asked()
    caller.decide(request_id, comments="Yes")

    answer = caller.decide(request_id, is_approved=False, approver=ALAN)

    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["decision"]["approver"] == GRACE
    assert answer.json()["decision"]["comments"] == "Yes"
    assert caller.look(request_id).json()["status"] == "Approved"


def test_a_cancelled_request_takes_no_decision(caller):
    request_id = caller.asked()

    answer = caller.cancel(request_id, reason="Not needed")
    late = caller.decide(request_id)

    assert answer.status_code == 200
    assert answer.json()["status"] == "Cancelled"
    assert answer.json()["cancellation"]["reason"] == "Not needed"
    assert late.status_code == 410
    assert late.json()["cancellation"]["by"] == "ada@example.com"


def test_cancelling_twice_is_the_same_answer(caller):
    request_id = caller.asked()

    first, again = caller.cancel(request_id), caller.cancel(request_id)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["cancellation"] == again.json()["cancellation"]


def test_a_decided_request_cannot_be_cancelled(caller):
    request_id = caller.asked()
    caller.decide(request_id)

    answer = caller.cancel(request_id)

    assert answer.status_code == 409
    assert answer.json()["decision"]["approver"] == GRACE


def test_an_unknown_request_is_not_found(caller):
    unknown = "f" * 32

    answers = [caller.look(unknown), caller.decide(unknown), caller.cancel(unknown), caller.look("nobody")]

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_of_people_who_contradict_each_other_at_once_one_is_heard_and_all_are_told_the_truth(caller):
    request_id = caller.asked()

    with concurrent.futures.ThreadPoolExecutor(8) as people:
        answers = list(
            people.map(
                lambda n: caller.decide(request_id, is_approved=n % 2 == 0, approver=f"person-{n}@example.com"),
                range(8),
            )
        )

    stands = caller.look(request_id).json()["decision"]
    assert sorted(a.status_code for a in answers) == [200, *[409] * 7]
    assert all(a.json()["decision"] == stands for a in answers)


def test_a_waiting_caller_hears_of_the_change_at_once(caller):
    request_id = caller.asked()

    with concurrent.futures.ThreadPoolExecutor(1) as someone:
        waiting = someone.submit(caller.look, request_id, 20)
        caller.decide(request_id)
        answer = waiting.result()

    assert answer.json()["status"] == "Approved"
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert answer.elapsed.total_seconds() < 15


def test_waiting_for_nothing_changes_nothing(caller):
    request_id = caller.asked()
    before = caller.look(request_id)

    answer = caller.look(request_id, wait=1)

    assert answer.elapsed.total_seconds() >= 0.9
    assert answer.json() == before.json()
    assert answer.headers["ETag"] == before.headers["ETag"]


def test_who_has_the_newest_story_is_told_nothing_new(caller):
    request_id = caller.asked()
    etag = caller.look(request_id).headers["ETag"]

    answer = caller.http.get(f"/api/requests/{request_id}", headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert not answer.content


def test_the_same_key_and_body_is_the_same_request(caller):
    first = caller.ask(key="order-1", timeout_hours=5)
    again = caller.ask(key="order-1", timeout_hours=5.0)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again)] == [None, "true"]


def test_a_deadline_is_an_instant_and_its_key_finds_the_request_when_it_has_passed(caller, host):
    now = dt.datetime.fromisoformat(caller.look(caller.asked()).json()["created_at"])
    deadline = (now + dt.timedelta(minutes=5)).replace(microsecond=0)

    first = caller.ask(key="order-7", deadline=deadline.isoformat())
    host.move(600)
    again = caller.ask(key="order-7", deadline=deadline.isoformat())
    late = caller.ask(deadline=deadline.isoformat())

    assert first.json()["deadline"] == f"{deadline:%Y-%m-%dT%H:%M:%S}.000Z"
    assert (first.status_code, again.status_code, late.status_code) == (201, 200, 422)
    assert again.json()["request_id"] == first.json()["request_id"]
    assert [wrong["pointer"] for wrong in late.json()["errors"]] == ["/deadline"]


def test_ten_of_a_key_at_once_make_one_request(caller):
    with concurrent.futures.ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: caller.ask(key="order-2"), range(10)))

    assert sorted(a.status_code for a in answers) == [*[200] * 9, 201]
    assert len({a.text for a in answers}) == 1


def test_a_key_still_finds_its_request_after_it_was_decided_and_never_starts_it_again(caller):
    request_id = caller.ask(key="order-3").json()["request_id"]
    caller.decide(request_id)

    with concurrent.futures.ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: caller.ask(key="order-3"), range(10)))

    assert {a.status_code for a in answers} == {200}
    assert {a.json()["status"] for a in answers} == {"Approved"}
    assert caller.look(request_id).json()["decision"]["approver"] == GRACE


def test_a_decided_request_whose_history_was_purged_is_known_by_its_key_and_never_asked_again(caller, host):
    request_id = caller.ask(key="order-4").json()["request_id"]
    decided = caller.decide(request_id, approver=EVE).json()
    caller.sweep()

    caller.purge(request_id)
    again, story = caller.ask(key="order-4"), caller.look(request_id)

    assert (again.status_code, again.json()["status"]) == (200, "Approved")
    assert story.json()["decision"] == decided["decision"]
    assert caller.decide(request_id, is_approved=False).status_code == 409


def test_an_open_request_whose_instance_is_gone_is_unknown_and_never_asked_again(caller, host):
    request_id = caller.ask(key="order-4b").json()["request_id"]
    caller.http.post(f"{host.rpc_url}instances/{request_id}/terminate")
    caller.purge(request_id)

    again, story = caller.ask(key="order-4b"), caller.look(request_id)

    assert (again.status_code, again.json()["status"]) == (200, "Unknown")
    assert story.json()["status"] == "Unknown"
    assert caller.decide(request_id).status_code == 410


def test_a_key_with_another_body_is_refused_and_names_its_request(caller):
    first = caller.ask(key="order-5")

    answer = caller.ask(key="order-5", item="Another laptop")

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert answer.json()["request_id"] == first.json()["request_id"]


def test_the_same_key_with_the_default_written_out_is_the_same_request(caller):
    first, again = caller.ask(key="order-6"), caller.ask(key="order-6", timeout_hours=24)

    assert (first.status_code, again.status_code) == (201, 200)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", W/{}', "*"])
def test_a_known_story_is_recognised_in_every_form_of_the_header(caller, form):
    request_id = caller.asked()
    etag = caller.look(request_id).headers["ETag"]

    answer = caller.http.get(f"/api/requests/{request_id}", headers={"If-None-Match": form.format(etag)})

    assert answer.status_code == 304
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_body_of_unknown_fields_does_not_come_back_tenfold(caller):
    body = a_request(**{str(n): 0 for n in range(5000)})

    answer = caller.http.post("/api/requests", json=body)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20


def test_an_event_too_large_for_the_custom_status_is_ignored(caller, host):
    """Whoever holds the host's key can raise events past the API."""
    request_id = caller.asked()
    huge = {**decided(comments="").model_dump(mode="json"), "comments": "y" * 50_000}
    name = event_name(request_id, "decision", 1)

    caller.http.post(f"{host.rpc_url}instances/{request_id}/raiseEvent/{name}", json=huge)

    assert caller.decide(request_id).status_code == 200
    assert "could not be read" in caller.look(request_id).json()["notes"][0]

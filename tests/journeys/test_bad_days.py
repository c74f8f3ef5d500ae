"""What the real thing does on a bad day, and what must be true all the same."""

import concurrent.futures
import datetime as dt
import json
import random
import subprocess
import time
from collections import Counter

import pytest

from tests.builders import ALAN, GRACE, an_answer
from tests.chance import SEED, sized
from tests.localhost import LocalHost, LocalTaskHub


@pytest.fixture(scope="module")
def unkind_host():
    running = LocalHost("--unkind", str(SEED)).start()
    yield running
    running.stop()


@pytest.fixture
def unkind(unkind_host, calling):
    """A caller of a host on an unkind task hub."""
    return calling(unkind_host)


@sized(40, 500)
def test_of_requests_decided_the_moment_they_are_created_no_answer_is_untrue_and_no_decision_lost(unkind, times):
    """A fifth of the events of young instances vanish, activities run twice, turns are lost and repeated."""
    caller = unkind

    def decide_at_once(number):
        request_id = caller.asked(item=f"Item {number}")
        answer = caller.decide(request_id, is_approved=number % 3 > 0, approver=GRACE, comments=f"No. {number}")
        for _ in range(5):
            if answer.status_code != 202:
                break
            answer = caller.decide(request_id, is_approved=number % 3 > 0, approver=GRACE, comments=f"No. {number}")
        return number, request_id, answer

    with concurrent.futures.ThreadPoolExecutor(16) as callers:
        decided = list(callers.map(decide_at_once, range(times)))

    for number, request_id, answer in decided:
        story = caller.look(request_id).json()
        assert answer.status_code == 200
        assert answer.json()["decision"] == story["decision"]
        assert story["status"] == ("Approved" if number % 3 else "Rejected")
        assert story["decision"]["comments"] == f"No. {number}"
    assert len({request_id for _, request_id, _ in decided}) == times


@sized(12, 100)
def test_of_people_who_answer_on_their_page_on_a_bad_day_each_is_recorded_once_as_they_said(unkind, times):
    caller = unkind

    def answer_on_the_page(number):
        body = caller.ask(approvers=[GRACE], item=f"Item {number}").json()
        link = body["approvals"][0]["approval_url"]
        button = "approve" if number % 3 else "reject"
        for _ in range(5):
            page = caller.http.get(link)
            if "<form" not in page.text:
                break
            sent = caller.http.post(link, data=an_answer(page.text, answer=button, comments=f"No. {number}"))
            if sent.status_code == 303:
                break
        return number, body["request_id"], caller.http.get(link)

    with concurrent.futures.ThreadPoolExecutor(16) as people:
        answered = list(people.map(answer_on_the_page, range(times)))

    for number, request_id, page in answered:
        story = caller.look(request_id).json()
        assert story["status"] == ("Approved" if number % 3 else "Rejected")
        assert [(vote["comments"], vote["channel"]) for vote in story["votes"]] == [(f"No. {number}", "page")]
        assert "Your answer is recorded" in page.text


@sized(8, 40)
def test_contrary_answers_on_a_bad_day_leave_one_outcome_and_tell_everyone_which(unkind, times):
    caller = unkind

    def contradict(_):
        request_id = caller.asked()
        with concurrent.futures.ThreadPoolExecutor(3) as people:
            said = [
                people.submit(caller.decide, request_id, is_approved=True, approver=GRACE),
                people.submit(caller.decide, request_id, is_approved=False, approver=ALAN),
                people.submit(caller.cancel, request_id),
            ]
        return request_id, [s.result() for s in said]

    with concurrent.futures.ThreadPoolExecutor(4) as several:
        played = list(several.map(contradict, range(times)))

    for request_id, answers in played:
        story = caller.look(request_id).json()
        assert Counter(a.status_code == 200 for a in answers) == {True: 1, False: 2}
        for answer in answers:
            told = answer.json().get("decision") or answer.json().get("cancellation")
            assert told == (story["decision"] or story["cancellation"])


@sized(30, 100)
def test_the_app_killed_in_the_middle_of_many_approvals_and_started_again_loses_none(started, calling, times):
    """Killed with -9, twice, while the task hub lives on in a process of its own."""
    hub = started(LocalTaskHub())
    host = started(LocalHost(**hub.environment_of_a_host))
    caller = calling(host)
    ids = [caller.asked(item=f"Item {n}", key=None) for n in range(times)]
    answered = {}

    def decide(number):
        while True:
            try:
                answer = caller.decide(ids[number], is_approved=number % 2 == 0, comments=f"No. {number}")
            except Exception:  # noqa: BLE001 - the app is being killed under us
                time.sleep(0.05)  # nothing to await: it is gone
                continue
            if answer.status_code in (200, 409):
                answered[number] = answer
                return

    port = int(host.url.rsplit(":", 1)[1])
    with concurrent.futures.ThreadPoolExecutor(8) as people:
        deciding = [people.submit(decide, number) for number in range(times)]
        for share in (times // 5, times * 3 // 5):
            while len(answered) < share:
                time.sleep(0.01)
            host.kill()
            host = started(LocalHost(port=port, **hub.environment_of_a_host))
        concurrent.futures.wait(deciding)

    for number, request_id in enumerate(ids):
        story = caller.look(request_id).json()
        assert story["status"] == ("Approved" if number % 2 == 0 else "Rejected")
        assert story["decision"]["comments"] == f"No. {number}"
        assert answered[number].json()["decision"] == story["decision"]
    assert host.stop() == 0
    assert hub.stop() == 0


def test_a_request_survives_the_app_and_times_out_on_time(started, calling):
    hub = started(LocalTaskHub())
    host = started(LocalHost(**hub.environment_of_a_host))
    request_id = calling(host).asked(timeout_hours=3 / 3600)
    host.kill()

    host = started(LocalHost(**hub.environment_of_a_host))
    story = calling(host).outcome(request_id)

    assert story["status"] == "Timeout"


def test_a_scheduler_that_is_gone_is_told_as_such_and_its_return_is_noticed(started, calling):
    hub = started(LocalTaskHub())
    host = started(LocalHost(**hub.environment_of_a_host))
    caller = calling(host)
    request_id = caller.asked()
    port = int(hub.found[1])
    hub.kill()

    answer = caller.ask()
    assert answer.status_code == 503
    assert answer.json()["code"] == "scheduler_unavailable"
    assert answer.headers["Retry-After"]
    assert caller.decide(request_id).status_code == 503
    assert caller.http.get("/api/health").status_code == 200

    hub = started(LocalTaskHub(port=port))
    for _ in range(100):
        if caller.ask().status_code == 201:
            break
        time.sleep(0.1)  # the worker connects again on its own; there is no event to await from outside
    assert caller.decide(caller.asked()).status_code == 200


def test_ctrl_c_ends_the_host_within_two_seconds_and_without_a_fuss(started, calling):
    host = started(LocalHost())
    calling(host).asked()
    begun = time.monotonic()

    status = host.stop()

    assert status == 0
    assert time.monotonic() - begun < 2
    assert "Traceback" not in host.output


def test_a_port_that_is_taken_is_said_in_a_sentence(host):
    port = host.url.rsplit(":", 1)[1]
    command = [host.process.args[0], "-m", "devhost", "--port", port]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert ended.returncode == 1
    assert f"Port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_operators_see_what_they_did_to_an_instance(caller, host):
    suspended, terminated = caller.asked(), caller.asked()
    rpc = f"{host.rpc_url}instances"
    caller.http.post(f"{rpc}/{suspended}/suspend?reason=audit")
    caller.http.post(f"{rpc}/{terminated}/terminate?reason=mistake")

    story = caller.outcome(terminated)
    assert story["status"] == "Cancelled"
    assert story["cancellation"]["by"] == "an operator"
    assert story["cancellation"]["reason"] == "mistake"
    held = caller.decide(suspended)
    assert held.status_code == 202
    assert held.headers["Location"].endswith(suspended)
    assert "suspended" in json.dumps(held.json()["notes"])
    caller.http.post(f"{rpc}/{suspended}/resume?reason=done")
    assert caller.outcome(suspended)["status"] == "Approved"


def test_what_was_answered_while_an_operator_held_it_and_then_ended_it_never_happened(caller, host):
    body = caller.ask(approvers=[GRACE]).json()
    request_id, link = body["request_id"], body["approvals"][0]["approval_url"]
    rpc = f"{host.rpc_url}instances/{request_id}"
    caller.http.post(f"{rpc}/suspend?reason=audit")

    sent = caller.http.post(link, data=an_answer(caller.http.get(link).text))
    again = caller.http.get(link)
    held = caller.look(request_id).json()
    caller.http.post(f"{rpc}/terminate?reason=mistake")
    while caller.http.get(rpc).json()["runtimeStatus"] != "Terminated":
        time.sleep(0.05)
    story = caller.look(request_id).json()

    assert (sent.status_code, again.status_code) == (202, 200)
    assert all("not recorded yet" in page.text for page in (sent, again))
    assert held["status"] == "Pending"
    assert (story["status"], story["decision"]) == ("Cancelled", None)
    assert (story["cancellation"]["by"], story["cancellation"]["reason"]) == ("an operator", "mistake")
    assert [vote["approver"] for vote in story["votes"]] == [GRACE], "what was heard stays visible"


def test_what_was_acted_on_before_an_operator_ended_it_stands(caller, host):
    """An instance with a key goes on for a while after its outcome, which was told."""
    request_id = caller.ask(key="ended-by-an-operator", approvers=[GRACE]).json()["request_id"]
    assert caller.decide(request_id).status_code == 200

    ended = caller.http.post(f"{host.rpc_url}instances/{request_id}/terminate?reason=mistake")

    assert ended.status_code == 202
    assert caller.outcome(request_id)["status"] == "Approved"


@sized(24, 200)
def test_on_an_unkind_day_nothing_ends_before_its_deadline_and_who_is_refused_was_late(unkind, times):
    """Timers fire up to a second early there; people answer around the deadline."""

    def play(number):
        body = unkind.ask(item=f"No. {number}", timeout_hours=2 / 3600).json()
        deadline = dt.datetime.fromisoformat(body["deadline"])
        if number % 3:
            moment = deadline + dt.timedelta(seconds=random.Random(number).uniform(-1, 0.1))
            time.sleep(max(0, (moment - dt.datetime.now(dt.UTC)).total_seconds()))
            answer = unkind.decide(body["request_id"])
            assert answer.status_code in (200, 410), answer.text
            assert answer.status_code == 200 or dt.datetime.now(dt.UTC) >= deadline
        return unkind.outcome(body["request_id"]), deadline

    with concurrent.futures.ThreadPoolExecutor(12) as people:
        stories = list(people.map(play, range(times)))

    assert {story["status"] for story, _ in stories} == {"Approved", "Timeout"}
    for story, deadline in stories:
        if story["status"] == "Timeout":
            assert dt.datetime.fromisoformat(story["settled_at"]) >= deadline
        else:
            assert dt.datetime.fromisoformat(story["decision"]["decided_at"]) < deadline

"""Policies over HTTP: stages, quorums, passing on, forms, and the four use cases of the documents."""

import concurrent.futures
import datetime as dt
import json
import uuid

import pytest

from approvals.rules.events import event_name
from tests.builders import ADA, ALAN, EVE, GRACE, a_decision, a_request, cancelled, decided
from tests.chance import SEED, sized
from tests.localhost import ROOT, LocalHost

USE_CASES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "docs" / "use-cases").glob("*.json"))}
REASSIGN = {"by": ADA, "from": GRACE, "to": EVE}
FORM = {"rollback_reviewed": True, "window": "saturday"}
JSON = {"Content-Type": "application/json"}
FORM_SCHEMA = {
    "properties": {
        "read": {"const": True},
        "window": {"enum": ["saturday", "sunday"]},
        "cost": {"type": "number"},
        "hours": {"type": "integer", "default": 2},
    },
    "required": ["read", "window", "hours"],
}

# how people answer in each use case, and what becomes of it
STORIES = {
    "expense": [
        ([("grace@example.com", True), ("barbara@example.com", True)], "Approved"),
        ([("grace@example.com", True), ("alan@example.com", False)], "Rejected"),
        ([("grace@example.com", False)], "Rejected"),
    ],
    "content-moderation": [
        ([("grace@example.com", True), ("alan@example.com", False), ("barbara@example.com", True)], "Approved"),
        ([("grace@example.com", False), ("alan@example.com", False)], "Rejected"),
    ],
    "change-management": [
        (
            [
                ("alan@example.com", True),
                ("barbara@example.com", True),
                ("edsger@example.com", True),
                ("margaret@example.com", True),
            ],
            "Approved",
        ),
        ([("alan@example.com", True), ("grace@example.com", True), ("edsger@example.com", False)], "Rejected"),
    ],
    "access-request": [([("alan@example.com", True)], "Approved"), ([("alan@example.com", False)], "Rejected")],
}


def reassign(caller, request_id, if_match="*", **fields):
    headers = {"If-Match": if_match} if if_match else {}
    return caller.http.post(f"/api/requests/{request_id}/reassign", json={**REASSIGN, **fields}, headers=headers)


def delegate(caller, request_id, approver=GRACE, to=EVE):
    return caller.http.post(f"/api/approvals/{request_id}/delegate", json={"approver": approver, "to": to})


def preview(caller, request, answers=()):
    return caller.http.post("/api/policies/preview", json={"request": request, "answers": list(answers)})


@pytest.mark.parametrize(
    ("name", "answers", "status"), [(name, *story) for name, stories in STORIES.items() for story in stories]
)
def test_a_use_case_of_the_documents_ends_as_its_preview_says(caller, name, answers, status):
    body = USE_CASES[name]
    imagined = [
        {"approver": who, "is_approved": yes, "after_hours": i + 1, "comments": "Because"}
        for i, (who, yes) in enumerate(answers)
    ]

    seen = preview(caller, body, imagined).raise_for_status().json()["with_these_answers"]
    request_id = caller.http.post("/api/requests", json=body).raise_for_status().json()["request_id"]
    for who, yes in answers:
        form = {"form": FORM} if "form" in body else {}
        answer = caller.decide(request_id, approver=who, is_approved=yes, comments="Because", **form)
        assert answer.status_code == 200, answer.text
    story = caller.look(request_id).json()

    assert seen["status"] == story["status"] == status
    assert [v["approver"] for v in story["votes"]] == [
        e["approver"] for e in seen["events"] if e["event"] == "answered" and e["counts"]
    ]


@pytest.mark.parametrize(
    ("name", "status", "hours", "after"),
    [
        ("expense", "Rejected", 120, "P5D"),
        ("content-moderation", "Rejected", 4, "PT4H"),
        ("change-management", "Timeout", 48, "P2D"),
        ("access-request", "Rejected", 12, "PT12H"),
    ],
)
def test_a_preview_says_what_silence_comes_to(caller, name, status, hours, after):
    seen = preview(caller, USE_CASES[name]).json()["if_nobody_answers"]

    assert seen["status"] == status
    assert (seen["events"][-1]["after_hours"], seen["events"][-1]["after"]) == (hours, after)


def test_a_preview_keeps_nothing_and_says_why_an_answer_would_not_count(caller):
    answers = [
        {"approver": ADA, "is_approved": True, "after_hours": 1},
        {"approver": "stranger", "is_approved": True, "after_hours": 2},
        {"approver": GRACE, "is_approved": True, "after_hours": 3},
        {"approver": GRACE, "is_approved": False, "after_hours": 4},
    ]

    seen = preview(caller, {"requester": ADA, "item": "x", "approvers": [GRACE, ALAN], "required": 2}, answers).json()

    told = [(e["approver"], e["counts"], e.get("why")) for e in seen["with_these_answers"]["events"] if "counts" in e]
    assert told == [
        (ADA, False, "self"),
        ("stranger", False, "not_yours"),
        (GRACE, True, None),
        (GRACE, False, "voted"),
    ]
    assert seen["with_these_answers"]["status"] == "Timeout"


def test_the_status_says_who_is_awaited_what_is_needed_and_what_silence_means(caller):
    request_id = caller.asked(
        approvers=[GRACE, ALAN, EVE], required=2, remind_every_hours=2, on_timeout="reject", timeout_hours=10
    )

    caller.decide(request_id, approver=ALAN)

    story = caller.look(request_id).json()
    assert story["awaited"]["from"] == [GRACE, EVE]
    assert story["awaited"]["approvals_needed"] == 1
    assert story["awaited"]["if_nobody_answers"] == "reject"
    assert story["awaited"]["next_reminder_at"] > story["created_at"]
    assert story["stage"]["required"] == 2
    assert [(v["approver"], v["is_approved"], v["channel"]) for v in story["votes"]] == [(ALAN, True, "api")]


def test_a_silent_stage_escalates_and_then_means_what_was_agreed(caller, host):
    minute = 1 / 60
    escalation = {"approvers": [EVE], "timeout_hours": minute, "on_timeout": "approve"}
    request_id = caller.asked(
        approvers=[GRACE], timeout_hours=minute, on_timeout="escalate", escalate_to=escalation, comment_required="never"
    )

    host.move(seconds=60)
    caller.until(request_id, lambda story: story["stage"]["escalated"])
    host.move(seconds=60)
    story = caller.outcome(request_id)

    assert story["status"] == "Approved"
    assert story["stage"]["escalated"]
    assert story["decision"] is None
    assert "Silence approved" in story["notes"][0]


def test_strangers_and_requesters_cannot_decide(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN])

    stranger, own = caller.decide(request_id, approver=EVE), caller.decide(request_id, approver=ADA.upper())

    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_yours")
    assert (own.status_code, own.json()["code"]) == (403, "self_approval")
    assert caller.look(request_id).json()["votes"] == []


def test_nobody_decides_on_a_request_of_their_own_by_any_way(caller):
    """Not on a bare request, not by delegation, not by reassignment."""
    bare, asked = caller.asked(), caller.asked(approvers=[GRACE])

    answers = [
        caller.decide(bare, approver=ADA),
        reassign(caller, asked, to=ADA),
        delegate(caller, asked, to=ADA.title()),
    ]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(403, "self_approval")}


def test_whoever_is_allowed_to_may_decide_on_their_own_request(caller):
    request_id = caller.asked(approvers=[ADA], allow_self_approval=True)

    assert caller.decide(request_id, approver=ADA).json()["status"] == "Approved"


def test_after_a_reassignment_the_new_holder_decides_on_behalf_of_the_old(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")

    change = reassign(caller, request_id, reason="on leave")
    old, new = caller.decide(request_id, approver=GRACE), caller.decide(request_id, approver=EVE)

    assert change.status_code == 200
    assert change.json()["awaited"]["from"] == [EVE, ALAN]
    assert (old.status_code, old.json()["passed_on_to"]) == (403, EVE)
    assert new.status_code == 200
    assert new.json()["votes"][0]["on_behalf_of"] == GRACE


def test_an_approver_delegates_and_the_delegate_may_delegate_again(caller):
    request_id = caller.asked(approvers=[GRACE])

    assert delegate(caller, request_id).status_code == 200
    assert delegate(caller, request_id, approver=EVE, to=ALAN).status_code == 200

    assert caller.decide(request_id, approver=EVE).status_code == 403
    assert caller.decide(request_id, approver=ALAN).json()["status"] == "Approved"


def test_what_has_voted_cannot_be_passed_on_and_nobody_is_asked_twice(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    caller.decide(request_id, approver=GRACE)

    voted, asked = reassign(caller, request_id), reassign(caller, request_id, **{"from": ALAN, "to": GRACE})
    unknown = reassign(caller, request_id, **{"from": EVE, "to": "new@example.com"})

    assert (voted.status_code, voted.json()["code"]) == (409, "already_voted")
    assert (asked.status_code, asked.json()["errors"][0]["pointer"]) == (422, "/to")
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/from")


def test_a_request_is_passed_on_ten_times_at_most(caller):
    request_id = caller.asked(approvers=["person-0"])

    answers = [
        reassign(caller, request_id, **{"from": f"person-{n}", "to": f"person-{n + 1}"}).status_code for n in range(11)
    ]

    assert answers == [200] * 10 + [409]
    assert caller.decide(request_id, approver="person-10").json()["status"] == "Approved"


def test_options_and_comments_are_checked_before_an_answer_counts(caller):
    request_id = caller.http.post("/api/requests", json=USE_CASES["access-request"]).json()["request_id"]

    silent = caller.decide(request_id, comments="")
    odd = caller.decide(request_id, comments="Yes", option="for ever")
    crossed = caller.decide(request_id, comments="No", option="approve for one day only", is_approved=False)
    fine = caller.decide(request_id, comments="Yes", option="approve for one day only")

    assert [a.json()["errors"][0]["pointer"] for a in (silent, odd, crossed)] == ["/comments", "/option", "/option"]
    assert fine.json()["decision"]["option"] == "approve for one day only"


def test_whoever_rejects_owes_nothing_of_the_form(caller):
    request_id = caller.asked(form=FORM_SCHEMA)

    answer = caller.decide(request_id, is_approved=False)

    assert answer.status_code == 200
    assert answer.json()["votes"][0]["form"] is None


def test_what_stands_in_a_form_with_a_rejection_is_checked_all_the_same(caller):
    request_id = caller.asked(form=FORM_SCHEMA)

    answer = caller.decide(request_id, is_approved=False, form={"window": "monday"})

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/form/read", "/form/window"]


def test_a_form_that_is_always_required_is_owed_by_a_rejection_too(caller):
    request_id = caller.asked(form=FORM_SCHEMA, form_required="always")

    answer = caller.decide(request_id, is_approved=False)

    assert answer.json()["errors"] == [{"pointer": "/form", "detail": "is required"}]


def test_defaults_are_filled_in_and_numbers_of_an_answer_come_back_as_they_were_sent(caller):
    request_id = caller.asked(form=FORM_SCHEMA)
    body = a_decision(form={"read": True, "window": "sunday"})
    content = json.dumps(body).replace('"sunday"', '"sunday", "cost": 1250.00')

    answer = caller.http.post(f"/api/approvals/{request_id}", content=content, headers=JSON)

    assert '"form":{"read":true,"window":"sunday","cost":1250.00,"hours":2}' in answer.text


def test_a_form_with_words_that_are_not_offered_is_refused_with_pointers(caller):
    form = {"type": "object", "properties": {"why": {"type": "string", "maxLenght": 40}}, "requird": ["why"]}

    asked = caller.ask(form=form)
    preview = caller.http.post("/api/policies/preview", json={"request": a_request(form=form)})

    assert asked.json()["errors"] == [
        {"pointer": "/form/requird", "detail": "is not a word of forms (did you mean `required`?)"},
        {"pointer": "/form/properties/why/maxLenght", "detail": "is not a word of forms (did you mean `maxLength`?)"},
    ]
    assert [error["pointer"] for error in preview.json()["errors"]] == [
        "/request/form/requird",
        "/request/form/properties/why/maxLenght",
    ]


def test_details_come_back_as_they_were_sent_and_a_key_compares_them_by_their_value(caller):
    sent = '{"a":10000000000000000.01,"b":123456789012345678.0,"c":0.00000025,"d":[1250.00]}'
    key = uuid.uuid4().hex

    def ask(details):
        content = json.dumps(a_request(details="here")).replace('"here"', details)
        return caller.http.post("/api/requests", content=content, headers={**JSON, "Idempotency-Key": key})

    first = ask(sent)
    same = ask(sent.replace("1250.00", "1.25e3").replace("0.00000025", "2.5E-7"))
    other = ask(sent.replace("0.01", "0.02"))

    assert (first.status_code, same.status_code, other.status_code) == (201, 200, 422)
    assert other.json()["code"] == "idempotency_key_reused"
    assert f'"details":{sent}' in caller.http.get(f"/api/requests/{first.json()['request_id']}").text


def test_a_form_is_checked_and_its_answer_kept(caller):
    request_id = caller.http.post("/api/requests", json=USE_CASES["change-management"]).json()["request_id"]

    missing = caller.decide(request_id)
    wrong = caller.decide(request_id, form={"rollback_reviewed": False, "window": "saturday"})
    right = caller.decide(request_id, form=FORM)

    assert missing.json()["errors"] == [{"pointer": "/form", "detail": "is required"}]
    assert wrong.json()["errors"][0]["pointer"] == "/form/rollback_reviewed"
    assert right.json()["votes"][0]["form"] == FORM


def test_who_is_asked_in_two_stages_names_the_stage_to_answer_again(caller):
    stages = [
        {"name": "first", "approvers": [GRACE]},
        {"name": "second", "approvers": [GRACE, ALAN], "required": "all"},
    ]
    request_id = caller.asked(stages=stages)

    first, again = caller.decide(request_id), caller.decide(request_id)
    repeated, second = caller.decide(request_id, stage="first"), caller.decide(request_id, stage="second")

    assert first.json()["stage"]["name"] == "second"
    assert (again.status_code, again.json()["code"]) == (409, "stage_unclear")
    assert len(repeated.json()["votes"]) == 1
    assert len(second.json()["votes"]) == 2
    assert caller.decide(request_id, approver=ALAN, stage=1).json()["code"] == "another_stage"


def test_what_is_acted_on_must_be_known(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN])
    etag = caller.look(request_id).headers["ETag"]

    missing = reassign(caller, request_id, if_match=None)
    fine = reassign(caller, request_id, if_match=etag)
    stale = reassign(caller, request_id, if_match=etag, **{"from": ALAN, "to": "new@example.com"})

    assert (missing.status_code, fine.status_code, stale.status_code) == (428, 200, 412)
    assert stale.json()["revision"] == caller.look(request_id).json()["revision"]


@sized(20, 300)
def test_of_eight_contrary_answers_at_once_one_counts_and_every_loser_is_told_which(caller, times):
    def race(number):
        request_id = caller.asked(approvers=[f"p{i}" for i in range(8)], required="any", item=f"Race {number}")
        with concurrent.futures.ThreadPoolExecutor(8) as people:
            answers = list(
                people.map(lambda i: caller.decide(request_id, approver=f"p{i}", is_approved=i % 2 == 0), range(8))
            )
        return request_id, answers

    with concurrent.futures.ThreadPoolExecutor(3) as several:
        races = list(several.map(race, range(times)))

    for request_id, answers in races:
        story = caller.look(request_id).json()
        assert sorted(a.status_code for a in answers) == [200, *[409] * 7]
        assert all(a.json()["decision"] == story["decision"] for a in answers)
        assert len(story["votes"]) == 1


def test_twenty_long_comments_are_all_told_though_the_status_cannot_hold_them(caller):
    people = [f"person-{n}@example.com" for n in range(20)]
    request_id = caller.asked(approvers=people, required="all")

    for number, person in enumerate(people[:19]):
        said = caller.decide(request_id, approver=person, comments=f"{number:02}" * 1000)
        assert said.status_code == 200
    story = caller.look(request_id).json()

    assert [v["comments"] for v in story["votes"]] == [f"{n:02}" * 1000 for n in range(19)]
    assert story["awaited"]["from"] == [people[19]]
    final = caller.decide(request_id, approver=people[19]).json()
    assert final["status"] == "Approved"
    assert len(final["votes"]) == 20


@sized(8, 60)
def test_on_an_unkind_day_every_vote_of_a_policy_counts_once(started, calling, times):
    caller = calling(started(LocalHost("--unkind", str(SEED))))

    def play(number):
        stages = [{"approvers": ["a", "b", "c"], "required": 2}, {"approvers": ["d", "e"], "required": "all"}]
        request_id = caller.asked(stages=stages, item=f"No. {number}")
        for who in ("a", "c", "d", "e"):
            for _ in range(5):
                answer = caller.decide(request_id, approver=who, comments=f"{who} {number}")
                if answer.status_code != 202:
                    break
            assert answer.status_code == 200, answer.text
        return number, request_id

    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        played = list(callers.map(play, range(times)))

    for number, request_id in played:
        story = caller.look(request_id).json()
        assert story["status"] == "Approved"
        assert [v["comments"] for v in story["votes"]] == [f"{who} {number}" for who in ("a", "c", "d", "e")]


def forged(caller, host, request_id, key, data):
    name = event_name(request_id, key, 1)
    caller.http.post(f"{host.rpc_url}instances/{request_id}/raiseEvent/{name}", json=data).raise_for_status()


def test_a_forged_answer_for_another_slot_does_not_silence_the_slot(caller, host):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    forged(caller, host, request_id, "decision-0-1", decided(slot=0).model_dump(mode="json"))

    assert caller.decide(request_id, approver=ALAN).status_code == 200


def test_a_forged_answer_from_the_future_does_not_silence_the_slot(caller, host):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    late = decided(after=dt.timedelta(days=40000))
    forged(caller, host, request_id, "decision", late.model_dump(mode="json"))

    assert caller.decide(request_id, approver=GRACE).status_code == 200


def test_a_forged_cancellation_from_the_future_does_not_stop_the_next(caller, host):
    request_id = caller.asked()
    late = cancelled(after=dt.timedelta(days=40000))
    forged(caller, host, request_id, "cancel", late.model_dump(mode="json"))

    assert caller.cancel(request_id).status_code == 200

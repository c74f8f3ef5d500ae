"""The limits a caller meets, one below, exactly, one above, over HTTP."""

from __future__ import annotations

import json

import pytest

from tests.builders import a_cancellation, a_decision, a_request

JSON = {"Content-Type": "application/json"}
CAT = "\N{CAT FACE}"

OF_A_REQUEST = [("requester", 254), ("item", 200), ("description", 8000)]
NEAR = [-1, 0, 1]


def said(answer, pointer):
    """Assert that exactly this field is said to be wrong."""
    body = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["code"] == "invalid"
    assert [error["pointer"] for error in body["errors"]] == [pointer]
    return True


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize(("field", "most"), OF_A_REQUEST)
def test_the_texts_of_a_request_have_a_limit_in_characters(caller, field, most, near):
    text = CAT * (most + near)

    answer = caller.ask(**{field: text})

    if near > 0:
        assert said(answer, f"/{field}")
    else:
        assert answer.status_code == 201
        assert caller.look(answer.json()["request_id"]).json()[field] == text


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize(("field", "most"), [("approver", 254), ("comments", 2000)])
def test_the_texts_of_a_decision_have_a_limit_in_characters(caller, field, most, near):
    request_id, text = caller.asked(), CAT * (most + near)

    answer = caller.decide(request_id, **{field: text})

    story = caller.look(request_id).json()
    if near > 0:
        assert said(answer, f"/{field}")
        assert story["status"] == "Pending"
    else:
        assert answer.status_code == 200
        assert story["decision"][field] == text


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize(("field", "most"), [("by", 254), ("reason", 2000)])
def test_the_texts_of_a_cancellation_have_a_limit_in_characters(caller, field, most, near):
    request_id, text = caller.asked(), CAT * (most + near)

    answer = caller.cancel(request_id, **{field: text})

    story = caller.look(request_id).json()
    if near > 0:
        assert said(answer, f"/{field}")
        assert story["status"] == "Pending"
    else:
        assert answer.status_code == 200
        assert story["cancellation"][field] == text


def test_the_largest_decision_of_the_worst_characters_is_recorded_whole(caller):
    """It travels as an event, in the custom status, to an activity, and out again: nothing on the way cuts it."""
    request_id = caller.asked()
    approver, comments = CAT * 254, '\\"' * 1000

    answer = caller.decide(request_id, approver=approver, comments=comments)

    story = caller.outcome(request_id)
    assert answer.status_code == 200
    assert (story["decision"]["approver"], story["decision"]["comments"]) == (approver, comments)


def test_the_largest_request_is_carried_whole(caller):
    details = {"k": CAT * 4094}  # 16 KiB
    largest = {"requester": CAT * 254, "item": CAT * 200, "description": CAT * 8000, "details": details}
    body = json.dumps(a_request(**largest), ensure_ascii=False).encode()

    answer = caller.http.post("/api/requests", content=body, headers=JSON)

    story = caller.look(answer.json()["request_id"]).json()
    assert answer.status_code == 201
    assert {field: story[field] for field in largest} == largest


@pytest.mark.parametrize("near", NEAR)
def test_details_have_a_limit_in_bytes(caller, near):
    details = {"k": "x" * (16384 - len('{"k":""}') + near)}

    answer = caller.ask(details=details)

    if near > 0:
        assert said(answer, "/details")
    else:
        assert answer.status_code == 201
        assert caller.look(answer.json()["request_id"]).json()["details"] == details


@pytest.mark.parametrize(
    ("hours", "fits"),
    [
        (0, False),
        (0.9 / 3600, False),
        (1 / 3600, True),
        (2 / 3600, True),
        (720 - 1 / 3600, True),
        (720, True),
        (720 + 1 / 3600, False),
        (721, False),
    ],
)
def test_a_timeout_is_from_one_second_to_thirty_days(caller, hours, fits):
    answer = caller.ask(timeout_hours=hours)

    assert answer.status_code == 201 if fits else said(answer, "/timeout_hours")


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("act", ["request", "decision", "cancellation"])
def test_a_body_has_at_most_64_kib(caller, act, near):
    request_id = caller.asked()
    path, body = {
        "request": ("/api/requests", a_request()),
        "decision": (f"/api/approvals/{request_id}", a_decision()),
        "cancellation": (f"/api/requests/{request_id}/cancel", a_cancellation()),
    }[act]
    content = json.dumps(body).encode().ljust(65536 + near)

    answer = caller.http.post(path, content=content, headers=JSON)

    if near > 0:
        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"
        assert caller.look(request_id).json()["status"] == "Pending"
    else:
        assert answer.is_success


@pytest.mark.parametrize("near", NEAR)
def test_a_body_is_nested_at_most_sixteen_levels_deep(caller, near):
    details = {}
    for _ in range(14 + near):  # the body is the first level, details the second
        details = {"k": details}

    answer = caller.ask(details=details)

    if near > 0:
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_json"
        assert "16 levels" in answer.json()["detail"]
    else:
        assert answer.status_code == 201
        assert caller.look(answer.json()["request_id"]).json()["details"] == details


@pytest.mark.parametrize(("length", "fits"), [(1, True), (254, True), (255, True), (256, False)])
def test_a_key_has_at_most_255_characters(caller, length, fits):
    key = "~" * length

    first, again = caller.ask(key=key), caller.ask(key=key)

    if fits:
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["request_id"] == again.json()["request_id"]
    else:
        assert (first.status_code, again.status_code) == (400, 400)
        assert first.json()["code"] == "bad_header"


@pytest.mark.parametrize("key", ["a b", "a\tb", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"], ids=ascii)
def test_a_key_is_visible_ascii(caller, key):
    answer = caller.http.post("/api/requests", json=a_request(), headers={b"Idempotency-Key": key.encode()})

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_header"


@pytest.mark.parametrize(("asked", "applied"), [(24, 24), (25, 25), (26, 25), (999999999, 25)])
def test_nobody_waits_longer_than_25_seconds(caller, asked, applied):
    request_id = caller.asked()
    caller.decide(request_id)  # so that there is nothing to wait for

    answer = caller.look(request_id, wait=asked)

    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == f"wait={applied}"
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "respond-async", '"', "wait"])
def test_a_preference_that_makes_no_sense_is_none(caller, prefer):
    answer = caller.http.get(f"/api/requests/{caller.asked()}", headers={"Prefer": prefer})

    assert answer.status_code == 200
    assert "Preference-Applied" not in answer.headers
    assert answer.elapsed.total_seconds() < 5


# --- policies -------------------------------------------------------------------------------------


def people(count):
    return [f"person-{n}@example.com" for n in range(count)]


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize(
    ("field", "most", "build"),
    [
        ("approvers", 20, people),
        ("stages", 5, lambda count: [{"name": f"{n}"} for n in range(count)]),
        ("options", 10, lambda count: [{"name": f"{n}", "approves": True} for n in range(count)]),
    ],
)
def test_of_people_stages_and_options_there_is_a_most(caller, field, most, build, near):
    answer = caller.ask(**{field: build(most + near)})

    assert said(answer, f"/{field}") if near > 0 else answer.status_code == 201


@pytest.mark.parametrize("near", NEAR)
def test_an_answer_to_a_form_has_a_limit_in_characters(caller, near):
    request_id = caller.asked(form={"properties": {"k": {"type": "string"}}})
    form = {"k": CAT * (4096 - len('{"k":""}') + near)}

    answer = caller.decide(request_id, form=form)

    if near > 0:
        assert said(answer, "/form")
        assert caller.look(request_id).json()["status"] == "Pending"
    else:
        assert answer.status_code == 200
        assert caller.look(request_id).json()["decision"]["form"] == form


@pytest.mark.parametrize("near", NEAR)
def test_stages_and_escalations_together_have_a_limit_in_hours(caller, near):
    last = {"approvers": ["a"], "on_timeout": "escalate", "escalate_to": {"approvers": ["b"], "timeout_hours": 100}}

    answer = caller.ask(stages=[{"timeout_hours": 576}, {**last, "timeout_hours": 44 + near / 3600}])

    assert said(answer, "/stages") if near > 0 else answer.status_code == 201


@pytest.mark.parametrize("near", NEAR)
def test_of_imagined_answers_there_is_a_most(caller, near):
    answers = [{"approver": "a", "is_approved": False, "after_hours": n} for n in range(100 + near)]

    answer = caller.http.post("/api/policies/preview", json={"request": a_request(), "answers": answers})

    assert said(answer, "/answers") if near > 0 else answer.status_code == 200


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("act", ["reassign", "delegate", "preview"])
def test_the_other_bodies_have_at_most_64_kib_as_well(caller, act, near):
    request_id = caller.asked(approvers=["a"])
    path, body = {
        "reassign": (f"/api/requests/{request_id}/reassign", {"by": "x", "from": "a", "to": "b"}),
        "delegate": (f"/api/approvals/{request_id}/delegate", {"approver": "a", "to": "b"}),
        "preview": ("/api/policies/preview", {"request": a_request()}),
    }[act]
    content = json.dumps(body).encode().ljust(65536 + near)

    answer = caller.http.post(path, content=content, headers={**JSON, "If-Match": "*"})

    if near > 0:
        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"
    else:
        assert answer.is_success


@pytest.mark.parametrize("last", ["approved", "rejected", "cancelled"])
def test_the_largest_answers_of_twenty_people_are_told_whole_while_it_runs_and_at_its_end(caller, last):
    """They outgrow the custom status after the first, and are read back from the history."""
    who = [f"{n:02}" + CAT * 252 for n in range(20)]
    texts = {"comments": '\\"' * 1000, "form": {"k": CAT * 4088}, "option": "x" * 60}
    options = [{"name": "x" * 60, "approves": True}]
    request_id = caller.asked(
        approvers=who, required="all", options=options, form={"properties": {"k": {"type": "string"}}}
    )
    for person in who[:19]:
        caller.decide(request_id, approver=person, **texts).raise_for_status()

    running = caller.look(request_id).json()
    if last == "cancelled":
        headers = {"If-Match": "*"}
        body = a_cancellation(by=CAT * 254, reason=CAT * 2000)
        caller.http.post(f"/api/requests/{request_id}/cancel", json=body, headers=headers).raise_for_status()
    else:
        yes = {"is_approved": True, **texts} if last == "approved" else {"is_approved": False, "form": texts["form"]}
        caller.decide(request_id, approver=who[19], **yes).raise_for_status()
    story = caller.outcome(request_id)

    assert running["status"] == "Pending"
    assert running["awaited"]["from"] == who[19:]
    assert story["status"].lower() == last
    assert story["votes"][:19] == running["votes"]
    assert [vote["approver"] for vote in story["votes"]] == who[: len(story["votes"])]
    for vote in running["votes"]:
        assert {name: vote[name] for name in texts} == texts
    if last == "cancelled":
        assert (story["cancellation"]["by"], story["cancellation"]["reason"]) == (CAT * 254, CAT * 2000)
    else:
        assert story["decision"] == story["votes"][19]

"""A grant over real HTTP, and on the approver's page."""

from __future__ import annotations

from tests.builders import ADA, GRACE, an_answer

ACTION = {"deploy": "shop", "versions": ["1.4", "<b>\u202e"], "cost": 1250.00}


def test_what_was_shown_whole_on_the_page_is_done_once(caller):
    made = caller.ask(approvers=[GRACE], action=ACTION).json()
    request_id, link = made["request_id"], made["approvals"][0]["approval_url"]

    page = caller.http.get(link).text
    assert "&#34;shop&#34;" in page
    assert "\\u202e" in page
    assert "<b>" not in page.partition("What will be done")[2].partition("</pre>")[0].removeprefix("</h2>")
    story = caller.look(request_id).json()
    assert (story["action"], story["digest_version"]) == (ACTION, 1)

    assert caller.http.post(link, data=an_answer(page)).status_code == 303
    decided = caller.look(request_id).json()["decision"]
    assert decided["content_digest"] == story["content_digest"]

    use = {"json": {"action": ACTION}, "headers": {"Idempotency-Key": "deploy-17"}}
    address = f"/api/requests/{request_id}/consume"
    first, again = caller.http.post(address, **use), caller.http.post(address, **use)
    other = caller.http.post(address, json={"action": ACTION})
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json()["decision"]["approver"] == GRACE
    assert other.json()["code"] == "grant_used"


def test_what_was_taken_back_is_refused(caller):
    request_id = caller.asked(approvers=[GRACE], action=ACTION)
    caller.decide(request_id)

    revoked = caller.http.post(f"/api/requests/{request_id}/revoke", json={"by": ADA, "reason": "Stopped"})
    answer = caller.http.post(f"/api/requests/{request_id}/consume", json={"action": ACTION})

    assert revoked.status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (410, "grant_revoked")
    assert caller.http.get(f"/api/requests/{request_id}/history").json()["entries"][-1]["kind"] == "revoked"


def test_numbers_that_do_not_survive_and_details_that_are_not_shown_whole_are_refused(caller):
    number = caller.http.post(
        "/api/requests",
        content=b'{"requester": "ada@example.com", "item": "x", "action": {"n": 9007199254740993}}',
        headers={"Content-Type": "application/json"},
    )
    many = caller.ask(action=ACTION, details={f"line {n}": n for n in range(200)})

    assert number.status_code == many.status_code == 422
    assert "send it as a string" in number.text
    assert many.json()["errors"][0]["pointer"] == "/details"

"""Canaries: secrets that are recognised, through a whole journey, and nowhere where they should not be."""

from __future__ import annotations

import json
import re

import pytest

from approvals.people.callers import RIGHTS, hash_of, new_key
from tests.builders import ALAN, EVE, GRACE
from tests.conftest import Caller
from tests.journeys.test_messages import failing, link_in, open_and_press
from tests.localhost import LocalHost
from tests.sinks import SmtpSink, WebhookSink

KEY = "canary-link-key-5b1f9e0c7a2d4836b9e1c0ffee"
OLD_KEY = "canary-old-link-key-77aa31d0c5e94b1f8d02bead"
PASSWORD = "canary-password-1c8d"  # noqa: S105 - that is the point
HOOK = "canary-hook-9f27"
CALLERS_KEY, WRONG_KEY = new_key(), new_key()
CALLERS = {"canary": {"sha256": [hash_of(CALLERS_KEY)], "rights": list(RIGHTS), "title": "Canary desk"}}
SECRETS = (KEY, OLD_KEY, PASSWORD, HOOK, CALLERS_KEY, WRONG_KEY, hash_of(CALLERS_KEY), hash_of(WRONG_KEY))


@pytest.fixture(scope="module")
def journey():
    """Play every way a request can go, with secrets everywhere; give the host, what was said, and all links."""
    with SmtpSink() as post, WebhookSink(*[200, 500, "reset"] * 20) as room:
        mail = post.url().replace("mailto://", f"mailto://canary:{PASSWORD}@")
        hooks = f"{room.url(path=HOOK)} {room.url('form', path=HOOK)}"
        host = LocalHost(
            NOTIFY_URLS=f"{post.url()} {mail} {hooks}",
            NOTIFY_LOG="true",
            NOTIFY_REQUESTER="true",
            APPROVAL_LINK_KEYS=f"{KEY},{OLD_KEY}",
            CALLERS=json.dumps(CALLERS),
            AZURE_FUNCTIONS_ENVIRONMENT="Development",
        ).start()
        try:
            yield played(host, post)
        finally:
            host.stop()


def played(host, post):
    said, ids, links = [], [], set()
    caller = Caller(host.url)
    caller.http.headers["Authorization"] = f"Bearer {CALLERS_KEY}"
    caller.http.event_hooks["response"].append(lambda answer: (answer.read(), said.append(answer)))

    asked = caller.ask(approvers=[GRACE, ALAN], required="all", key="canary-key").json()
    again = caller.ask(approvers=[GRACE, ALAN], required="all", key="canary-key").json()
    assert asked["approvals"] == again["approvals"]
    open_ = caller.ask(item="Open").json()
    cancelled = caller.ask(item="Cancelled", approvers=[GRACE]).json()
    for body in (asked, open_, cancelled):
        ids.append(body["request_id"])
        links |= {each["approval_url"] for each in body["approvals"]}
    mails = post.wait_for(3)
    links |= {link_in(mail) for mail in mails if "/approve/" in mail.text}
    failing(caller, asked["request_id"])

    for link in list(links):
        caller.http.get(link)
        caller.http.head(link)
        caller.http.request("OPTIONS", link)
        caller.http.put(link)
        caller.http.post(link, data={"answer": "approve"})
        caller.http.post(link, content=b"\xff", headers={"Content-Type": "application/x-www-form-urlencoded"})
        caller.http.get(link[:-1])
        caller.http.get(link + "/more")
    first = next(each["approval_url"] for each in asked["approvals"] if each["approver"] == GRACE)
    open_and_press(caller, first, "approve", comments="\u0007")
    open_and_press(caller, first, "approve", comments="Fine")
    caller.http.get(first)
    url = f"/api/approvals/{asked['request_id']}/delegate"
    caller.http.post(url, json={"approver": ALAN, "to": EVE}).raise_for_status()
    with post.changed:
        assert post.changed.wait_for(lambda: any(EVE in mail.recipients for mail in post.received), 20)
    links |= {link_in(mail) for mail in post.received if "/approve/" in mail.text}
    open_and_press(caller, open_["approval_url"], "reject", approver=EVE)
    caller.http.post(f"/api/requests/{cancelled['request_id']}/cancel", json={"by": "ada"}, headers={"If-Match": "*"})
    caller.decide(asked["request_id"], approver=EVE)
    for request_id in ids:
        caller.outcome(request_id)
        caller.decide(request_id, approver=GRACE, is_approved=False)
    caller.http.post("/api/requests", json={"requester": first})
    caller.http.get(f"/api/requests/{first.rpartition('/')[2]}")
    for wrong in (WRONG_KEY, CALLERS_KEY):
        caller.http.get(f"/api/requests/{wrong}")
        caller.http.get(f"/api/requests/{asked['request_id']}?code={wrong}", headers={"Authorization": wrong})
        caller.http.get(f"/approve/{wrong}")
        caller.http.post("/api/requests", json={}, headers={"Authorization": f"Bearer {WRONG_KEY}"})
        caller.http.post(
            "/api/requests", json={}, headers={"x-approvals-key": WRONG_KEY, "Idempotency-Key": f"{wrong} blank"}
        )
        caller.http.post("/api/requests", content=wrong, headers={"Content-Type": "application/json"})
        caller.http.post("/api/requests", json={"requester": {wrong: 1}}, headers={"x-approvals-key": CALLERS_KEY})
        caller.http.get("/", headers={"x-approvals-key": wrong})
    caller.http.close()
    assert len(links) >= 5
    return host, said, ids, links


def tokens(links):
    return {link.rpartition("/")[2] for link in links}


def test_no_link_and_no_secret_is_in_the_log(journey):
    host, _, _, links = journey

    for secret in (*tokens(links), *SECRETS):
        assert secret not in host.output
    assert not re.search(r"/approve/(?!\{token\})", host.output)


def test_what_the_log_channel_says_arrives_in_the_log(journey):
    host, _, _, _ = journey

    assert "To everyone" in host.output


def test_no_link_and_no_secret_is_in_a_history_or_a_status(journey):
    host, _, ids, links = journey
    caller = Caller(host.url)
    for request_id in ids:
        path = f"/runtime/webhooks/durabletask/instances/{request_id}"
        every = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
        told = caller.http.get(path, params=every).text
        assert "TaskCompleted" in told or "TaskScheduled" in told
        assert "customStatus" in told
        for secret in (*tokens(links), "/approve/", *SECRETS):
            assert secret not in told
    caller.http.close()


def test_links_are_in_the_answer_to_who_asked_and_in_no_other(journey):
    _, said, _, links = journey
    created = [answer for answer in said if answer.request.method == "POST" and answer.status_code in (200, 201)]
    with_links = [answer for answer in said if any(token in answer.text for token in tokens(links))]

    assert with_links
    for answer in with_links:
        assert answer in created
        assert answer.request.url.path == "/api/requests"


def test_a_link_is_in_no_header_but_the_one_that_leads_a_browser_back_to_it(journey):
    _, said, _, links = journey

    for answer in said:
        for name, value in answer.headers.items():
            if any(token in value for token in tokens(links)):
                assert (answer.status_code, name) == (303, "location")
                assert answer.request.url.path.endswith(value)


def test_no_secret_is_in_any_answer(journey):
    _, said, _, _ = journey

    assert len(said) > 50
    for answer in said:
        for secret in (*SECRETS, "code=", "/runtime/webhooks"):
            assert secret not in answer.text + str(dict(answer.headers))

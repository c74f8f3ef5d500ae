"""People are told, over real mail and real webhooks; what they are sent gets them to their page."""

from __future__ import annotations

import contextlib
import re
from html.parser import HTMLParser

import pytest

from tests.builders import ADA, ALAN, EVE, GRACE
from tests.localhost import ClockedHost, LocalHost
from tests.sinks import SmtpSink, WebhookSink


@pytest.fixture
def post():
    """Give a mail server."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def room():
    """Give a web server that stands for a chat room."""
    with WebhookSink() as sink:
        yield sink


class Form(HTMLParser):
    """What a page would send."""

    def __init__(self, html):
        super().__init__()
        self.values, self.buttons = {}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "input" and found["type"] == "hidden":
            self.values[found["name"]] = found["value"]
        if tag == "button" and found.get("name") == "answer":
            self.buttons.append(found["value"])


def link_in(mail):
    (link,) = set(re.findall(r"http://\S+/approve/[\w.-]+", mail.text))
    assert link in mail.html
    return link


def open_and_press(caller, link, button, **typed):
    """Open a link as a person does, and press a button of the page."""
    form = Form(caller.http.get(link).raise_for_status().text)
    assert button in form.buttons
    return caller.http.post(link, data={**form.values, **typed, "answer": button})


def by_person(mails):
    return {mail.recipients[0]: mail for mail in mails}


def test_who_is_asked_gets_a_mail_with_a_link_and_answers_on_its_page(started, calling, post):
    caller = calling(started(LocalHost(NOTIFY_URLS=post.url(), NOTIFY_REQUESTER="true")))
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all", item="Move the database")

    asked = by_person(post.wait_for(2))
    answer = open_and_press(caller, link_in(asked[GRACE]), "approve", comments="Go")
    open_and_press(caller, link_in(asked[ALAN]), "reject", comments="Not on a Friday")

    story = caller.outcome(request_id)
    assert answer.status_code == 303
    assert set(asked) == {GRACE, ALAN}
    assert story["status"] == "Rejected"
    assert [(vote["approver"], vote["channel"], vote["assurance"]) for vote in story["votes"]] == [
        (GRACE, "page", "link"),
        (ALAN, "page", "link"),
    ]
    told = by_person(post.wait_for(5)[2:])
    assert set(told) == {ADA, GRACE, ALAN}
    assert all("Not on a Friday" in mail.text for mail in told.values())
    assert not any("/approve/" in mail.text + mail.html for mail in told.values())


def test_who_it_is_passed_on_to_hears_of_it_and_the_old_link_is_void(started, calling, post):
    caller = calling(started(LocalHost(NOTIFY_URLS=post.url())))
    request_id = caller.asked(approvers=[GRACE])
    (first,) = post.wait_for(1)

    caller.http.post(f"/api/approvals/{request_id}/delegate", json={"approver": GRACE, "to": EVE}).raise_for_status()
    second = post.wait_for(2)[1]

    void = caller.http.get(link_in(first))
    assert void.status_code == 403
    assert EVE in void.text
    assert second.recipients == [EVE]
    assert open_and_press(caller, link_in(second), "approve").status_code == 303
    assert caller.outcome(request_id)["decision"]["on_behalf_of"] == GRACE


def test_who_is_asked_instead_when_nobody_answers_gets_a_link_of_their_own(started, calling, post):
    host = started(ClockedHost(NOTIFY_URLS=post.url()))
    caller = calling(host)
    policy = {"on_timeout": "escalate", "escalate_to": [EVE], "timeout_hours": 1 / 60}
    request_id = caller.asked(approvers=[GRACE], **policy)
    post.wait_for(1)

    host.move(seconds=60)
    escalated = by_person(post.wait_for(2))[EVE]

    assert open_and_press(caller, link_in(escalated), "approve").status_code == 303
    assert caller.outcome(request_id)["decision"]["approver"] == EVE


def test_a_room_hears_what_goes_on_and_has_nobodys_link(started, calling, post, room):
    caller = calling(started(LocalHost(NOTIFY_URLS=f"{post.url()} {room.url()}")))
    request_id = caller.asked(approvers=[GRACE])
    (asked,) = room.wait_for(1)

    caller.decide(request_id)

    told = room.wait_for(2)[1]
    assert "/approve/" not in str(asked.json) + str(told.json)
    assert GRACE in told.json["message"]
    assert asked.headers["x-approval-message"] in asked.json["message"]
    assert asked.headers["x-approval-message"] != told.headers["x-approval-message"]


def test_a_room_has_the_link_of_a_request_that_names_nobody(started, calling, room):
    caller = calling(started(LocalHost(NOTIFY_URLS=room.url())))
    body = caller.ask().json()

    (asked,) = room.wait_for(1)

    assert body["approval_url"] in asked.json["message"]


def test_channels_that_fail_are_in_the_status_silence_no_other_and_hold_up_no_decision(started, calling, post):
    """Each in its own way: with an error, with no answer, with a torn connection, with a way to elsewhere."""
    with contextlib.ExitStack() as sinks:
        broken = [
            sinks.enter_context(WebhookSink(*[answer] * 20))
            for answer in (500, "hang", "reset", ("redirect", "http://127.0.0.1:9/"))
        ]
        urls = " ".join(each.url(rto=1) for each in broken)
        caller = calling(started(LocalHost(NOTIFY_URLS=f"{urls} {post.url()}")))
        request_id = caller.asked(approvers=[GRACE])
        (asked,) = post.wait_for(1)
        story = failing(caller, request_id)

        decided = open_and_press(caller, link_in(asked), "approve")

        assert decided.status_code == 303
        assert caller.look(request_id).json()["status"] == "Approved"
    undelivered = story["undelivered"]
    assert {(each["to"], each["channel"], each["occasion"]) for each in undelivered} == {
        (None, f"json-{number}", "asked") for number in range(1, 5)
    }
    assert all(each["next_attempt_at"] > story["created_at"] for each in undelivered)


def failing(caller, request_id):
    """Give the story once it says that something was not delivered; what it waits for is the channel giving up."""
    for wait in [None, *[1] * 20]:  # the answer is held by the host
        story = caller.look(request_id, wait).json()
        if story["undelivered"]:
            return story
    raise AssertionError("nothing failed")


def test_a_person_who_cannot_be_addressed_is_in_the_status_and_not_tried_again(started, calling, post):
    caller = calling(started(LocalHost(NOTIFY_URLS=post.url())))
    request_id = caller.asked(approvers=[f"{GRACE},{EVE}", ALAN])

    (asked,) = post.wait_for(1)
    (undelivered,) = failing(caller, request_id)["undelivered"]

    assert asked.recipients == [ALAN]
    assert undelivered["to"] == f"{GRACE},{EVE}"
    assert undelivered["next_attempt_at"] is None


def test_whom_no_channel_can_reach_is_said_when_the_request_is_made(started, calling, post):
    caller = calling(started(LocalHost(NOTIFY_URLS=post.url(), NOTIFY_REQUESTER="true")))
    later = {"approvers": ["The Board"], "timeout_hours": 1}
    stages = [{"approvers": [GRACE, ".."], "escalate_to": later, "on_timeout": "escalate"}, {"approvers": ["Legal"]}]

    body = caller.ask(requester="Ada Lovelace", stages=stages, key="k").json()
    again = caller.ask(requester="Ada Lovelace", stages=stages, key="k").json()

    assert body["undeliverable"] == ["..", "The Board", "Legal", "Ada Lovelace"]
    assert again["undeliverable"] == body["undeliverable"]


def test_where_nobody_is_told_anything_nobody_is_undeliverable(caller):
    assert caller.ask(approvers=["The Board"]).json()["undeliverable"] == []


def test_who_would_be_told_is_in_the_log(started, calling):
    host = started(LocalHost(NOTIFY_LOG="true"))

    request_id = calling(host).asked(item="New laptop")

    host.wait_for(rf"To everyone: .*New laptop.* \({request_id}-asked-1-0-0\)")


def test_twelve_deliveries_that_hang_hold_up_no_decision(started, calling):
    """A decision needs turns of its orchestration; it is recorded while not one of the deliveries has been given up."""
    with WebhookSink(*["hang"] * 40) as stuck:
        host = started(LocalHost(NOTIFY_URLS=stuck.url(rto=30)))
        caller = calling(host)
        waiting = [caller.asked() for _ in range(12)]
        stuck.wait_for(12)

        answers = [caller.decide(request_id) for request_id in waiting[:3]]

        assert [answer.status_code for answer in answers] == [200] * 3
        assert "in time" not in host.output


def test_a_setting_that_is_no_address_stops_the_app_and_is_not_repeated():
    with pytest.raises(AssertionError, match="NOTIFY_URLS: number 2") as caught:
        LocalHost(NOTIFY_URLS="json://127.0.0.1/hook nosuch://user:s3cret@host").start()

    assert "s3cret" not in str(caught.value)

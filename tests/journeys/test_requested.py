"""The page of whoever asked: what has become of it, and taking it back; never an answer."""

from __future__ import annotations

import re

import pytest

from tests.builders import ADA, ALAN, GRACE
from tests.localhost import LocalHost
from tests.sinks import SmtpSink


def form_of(page):
    return {"page": re.search(r'name="page" value="([^"]+)"', page.text)[1], "do": "withdraw"}


@pytest.fixture
def asked(caller):
    """Ask, and give the id, the requester's link and the approver's."""

    def ask(**fields):
        made = caller.ask(**{"approvers": [GRACE], "item": "A yacht", **fields}).json()
        return made["request_id"], made["requester_url"], made["approvals"][0]["approval_url"]

    return ask


def test_it_shows_what_becomes_of_it_and_opening_it_changes_nothing(caller, asked):
    request_id, own, _ = asked(approvers=[GRACE, ALAN], required="all")
    caller.decide(request_id, approver=GRACE, comments="Enjoy")

    for _ in range(2):
        page = caller.http.get(own)
        assert page.status_code == 200
        for words in (
            "Your own request",
            "A yacht",
            "It is still waited for.",
            "approved",
            "Enjoy",
            ALAN,
            "Take it back",
        ):
            assert words in page.text
    assert caller.look(request_id).json()["revision"] == 2
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_whoever_asked_takes_it_back_and_twice_is_once(caller, asked):
    request_id, own, approvers = asked()
    form = {**form_of(caller.http.get(own)), "reason": "Not needed any more"}

    first = caller.http.post(own, data=form)
    second = caller.http.post(own, data=form)

    assert (first.status_code, second.status_code) == (303, 303)
    story = caller.outcome(request_id)
    assert story["status"] == "Cancelled"
    assert story["cancellation"] | {"cancelled_at": ""} == {
        "by": ADA,
        "reason": "Not needed any more",
        "cancelled_at": "",
        "caller": None,
    }
    after = caller.http.get(own)
    assert "took this request back" in after.text
    assert "Take it back" not in after.text
    assert "took this request back" in caller.http.get(approvers).text


def test_one_that_has_ended_meanwhile_is_shown_as_it_ended(caller, asked):
    request_id, own, _ = asked()
    form = form_of(caller.http.get(own))
    caller.decide(request_id, approver=GRACE, is_approved=False, comments="Too dear")

    answer = caller.http.post(own, data=form)

    assert answer.status_code == 409
    assert "It had ended before it could be taken back." in answer.text
    assert "Too dear" in answer.text
    assert caller.outcome(request_id)["status"] == "Rejected"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda form: {**form, "page": ""}, 409),
        (lambda form: {**form, "page": form["page"] + "x"}, 409),
        (lambda form: {"page": form["page"]}, 409),
        (lambda form: {**form, "do": "approve"}, 409),
        (lambda form: {**form, "answer": "approve", "do": ""}, 409),
        (lambda form: {**form, "reason": "x" * 2001}, 422),
    ],
)
def test_what_the_page_did_not_send_changes_nothing(caller, asked, change, status):
    request_id, own, _ = asked()
    form = form_of(caller.http.get(own))

    answer = caller.http.post(own, data=change(form))

    assert answer.status_code == status
    assert caller.look(request_id).json()["status"] == "Pending"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Content-Type": "application/json"}, 415)],
)
def test_another_site_or_a_program_changes_nothing(caller, asked, headers, status):
    request_id, own, _ = asked()
    form = form_of(caller.http.get(own))

    answer = caller.http.post(own, data=form, headers=headers)

    assert answer.status_code == status
    assert caller.look(request_id).json()["status"] == "Pending"


def test_neither_link_opens_the_other_s_page(caller, asked):
    _, own, approvers = asked()
    mine, theirs = own.rpartition("/")[2], approvers.rpartition("/")[2]

    assert caller.http.get(f"/approve/{mine}").status_code == 404
    assert caller.http.get(f"/requested/{theirs}").status_code == 404
    assert caller.http.get(f"{own}x").status_code == 404
    assert caller.http.post(f"/approve/{mine}", data={"answer": "approve"}).status_code == 404


def test_a_form_of_one_request_takes_no_other_back(caller, asked):
    _, one, _ = asked()
    request_id, other, _ = asked()

    answer = caller.http.post(other, data=form_of(caller.http.get(one)))

    assert answer.status_code == 409
    assert caller.look(request_id).json()["status"] == "Pending"


def test_it_speaks_the_language_of_the_request(caller, asked):
    _, own, _ = asked(locale="de")

    page = caller.http.get(own, headers={"Accept-Language": "fr"})

    assert 'lang="de"' in page.text
    assert "Zurückziehen" in page.text


def test_other_methods_are_told_which_there_are(caller, asked):
    _, own, _ = asked()

    assert caller.http.options(own).headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert caller.http.put(own).status_code == 405
    assert caller.http.head(own).content == b""
    assert caller.http.get(f"{own}/").status_code == 308


def test_the_mail_that_says_how_it_ended_leads_to_the_page_that_says_it_whole(started, calling):
    with SmtpSink() as post:
        caller = calling(started(LocalHost(NOTIFY_URLS=post.url())))
        made = caller.ask(approvers=[GRACE], item="A bicycle").raise_for_status().json()
        caller.decide(made["request_id"], comments="Ride safely").raise_for_status()

        mails = post.wait_for(3)  # Grace is asked; then she and Ada hear how it ended
        (told,) = (mail for mail in mails if mail.recipients == [ADA])
        (link,) = set(re.findall(r"http://\S+/requested/[\w.-]+", told.text))

        assert link == made["requester_url"]
        assert link in told.html
        assert "Ride safely" in caller.http.get(link).text
        assert not [mail.recipients for mail in mails if mail is not told and "/requested/" in mail.text]

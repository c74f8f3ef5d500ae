"""A page offers more than an answer: to pass it on, and to say that one should not have been asked. Over real HTTP."""

import html
import json
import re

import pytest

from tests.builders import ADA, ALAN, EVE, GRACE

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def asked(host, caller):
    """Ask Grace and Alan."""
    answer = caller.ask(approvers=[GRACE, ALAN], required="all", item="A pass-on")
    answer.raise_for_status()
    body = answer.json()
    return body["request_id"], {each["approver"]: each["approval_url"] for each in body["approvals"]}


def press(caller, link, page=None, **fields):
    """Send a form of the page."""
    page = page or caller.http.get(link).text
    token = html.unescape(re.search(r'name="page" value="([^"]*)"', page)[1])
    return caller.http.post(link, data={"page": token, **fields}, headers={"Sec-Fetch-Site": "same-origin"})


def story(caller, request_id):
    return caller.http.get(f"/api/requests/{request_id}").json()


def history(caller, request_id):
    return caller.http.get(f"/api/requests/{request_id}/history").json()["entries"]


def test_a_holder_passes_their_own_slot_on_with_a_reason(caller, asked):
    request_id, links = asked

    answer = press(caller, links[GRACE], do="pass_on", to=EVE, reason="On leave")
    after = caller.http.get(links[GRACE])

    (change,) = story(caller, request_id)["changes"]
    assert answer.status_code == 303
    assert (change["kind"], change["by"], change["from"], change["to"]) == ("delegate", GRACE, GRACE, EVE)
    assert (change["reason"], change["caller"]) == ("On leave", None)
    assert after.status_code == 403
    assert "A pass-on" not in after.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"to": "", "reason": "On leave"}, "To whom must not be empty."),
        ({"to": EVE, "reason": "  "}, "The reason: an answer is needed."),
        ({"to": ALAN, "reason": "On leave"}, "To whom is asked already."),
        ({"to": ADA, "reason": "On leave"}, "To whom is who asked for this, and cannot decide."),
        ({"to": f"a{chr(0x202E)}b", "reason": "On leave"}, "changes the direction of text"),
    ],
    ids=["nobody", "no reason", "who is asked", "who asked", "hidden text"],
)
def test_what_cannot_be_passed_on_is_said_at_its_field_and_nothing_typed_is_lost(caller, asked, fields, said):
    request_id, links = asked

    answer = press(caller, links[GRACE], do="pass_on", **fields)

    assert answer.status_code in (403, 422)
    assert said in html.unescape(answer.text)
    assert not fields["reason"].strip() or fields["reason"] in answer.text
    assert '<details class="aside" open>' in answer.text
    assert story(caller, request_id)["changes"] == []


def test_a_page_of_before_passes_nothing_on(caller, asked):
    request_id, links = asked
    old = caller.http.get(links[GRACE]).text
    caller.http.post(
        f"/api/requests/{request_id}/reassign",
        json={"by": ADA, "from": GRACE, "to": EVE},
        headers={"If-Match": caller.look(request_id).headers["ETag"]},
    ).raise_for_status()

    answers = [
        press(caller, links[GRACE], old, do="pass_on", to="bob@example.com", reason="x"),
        press(caller, links[ALAN], old, do="pass_on", to="bob@example.com", reason="x"),
        press(caller, links[ALAN], old, do="not_mine"),
    ]

    assert [answer.status_code for answer in answers] == [403, 409, 409]
    assert len(story(caller, request_id)["changes"]) == 1


def test_who_should_not_have_been_asked_says_so_once_and_nothing_else_changes(caller, asked):
    request_id, links = asked
    before = story(caller, request_id)

    first = press(caller, links[GRACE], do="not_mine")
    again = press(caller, links[GRACE], do="not_mine")

    noted = [each for each in history(caller, request_id) if each["kind"] == "misdirected"]
    assert (first.status_code, again.status_code) == (200, 200)
    assert "Thank you for telling us" in first.text
    assert [(each["by"], each["stage"]) for each in noted] == [(GRACE, 1)]
    assert story(caller, request_id) == before
    assert press(caller, links[GRACE], answer="approve").status_code == 303


def test_two_wishes_at_once_are_none(caller, asked):
    request_id, links = asked

    answer = press(caller, links[GRACE], do=["pass_on", "not_mine"], to=EVE, reason="x")

    assert answer.status_code == 422
    assert story(caller, request_id)["changes"] == []
    assert not [each for each in history(caller, request_id) if each["kind"] == "misdirected"]


def test_looking_never_notes_anything(caller, asked):
    request_id, links = asked

    caller.http.get(f"{links[GRACE]}?do=not_mine")

    assert not [each for each in history(caller, request_id) if each["kind"] == "misdirected"]


def test_the_page_speaks_the_language_of_the_request_else_of_the_browser(caller):
    german = caller.ask(approvers=[GRACE], locale="de-CH", time_zone="Europe/Zurich").json()
    plain = caller.ask(approvers=[GRACE]).json()
    accept = {"Accept-Language": "ar, en;q=0.5"}

    ours = caller.http.get(german["approvals"][0]["approval_url"], headers=accept)
    theirs = caller.http.get(plain["approvals"][0]["approval_url"], headers=accept)
    wrong = caller.http.get("/approve/nothing", headers={"Accept-Language": "fr"})

    assert '<html lang="de-CH" dir="ltr">' in ours.text
    assert "bittet um Ihre Genehmigung" in ours.text
    assert '<html lang="ar" dir="rtl">' in theirs.text
    assert "est pas authentique" in wrong.text
    assert {ours.headers["Vary"], wrong.headers["Vary"]} == {"Accept-Language"}
    assert story(caller, german["request_id"])["locale"] == "de-CH"


def test_links_and_labels_are_shown_and_kept(caller):
    link = {"title": "The quote", "url": "https://files.example.com/q.pdf", "sha256": "AB" * 32}
    schema = {"properties": {"amount": {"type": "string", "money": "EUR", "title": "How much"}}}

    made = caller.ask(approvers=[GRACE], links=[link], details={"amount": "12.5"}, details_schema=schema).json()
    page = caller.http.get(made["approvals"][0]["approval_url"]).text

    kept = story(caller, made["request_id"])
    assert kept["links"] == [{**link, "sha256": "ab" * 32}]
    assert kept["details_schema"] == schema
    assert '<a href="https://files.example.com/q.pdf" target="_blank" rel="noopener noreferrer">' in page
    assert "files.example.com</bdi>)" in page
    assert "ab" * 32 in page
    assert "How much" in page
    assert "€12.50" in page


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"links": [{"title": "x", "url": "http://x.example/"}]}, "/links/0/url"),
        ({"links": [{"title": "x", "url": "https://x.example/", "sha256": "ab"}]}, "/links/0/sha256"),
        ({"links": [{"title": "x", "url": "https://x.example/"}] * 11}, "/links"),
        ({"details_schema": {"properties": {"a": {"type": "text"}}}}, "/details_schema/properties/a/type"),
        ({"locale": "de_DE"}, "/locale"),
        ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
        ({"time_zone": "../etc"}, "/time_zone"),
    ],
    ids=json.dumps,
)
def test_what_cannot_be_shown_is_refused_with_a_pointer(caller, fields, pointer):
    answer = caller.ask(approvers=[GRACE], **fields)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]

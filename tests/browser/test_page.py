"""The approver's page in a browser: what people see and do, and what becomes of it."""

import base64
import dataclasses
import datetime as dt
import json
import re
import zoneinfo

import pytest
from playwright.sync_api import expect

from approvals import settings
from approvals.people.links import Signer
from tests.browser.conftest import asked_of
from tests.builders import ADA, ALAN, EVE, GRACE

EMOJI_AND_MORE = "Not this time 🎉👩🏽‍💻\n\nمرحبا (hello) 123!\n\t<b>&amp;</b>"  # noqa: RUF001
FORM = {
    "type": "object",
    "required": ["cost_center"],
    "properties": {"cost_center": {"type": "string", "maxLength": 4}, "budget": {"enum": ["this year", "next year"]}},
}
BOTH = {"approvers": [GRACE, ALAN], "required": "all"}


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def says(tab, sentence):
    """See that the page's heading comes to be this."""
    expect(tab.get_by_role("heading", level=1)).to_have_text(sentence)


def story(caller, asked):
    return caller.look(asked.request_id).json()


def alert_of(tab):
    return tab.get_by_role("alert")


# --- answering ------------------------------------------------------------------------------------


def test_an_approval_is_recorded_as_the_person_whose_link_it_is(person, ask, caller):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])

    button(tab, "Approve").click()

    says(tab, "Your answer is recorded")
    decision = story(caller, asked)["decision"]
    assert (decision["is_approved"], decision["approver"], decision["channel"]) == (True, GRACE, "page")
    expect(tab.get_by_role("main")).to_contain_text(f"{GRACE} approved")
    assert tab.url == asked.links[GRACE]


def test_a_rejection_keeps_its_comment_to_the_letter(person, ask, caller):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])

    tab.get_by_label("Comment").fill(EMOJI_AND_MORE)
    button(tab, "Reject").click()

    says(tab, "Your answer is recorded")
    decision = story(caller, asked)["decision"]
    assert decision["is_approved"] is False
    assert decision["comments"] == EMOJI_AND_MORE
    assert tab.locator(".answers .prose").inner_text() == EMOJI_AND_MORE


def test_whoever_looks_is_told_what_is_asked_by_whom_and_until_when(person, ask):
    asked = ask(approvers=[GRACE], description="Two\nlines", details={"price": {"net": 1200}})
    tab = person()

    tab.goto(asked.links[GRACE])

    says(tab, "New laptop")
    expect(tab).to_have_title("New laptop – approve or reject")  # noqa: RUF001
    page = tab.get_by_role("main")
    for words in (f"{ADA} asks for your approval", "Due ", "in 23 hours", "Price", "Net", "1200"):
        expect(page).to_contain_text(words)
    assert tab.get_by_text("Two").inner_text() == "Two\nlines"
    assert tab.locator("html").get_attribute("lang") == "en-GB"


def test_an_option_is_a_button_and_is_recorded(person, ask, caller):
    asked = ask(
        approvers=[GRACE], options=[{"name": "This week", "approves": True}, {"name": "Ever", "approves": True}]
    )
    tab = person()
    tab.goto(asked.links[GRACE])
    assert tab.get_by_role("button").all_inner_texts() == ["This week", "Ever", "Approve", "Reject"]

    button(tab, "This week").click()

    says(tab, "Your answer is recorded")
    assert story(caller, asked)["decision"]["option"] == "This week"
    expect(tab.get_by_role("main")).to_contain_text("approved (This week)")


def test_on_the_open_slot_people_say_who_they_are(person, ask, caller):
    asked = ask()
    tab = person()
    tab.goto(asked.open_link)

    name = tab.get_by_label("Your name or e-mail address")
    name.fill(" ")
    tab.get_by_label("Comment").fill("Enjoy")
    button(tab, "Approve").click()
    expect(alert_of(tab)).to_contain_text("Nothing was decided yet.")
    expect(name).to_have_accessible_description("Your name must not be empty.")
    assert name.get_attribute("aria-invalid") == "true"
    assert story(caller, asked)["votes"] == []

    name.fill(ALAN)
    button(tab, "Approve").click()

    says(tab, "The answer is recorded")
    decision = story(caller, asked)["decision"]
    assert (decision["approver"], decision["comments"], decision["assurance"]) == (ALAN, "Enjoy", "link")


def test_what_was_typed_is_still_there_beside_what_is_wrong_with_it(person, ask, caller):
    asked = ask(approvers=[GRACE], form=FORM)
    tab = person()
    tab.goto(asked.links[GRACE])
    center, comment = tab.get_by_label("Cost center"), tab.get_by_label("Comment")
    center.evaluate("field => field.removeAttribute('maxlength')")
    center.fill("4711 and more")
    comment.fill("\n  Enjoy")
    tab.get_by_label("next year").check()
    button(tab, "Approve").click()

    expect(alert_of(tab)).to_contain_text("Nothing was decided yet.")
    expect(tab).to_have_title(re.compile("^Not sent: "))
    expect(center).to_have_value("4711 and more")
    expect(comment).to_have_value("\n  Enjoy")
    expect(tab.get_by_label("next year")).to_be_checked()
    assert center.get_attribute("aria-invalid") == "true"
    described = center.get_attribute("aria-describedby").split()
    assert "Cost center must be at most 4 characters." in [
        tab.locator(f"[id='{each}']").inner_text() for each in described
    ]
    assert story(caller, asked)["status"] == "Pending"

    alert_of(tab).get_by_role("link", name="Cost center").click()
    assert tab.url.endswith(f"#{center.get_attribute('id')}")
    center.fill("4711")
    button(tab, "Approve").click()

    says(tab, "Your answer is recorded")
    decision = story(caller, asked)["decision"]
    assert decision["form"] == {"cost_center": "4711", "budget": "next year"}


def test_a_comment_that_is_owed_is_asked_for_when_rejecting(person, ask, caller):
    asked = ask(approvers=[GRACE], comment_required="on_reject")
    tab = person()
    tab.goto(asked.links[GRACE])
    comment = tab.get_by_label("Comment")
    expect(comment).to_have_accessible_description("Needed if you reject.")

    button(tab, "Reject").click()

    expect(alert_of(tab)).to_be_visible()
    expect(comment).to_have_accessible_description("Needed if you reject. The comment: an answer is needed.")
    assert story(caller, asked)["status"] == "Pending"
    comment.fill("Too dear")
    button(tab, "Reject").click()
    says(tab, "Your answer is recorded")


# --- without scripts, with other hands ------------------------------------------------------------


def test_everything_works_without_scripts(person, ask, caller):
    asked = ask(approvers=[GRACE], form=FORM, comment_required="on_reject")
    tab = person(java_script_enabled=False, timezone_id="Asia/Tokyo")
    tab.goto(asked.links[GRACE])
    expect(tab.locator(".due time")).to_contain_text(" UTC")

    button(tab, "Reject").click()
    expect(alert_of(tab)).to_be_visible()
    tab.get_by_label("Cost center").fill("4711")
    tab.get_by_label("Comment").fill("Too dear")
    button(tab, "Reject").click()

    says(tab, "Your answer is recorded")
    assert story(caller, asked)["decision"]["comments"] == "Too dear"


PLACE = """() => { const one = document.activeElement, box = one.getBoundingClientRect();
  const style = getComputedStyle(one), y = Math.min(Math.max(box.top, 0) + 5, innerHeight - 5);
  return { name: one.name || one.tagName, x: box.x, top: box.top + scrollY,
           seen: one.contains(document.elementFromPoint(box.x + 8, y)),
           outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 } }"""


def walk(tab):
    """Press Tab through the page, and tell each place once; a field for a date is several, one after another."""
    places = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        place = tab.evaluate(PLACE)
        if place["name"] == "BODY":
            return places
        if not places or (place["name"], place["x"], place["top"]) != tuple(
            places[-1][k] for k in ("name", "x", "top")
        ):
            places.append(place)
    raise AssertionError("the page does not end")


@pytest.mark.parametrize("name", ["form", "form-plain", "form-open-slot", "form-options", "form-every-field"])
def test_the_keyboard_goes_through_the_page_as_the_eye_does_and_is_seen(look, name):
    tab = look(name, width=390, height=700)

    places = walk(tab)

    # what lies behind "More about this request" and "Not yours to decide?" opens by Enter
    assert [place["name"] for place in places if place["name"] != "SUMMARY"][-2:] == ["answer", "answer"]
    assert all(place["outlined"] and place["seen"] for place in places)
    # what keeps to the window's end moves with it; the rest must stand one after another
    fields = [place for place in places if place["name"] not in ("answer", "SUMMARY")]
    buttons = [place for place in places if place["name"] == "answer"]
    for order in (fields, buttons):
        assert order == sorted(order, key=lambda place: (place["top"], place["x"]))


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_button_can_be_pressed_with_the_keyboard(person, ask, caller, key):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])

    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.type("By hand")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    expect(button(tab, "Reject")).to_be_focused()
    tab.keyboard.press(key)

    says(tab, "Your answer is recorded")
    decision = story(caller, asked)["decision"]
    assert (decision["is_approved"], decision["comments"]) == (False, "By hand")


def test_the_enter_key_in_a_field_decides_nothing(person, ask, caller, watch):
    asked = ask(form=FORM)
    tab = person()
    tab.goto(asked.open_link)
    tab.evaluate("document.still = 'here'")

    for label in ("Your name or e-mail address", "Cost center"):
        tab.get_by_label(label).fill(ALAN[:4])
        tab.get_by_label(label).press("Enter")
    tab.get_by_label("this year").check()
    tab.get_by_label("this year").press("Enter")

    assert tab.evaluate("document.still") == "here"
    assert not watch.sent()
    assert story(caller, asked)["status"] == "Pending"


def test_the_enter_key_decides_nothing_in_any_kind_of_field(look, watch):
    """Chromium goes on to the next button when the first is disabled and Enter is pressed on a choice."""
    tab = look("form-every-field")
    pressed = set()

    for field in tab.locator(".card input:not([type=hidden])").all():
        field.press("Enter")
        pressed.add(field.get_attribute("type"))

    assert pressed == {"text", "date", "email", "url", "radio", "checkbox"}
    assert len(watch.requests) == 2


# --- at once, and again ---------------------------------------------------------------------------


def test_a_page_that_has_gone_stale_decides_nothing_and_can_then_be_answered(person, ask, caller):
    asked = ask(**BOTH)
    tab = person()
    tab.goto(asked.links[GRACE])
    tab.get_by_label("Comment").fill("Enjoy")
    tab.evaluate("document.querySelector('input[name=page]').value = 'of another day'")
    caller.decide(asked.request_id, approver=ALAN, comments="Mine too")

    button(tab, "Approve").click()

    expect(alert_of(tab)).to_contain_text("Nothing was decided. Something has changed since you opened this page")
    expect(tab.get_by_role("main")).to_contain_text(f"{ALAN} approved")
    expect(tab.get_by_label("Comment")).to_have_value("Enjoy")
    assert [vote["approver"] for vote in story(caller, asked)["votes"]] == [ALAN]

    button(tab, "Approve").click()

    says(tab, "Your answer is recorded")
    assert story(caller, asked)["status"] == "Approved"


def test_a_page_does_not_go_stale_because_a_colleague_answered(person, ask, caller):
    asked = ask(**BOTH)
    tab = person()
    tab.goto(asked.links[GRACE])
    caller.decide(asked.request_id, approver=ALAN, comments="Mine too")

    button(tab, "Approve").click()

    says(tab, "Your answer is recorded")
    assert story(caller, asked)["status"] == "Approved"


def test_of_two_tabs_that_contradict_each_other_the_second_is_told_what_stands(person, ask, caller):
    asked = ask(approvers=[GRACE])
    first = person()
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(asked.links[GRACE])
    button(first, "Approve").click()
    says(first, "Your answer is recorded")

    button(second, "Reject").click()

    says(second, "An answer is recorded already")
    told = second.get_by_role("main")
    expect(told).to_contain_text("An answer was given with this link before, and it stands. Nothing was changed.")
    expect(told).to_contain_text(f"{GRACE} approved")
    at = story(caller, asked)["decision"]["decided_at"]
    assert second.locator("time").first.get_attribute("datetime") == at
    assert story(caller, asked)["status"] == "Approved"


def test_two_people_who_contradict_each_other_are_both_told_what_stands(person, ask, caller):
    asked = ask(approvers=[GRACE, ALAN])
    grace, alan = person(), person()
    grace.goto(asked.links[GRACE])
    alan.goto(asked.links[ALAN])
    button(grace, "Reject").click()
    says(grace, "Your answer is recorded")

    button(alan, "Approve").click()

    says(alan, "Already decided")
    expect(alan.get_by_role("main")).to_contain_text(f"{GRACE} rejected")
    assert len(story(caller, asked)["votes"]) == 1


def test_a_double_click_makes_one_decision(person, ask, caller):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])

    button(tab, "Approve").dblclick()

    says(tab, "Your answer is recorded")
    assert len(story(caller, asked)["votes"]) == 1


def test_loading_the_answer_again_sends_nothing_again(person, ask, watch):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])
    button(tab, "Approve").click()
    says(tab, "Your answer is recorded")
    before = watch.sent()

    tab.reload()

    says(tab, "Your answer is recorded")
    assert watch.sent() == before
    assert len(before) == 1


def test_going_back_after_the_answer_shows_what_stands(person, ask, caller, watch):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.route("https://mail.example/", lambda route: route.fulfill(body="<p>A message", content_type="text/html"))
    tab.goto("https://mail.example/")
    tab.goto(asked.links[GRACE])
    button(tab, "Approve").click()
    says(tab, "Your answer is recorded")

    tab.go_back()
    if tab.url != asked.links[GRACE]:
        tab.go_forward()

    says(tab, "Your answer is recorded")
    assert len(watch.sent()) == 1
    assert len(story(caller, asked)["votes"]) == 1


def test_an_old_page_that_is_sent_again_shows_what_stands(person, ask, caller):
    """Some browsers keep a page and show it again, buttons and all, when one goes back."""
    asked = ask(approvers=[GRACE])
    tab = person()
    headers = tab.goto(asked.links[GRACE]).headers
    kept = tab.content()
    button(tab, "Approve").click()
    says(tab, "Your answer is recorded")
    tab.route(asked.links[GRACE], lambda route: route.fulfill(body=kept, headers=headers), times=1)
    tab.goto(asked.links[GRACE])

    button(tab, "Approve").click()

    says(tab, "Your answer is recorded")
    assert len(story(caller, asked)["votes"]) == 1


def test_a_machine_that_opens_the_link_and_runs_its_scripts_decides_nothing(person, ask, host, caller, watch):
    asked = ask(approvers=[GRACE])
    tab = person()

    tab.goto(asked.links[GRACE], wait_until="networkidle")

    assert watch.requests == [f"GET {asked.links[GRACE]}", f"GET {host.url}/assets/time.js"]
    assert story(caller, asked)["status"] == "Pending"
    assert story(caller, asked)["votes"] == []
    assert tab.context.cookies() == []


# --- how it looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "ar-EG"])
def test_there_is_one_time_the_readers_own_and_utc_on_demand(person, ask, caller, locale):
    asked = ask(approvers=[GRACE])
    tab = person(timezone_id="Asia/Tokyo", locale=locale)

    tab.goto(asked.links[GRACE])

    deadline = dt.datetime.fromisoformat(story(caller, asked)["deadline"])
    there = deadline.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
    own = tab.locator(".due time")
    clock = f"{there:%H:%M}" if locale != "ar-EG" else f"{there.hour % 12 or 12}:{there:%M}"
    expect(own).to_contain_text(clock)
    expect(own).not_to_contain_text("UTC")
    assert tab.locator("html").get_attribute("lang") == locale
    tab.locator(".more summary").click()
    expect(tab.locator(".more")).to_contain_text(
        f"{deadline.minute:02} " if locale == "ar-EG" else f"{deadline:%H:%M} UTC"
    )


@pytest.mark.parametrize(("scheme", "lightest"), [("light", True), ("dark", False)])
def test_the_page_is_light_by_day_and_dark_by_night(person, ask, scheme, lightest):
    tab = person(color_scheme=scheme)

    tab.goto(ask(approvers=[GRACE]).links[GRACE])

    paper = tab.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert (min(map(int, re.findall(r"\d+", paper))) > 200) == lightest


def test_what_callers_write_turns_nothing_around_it(look):
    tab = look("form-right-to-left")

    title = tab.get_by_role("heading", level=1).locator("bdi")
    assert title.evaluate("one => getComputedStyle(one).direction") == "rtl"
    eyebrow = tab.locator(".eyebrow")
    assert eyebrow.evaluate("one => getComputedStyle(one).direction") == "ltr"
    # who asks stands before what is said of them, though the name is written from the right
    name = eyebrow.locator("bdi").bounding_box()
    assert name["x"] == pytest.approx(eyebrow.bounding_box()["x"], abs=2)


# --- links that have nothing to ask ---------------------------------------------------------------


def opened(person, link, **wishes):
    """Open a link, and give the tab and the status of the answer."""
    tab = person(**wishes)
    return tab, tab.goto(link).status


def buttons_of(tab):
    return tab.locator("form, button").count()


def test_a_request_that_others_decided_says_by_whom_and_when(person, ask, caller):
    asked = ask(approvers=[GRACE, ALAN])
    caller.decide(asked.request_id, approver=ALAN, comments="Mine")

    tab, status = opened(person, asked.links[GRACE])

    says(tab, "Already decided")
    expect(tab.get_by_role("main")).to_contain_text(f"{ALAN} approved")
    expect(tab.get_by_role("main")).to_contain_text("Mine")
    assert (status, buttons_of(tab)) == (200, 0)


def test_a_request_that_timed_out_says_so(person, ask, caller, host):
    # links last as long as the request may, all stages together
    asked = ask(stages=[{"approvers": [GRACE], "timeout_hours": 1 / 60}, {"approvers": [ALAN]}])
    host.move(seconds=60)
    assert caller.outcome(asked.request_id)["status"] == "Timeout"

    tab, status = opened(person, asked.links[GRACE])

    says(tab, "The time to answer is over")
    expect(tab.get_by_role("main")).to_contain_text("Nobody answered in time. The request was closed without approval.")
    assert (status, buttons_of(tab)) == (410, 0)


def test_a_request_that_silence_decided_says_so(person, ask, caller, host):
    first = {"approvers": [GRACE], "timeout_hours": 1 / 60, "on_timeout": "reject"}
    asked = ask(stages=[first, {"approvers": [ALAN]}])
    host.move(seconds=60)
    assert caller.outcome(asked.request_id)["status"] == "Rejected"

    tab, status = opened(person, asked.links[GRACE])

    says(tab, "Already decided")
    expect(tab.get_by_role("main")).to_contain_text("Nobody answered in time. As agreed, that counts as rejection.")
    assert (status, buttons_of(tab)) == (200, 0)


def test_a_request_that_was_cancelled_says_by_whom_and_why(person, ask, caller):
    asked = ask()
    caller.cancel(asked.request_id, reason="Not needed")

    tab, status = opened(person, asked.open_link)

    says(tab, "Taken back")
    expect(tab.get_by_role("main")).to_contain_text(f"{ADA} took this request back")
    expect(tab.get_by_role("main")).to_contain_text("Not needed")
    assert (status, buttons_of(tab)) == (410, 0)


def test_a_link_that_was_passed_on_says_to_whom(person, ask, caller):
    asked = ask(approvers=[GRACE])
    caller.http.post(
        f"/api/approvals/{asked.request_id}/delegate", json={"approver": GRACE, "to": ALAN}
    ).raise_for_status()

    tab, status = opened(person, asked.links[GRACE])

    says(tab, "Passed on to someone else")
    expect(tab.get_by_role("main")).to_contain_text(f"{ALAN} was asked instead")
    assert (status, buttons_of(tab)) == (403, 0)


STAGES = {"stages": [{"name": "Manager", "approvers": [GRACE, ALAN]}, {"name": "Money", "approvers": [EVE]}]}


def test_a_link_whose_turn_has_not_come_says_so_and_then_answers(person, ask, caller):
    asked = ask(**STAGES)

    tab, status = opened(person, asked.links[EVE])

    says(tab, "Not your turn yet")
    expect(tab.get_by_role("main")).to_contain_text("step 1 of 2: Manager")
    assert (status, buttons_of(tab)) == (409, 0)
    caller.decide(asked.request_id, approver=GRACE)
    tab.reload()
    button(tab, "Approve").click()
    says(tab, "Your answer is recorded")
    assert story(caller, asked)["status"] == "Approved"


def test_a_link_whose_step_is_over_says_so(person, ask, caller):
    asked = ask(**STAGES)
    caller.decide(asked.request_id, approver=GRACE)

    tab, status = opened(person, asked.links[ALAN])

    says(tab, "This step is over")
    assert (status, buttons_of(tab)) == (403, 0)


@pytest.mark.parametrize("token", ["nonsense", "x" * 300, "WyJmZiIsMCwwLDAsIiIsMV0.forged"])
def test_a_link_we_did_not_make_says_so(person, host, token):
    tab, status = opened(person, f"{host.url}/approve/{token}")

    says(tab, "This link is not genuine")
    assert (status, buttons_of(tab)) == (404, 0)


def test_a_link_that_lost_its_end_says_so(person, ask):
    tab, status = opened(person, ask(approvers=[GRACE]).links[GRACE][:-1])

    says(tab, "This link is not genuine")
    assert status == 404


def test_a_link_that_has_expired_says_so(person, ask, host):
    signer = Signer(settings.current().link_keys)
    link = signer.verify(ask(approvers=[GRACE]).links[GRACE].rpartition("/")[2])
    old = signer.sign(dataclasses.replace(link, expires_at=1))

    tab, status = opened(person, f"{host.url}/approve/{old}")

    says(tab, "This link has expired")
    assert (status, buttons_of(tab)) == (410, 0)


def test_a_stage_that_wants_people_signed_in_offers_to_sign_in(person, calling, host_with_sign_in):
    asked = asked_of(calling(host_with_sign_in), {"approvers": [GRACE], "assurance": "signed-in"})

    tab, status = opened(person, asked.links[GRACE])

    says(tab, "Sign in to answer")
    link = tab.get_by_role("link", name="Sign in (new page)")
    assert link.get_attribute("href") == "/.auth/login/aad"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert (status, buttons_of(tab)) == (403, 0)


def signed_in_as(email):
    claims = {"tid": "t", "oid": f"o-{email}", "email": email, "xms_edov": "1", "name": email}
    principal = {"claims": [{"typ": name, "val": value} for name, value in claims.items()]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode()}


def test_people_who_are_signed_in_answer_as_themselves(person, calling, host_with_sign_in):
    there = calling(host_with_sign_in)
    asked = asked_of(there, {"approvers": [GRACE], "assurance": "signed-in"})

    eve, status = opened(person, asked.links[GRACE], extra_http_headers=signed_in_as(EVE))
    says(eve, "Sign in to answer")
    expect(eve.get_by_role("main")).to_contain_text(f"You are signed in as {EVE}. This answer is for {GRACE}")
    assert (status, buttons_of(eve)) == (403, 0)
    grace, _ = opened(person, asked.links[GRACE], extra_http_headers=signed_in_as(GRACE))
    button(grace, "Approve").click()

    says(grace, "Your answer is recorded")
    assert story(there, asked)["decision"]["assurance"] == "signed-in"


def test_on_the_open_slot_who_is_signed_in_need_not_say_who_they_are(person, calling, host_with_sign_in):
    there = calling(host_with_sign_in)
    asked = asked_of(there, {})

    tab, _ = opened(person, asked.open_link, extra_http_headers=signed_in_as(GRACE))
    expect(tab.get_by_label("Your name")).to_have_count(0)
    button(tab, "Approve").click()

    says(tab, "The answer is recorded")
    assert story(there, asked)["decision"]["approver"] == GRACE


def test_nobody_decides_on_a_request_of_their_own(person, calling, host_with_sign_in):
    asked = asked_of(calling(host_with_sign_in), {})

    tab, status = opened(person, asked.open_link, extra_http_headers=signed_in_as(ADA))

    says(tab, "Your own request")
    assert (status, buttons_of(tab)) == (403, 0)


# --- what no page of ours sends -------------------------------------------------------------------

SEND = """([link, type, body]) => { const form = document.createElement("form");
  form.method = "post"; form.action = link; form.enctype = type;
  const field = document.createElement("input"); field.name = "answer"; field.value = body;
  form.append(field); document.body.append(form); form.submit() }"""


@pytest.mark.parametrize(
    ("type_", "body", "heading"),
    [
        ("text/plain", "approve", "This was not sent by the page"),
        ("multipart/form-data", "approve", "This was not sent by the page"),
        ("application/x-www-form-urlencoded", "y" * 300_000, "That was too much"),
    ],
)
def test_what_the_page_does_not_send_decides_nothing(person, ask, caller, type_, body, heading):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.goto(asked.links[GRACE])

    tab.evaluate(SEND, [asked.links[GRACE], type_, body])

    says(tab, heading)
    expect(tab.get_by_role("main")).to_contain_text("Nothing was decided.")
    assert story(caller, asked)["status"] == "Pending"


def test_another_site_cannot_answer_for_people(person, ask, caller):
    asked = ask(approvers=[GRACE])
    tab = person()
    tab.route(
        "https://elsewhere.example/", lambda route: route.fulfill(body="<p>Win a prize", content_type="text/html")
    )
    tab.goto("https://elsewhere.example/")

    tab.evaluate(SEND, [asked.links[GRACE], "application/x-www-form-urlencoded", "approve"])

    says(tab, "This was sent by another site")
    assert story(caller, asked)["status"] == "Pending"


def test_other_methods_are_answered_with_a_page(person, ask, caller):
    asked = ask(approvers=[GRACE])
    tab = person()
    answer = caller.http.put(asked.links[GRACE])
    tab.route(
        asked.links[GRACE],
        lambda route: route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.text),
    )

    tab.goto(asked.links[GRACE])

    says(tab, "This address does not take that")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_page_cannot_be_put_into_another_sites_frame(person, ask, watch):
    link = ask(approvers=[GRACE]).links[GRACE]
    tab = person()
    tab.route(
        "https://elsewhere.example/",
        lambda route: route.fulfill(body=f"<iframe src='{link}'></iframe>", content_type="text/html"),
    )

    tab.goto("https://elsewhere.example/", wait_until="networkidle")

    assert tab.frames[1].locator("button").count() == 0
    assert tab.frames[1].url != link
    watch.complaints.clear()  # the browser says why

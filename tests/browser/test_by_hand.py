"""Each shipped example, answered on a telephone by keyboard alone and without scripts, from the evidence to the end."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from approvals.people.languages import OFFERED, Language
from tests.browser.gallery import USE_CASES
from tests.localhost import ROOT

TELEPHONE = {"width": 390, "height": 844}
HERE = """() => { const one = document.activeElement;
  return { tag: one.tagName, type: one.type || "", name: one.name || "", value: one.value || "" } }"""
MOST = 80
"""How often Tab is pressed at most."""


def fill_in(tab):
    """Go through the page by Tab, fill in what there is, and stop at the button that approves."""
    for _ in range(MOST):
        tab.keyboard.press("Tab")
        here = tab.evaluate(HERE)
        match here:
            case {"name": "answer", "value": "reject"}:
                continue
            case {"name": "answer"}:
                return
            case {"tag": "TEXTAREA"} | {"type": "text"}:
                tab.keyboard.type("By hand")
            case {"type": "email"}:
                tab.keyboard.type("grace@example.com")
            case {"type": "number"}:
                tab.keyboard.type("1")
            case {"type": "checkbox" | "radio"}:
                tab.keyboard.press("Space")
            case {"tag": "SELECT"}:
                tab.keyboard.press("ArrowDown")
            case {"type": "date"}:
                tab.keyboard.type("24112026")
    raise AssertionError("no button approves")


@pytest.mark.parametrize("name", USE_CASES)
def test_a_shipped_example_is_answered_by_keyboard_alone_and_without_scripts(person, caller, name):
    body = json.loads((ROOT / f"docs/use-cases/{name}.json").read_text(encoding="utf-8"))
    made = caller.http.post("/api/requests", json=body)
    assert made.status_code == 201, made.text
    first = made.json()["approvals"][0]
    tab = person(java_script_enabled=False, viewport=TELEPHONE)
    tab.goto(first["approval_url"])
    shown = tab.locator("h1")
    expect(shown).to_have_text(body["item"])
    assert tab.evaluate("scrollY") == 0

    fill_in(tab)
    tab.keyboard.press("Enter")

    expect(tab.locator("h1")).to_have_text(re.compile("^(Your|The) answer is recorded$"))
    votes = caller.look(made.json()["request_id"]).json()["votes"]
    assert [(vote["approver"], vote["is_approved"]) for vote in votes] == [(first["approver"] or "By hand", True)]


@pytest.mark.parametrize("tag", OFFERED[1:])
def test_the_same_request_is_answered_by_keyboard_alone_and_without_scripts_in_each_language(person, caller, tag):
    body = json.loads((ROOT / "docs/use-cases/change-management.json").read_text(encoding="utf-8"))
    made = caller.http.post("/api/requests", json={**body, "locale": tag}).raise_for_status().json()
    tab = person(java_script_enabled=False, viewport=TELEPHONE)
    tab.goto(made["approvals"][0]["approval_url"])
    assert tab.locator("html").get_attribute("lang") == tag

    fill_in(tab)
    tab.keyboard.press("Enter")

    expect(tab.locator("h1")).to_have_text(Language(tag).gettext("Your answer is recorded"))
    votes = caller.look(made["request_id"]).json()["votes"]
    assert [(vote["is_approved"], vote["comments"]) for vote in votes] == [(True, "By hand")]


def test_whoever_asked_takes_it_back_by_keyboard_alone(person, caller):
    made = caller.ask(item="A yacht", approvers=["grace@example.com"]).json()
    tab = person(java_script_enabled=False, viewport=TELEPHONE)
    tab.goto(made["requester_url"])

    for _ in range(MOST):
        tab.keyboard.press("Tab")
        here = tab.evaluate(HERE)
        if here["tag"] == "SUMMARY" and tab.evaluate("document.activeElement.textContent") == "Take it back":
            tab.keyboard.press("Enter")
        if here["name"] == "reason":
            tab.keyboard.type("Not needed")
        if here["name"] == "do":
            tab.keyboard.press("Enter")
            break

    expect(tab.locator("body")).to_contain_text("took this request back")
    story = caller.look(made["request_id"]).json()
    assert (story["status"], story["cancellation"]["reason"]) == ("Cancelled", "Not needed")

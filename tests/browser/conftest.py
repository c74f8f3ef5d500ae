"""A person with a browser, and links to open. Every page they see is watched: see `Watch`."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium, gallery
from tests.localhost import LocalHost

PATIENCE = 15_000
GET_CHROMIUM = "apt-get install chromium"
GET_AXE = "npm ci --ignore-scripts"
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", event =>
  console.error("securitypolicyviolation: " + event.violatedDirective + " " + event.blockedURI));
"""


def not_here(unchecked, how):
    """Skip, saying what is not checked; where nothing may be skipped, fail."""
    said = f"{unchecked} Get it with: {how}"
    if os.environ.get("CI"):
        pytest.fail(f"{said}\n(CI is set, so nothing is skipped.)", pytrace=False)
    pytest.skip(said)


def pytest_itemcollected(item):
    """Leave to `make test-all` what needs a browser."""
    if {"browser", "axe"} & set(item.fixturenames):
        item.add_marker("large")


def pytest_terminal_summary(terminalreporter, config):
    """Say at the end what was left out; a letter among hundreds says nothing."""
    if not config.getoption("--all"):
        return
    if not chromium.path():
        terminalreporter.write_line(f"The approver's page was not looked at in a browser: {GET_CHROMIUM}.")
    elif not chromium.AXE.is_file():
        terminalreporter.write_line(f"Whether everybody can use the approver's page was not asked: {GET_AXE}.")


@pytest.fixture(scope="package")
def browser():
    """Give Chromium. It ends with this folder's tests: while it is there, no test of ours may run an event loop."""
    if not chromium.path():
        not_here("Without Chromium nobody checks what the approver's page does in a browser.", GET_CHROMIUM)
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe():
    """Give the source of axe-core."""
    if not chromium.AXE.is_file():
        not_here("Without axe-core nobody checks that everybody can use the approver's page.", GET_AXE)
    return chromium.AXE.read_text(encoding="utf-8")


@dataclass
class Watch:
    """What a browser complained of, and what it asked for."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def over(self, tabs):
        """Watch a context or a page."""
        tabs.on("console", self.hear)
        if isinstance(tabs, Page):
            tabs.on("pageerror", lambda error: self.complaints.append(str(error)))
        else:
            tabs.on("weberror", lambda error: self.complaints.append(str(error.error)))
        tabs.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))
        return self

    def hear(self, message):
        # the browser says so of every page that is not 200
        told = message.text.startswith("Failed to load resource") and "/approve/" in message.location["url"]
        if message.type in ("error", "warning") and not told:
            self.complaints.append(message.text)

    def sent(self):
        """Give what was sent that is more than looking."""
        return [request for request in self.requests if not request.startswith("GET ")]


@pytest.fixture
def watch():
    """Give what the browsers of this test complained of; nothing, when it ends."""
    watching = Watch()
    yield watching
    assert not watching.complaints, "The browser complained."


@pytest.fixture
def person(browser, watch):
    """Give people, each with a browser of their own: `person(timezone_id="Asia/Tokyo")` gives a tab of it."""
    with contextlib.ExitStack() as ending:

        def come(**wishes):
            context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1000, "height": 800}, **wishes})
            ending.callback(context.close)
            context.set_default_timeout(PATIENCE)
            if wishes.get("java_script_enabled", True):
                context.add_init_script(TELL_VIOLATIONS)
            watch.over(context)
            return context.new_page()

        yield come


@pytest.fixture(scope="package")
def gallery_context(browser):
    """Give the browser of someone who looks at every page there is."""
    context = browser.new_context(locale="en-GB", timezone_id="America/Argentina/Buenos_Aires")
    context.set_default_timeout(PATIENCE)
    context.add_init_script(TELL_VIOLATIONS)
    gallery.serve(context)
    yield context
    context.close()


@pytest.fixture
def look(gallery_context, watch):
    """Look at a page of the gallery: `look("form", width=320)`."""
    with contextlib.ExitStack() as ending:

        def at(name, width=1000, height=800):
            tab = gallery_context.new_page()
            ending.callback(tab.close)
            watch.over(tab)
            tab.set_viewport_size({"width": width, "height": height})
            tab.goto(f"{gallery.ORIGIN}/approve/{name}")
            return tab

        yield at


@dataclass(frozen=True)
class Asked:
    """A request, and the links to it."""

    request_id: str
    open_link: str | None
    links: dict[str, str]


@pytest.fixture
def ask(caller):
    """Ask Grace, or whoever is named: `ask(item="Lunch")`."""
    return lambda **fields: asked_of(caller, fields)


def asked_of(caller, fields):
    body = caller.ask(**fields).raise_for_status().json()
    return Asked(
        body["request_id"],
        body["approval_url"],
        {each["approver"]: each["approval_url"] for each in body["approvals"]},
    )


@pytest.fixture(scope="package")
def host_with_sign_in():
    """Give a local host that believes the platform who is signed in."""
    running = LocalHost(TRUST_EASY_AUTH="true", WEBSITE_AUTH_ENABLED="true").start()
    yield running
    running.stop()

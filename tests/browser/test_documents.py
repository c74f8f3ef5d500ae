"""The description as a page, in a browser."""

from __future__ import annotations

from tests.browser.conftest import PATIENCE

SEEN = """id => { const one = document.querySelector("rapi-doc").shadowRoot.getElementById(id);
  const top = one ? one.getBoundingClientRect().top : -9; return top >= -1 && top < innerHeight }"""


def test_the_page_shows_every_call_and_leads_to_the_problem_that_is_meant(person, host):
    tab = person()

    tab.goto(f"{host.url}/api/docs#overview--key_required")

    tab.wait_for_function(SEEN, arg="overview--key_required", timeout=PATIENCE)
    for title in ("Ask for an approval", "Say what a person decided", "Take a request back"):
        assert tab.get_by_text(title).first.is_visible()


def test_without_script_the_page_says_where_the_description_is(person, host):
    tab = person(java_script_enabled=False)

    tab.goto(f"{host.url}/api/docs")

    assert tab.get_by_role("link", name="/api/openapi.json").is_visible()

"""Every kind of page there is: everybody can use it, by day and by night, on a desk and on the narrowest screen."""

import re

import pytest

from approvals.people.languages import OFFERED
from tests.browser import gallery
from tests.browser.chromium import ROOT
from tests.browser.conftest import Watch, not_here
from tests.sentences import read_catalogue

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })"
TOO_WIDE = """() => { const root = document.documentElement, most = root.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > most + 1);
  return [root.scrollWidth > most, wide.map(one => one.outerHTML.slice(0, 80))] }"""


DANGLING = """() => ["aria-describedby", "aria-labelledby", "for"].flatMap(name =>
  [...document.querySelectorAll(`[${name}]`)].flatMap(one => one.getAttribute(name).split(" ")))
  .filter(id => id && !document.getElementById(id))"""


@pytest.fixture(scope="module", params=gallery.names())
def name(request):
    """Name a page."""
    return request.param


@pytest.fixture(scope="module")
def window(gallery_context):
    """Give a tab for all pages; a new one for each takes longer than all that is asked of it."""
    tab = gallery_context.new_page()
    yield tab, Watch().over(tab)
    tab.close()


@pytest.fixture(scope="module")
def opened(window, name):
    """Give the page, and what the browser complained of: it is loaded once for all that is asked of it."""
    tab, watch = window
    watch.complaints.clear()
    watch.requests.clear()
    tab.goto(f"{gallery.ORIGIN}/approve/{name}")
    return window


@pytest.fixture
def tab(opened):
    """Give the page."""
    return opened[0]


def seen(tab, width, scheme):
    tab.emulate_media(color_scheme=scheme)
    if tab.viewport_size["width"] != width:
        tab.set_viewport_size({"width": width, "height": 800})
    return tab


def violations(tab, axe):
    """Run axe in a page. The browser's own hand evaluates it: the page's policy lets no script in."""
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(axe)
    found = tab.evaluate(RUN, TAGS)["violations"]
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


def test_the_browser_has_nothing_to_complain_of(opened):
    _, watch = opened

    assert not watch.complaints
    assert all(request.startswith(f"GET {gallery.ORIGIN}/") for request in watch.requests)
    assert len(watch.requests) == 2


def test_everybody_can_use_it(tab, axe):
    by_day = violations(seen(tab, 1000, "light"), axe)
    by_night = violations(seen(tab, 320, "dark"), axe)

    assert not by_day, "on a desk, by day"
    assert not by_night, "on a telephone, by night"


def test_nothing_is_wider_than_the_narrowest_screen(tab):
    seen(tab, 320, "light")

    assert tab.evaluate(TOO_WIDE) == [False, []]


@pytest.mark.parametrize("tag", OFFERED[1:])
def test_no_page_says_anything_of_ours_in_two_languages(tag):
    english = [each for each in read_catalogue(tag) if isinstance(each.id, str) and len(each.id) > 9]

    assert len(english) > 200
    pages = {name: page for name, page in gallery.pages(tag).items() if name != "home"}  # most of it is for operators
    for name, page in pages.items():
        html = page.get_body().decode()
        assert [each.id for each in english if each.id in html and each.string != each.id] == [], name


EVIDENCE = """() => { const bar = document.querySelector(".at-hand");
  return [document.querySelector(".due").getBoundingClientRect().bottom,
    bar ? bar.getBoundingClientRect().top : innerHeight, scrollY] }"""
LINES = "one => new Set([...one.getClientRects()].map(box => Math.round(box.top))).size"


@pytest.mark.parametrize("tag", OFFERED)
@pytest.mark.parametrize("use_case", gallery.USE_CASES)
def test_on_a_telephone_all_evidence_of_the_shipped_examples_is_seen_without_scrolling(gallery_context, use_case, tag):
    """From whose page it is to what silence leads to; nothing of it lies under the buttons."""
    tab = gallery_context.new_page()
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{gallery.ORIGIN}/approve/{tag}/form-{use_case}")

    end, free, scrolled = tab.evaluate(EVIDENCE)
    torn = tab.locator(".left").evaluate(LINES) > 1
    tab.close()

    assert (end <= free, scrolled) == (True, 0), f"{end:.0f} of {free:.0f} pixels"
    assert not torn


@pytest.mark.parametrize("tag", ["en", "de", "ar"])
@pytest.mark.parametrize("name", ["asked", "reminded", "decided", "asked-hard"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_mail_fits_a_telephone_and_everybody_can_use_it(person, axe, name, tag, scheme):
    tab = person(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    tab.set_content(gallery.mails(tag)[name])

    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    button = tab.get_by_role("link").first.bounding_box()
    assert button["height"] >= 24, "a target is at least 24 pixels high (WCAG 2.2, 2.5.8)"
    # a mail is no page: it has no landmarks; and by night a mail program, not the mail, has the colours
    beside = ("landmark-one-main", "region", *(("color-contrast",) if scheme == "dark" else ()))
    assert [found for found in violations(tab, axe) if not found.startswith(beside)] == []


def test_no_word_of_a_label_is_broken(gallery_context):
    tab = gallery_context.new_page()
    tab.set_viewport_size({"width": 320, "height": 844})
    tab.goto(f"{gallery.ORIGIN}/approve/form-evidence")

    label = tab.locator("dt", has_text="Verantwortlichkeitsbereich")
    line = label.evaluate("one => parseFloat(getComputedStyle(one).lineHeight)")
    height = label.bounding_box()["height"]
    tab.close()

    assert height < 1.5 * line


@pytest.mark.parametrize("size", [390, 1280])
def test_the_title_of_the_shipped_expense_is_not_torn_within_its_number(gallery_context, size):
    tab = gallery_context.new_page()
    tab.set_viewport_size({"width": size, "height": 844})
    tab.goto(f"{gallery.ORIGIN}/approve/form-expense")

    title = tab.locator("h1 bdi")
    lines = title.evaluate(
        """one => { const text = one.firstChild, at = text.data.indexOf("2026-114"), range = document.createRange();
        range.setStart(text, at); range.setEnd(text, at + 8); return range.getClientRects().length }"""
    )
    tab.close()

    assert lines == 1


@pytest.mark.parametrize(("name", "edge"), [("recorded-and-open", "left"), ("ar/recorded-and-open", "right")])
def test_answers_keep_away_from_the_line_that_marks_them(gallery_context, name, edge):
    tab = gallery_context.new_page()
    tab.goto(f"{gallery.ORIGIN}/approve/{name}")

    answer = tab.locator("ul.answers li")
    style = answer.evaluate(f"one => [getComputedStyle(one).padding{edge.title()}, getComputedStyle(one).direction]")
    tab.close()

    assert style == ["14.4px", "ltr" if edge == "left" else "rtl"]


def test_fields_are_as_wide_as_the_page(look):
    tab = look("form-every-field", width=390)

    card = tab.locator(".card form").bounding_box()
    for field in tab.locator(".card form > .field > :is(input, textarea)").all():
        assert field.bounding_box()["width"] == pytest.approx(card["width"], abs=1), field.get_attribute("name")


def test_times_are_the_readers_own_and_in_the_language_of_the_page(person):
    tab = person(timezone_id="Asia/Tokyo", locale="en-US")
    gallery.serve(tab.context)
    tab.goto(f"{gallery.ORIGIN}/approve/de/form-expense")

    words = tab.locator(".due").inner_text()

    assert "4. März 2026, 21:00" in words
    assert "UTC" not in tab.locator("main").inner_text()
    tab.locator("summary").first.click()
    assert "12:00 UTC" in tab.locator(".more").inner_text()


def test_nothing_is_chosen_or_begun_beforehand(tab, name):
    assert tab.locator("input:checked").count() == (name.endswith("problem-marked"))  # where someone has chosen
    assert tab.locator(":focus, [autofocus]").count() == 0


def test_what_is_marked_can_be_found_and_what_is_referred_to_is_there(tab):
    marked = tab.locator("[aria-invalid=true]")
    links = tab.locator(".problems a")

    assert marked.count() == links.count()
    for link in links.all():
        assert tab.locator(f"[id='{link.get_attribute('href')[1:]}'][aria-invalid=true]").count() == 1
    assert tab.evaluate(DANGLING) == []


OPEN = ("requested", "requested-hard")
"""Requests that whoever asked can take back."""


def test_a_page_of_the_gallery_is_what_it_is_called(name):
    """A refusal that becomes a form would be looked at as the form it is not."""
    html, kind = gallery.page_named(name).get_body().decode(), name.rpartition("/")[2]

    assert ("<form" in html) == (kind.startswith(("form", "problem", "stale")) or kind in OPEN)
    assert ('role="alert"' in html) == kind.startswith(("problem", "stale"))


def test_every_kind_of_page_is_looked_at():
    template = (ROOT / "approvals/web/templates/end.html").read_text(encoding="utf-8")
    kinds = re.findall(r'^  "([a-z_]+)": _\("', template, re.MULTILINE)

    missing = [kind for kind in kinds if kind not in gallery.names()]
    assert len(kinds) > 20
    assert not missing, f"Put {missing} into tests/browser/gallery.py."


def test_a_page_that_not_everybody_can_use_is_found(person, axe):
    tab = person()
    gallery.serve(tab.context)
    answer = gallery.pages()["form-plain"].get_body().decode()
    broken = answer.replace('<label for="comments">', "<label>").replace(' lang="en"', "")
    tab.route("**/approve/*", lambda route: route.fulfill(body=broken, content_type="text/html"))
    tab.goto(f"{gallery.ORIGIN}/approve/form-plain")
    tab.add_style_tag(content=".eyebrow { color: #bbb } main { width: 2000px; max-width: none }")

    found = " ".join(violations(tab, axe))

    for rule in ("label", "html-has-lang", "color-contrast"):
        assert f"{rule}: " in found
    assert tab.evaluate(TOO_WIDE)[0]


def test_a_browser_that_complains_is_heard(person, watch):
    """Whoever writes a style or a script into the page finds the test of that page failed."""
    tab = person()
    gallery.serve(tab.context)
    answer = gallery.pages()["form-plain"]
    body = answer.get_body().decode().replace("<h1>", "<h1 style='color: red'><script>alert(1)</script>")
    tab.route(
        "**/approve/*", lambda route: route.fulfill(headers=dict(answer.headers), body=body, content_type="text/html")
    )

    tab.goto(f"{gallery.ORIGIN}/approve/form-plain")

    said = " ".join(watch.complaints)
    assert "style-src" in said
    assert "script-src" in said
    tab.close()  # what it still has to say is heard before the list is emptied
    watch.complaints.clear()


@pytest.mark.parametrize(
    ("environment", "ends_as"), [({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)]
)
def test_what_is_missing_is_skipped_at_home_and_fails_in_ci(monkeypatch, environment, ends_as):
    monkeypatch.delenv("CI", raising=False)
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)

    with pytest.raises(ends_as, match="Get it with: apt-get install it"):
        not_here("Without it nobody looks.", "apt-get install it")

"""Write docs/screenshots: the main pages on a telephone and on a desk, by day and by night, in three languages.

With a folder as its argument it writes every page there is into that folder, in each language it is looked at in.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import chromium, gallery

FOLDER = chromium.ROOT / "docs/screenshots"
PAGES = {
    "form": "form",
    "options": "form-options",
    "recorded": "recorded-and-open",
    "decided": "decided",
    "not-genuine": "not_genuine",
    "form-de": "de/form-expense",
    "recorded-de": "de/recorded-and-open",
    "form-ar": "ar/form-expense",
    "recorded-ar": "ar/recorded-and-open",
    "requested": "requested",
    "requested-approved": "requested-approved",
}
MAILS = ("asked", "decided")
"""Mails, on a telephone."""
SIZES = {"telephone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
HEIGHT = "document.documentElement.scrollHeight"
SCHEMES = ("light", "dark")


def write(folder=FOLDER, pages=PAGES):
    """Take every picture anew."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for (size, viewport), scheme in itertools.product(SIZES.items(), SCHEMES):
            context = browser.new_context(
                viewport=viewport, color_scheme=scheme, locale="en-GB", timezone_id="Europe/Berlin"
            )
            gallery.serve(context)
            tab = context.new_page()
            for name, shown in pages.items():
                tab.goto(f"{gallery.ORIGIN}/approve/{shown}")
                # as high as the page, so that what keeps to the window's end is at the page's
                tab.set_viewport_size({**viewport, "height": max(viewport["height"], tab.evaluate(HEIGHT))})
                tab.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
                tab.set_viewport_size(viewport)
            if size == "telephone":
                tab = context.new_page()  # a page's policy would let no style of a mail in
                for tag, name in itertools.product(("en", "de", "ar"), MAILS):
                    tab.set_content(gallery.mails(tag)[name])
                    which = "" if tag == "en" else f"-{tag}"
                    tab.screenshot(path=folder / f"mail-{name}{which}-{size}-{scheme}.png", full_page=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    if not chromium.path():
        sys.exit("The screenshots need Chromium: apt-get install chromium")
    if sys.argv[1:]:
        write(Path(sys.argv[1]), {name.replace("/", "-"): name for name in gallery.names()})
    else:
        write()

"""The machine's own Chromium, and axe-core: where they are, and how to get them."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = ROOT / "node_modules/axe-core/axe.min.js"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def path():
    """Give where Chromium is, or nothing."""
    return next((found for name in NAMES if (found := shutil.which(name) or shutil.which(f"/usr/bin/{name}"))), None)


def launch(playwright):
    """Start it."""
    return playwright.chromium.launch(executable_path=path(), args=QUIET)

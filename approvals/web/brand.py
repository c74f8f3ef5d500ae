"""How the pages are dressed: the style sheet with the operator's colours, and headers that let in nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from approvals.web.responses import COMMON

if TYPE_CHECKING:
    from approvals.settings import Brand

STYLE = (Path(__file__).parent / "static" / "page.css").read_text(encoding="utf-8")


def csp_hash(text: str) -> str:
    """Write a hash as a Content-Security-Policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy_for(style: str, images: str = "") -> str:
    """Write the Content-Security-Policy of a page with this style, and pictures from there, if from anywhere."""
    return (
        f"default-src 'none'; style-src {csp_hash(style)}; script-src 'self'; {images}form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    **COMMON,
    "Content-Security-Policy": policy_for(STYLE),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Dress:
    """A style sheet, and the policy that lets it in."""

    brand: Brand
    style: str
    policy: str


@cache
def dress_of(brand: Brand) -> Dress:
    """Give the pages' dress for a brand."""
    style = STYLE
    if brand.color:
        style += f"@media not (prefers-color-scheme: dark) {{ :root {{ --accent: {brand.color}; }} }}\n"
    if brand.color_dark:
        style += f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {brand.color_dark}; }} }}\n"
    source = "data:" if brand.logo.startswith("data:") else brand.logo.partition("?")[0]
    return Dress(brand, style, policy_for(style, f"img-src {source}; " if source else ""))

"""Headers of a call, read. Raises BadHeader for what makes no sense; what is only a preference never does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from approvals.errors import BadHeader

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_CHARACTERS = 255
WAIT_SECONDS = 25

VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
REVISION = re.compile(r'(")?(\d{1,6})(?:[-;:+/.][^"]*)?(?(1)")')
WAIT = re.compile(r'\s*wait\s*=\s*("?)([0-9]{1,9})\1\s*(;.*)?', re.IGNORECASE)
QUALITY = re.compile(r"(?:^|;)\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
# possessive, and what is not closed ends with the header: each character is read once, whatever was sent
PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z))++', re.DOTALL)


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Read `Idempotency-Key`. Raises BadHeader for one that is empty, too long or not visible ASCII."""
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not VISIBLE_ASCII.fullmatch(key) or len(key) > KEY_CHARACTERS:
        raise BadHeader(f"Idempotency-Key must be 1 to {KEY_CHARACTERS} visible ASCII characters.")
    return key


def preferred_wait(headers: Mapping[str, str]) -> int:
    """Read `Prefer: wait=N` (RFC 7240), at most 25 seconds; a preference that cannot be read is not one."""
    for preference in PREFERENCE.findall(headers.get("prefer", "")):
        if found := WAIT.fullmatch(preference):
            return min(int(found[2]), WAIT_SECONDS)
    return 0


def prefers_html(headers: Mapping[str, str]) -> bool:
    """Tell whether `Accept` (RFC 9110, 12.5.1) ranks a page above JSON, as browsers do; without a word on it, no."""
    quality: dict[str, float] = {}
    for part in headers.get("accept", "").split(","):
        media, _, parameters = part.partition(";")
        found = QUALITY.search(parameters)
        quality[media.strip().lower()] = float(found[1]) if found else 1.0
    html, json = (
        next((quality[name] for name in names if name in quality), 0.0)  # the most specific one counts
        for names in (("text/html", "text/*", "*/*"), ("application/json", "application/*", "*/*"))
    )
    return html > json


def matches_if_none_match(etag: str, headers: Mapping[str, str]) -> bool:
    """Tell whether `If-None-Match` names this ETag; compared weakly, as RFC 9110 has it for this header."""
    named = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in named or named == ["*"]


def matches_if_match(etag: str, headers: Mapping[str, str]) -> bool | None:
    """Tell whether `If-Match` names this ETag or any; nothing when there is no such header.

    An ETag of ours begins with the revision, and that alone is compared: proxies weaken tags and add to them
    (`W/"3-0a1b"`, `"3-0a1b-gzip"`), and a bare revision (`"3"` or `3`) is one, too.
    """
    given = headers.get("if-match")
    if given is None:
        return None
    if given.strip() == "*":
        return True
    return revision_in(etag) in [revision_in(tag.strip().removeprefix("W/")) or "none" for tag in given.split(",")]


def revision_in(tag: str) -> str:
    """Give the revision that an ETag of ours begins with; nothing for others."""
    found = REVISION.fullmatch(tag)
    return found[2] if found else ""


def is_any(headers: Mapping[str, str]) -> bool:
    """Tell whether `If-Match` names no revision in particular."""
    return headers.get("if-match", "*").strip() == "*"

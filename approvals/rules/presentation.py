"""How a request is shown to those who are asked: in which language, with what beside it. Pure.

Nothing of it decides anything; the orchestrator carries it along.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from approvals.rules.formats import is_uri
from approvals.rules.value import Value

URL_CHARACTERS, ZONE_CHARACTERS, LOCALE_CHARACTERS = 2000, 64, 35
LINKS = 10

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{1,8})*", re.ASCII)
HTTPS = re.compile(r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::[0-9]{1,5})?(?:[/?#]|\Z)")
SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceLink(Value):
    """Something to read before deciding; `sha256`: of what stood there when it was asked, in hex, or empty."""

    title: str
    url: str
    sha256: str = ""

    @property
    def host(self) -> str:
        """The host, so that a reader sees where it leads."""
        found = HTTPS.match(self.url)
        return found["host"].lower() if found else ""


class Presentation(Value):
    """What the page and the messages go by."""

    locale: str = ""
    """The language of those who are asked (BCP 47); empty: what their browser asks for."""
    time_zone: str = ""
    """Their time zone (IANA); empty: UTC, and on the page their browser's."""
    links: tuple[EvidenceLink, ...] = ()
    details_schema: str | None = None
    """Labels and formats of the details, as JSON text in the words of `vocabulary`."""


def check_locale(text: str) -> str:
    """Accept a language as BCP 47 writes it (RFC 5646): `de`, `pt-BR`, `zh-Hant-TW`."""
    if len(text) > LOCALE_CHARACTERS or not LANGUAGE_TAG.fullmatch(text):
        raise ValueError("must be a language tag (BCP 47), such as de or pt-BR")
    return text


def check_zone(text: str) -> str:
    """Accept what looks like a time zone; whether there is one of this name is asked where the database is."""
    if len(text) > ZONE_CHARACTERS or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", text, re.ASCII):
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin")
    return text


def check_url(text: str) -> str:
    """Accept an https address with a plain host: no user, no password, nothing that only looks like a host."""
    if len(text) > URL_CHARACTERS or not HTTPS.match(text) or not is_uri(text):
        raise ValueError(f"must be an https address of at most {URL_CHARACTERS:,} characters")
    return text


def check_sha256(text: str) -> str:
    """Accept a SHA-256 in hexadecimal."""
    if not SHA256.fullmatch(text.lower()):
        raise ValueError("must be a SHA-256 in hexadecimal: 64 characters")
    return text.lower()


LOCALE_SCHEMA = {"type": "string", "maxLength": LOCALE_CHARACTERS}
Locale = Annotated[str, AfterValidator(check_locale), WithJsonSchema(LOCALE_SCHEMA)]
Zone = Annotated[str, AfterValidator(check_zone), WithJsonSchema({"type": "string", "maxLength": ZONE_CHARACTERS})]
Url = Annotated[
    str,
    AfterValidator(check_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https://", "maxLength": URL_CHARACTERS}),
]
Sha256 = Annotated[
    str, AfterValidator(check_sha256), WithJsonSchema({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})
]

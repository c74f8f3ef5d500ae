"""What was agreed to, as a digest: SHA-256 over a salt of the request and canonical JSON (RFC 8785). Pure.

The salt keeps a digest from being guessed from what is likely; it goes with the content when that is erased, and then
nobody can say any more what was agreed to, only that it was something.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import rfc8785

from approvals.rules.value import Number, Problem, load_json, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from approvals.rules.story import Request

VERSION = 1
"""Of what goes into a digest; a request says by which it is made."""
LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON takes as it is (RFC 8259, 6)."""


def content_digest(request: Request) -> str | None:
    """Give the digest of what a request asks for; nothing for one of before there were digests."""
    if not request.digest_version or not request.salt:
        return None
    policy = request.effective_policy
    content: dict[str, Any] = {
        "item": request.item,
        "description": request.description,
        "details": request.details,
        "action": None if request.action is None else plain(load_json(request.action)),
        "options": [{"name": option.name, "approves": option.approves} for option in policy.options],
        "form": policy.form,
        "version": request.digest_version,
    }
    shown = request.presentation
    if shown.links:
        content["links"] = [link.model_dump() for link in shown.links]
    if shown.details_schema is not None:
        content["details_schema"] = shown.details_schema
    return hashlib.sha256(request.salt.encode() + rfc8785.dumps(content)).hexdigest()


def action_digest(salt: str, action: Any) -> str:
    """Give the digest of an action alone, by which two are compared."""
    return hashlib.sha256(salt.encode() + rfc8785.dumps(plain(action))).hexdigest()


def plain(value: Any) -> Any:
    """Give JSON with numbers as RFC 8785 writes them: doubles."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return float(value) if isinstance(value, Number) else value


def inexact_numbers(value: Any, at: str = "") -> Iterator[Problem]:
    """Find the numbers that a double does not keep, by their pointers."""
    match value:
        case dict():
            for key, each in value.items():
                yield from inexact_numbers(each, at + pointer_to(key))
        case list():
            for number, each in enumerate(value):
                yield from inexact_numbers(each, at + pointer_to(number))
        case bool():
            return
        case int() if abs(value) > LARGEST:
            yield Problem(at, "has more digits than every reader keeps: send it as a string")
        case Number() if Decimal(repr(float(value))) != value.exact:
            yield Problem(at, "has more digits than every reader keeps: send it as a string")

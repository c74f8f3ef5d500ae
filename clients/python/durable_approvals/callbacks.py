"""Checking that a callback is the service's own, by Standard Webhooks: its signature, and that it is not old."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE_SECONDS = 300
"""How old, or early, a message may be; as the libraries of Standard Webhooks have it."""
PREFIX = "whsec_"


class NotGenuine(Exception):
    """A message was not signed with any of these secrets, or is too old."""


def verify_callback(
    headers: Mapping[str, str], body: bytes | str, *secrets: str, now: float | None = None
) -> dict[str, Any]:
    """Give the JSON of a callback that was signed with one of these secrets (`whsec_…`). Raises NotGenuine."""
    read = {name.lower(): value for name, value in headers.items()}
    raw = body.encode() if isinstance(body, str) else body
    identity, stamp, signed = (read.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    try:
        age = (time.time() if now is None else now) - int(stamp)
    except ValueError:
        raise NotGenuine("There is no webhook-timestamp.") from None
    if abs(age) > TOLERANCE_SECONDS:
        raise NotGenuine("The message is too old, or the clocks disagree.")
    given = [each.partition(",")[2] for each in signed.split() if each.startswith("v1,")]
    if not any(hmac.compare_digest(each, mine) for mine in signatures(secrets, identity, stamp, raw) for each in given):
        raise NotGenuine("No secret of ours signed this.")
    said: dict[str, Any] = json.loads(raw)
    return said


def signatures(secrets: Sequence[str], identity: str, stamp: str, body: bytes) -> list[str]:
    """Give what each secret would have signed. Raises ValueError for what is no secret."""
    found = []
    for secret in secrets:
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise ValueError("a secret is whsec_ and base64") from None
        digest = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
        found.append(base64.b64encode(digest).decode())
    return found

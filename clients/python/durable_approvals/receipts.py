"""Receipts: that the service signed one, byte for byte. Needs `joserfc`, which the extra `cli` brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TYPE = "approval-receipt+jwt"


class NotAReceipt(Exception):
    """It was not signed by this issuer as a receipt, or was changed."""


def verify_receipt(receipt: str | bytes, keys: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    """Give what a receipt says. Raises NotAReceipt unless the issuer signed it with one of these keys (a JWK Set).

    ES256 is taken alone, and the issuer is who you say: one that a receipt brought along could be anybody.
    """
    from joserfc import jws  # noqa: PLC0415 - of the extra `cli`
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above
    from joserfc.jwk import KeySet  # noqa: PLC0415 - as above

    text = receipt.encode() if isinstance(receipt, str) else receipt
    try:
        read = jws.deserialize_compact(text.strip(), KeySet.import_key_set(dict(keys)), algorithms=["ES256"])  # type: ignore[arg-type]
        said: dict[str, Any] = json.loads(read.payload)
        if read.headers().get("typ") != TYPE or said["iss"] != issuer:
            raise NotAReceipt("It is no receipt of this issuer.")
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise NotAReceipt("Its signature is not one of this issuer's, or something of it was changed.") from error
    return said

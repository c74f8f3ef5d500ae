"""Verify a receipt: python verify_receipt.py RECEIPT https://approvals.example.com (pip install 'joserfc>=1.8')."""

import json
import sys
import urllib.request
from pathlib import Path

from joserfc import jws
from joserfc.jwk import KeySet


def verify(receipt: bytes, keys: dict, issuer: str) -> dict:
    """Give what a receipt says. Raises an exception unless the issuer signed it, byte for byte."""
    read = jws.deserialize_compact(receipt, KeySet.import_key_set(keys), algorithms=["ES256"])
    said = json.loads(read.payload)
    if read.headers().get("typ") != "approval-receipt+jwt" or said["iss"] != issuer:
        raise ValueError("not a receipt of this issuer")
    return said


if __name__ == "__main__":
    file, address = sys.argv[1:]
    with urllib.request.urlopen(f"{address}/.well-known/jwks.json") as answer:  # noqa: S310 - the address you gave
        print(json.dumps(verify(Path(file).read_bytes().strip(), json.load(answer), address), indent=2))

"""The key that receipts are signed with: one in a vault, which it never leaves, or, for development, a file.

Receipts are compact JWS (RFC 7515) by ES256. A key's id is its thumbprint (RFC 7638). Libraries are imported when a
receipt is asked for: they would cost every start.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from approvals.grant_errors import SigningUnavailable
from approvals.settings import KEY_URL, keep_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from azure.keyvault.keys import KeyVaultKey
    from azure.keyvault.keys.aio import KeyClient

logger = logging.getLogger("approvals.service")

TYPE = "approval-receipt+jwt"
"""So that no other token of ours is ever taken for a receipt (RFC 8725, 3.11)."""
CALL_SECONDS = 10.0
KEYS_KEPT_SECONDS = 300.0
"""How long the vault's public keys are not asked for again."""
AWAY_SECONDS = 2.0
"""How long a vault that did not answer is left alone: anybody may ask for the public keys."""
AWAY = "The vault did not answer. Send the same again in a moment."

Jwk = dict[str, str]


class Seal(Protocol):
    """Something that signs, and shows the keys to verify it with. Both raise SigningUnavailable."""

    async def sign(self, payload: bytes) -> str:
        """Give the payload as a compact JWS."""

    async def public_keys(self) -> list[Jwk]:
        """Give the public keys, the one that signs first."""


@dataclass(frozen=True)
class LocalSeal:
    """A key in a file of this machine, made the first time."""

    file: Path

    async def sign(self, payload: bytes) -> str:
        """Give the payload as a compact JWS."""
        from joserfc import jws  # noqa: PLC0415 - see above

        key = self.key()
        return jws.serialize_compact(header_of(key.thumbprint()), payload, key, algorithms=["ES256"])

    async def public_keys(self) -> list[Jwk]:
        """Give its public half."""
        return [public_jwk(self.key().as_dict(private=False))]

    def key(self) -> Any:
        """Read the key. Raises SigningUnavailable."""
        from joserfc.errors import JoseError  # noqa: PLC0415 - as above
        from joserfc.jwk import ECKey  # noqa: PLC0415 - as above

        try:
            text = keep_once(self.file, lambda: json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
            return ECKey.import_key(json.loads(text))
        except (OSError, ValueError, JoseError) as error:
            raise SigningUnavailable(f"The key in {self.file.name} cannot be read.") from error


@asynccontextmanager
async def connect_to_vault(url: str) -> AsyncIterator[KeyClient]:
    """Open a client as the app's identity."""
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - it is slow to import
    from azure.keyvault.keys.aio import KeyClient  # noqa: PLC0415 - as above

    async with DefaultAzureCredential() as credential, KeyClient(url, credential) as client:
        yield client


@dataclass
class VaultSeal:
    """A key in an Azure Key Vault; the vault signs. Every version's public half is shown: retired ones still verify.

    Source: learn.microsoft.com/rest/api/keyvault/keys (Sign takes a digest and gives r and s, 32 bytes each; Get Key
    and Get Key Versions).
    """

    vault_url: str
    name: str
    version: str | None = None
    connect: Callable[[str], AbstractAsyncContextManager[KeyClient]] = connect_to_vault
    known: tuple[tuple[Jwk, str], ...] = ()
    """Public keys, the one that signs first, each with its version."""
    looked_at: float = 0.0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign(self, payload: bytes) -> str:
        """Give the payload as a compact JWS."""
        key, version = (await self.versions())[0]
        header = json.dumps(header_of(key["kid"]), separators=(",", ":"))
        signed = f"{encode(header.encode())}.{encode(payload)}"
        digest = hashlib.sha256(signed.encode()).digest()
        async with vault_at_hand(), self.connect(self.vault_url) as client:
            return f"{signed}.{encode(await sign_digest(client, self.name, version, digest))}"

    async def public_keys(self) -> list[Jwk]:
        """Give the public halves of all its versions."""
        return [key for key, _ in await self.versions()]

    async def versions(self) -> tuple[tuple[Jwk, str], ...]:
        """Give all versions, the one that signs first. The vault is asked by one at a time, and seldom."""
        async with self.looking:
            age = time.monotonic() - self.looked_at
            if self.known and age < KEYS_KEPT_SECONDS:
                return self.known
            if self.looked_at and not self.known and age < AWAY_SECONDS:
                raise SigningUnavailable(AWAY)
            before, self.known, self.looked_at = self.known, (), time.monotonic()
            try:
                async with vault_at_hand(), self.connect(self.vault_url) as client:
                    self.known = tuple(await self.read_versions(client))
            except SigningUnavailable:
                if not before:
                    raise
                self.known = before  # they are still good, only perhaps not all
            return self.known

    async def read_versions(self, client: KeyClient) -> list[tuple[Jwk, str]]:
        """Read all versions, the one that signs first."""
        signing = await client.get_key(self.name, self.version)
        found = [(jwk_of(signing), signing.properties.version or "")]
        async for each in client.list_properties_of_key_versions(self.name):
            if each.version == signing.properties.version:
                continue
            if not each.enabled:
                logger.warning("A version of the key for receipts is disabled and not shown: %s", each.version)
                continue
            found.append((jwk_of(await client.get_key(self.name, each.version)), each.version or ""))
        return found


class NoSeal:
    """Nothing to sign with."""

    async def sign(self, payload: bytes) -> str:  # noqa: ARG002 - as the others
        """Say that nothing can be signed."""
        raise SigningUnavailable("No receipt can be signed: RECEIPT_KEY is not set.")

    async def public_keys(self) -> list[Jwk]:
        """Give none."""
        return []


@cache
def seal_of(key: str) -> Seal:
    """Give what signs with the key of a setting: its address in a vault, a file, or nothing."""
    if match := KEY_URL.fullmatch(key):
        url, name, version = match.groups()
        return VaultSeal(url, name, version)
    return LocalSeal(Path(key)) if key else NoSeal()


@asynccontextmanager
async def vault_at_hand() -> AsyncIterator[None]:
    """Say that the vault is away, or has no key that will do. Raises SigningUnavailable."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - see above

    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except (AzureError, TimeoutError) as error:
        logger.warning("The vault did not sign: %s", type(error).__name__)
        raise SigningUnavailable(AWAY) from error


async def sign_digest(client: KeyClient, name: str, version: str, digest: bytes) -> bytes:
    """Have the vault sign a digest; give r and s."""
    from azure.keyvault.keys.crypto import SignatureAlgorithm  # noqa: PLC0415 - as above

    async with client.get_cryptography_client(name, key_version=version) as signer:
        signed = await signer.sign(SignatureAlgorithm.es256, digest)
    return bytes(signed.signature)


def jwk_of(key: KeyVaultKey) -> Jwk:
    """Give the public half of a vault's key. Raises SigningUnavailable when it is none for ES256."""
    if not key.key.x or not key.key.y or key.key.crv != "P-256":
        raise SigningUnavailable(f"The key {key.name} is not an elliptic one of P-256, which ES256 needs.")
    # an integer of fewer than 32 bytes has zeros before it (RFC 7518, 6.2.1.2)
    x, y = (encode(part.rjust(32, b"\0")) for part in (key.key.x, key.key.y))
    return public_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})


def public_jwk(key: Jwk) -> Jwk:
    """Give a public key with its id, and what it is for."""
    needed = {name: key[name] for name in ("crv", "kty", "x", "y")}  # in the order of RFC 7638
    text = json.dumps(needed, separators=(",", ":"))
    return {**needed, "kid": encode(hashlib.sha256(text.encode()).digest()), "alg": "ES256", "use": "sig"}


def header_of(kid: str) -> dict[str, str]:
    """Give the header of a receipt."""
    return {"alg": "ES256", "kid": kid, "typ": TYPE}


def encode(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

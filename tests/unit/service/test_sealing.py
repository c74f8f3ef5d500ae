"""Receipts: whoever has one can verify it without us, and whatever is changed in it is noticed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib.util
import json
import re
from contextlib import asynccontextmanager

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.keyvault.keys.aio import KeyClient
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from approvals.errors import StillOpen
from approvals.grant_errors import SigningUnavailable
from approvals.rules.digest import content_digest
from approvals.rules.intake import Answer, Withdrawal
from approvals.rules.receipts import digest_of
from approvals.service import sealing
from approvals.service.sealing import LocalSeal, VaultSeal, seal_of
from approvals.settings import Settings
from tests.builders import ADA, GRACE
from tests.localhost import ROOT
from tests.unit.service.test_granting import ACTION, Granted

VAULT = "https://kv-approvals.vault.azure.net"
ISSUER = "https://approvals.example.com"
CLAIMS = {"iss": ISSUER, "sub": "0" * 32, "votes": [{"approver": GRACE}]}
PAYLOAD = json.dumps(CLAIMS).encode()


def load_script():
    spec = importlib.util.spec_from_file_location("verify_receipt", ROOT / "docs/verify_receipt.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()


def is_refused(receipt, keys, issuer=ISSUER):
    with contextlib.suppress(Exception):
        SCRIPT.verify(receipt, keys, issuer)
        return False
    return True


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(number):
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


@pytest.fixture
def seal(tmp_path):
    return LocalSeal(tmp_path / "receipt-key.json")


# --- what a stranger sees -------------------------------------------------------------------------


async def test_a_stranger_verifies_what_was_signed(seal):
    receipt = (await seal.sign(PAYLOAD)).encode()

    assert SCRIPT.verify(receipt, {"keys": await seal.public_keys()}, ISSUER) == CLAIMS


async def test_the_script_is_as_short_as_is_said():
    assert len((ROOT / "docs/verify_receipt.py").read_text().splitlines()) <= 30


async def test_one_flipped_bit_anywhere_is_noticed(seal):
    receipt, keys = (await seal.sign(PAYLOAD)).encode(), {"keys": await seal.public_keys()}
    signature = receipt.rindex(b".")

    for position in range(len(receipt)):
        for bit in range(8) if position >= signature else (position % 8,):
            flipped = bytearray(receipt)
            flipped[position] ^= 1 << bit
            assert is_refused(bytes(flipped), keys), f"bit {bit} of byte {position}"
    assert not is_refused(receipt, keys)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "ES512", "RS256"])
async def test_no_other_algorithm_is_taken(seal, alg):
    header, payload, signature = (await seal.sign(PAYLOAD)).split(".")
    other = json.dumps({**json.loads(decoded(header)), "alg": alg}).encode()
    header = base64.urlsafe_b64encode(other).rstrip(b"=").decode()

    for end in (signature, ""):
        assert is_refused(f"{header}.{payload}.{end}".encode(), {"keys": await seal.public_keys()})


async def test_another_services_receipt_and_another_key_are_refused(seal, tmp_path):
    receipt, keys = (await seal.sign(PAYLOAD)).encode(), {"keys": await seal.public_keys()}

    assert is_refused(receipt, keys, "https://approvals.example.org")
    assert is_refused(receipt, {"keys": await LocalSeal(tmp_path / "other.json").public_keys()})


async def test_a_token_of_another_kind_is_no_receipt(seal, monkeypatch):
    monkeypatch.setattr(sealing, "TYPE", "JWT")

    assert is_refused((await seal.sign(PAYLOAD)).encode(), {"keys": await seal.public_keys()})


# --- the key --------------------------------------------------------------------------------------


async def test_a_key_of_this_machine_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "receipt-key.json"

    first, again = await LocalSeal(file).public_keys(), await LocalSeal(file).public_keys()

    assert first == again
    assert "d" not in first[0]
    assert file.stat().st_mode & 0o077 == 0


async def test_a_key_that_cannot_be_read_is_told_without_what_it_says(tmp_path):
    file = tmp_path / "receipt-key.json"
    file.write_text('{"kty": "EC", "d": "s3cret"}')

    with pytest.raises(SigningUnavailable) as caught:
        await LocalSeal(file).sign(PAYLOAD)

    assert "s3cret" not in str(caught.value)


def test_an_example_of_rfc_7638_has_the_id_it_says():
    """The EC key of RFC 7517, A.1; its thumbprint was computed by hand with sha256sum over the members in order."""
    known = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }

    assert sealing.public_jwk(known)["kid"] == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


async def test_without_a_key_nothing_is_signed():
    with pytest.raises(SigningUnavailable, match="RECEIPT_KEY"):
        await seal_of("").sign(PAYLOAD)
    assert await seal_of("").public_keys() == []


# --- in a vault -----------------------------------------------------------------------------------


class Vault(AsyncHttpTransport):
    """Keys as Azure Key Vault keeps them.

    Source: learn.microsoft.com/rest/api/keyvault/keys: Get Key, Get Key Versions, Sign.
    """

    def __init__(self):
        self.keys, self.disabled, self.calls, self.away = {}, set(), [], False
        self.curve = "P-256"

    def rotate(self, key=None):
        version = f"{len(self.keys) + 1:032x}"
        self.keys[version] = key or ec.generate_private_key(ec.SECP256R1())
        return version

    def bundle(self, version):
        public = self.keys[version].public_key().public_numbers()
        key = {
            "kid": f"{VAULT}/keys/receipts/{version}",
            "kty": "EC",
            "key_ops": ["sign", "verify"],
            "crv": self.curve,
            "x": encoded(public.x),
            "y": encoded(public.y),
        }
        return {"key": key, "attributes": self.attributes(version)}

    def attributes(self, version):
        return {"enabled": version not in self.disabled, "created": 1, "updated": 1}

    def answer(self, request):
        if "Authorization" not in request.headers:
            challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            return 401, {}, {"WWW-Authenticate": challenge}
        path = re.sub(r"^https://[^/]+/keys/receipts/?|[?].*$", "", request.url)
        self.calls.append(f"{request.method} {path}")
        if self.away:
            return 403, {"error": {"code": "Forbidden", "message": "Caller is not authorized: s3cret"}}, {}
        if path == "versions":
            items = [
                {"kid": f"{VAULT}/keys/receipts/{version}", "attributes": self.attributes(version)}
                for version in self.keys
            ]
            return 200, {"value": items, "nextLink": None}, {}
        version, _, verb = path.partition("/")
        version = version or list(self.keys)[-1]
        if verb == "sign":
            asked = json.loads(request.content)
            assert asked["alg"] == "ES256"
            digest = decoded(asked["value"])
            der = self.keys[version].sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
            r, s = utils.decode_dss_signature(der)
            raw = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()
            return 200, {"kid": f"{VAULT}/keys/receipts/{version}", "value": raw}, {}
        if version in self.disabled:
            return 403, {"error": {"code": "Forbidden", "message": "disabled"}}, {}
        return 200, self.bundle(version), {}

    async def send(self, request, **_):
        status, body, headers = self.answer(request)
        response = AsyncHttpResponseImpl(
            request=request,
            internal_response=None,
            status_code=status,
            headers={"Content-Type": "application/json", **headers},
            reason="",
            content_type="application/json",
            stream_download_generator=None,
        )
        response._content = json.dumps(body).encode()
        response._is_closed = response._is_stream_consumed = True
        return response

    async def open(self):
        pass

    async def close(self):
        pass

    async def __aexit__(self, *_):
        pass


class Credential:
    async def get_token(self, *_, **__):
        return AccessToken("token", 4102444800)

    async def close(self):
        pass


@pytest.fixture
def vault():
    made = Vault()
    made.rotate()
    return made


def sealed_by(vault, version=None):
    @asynccontextmanager
    async def connect(url):
        async with KeyClient(url, Credential(), transport=vault, retry_total=0) as client:
            yield client

    return VaultSeal(VAULT, "receipts", version, connect)


async def test_the_vault_signs_and_a_stranger_verifies(vault):
    seal = sealed_by(vault)

    receipt = (await seal.sign(PAYLOAD)).encode()

    assert SCRIPT.verify(receipt, {"keys": await seal.public_keys()}, ISSUER) == CLAIMS
    assert any(call.endswith("/sign") for call in vault.calls)


async def test_a_receipt_of_before_a_rotation_is_still_verified(vault):
    before = (await sealed_by(vault).sign(PAYLOAD)).encode()
    vault.rotate()
    seal = sealed_by(vault)
    after = (await seal.sign(PAYLOAD)).encode()
    keys = {"keys": await seal.public_keys()}

    assert len(keys["keys"]) == 2
    assert SCRIPT.verify(before, keys, ISSUER) == SCRIPT.verify(after, keys, ISSUER) == CLAIMS
    assert keys["keys"][0]["kid"] == json.loads(decoded(after.decode().split(".")[0]))["kid"]


async def test_a_version_that_is_named_signs_whatever_came_after_it(vault):
    first = next(iter(vault.keys))
    vault.rotate()
    seal = sealed_by(vault, first)

    assert not is_refused((await seal.sign(PAYLOAD)).encode(), {"keys": (await seal.public_keys())[:1]})


async def test_a_disabled_version_hides_no_other(vault):
    vault.disabled.add(vault.rotate())
    vault.rotate()

    assert len(await sealed_by(vault).public_keys()) == 2


async def test_who_looks_at_the_keys_again_and_again_asks_the_vault_once(vault):
    seal = sealed_by(vault)

    for _ in range(5):
        await seal.public_keys()

    assert vault.calls.count("GET versions") == 1


async def test_many_who_look_at_once_ask_the_vault_once_and_leave_it_alone_while_it_is_away(vault):
    seal = sealed_by(vault)
    vault.away = True

    answers = await asyncio.gather(*(seal.public_keys() for _ in range(50)), return_exceptions=True)

    assert {type(each) for each in answers} == {SigningUnavailable}
    assert len(vault.calls) == 1


async def test_keys_that_are_known_stay_shown_while_the_vault_is_away(vault, monkeypatch):
    seal = sealed_by(vault)
    known = await seal.public_keys()
    monkeypatch.setattr(sealing, "KEYS_KEPT_SECONDS", 0.0)
    vault.away = True

    assert await seal.public_keys() == known


async def test_a_vault_that_refuses_is_away_and_what_it_said_is_told_to_nobody(vault):
    vault.away = True

    with pytest.raises(SigningUnavailable) as caught:
        await sealed_by(vault).sign(PAYLOAD)

    assert "s3cret" not in str(caught.value)


async def test_a_key_of_another_curve_is_refused_by_its_name(vault):
    vault.curve = "P-384"

    with pytest.raises(SigningUnavailable, match="receipts is not"):
        await sealed_by(vault).sign(PAYLOAD)


def test_the_address_of_a_key_names_vault_key_and_version():
    seal = seal_of(f"{VAULT}/keys/receipts/{'0a' * 16}")

    assert (seal.vault_url, seal.name, seal.version) == (VAULT, "receipts", "0a" * 16)


# --- what it says ---------------------------------------------------------------------------------


class Receipted(Granted):
    def use_settings(self, **settings):
        self.settings = Settings(**{"link_keys": ("k" * 40,), "public_base_url": ISSUER, **settings})

    async def receipt(self, request_id):
        call = self.call()
        receipt, keys = (await call.receipt(request_id)).encode(), await call.receipt_keys()
        return SCRIPT.verify(receipt, {"keys": keys}, ISSUER)


@pytest.fixture
def service(monkeypatch, tmp_path):
    made = Receipted(monkeypatch)
    made.use_settings(receipt_key=str(tmp_path / "receipt-key.json"))
    return made


async def test_a_receipt_says_who_decided_what_and_how_sure_it_is(service):
    request_id = await service.approved()
    found = await service.call().find(request_id)

    said = await service.receipt(request_id)

    assert (said["iss"], said["sub"], said["outcome"]) == (ISSUER, request_id, "Approved")
    (vote,) = said["votes"]
    assert (vote["approver"], vote["assurance"], vote["is_approved"]) == (GRACE, "key", True)
    assert said["decision_id"] == vote["decision_id"]
    assert said["content_digest"] == content_digest(found.request)
    assert ACTION["version"] not in json.dumps(said)


async def test_an_open_request_has_no_receipt(service):
    request_id = await service.ask()

    with pytest.raises(StillOpen):
        await service.call().receipt(request_id)


async def test_whoever_has_the_trail_can_say_whether_it_is_the_one_that_was_signed(service):
    request_id = await service.approved()
    await service.consume(request_id)
    _, entries = await service.call().trail(request_id)

    said = await service.receipt(request_id)

    steps = {"created", "asked", "escalated", "reminded", "passed_on", "answered", "settled"}
    wordless = [{k: v for k, v in each.items() if k != "reason"} for each in entries if each["kind"] in steps]
    assert said["trail_digest"] == digest_of(wordless)
    assert {each["kind"] for each in entries} - steps == {"consumed"}


async def test_what_is_erased_changes_nothing_but_the_digest_of_the_content(service):
    request_id = await service.ask()
    await service.call().decide(request_id, Answer(is_approved=True, approver=GRACE, comments="Go, 555-1234"))
    before = await service.receipt(request_id)
    await service.call().erase(request_id, Withdrawal(by=ADA, reason="wish"))

    after = await service.receipt(request_id)

    assert "555-1234" not in json.dumps(before)
    assert (after["content_digest"], after["digest_version"]) == (None, None)
    same = before.keys() - {"content_digest", "digest_version", "iat"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


async def test_retired_keys_of_another_vault_stay_and_none_is_shown_twice(service, vault, tmp_path):
    old = await sealed_by(vault).public_keys()
    own = await service.call().receipt_keys()
    service.use_settings(
        receipt_key=str(tmp_path / "receipt-key.json"), receipt_keys_retired=json.dumps({"keys": [*old, *own]})
    )

    assert await service.call().receipt_keys() == [*own, *old]

"""Which system calls, and what it may do. A caller has a name, rights, and a key of which only the hash is stored.

Keys look like `dak_` + 43 letters and digits of 32 random bytes + 6 of their CRC-32, all base 62: the form of GitHub's
tokens, which secret scanners and people who type can check. Only the hash decides whether a key is taken.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
import hashlib
import hmac
import json
import re
import secrets
import sys
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from approvals.errors import KeyRequired
from approvals.people.identity import read_application
from approvals.rules.names import could_be_same, exact_key
from approvals.rules.text import Name
from approvals.settings import BadSetting, without_doubles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from approvals.settings import Settings

Right = Literal["request", "read", "decide", "operate"]
RIGHTS: tuple[Right, ...] = get_args(Right)
ROLES = {f"Approvals.{right.title()}": right for right in RIGHTS}
"""The app roles of Entra that mean a right."""
KEY_HEADER = "x-approvals-key"
PREFIX = "dak_"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_DIGITS, CHECK_DIGITS = 43, 6
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
SECRET_LOOKING = re.compile(rf"{PREFIX}|[0-9A-Fa-f]{{32}}|[^ -~]")
"""What may be a key or a hash that stands in the wrong place; and what cannot be written everywhere."""
BUILT_IN = "key"
"""The name of the one caller there is while `CALLERS` is not set."""


@dataclass(frozen=True)
class Caller:
    """A system that calls."""

    name: str
    rights: frozenset[Right]
    title: str = ""
    approvers: tuple[str, ...] = ()
    """Patterns of whom it may name, such as `*@example.com`; none: whomever it likes."""

    @property
    def is_built_in(self) -> bool:
        """Whether it is any holder of the platform's key, and not one that has a name."""
        return self.name == BUILT_IN

    @property
    def shown_as(self) -> str:
        """What people read; nothing of the built-in one."""
        return "" if self.is_built_in else self.title or self.name

    def may_name(self, person: str) -> bool:
        """Tell whether it may have this person asked."""
        key = exact_key(person)
        return not self.approvers or any(fnmatchcase(key, exact_key(pattern)) for pattern in self.approvers)

    def could_be(self, person: str) -> bool:
        """Tell whether a name could be this caller's own: then it would decide on what it asked for itself."""
        own = (self.name, self.title)
        return not self.is_built_in and any(could_be_same(person, each) for each in own if each)


ANY_KEY = Caller(BUILT_IN, frozenset(RIGHTS))


def check_hash(text: str) -> str:
    """Accept a hash, but not that of nothing: it is what a script makes of a key it does not have."""
    if text == hash_of(""):
        raise ValueError("is the hash of an empty key")
    return text


def check_instant(value: object) -> object:
    """Accept a date and time that is written as one, and not a number of seconds."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("must be a date and time such as 2027-01-01T00:00:00Z")
    return value


Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), AfterValidator(check_hash)]
Expiry = Annotated[AwareDatetime, BeforeValidator(check_instant)]


class Entry(BaseModel):
    """What `CALLERS` says of a caller."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=2)]
    rights: Annotated[frozenset[Right], Field(min_length=1)]
    title: Name = ""
    approvers: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    expires: Expiry | None = None


@dataclass(frozen=True)
class Registered:
    """A caller, the hashes of its keys, and until when they are taken."""

    caller: Caller
    hashes: tuple[str, ...] = field(repr=False)
    expires: dt.datetime | None = None


@cache
def registered_callers(text: str) -> tuple[Registered, ...]:
    """Read `CALLERS`; an empty object is nobody, since a secret in a vault is never empty.

    Raises BadSetting, which names the entry and never what is secret about it.
    """
    if not text.strip():
        return ()
    try:
        entries = json.loads(text, object_pairs_hook=without_doubles)
    except ValueError as error:
        raise BadSetting(f"CALLERS is not JSON: {reason(error)}") from None
    except RecursionError:
        raise BadSetting("CALLERS is not JSON that can be read: it is nested too deeply.") from None
    if not isinstance(entries, dict):
        raise BadSetting('CALLERS must be a JSON object with a caller for each name, such as {"deploy-bot": {…}}.')
    found = tuple(read_entry(number, name, entry) for number, (name, entry) in enumerate(entries.items(), start=1))
    hashes = [each for one in found for each in one.hashes]
    if len(set(hashes)) < len(hashes):
        raise BadSetting("CALLERS has the same hash twice: a key belongs to one caller.")
    return found


def announce_callers(settings: Settings) -> None:
    """Say who may call, when the app starts. Raises BadSetting.

    To the error stream: the host drops a line that is logged outside an invocation (recorded).
    """
    registered = registered_callers(settings.callers)
    names = ", ".join(each.caller.name for each in registered)
    said = f"Callers: {names}." if names else "CALLERS is not set: any key of the platform may do everything."
    sys.stderr.write(f"{said}\n")


def read_entry(number: int, name: str, entry: object) -> Registered:
    """Read what `CALLERS` says of one caller, the `number`th. Raises BadSetting."""
    if not NAME.fullmatch(name) or name == BUILT_IN or SECRET_LOOKING.search(name):
        shown = f"the name of entry {number}" if SECRET_LOOKING.search(name) else f"'{name[:80]}'"
        raise BadSetting(
            f"CALLERS: {shown} cannot be a caller's name: lower-case letters, digits and . _ - "
            f"(63 at most), nothing like a key or a hash, and not '{BUILT_IN}'."
        )
    try:
        read = Entry.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join("a field" if SECRET_LOOKING.search(str(at)) else str(at) for at in first["loc"]) or "the entry"
        raise BadSetting(f"CALLERS: {name}: {where}: {first['msg'].removeprefix('Value error, ')}.") from None
    return Registered(Caller(name, read.rights, read.title, read.approvers), read.sha256, read.expires)


def reason(error: ValueError) -> str:
    """Say what is wrong with JSON without a piece of it, which may be secret."""
    return f"{error.msg}, line {error.lineno}." if isinstance(error, json.JSONDecodeError) else f"{error}."


def identify(headers: Mapping[str, str], settings: Settings, now: dt.datetime) -> Caller:
    """Say who calls. Raises KeyRequired for nobody, and for a key that is not taken or not taken any more.

    Without `CALLERS` whoever has the platform's key may do everything. A person who is signed in is no caller.
    """
    registered = registered_callers(settings.callers)
    if not registered:
        return ANY_KEY
    presented = set(presented_keys(headers))
    if len(presented) > 1:
        raise KeyRequired("Two different keys were sent: send one.")
    for key in presented:
        return holder_of_key(key, registered, now)
    application = read_application(headers) if settings.trusts_sign_in else None
    if application:
        rights = frozenset(ROLES[role] for role in application.roles if role in ROLES)
        return Caller(f"app:{application.client}", rights)
    raise KeyRequired


def presented_keys(headers: Mapping[str, str]) -> Iterable[str]:
    """Give the keys a call came with. Other things in `Authorization`, such as a person's token, are none of ours."""
    own = headers.get(KEY_HEADER)
    if own is not None:
        yield own.strip()
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip().startswith(PREFIX):
        yield token.strip()


def holder_of_key(key: str, registered: tuple[Registered, ...], now: dt.datetime) -> Caller:
    """Give the caller a key belongs to. Every hash is compared, in constant time. Raises KeyRequired."""
    digest, found = hash_of(key), None
    for each in registered:
        for stored in each.hashes:
            if hmac.compare_digest(digest, stored):
                found = each
    if not found or (found.expires and found.expires <= now):
        raise KeyRequired
    return found.caller


def hash_of(key: str) -> str:
    """Give what is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    """Make a key by chance."""
    secret = base62(int.from_bytes(secrets.token_bytes(32)), SECRET_DIGITS)
    return f"{PREFIX}{secret}{check_digits(secret)}"


def is_well_formed(key: str) -> bool:
    """Tell whether a text could be a key: its check digits are right. It says nothing of whether it is taken."""
    secret = key.removeprefix(PREFIX)[:SECRET_DIGITS]
    return key == f"{PREFIX}{secret}{check_digits(secret)}" and len(secret) == SECRET_DIGITS


def check_digits(secret: str) -> str:
    """Give the check sum of a secret."""
    return base62(zlib.crc32(secret.encode()), CHECK_DIGITS)


def base62(number: int, digits: int) -> str:
    """Write a number in base 62, in so many digits."""
    text = ""
    for _ in range(digits):
        number, rest = divmod(number, len(DIGITS))
        text = DIGITS[rest] + text
    return text

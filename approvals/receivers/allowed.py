"""Where callbacks may go, as the operator says it: `CALLBACKS`, a rule for each host, or host and path.

Without a rule nothing is sent anywhere. Each rule has secrets of its own, so that no receiver can speak for us to
another one.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from approvals.receivers.addresses import Reach
from approvals.rules.callbacks import PORTS, Target, read_target
from approvals.settings import BadSetting, without_doubles

if TYPE_CHECKING:
    from approvals.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_BYTES = (24, 64)
"""How long a secret of Standard Webhooks is."""
SECRETS, CALLERS = 4, 20


def check_secret(text: str) -> str:
    """Accept a secret as Standard Webhooks writes it: `whsec_` and base64. Source: its specification, "Signature"."""
    least, most = SECRET_BYTES
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except binascii.Error:
        size = 0
    if not text.startswith("whsec_") or not least <= size <= most:
        raise ValueError(f"must be whsec_ and {least} to {most} bytes in base64")
    return text


Secret = Annotated[str, AfterValidator(check_secret)]


class RuleBody(BaseModel):
    """What `CALLBACKS` says of a host."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    auth: Literal["standard-webhooks", "url", "entra"]
    secrets: Annotated[tuple[Secret, ...], Field(max_length=SECRETS)] = ()
    audience: Annotated[str, Field(max_length=200)] = ""
    private: bool = False
    callers: Annotated[tuple[str, ...], Field(min_length=1, max_length=CALLERS)] | None = None

    @model_validator(mode="after")
    def check_parts(self) -> RuleBody:
        """See that it has what its kind needs, and nothing of another kind."""
        if bool(self.secrets) != (self.auth == "standard-webhooks"):
            raise ValueError('secrets go with "auth": "standard-webhooks", and that with at least one')
        if bool(self.audience) != (self.auth == "entra"):
            raise ValueError('audience goes with "auth": "entra", which needs one')
        return self


@dataclass(frozen=True)
class Rule:
    """Where callbacks may go, and how the receiver knows that they are ours."""

    name: str
    """As the operator wrote it: the host, its port, and the path."""
    target: Target
    auth: Literal["standard-webhooks", "url", "entra"]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """The newest first: it signs."""
    audience: str = ""
    reach: Reach = Reach()
    callers: tuple[str, ...] | None = None

    def is_for(self, target: Target) -> bool:
        """Tell whether an address is of this host, and path. http is for this machine alone."""
        if target.scheme == "http" and not self.reach.loopback:
            return False
        own_port = self.target.port if self.target.port != PORTS["https"] else PORTS[target.scheme]
        return (self.target.host, own_port) == (target.host, target.port) and self.has_path(target.path)

    def has_path(self, path: str) -> bool:
        """Tell whether a path is one of this rule; all are where it says none, and `*` at its end is the rest."""
        wanted = self.target.path
        if wanted.endswith("*"):
            return path.startswith(wanted[:-1])
        return wanted in ("/", path)

    def takes(self, caller: str) -> bool:
        """Tell whether this caller may have callbacks sent there."""
        return self.callers is None or caller in self.callers


@dataclass(frozen=True)
class Receivers:
    """All rules."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, settings: Settings) -> Receivers:
        """Take the operator's. Raises BadSetting."""
        return cls(read_rules(settings.callbacks, is_deployed=settings.is_deployed))

    def rule_for(self, target: Target, caller: str | None = None) -> Rule | None:
        """Give the rule for an address, the one with the longest path of those that are for it; or nothing."""
        found = [rule for rule in self.rules if rule.is_for(target) and (caller is None or rule.takes(caller))]
        return max(found, key=lambda rule: len(rule.target.path.removesuffix("*")), default=None)


@cache
def read_rules(text: str, *, is_deployed: bool) -> tuple[Rule, ...]:
    """Read `CALLBACKS`. Raises BadSetting, which names the rule and nothing that is secret about it."""
    if not text.strip():
        return ()
    try:
        entries = json.loads(text, object_pairs_hook=without_doubles)
    except (ValueError, RecursionError):
        raise BadSetting("CALLBACKS is not JSON, or a name stands in it twice.") from None
    if not isinstance(entries, dict):
        raise BadSetting('CALLBACKS must be a JSON object with a rule for each host: {"hooks.example.com": {…}}.')
    return tuple(read_rule(name, entry, is_deployed=is_deployed) for name, entry in entries.items())


def read_rule(name: str, entry: object, *, is_deployed: bool) -> Rule:
    """Read what is said of one host. Raises BadSetting."""
    try:
        target = read_target(f"https://{name}")
    except ValueError:
        target = None
    if not target or target.query or "*" in target.path[:-1]:
        raise BadSetting(
            f"CALLBACKS: '{name.partition('?')[0][:80]}' is no host with a path, such as hooks.example.com or "
            "hooks.example.com/approvals/*: no scheme, no query, and * at the end alone."
        )
    try:
        body = RuleBody.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(at) for at in first["loc"][:1] if at in RuleBody.model_fields) or "the rule"
        raise BadSetting(f"CALLBACKS: {name}: {where}: {first['msg'].removeprefix('Value error, ')}.") from None
    is_loopback = target.host in LOOPBACK
    if is_loopback and is_deployed:
        raise BadSetting(f"CALLBACKS: {name}: a deployed app does not call itself.")
    reach = Reach(private=body.private, loopback=is_loopback)
    return Rule(name, target, body.auth, body.secrets, body.audience, reach, body.callers)

"""Signed links and signed forms: who may answer what, in a text that nobody can forge.

A link is bound to its purpose, a request, a panel, an approver's slot and that slot's generation, and ends with the
request. It carries no secret and no decision. The newest key signs, older ones still verify, so that keys can be
changed under links that people have.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import itsdangerous
from itsdangerous import BadData, base64_decode, base64_encode

from approvals.rules.names import exact_key
from approvals.rules.policy import identity_key
from approvals.rules.value import compact, rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from approvals.rules.policy import Policy
    from approvals.rules.story import Found, Request

SHOWN_AFTER = dt.timedelta(days=7)
"""How long after its latest end a request's links still show how it ended; they decide nothing then."""


class Purpose(StrEnum):
    """What a signature is for; it is part of the salt, so that none can be used for another."""

    APPROVE = "approval-link-v1"
    FORM = "approval-form-v1"
    CURSOR = "list-cursor-v1"
    REQUESTER = "requester-link-v1"


class NotGenuine(Exception):
    """We did not sign this, or not for this."""


@dataclass(frozen=True)
class Link:
    """Whose answer is meant: a slot of a panel of a request, as its holder of this generation."""

    request_id: str
    stage: int
    escalated: bool
    slot: int
    generation: int
    holder: str
    """What tells the holder from others (`fingerprint`), so that a link is one person's; empty for the open slot."""
    expires_at: int
    """Seconds since 1970, UTC: some time after the latest end the request can have."""

    def is_expired(self, now: dt.datetime) -> bool:
        """Tell whether the request must have ended long ago."""
        return now.timestamp() >= self.expires_at

    def is_for_asked_panel(self, found: Found) -> bool:
        """Tell whether it is for the panel that is or was asked last."""
        return (self.stage, self.escalated) == (found.story.stage, found.story.escalated)


@dataclass(frozen=True)
class RequesterLink:
    """Who asked, and may see what becomes of it and take it back; it never answers."""

    request_id: str
    holder: str
    expires_at: int

    def is_expired(self, now: dt.datetime) -> bool:
        """Tell whether the request must have ended long ago."""
        return now.timestamp() >= self.expires_at


@dataclass(frozen=True)
class Invitation:
    """Where someone answers, once it is their turn."""

    approver: str | None
    stage: int
    escalated: bool
    url: str


def link_to(request: Request, *, stage: int, escalated: bool, slot: int, generation: int, holder: str | None) -> Link:
    """Make the link of a slot's holder."""
    return Link(
        request_id=request.request_id,
        stage=stage,
        escalated=escalated,
        slot=slot,
        generation=generation,
        holder=fingerprint(request, holder),
        expires_at=last_second(request),
    )


def last_second(request: Request) -> int:
    """Say when the links of a request expire, in seconds since 1970."""
    return int((request.links_expire_at or expiry(request.created_at, request.effective_policy)).timestamp())


def expiry(created_at: dt.datetime, policy: Policy) -> dt.datetime:
    """Say until when the links of a request show anything: some time after the latest end it can have."""
    longest = sum((panel.timeout for each in policy.stages for panel in each.panels), dt.timedelta())
    return created_at + longest + SHOWN_AFTER


def fingerprint(request: Request, person: str | None) -> str:
    """Give what tells a person from others, without the name: names are long, and not for addresses.

    It stands in links that people have, and so goes by the rules of the request.
    """
    if not person:
        return ""
    key = identity_key(person) if request.has_first_rules else exact_key(person)
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Signer:
    """Signs and verifies. `keys`: the newest first."""

    keys: Sequence[str]

    def signer(self, purpose: Purpose) -> itsdangerous.Signer:
        """Give what signs for a purpose; itsdangerous wants the newest key last, and signs with it."""
        keys = list(reversed(self.keys))
        return itsdangerous.Signer(keys, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256)

    def sign(self, link: Link) -> str:
        """Write a link's token. The same link gives the same token as long as the newest key is the same."""
        panel = 2 * link.stage + link.escalated
        fields = [link.request_id, panel, link.slot, link.generation, link.holder, link.expires_at]
        return self.sign_fields(Purpose.APPROVE, fields)

    def address(self, request: Request, link: Link) -> str:
        """Write the address of a link's page."""
        return f"{request.base_url}/approve/{self.sign(link)}"

    def requester_address(self, request: Request) -> str:
        """Write the address of the page of who asked."""
        fields = [request.request_id, fingerprint(request, request.requester), last_second(request)]
        return f"{request.base_url}/requested/{self.sign_fields(Purpose.REQUESTER, fields)}"

    def verify_requester(self, token: str) -> RequesterLink:
        """Read the token of who asked. Raises NotGenuine."""
        match self.verify_fields(Purpose.REQUESTER, token):
            case [str(request_id), str(holder), int(expires_at)]:
                return RequesterLink(request_id, holder, expires_at)
        raise NotGenuine

    def verify(self, token: str) -> Link:
        """Read a token. Raises NotGenuine; whether it has expired is asked of the link."""
        match self.verify_fields(Purpose.APPROVE, token):
            case [str(request_id), int(panel), int(slot), int(generation), str(holder), int(expires_at)]:
                return Link(request_id, panel // 2, panel % 2 == 1, slot, generation, holder, expires_at)
        raise NotGenuine

    def sign_form(self, token: str, state: str, viewer: str) -> str:
        """Sign that a page was shown: for this link, this state of the request, and whoever was signed in."""
        return self.sign_fields(Purpose.FORM, [digest_of(token), state, digest_of(viewer)])

    def verify_form(self, form: str, token: str, viewer: str) -> str:
        """Give the state of the request that the page showed. Raises NotGenuine when it is not this page of ours."""
        match self.verify_fields(Purpose.FORM, form):
            case [str(link), str(state), str(whoever)] if (link, whoever) == (digest_of(token), digest_of(viewer)):
                return state
        raise NotGenuine

    def sign_fields(self, purpose: Purpose, fields: list[Any]) -> str:
        """Sign a list."""
        return self.signer(purpose).sign(base64_encode(compact(fields))).decode()

    def verify_fields(self, purpose: Purpose, token: str) -> Any:
        """Give the list that was signed, with any of the keys. Raises NotGenuine.

        Base64 has spare bits in its last character: 211 of 292,800 tokens with one bit flipped were the same
        signature to itsdangerous (measured). The signature is taken in its one proper spelling only.
        """
        signature = token.rpartition(".")[2]
        try:
            if base64_encode(base64_decode(signature)).decode() != signature:
                raise NotGenuine
            return json.loads(base64_decode(self.signer(purpose).unsign(token)))
        except (BadData, ValueError, RecursionError):
            raise NotGenuine from None


def digest_of(text: str) -> str:
    """Give a digest of a link's token, or of who looks: a form names neither, and is never longer than is read."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def state_of(found: Found, link: Link) -> str:
    """Give a digest of what an answer on a page depends on: what is asked, of whom, and by when.

    What colleagues answer, a reminder, or a message that could not be sent does not make a page stale.
    """
    story = found.story
    own_vote = story.vote_of(link.slot)
    seen = [
        story.status,
        story.stage,
        story.escalated,
        rfc3339(found.due_at),
        found.holder(link.slot),
        found.generation(link.slot),
        own_vote.decision_id if own_vote else None,
    ]
    return hashlib.sha256(compact(seen).encode()).hexdigest()[:32]

"""Who answers, and how sure that is. Every channel asks the one `authorize` here. Pure.

Three things can speak for a person: a system that holds a function key and attests the name, a signed link, and the
platform's sign-in. A sign-in makes an answer surer, and never makes it less allowed, but for one thing: whoever is
signed in as the requester does not decide, whatever link or name they use.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from approvals.errors import LinkVoid, NotAskedYet, OwnRequest, SignInRequired
from approvals.people.links import fingerprint
from approvals.rules.names import is_same
from approvals.rules.value import NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from approvals.people.links import Link
    from approvals.rules.policy import Assurance
    from approvals.rules.story import Found

PRINCIPAL = "x-ms-client-principal"
PRINCIPAL_CHARACTERS = 32 * 1024

# A claim comes under its short name, or under the address an older token format gave it.
SCHEMAS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
CLAIMS = {
    "http://schemas.microsoft.com/identity/claims/tenantid": "tid",
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/identity/claims/scope": "scp",
    f"{SCHEMAS}nameidentifier": "sub",
    f"{SCHEMAS}emailaddress": "email",
    f"{SCHEMAS}name": "name",
    f"{SCHEMAS}upn": "upn",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/role": "roles",
}
CLIENT = re.compile(r"[0-9A-Za-z-]{1,64}")
OF_A_PERSON = {"scp", "name", "preferred_username", "upn", "unique_name", "email"}
NAMING = {"tid", "oid", "email"}
VERIFYING = ("xms_edov", "email_verified")
CALLED = ("email", "preferred_username", "upn", "unique_name", "name")
TRUE = {"1", "true"}


@dataclass(frozen=True)
class Person:
    """Someone the platform has signed in."""

    tenant: str
    object_id: str
    email: str | None = None
    """Only when it is verified that it is theirs; an unverified one can be anybody's."""
    aliases: tuple[str, ...] = field(default=(), compare=False)
    """All that the platform calls them, verified or not: enough to keep them from their own request, and no more."""

    @property
    def subject(self) -> str:
        """What names them for ever: tenant and object id."""
        return f"{self.tenant}/{self.object_id}"

    @property
    def name(self) -> str:
        """What they are called in a record."""
        return self.email or self.subject

    def is_called(self, name: str) -> bool:
        """Tell whether a name is theirs: the verified e-mail, or `tenant/object`."""
        return any(is_same(name, known) for known in (self.subject, self.email) if known)


@dataclass(frozen=True)
class Evidence:
    """What came with an answer that says whose it is. `link`: a genuine one, not expired."""

    channel: str = "api"
    link: Link | None = None
    person: Person | None = None


ANYBODY = Evidence()
"""Nothing but the word of a system that holds a key."""


def read_principal(headers: Mapping[str, str]) -> Person | None:
    """Read who the platform has signed in (`X-MS-CLIENT-PRINCIPAL`), if it is a person and can be told from others.

    Ask only where the platform sets the header: it is not signed, and anybody can send it where it does not.
    A token of an application is no person: `idtyp` is `app`, or it has none of the claims that only people have, or
    its subject is its own object (Microsoft's access token reference).
    """
    claims = claims_of(headers)
    tenant, object_id = claims.get("tid", [""])[0], claims.get("oid", [""])[0]
    is_app = "app" in map(str.lower, claims.get("idtyp", ())) or object_id in claims.get("sub", ())
    if not tenant or not object_id or is_app or not OF_A_PERSON & claims.keys():
        return None
    if "/" in tenant or not is_name(f"{tenant}/{object_id}"):
        return None
    words = {word.lower() for name in VERIFYING for word in claims.get(name, ())}
    email = claims.get("email", [""])[0] if words and words <= TRUE else ""
    aliases = tuple(each for name in CALLED for each in claims.get(name, ()) if 0 < len(each) <= NAME_CHARACTERS)
    return Person(tenant, object_id, email if is_name(email) else None, aliases)


@dataclass(frozen=True)
class Application:
    """A program the platform has signed in: its client id, and the app roles it was given."""

    client: str
    roles: frozenset[str]


def read_application(headers: Mapping[str, str]) -> Application | None:
    """Read which application the platform has signed in, if it surely is one. Ask only where the platform is trusted.

    A token is an application's only when `idtyp` is `app`, or `sub` equals `oid` and there is no `scp` (Microsoft's
    access token reference): that person's claims are missing proves nothing. A claim but `roles` that comes twice and
    differs is nobody's.
    """
    found = {name: set(values) for name, values in claims_of(headers).items()}
    if any(len(found.get(name, ())) > 1 for name in ("idtyp", "sub", "oid", "scp", "azp", "appid")):
        return None
    one = {name: next(iter(values)) for name, values in found.items()}
    is_own_subject = bool(one.get("oid")) and one.get("sub") == one.get("oid") and "scp" not in one
    is_app = one["idtyp"].lower() == "app" if "idtyp" in one else is_own_subject
    client = one.get("azp") or one.get("appid") or ""
    if not is_app or not CLIENT.fullmatch(client):
        return None
    return Application(client.lower(), frozenset(found.get("roles", ())))


def is_name(text: str) -> bool:
    """Tell whether a text can stand in a record; half a surrogate pair could not even be written down."""
    return 0 < len(text) <= NAME_CHARACTERS and text.isprintable()


def claims_of(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """Read the claims that the platform has put into its header; none where there are none, or nonsense."""
    text = headers.get(PRINCIPAL, "")
    if not text or len(text) > PRINCIPAL_CHARACTERS:
        return {}
    try:
        return read_claims(json.loads(base64.b64decode(text, validate=True)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def read_claims(principal: Any) -> dict[str, list[str]]:
    """Give all that the claims of a principal say, by their short names.

    Raises ValueError when one that names somebody comes twice and differs, or is no text.
    """
    found: dict[str, list[str]] = {}
    for claim in principal["claims"]:
        name, value = CLAIMS.get(claim["typ"], claim["typ"]), claim["val"]
        said = found.setdefault(name, [])
        if name in NAMING and (not isinstance(value, str) or value not in (said or [value])):
            raise ValueError(f"{name} does not name anybody")
        said.append(str(value))
    return found


def assurance_of(name: str, evidence: Evidence) -> Assurance:
    """Say how sure it is that this evidence is a person's of that name."""
    if evidence.person and evidence.person.is_called(name):
        return "signed-in"
    return "link" if evidence.link else "key"


def authorize(found: Found, name: str, evidence: Evidence) -> Assurance:
    """Say how sure it is that this evidence lets `name` answer what is asked now.

    Raises LinkVoid for a link of someone else, or one that was passed on; NotAskedYet for one whose stage has not
    begun; OwnRequest when the requester is behind it; SignInRequired when the stage wants to be surer.
    Whether the person is asked at all is the model's to say.
    """
    if evidence.link:
        check_link(evidence.link, found, name)
    person = evidence.person
    if found.request.forbids(name):
        raise OwnRequest(name)
    if person and any(found.request.forbids(each) for each in (person.subject, person.name, *person.aliases)):
        raise OwnRequest(person.name)
    assurance = assurance_of(name, evidence)
    if not found.panel.accepts(assurance):
        raise SignInRequired(name)
    return assurance


def check_link(link: Link, found: Found, name: str) -> None:
    """See that a link is for what is asked now. Raises LinkVoid or NotAskedYet."""
    if link.request_id != found.request.request_id or link.holder not in ("", fingerprint(found.request, name)):
        raise LinkVoid(None)
    if not link.is_for_asked_panel(found):
        asked_later = (link.stage, link.escalated) > (found.story.stage, found.story.escalated)
        raise NotAskedYet(name) if asked_later else LinkVoid(None)
    if link.generation != found.generation(link.slot):
        raise LinkVoid(found.holder(link.slot))
    if link.holder != fingerprint(found.request, found.holder(link.slot)):
        raise LinkVoid(None)


def holder_of(link: Link, found: Found) -> str | None:
    """Name whose link it is; nothing for the open slot's, or a name nobody of this request has."""
    panel = found.policy.panel(link.stage, escalated=link.escalated) if has_panel(found, link) else None
    people = (*(panel.approvers if panel else ()), *(change.to for change in found.story.changes))
    if not link.holder:
        return None
    return next((person for person in people if fingerprint(found.request, person) == link.holder), None)


def was_passed_on(link: Link, found: Found) -> bool:
    """Tell whether a link's slot was passed on since: that link shows nothing of the request any more, for good.

    Before version 2 the slots of earlier panels were forgotten: whoever passed anything on is taken to have done it
    there.
    """
    if not has_panel(found, link):
        return False
    if found.request.has_first_rules and not link.is_for_asked_panel(found):
        return any(fingerprint(found.request, change.holder) == link.holder for change in found.story.changes)
    return link.generation != found.at_panel(link.stage, escalated=link.escalated).generation(link.slot)


def passed_on_to(link: Link, found: Found) -> str | None:
    """Name who was asked in the place of a link's holder, where it was passed on."""
    if found.request.has_first_rules and not link.is_for_asked_panel(found):
        changes = (change for change in found.story.changes if fingerprint(found.request, change.holder) == link.holder)
        return next((change.to for change in changes), None)
    return found.at_panel(link.stage, escalated=link.escalated).holder(link.slot)


def has_panel(found: Found, link: Link) -> bool:
    """Tell whether the request has the panel a link is for."""
    stages = found.policy.stages
    return link.stage < len(stages) and (not link.escalated or stages[link.stage].escalation is not None)

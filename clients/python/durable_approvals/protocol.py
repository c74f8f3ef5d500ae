"""How the service is spoken to, without sending anything: each operation is a generator of what is to be done.

It yields a `Call` to be made, or a `Pause`, is sent what came of it, and returns the result. So the client for threads
and the one for asyncio are two small drivers of the same rules.

Everything is sent again while the service is away, since sending the same twice means once: a creation and a use of a
grant by their Idempotency-Key, an answer, a cancellation and a change by what they say (docs/api.md, "Problems").
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from durable_approvals import models
from durable_approvals.errors import Problem, Unreachable, WaitedTooLong

T = TypeVar("T")

AWAY = {429, 500, 502, 503, 504}
"""A 500 with an empty body is a worker that died; with a problem in it the service says that the same may be sent."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
LONGEST_LOOK = 20
"""Seconds for which one look is held open; the service allows 25."""
ACCEPTED = 202


@dataclass(frozen=True)
class Call:
    """A request over HTTP that is to be made."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """Seconds that are to be waited; none: the time alone is asked for."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """What came of a call: a status, or 0 where nothing came; and how long the program has been running, in seconds."""

    status: int
    body: Any
    headers: Mapping[str, str]
    now: float
    failure: str = ""


Steps = Generator[Call | Pause, Reply, T]


def ask(call: Call, patience: float) -> Steps[Reply]:
    """Make a call, again and again while the service is away, and give what it answers. Raises Problem, Unreachable."""
    pause, begun = FIRST_PAUSE, (yield Pause(0)).now
    while True:
        reply = yield call
        if reply.status and reply.status not in AWAY:
            return checked(reply)
        wanted = float(reply.headers.get("retry-after") or 0) if reply.headers.get("retry-after", "").isdigit() else 0
        wait = max(wanted, pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads callers, guards nothing
        if reply.now - begun + wait > patience:
            if reply.status and isinstance(reply.body, dict) and "code" in reply.body:
                return checked(reply)
            raise Unreachable(f"{call.method} {call.path.partition('?')[0]}: {reply.failure or reply.status}")
        yield Pause(wait)
        pause = min(pause * 2, LONGEST_PAUSE)


def checked(reply: Reply) -> Reply:
    """Give a reply that is a success. Raises Problem."""
    if reply.status < 400:  # noqa: PLR2004 - success, in HTTP
        return reply
    said = reply.body if isinstance(reply.body, dict) else {}
    known = {"type", "title", "status", "detail", "code"}
    raise Problem(
        reply.status,
        str(said.get("code", f"http_{reply.status}")),
        str(said.get("detail", "The answer says nothing more.")),
        {name: value for name, value in said.items() if name not in known},
    )


def create(fields: Mapping[str, Any], key: str | None, patience: float) -> Steps[models.Created]:
    """Make a request; once, however often it has to be sent."""
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    reply = yield from ask(Call("POST", "/api/requests", fields, headers), patience)
    return models.Created.model_validate(reply.body)


def look(request_id: str, patience: float, wait: int = 0) -> Steps[models.Story]:
    """Look at a request; held open for so many seconds while nothing changes."""
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    reply = yield from ask(Call("GET", f"/api/requests/{request_id}", None, headers), patience)
    return models.Story.model_validate(reply.body)


def wait(request_id: str, timeout: float | None, patience: float) -> Steps[models.Story]:
    """Wait until a request has ended. Raises WaitedTooLong."""
    now = begun = (yield Pause(0)).now
    pause = FIRST_PAUSE
    while True:
        left = LONGEST_LOOK if timeout is None else timeout - (now - begun)
        held = max(0, min(LONGEST_LOOK, int(left)))
        story = yield from look(request_id, patience, held)
        if not story.is_open:
            return story
        now = (yield Pause(0)).now
        if timeout is not None and now - begun + pause > timeout:
            raise WaitedTooLong(request_id, timeout)
        yield Pause(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def command(
    path: str, body: Mapping[str, Any], patience: float, headers: Mapping[str, str] | None = None
) -> Steps[Reply]:
    """Send something that is recorded: what was taken but not yet seen recorded is sent again until it is."""
    pause, begun = FIRST_PAUSE, (yield Pause(0)).now
    while True:
        reply = yield from ask(Call("POST", path, body, headers or {}), patience)
        if reply.status != ACCEPTED or reply.now - begun > patience:
            return reply
        yield Pause(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def act(
    path: str, body: Mapping[str, Any], patience: float, headers: Mapping[str, str] | None = None
) -> Steps[models.Story]:
    """Decide, cancel or pass on, and give the story that stands then."""
    reply = yield from command(path, body, patience, headers)
    return models.Story.model_validate(reply.body)


def consume(request_id: str, action: Any, key: str | None, patience: float) -> Steps[models.Consumption]:
    """Use a yes; once, however often it has to be sent."""
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    reply = yield from ask(Call("POST", f"/api/requests/{request_id}/consume", {"action": action}, headers), patience)
    return models.Consumption.model_validate(reply.body)


def local(address: str) -> str:
    """Give an address that the service wrote without its host: keys go to the host that was chosen, and no other."""
    return f"/api/{address.partition('/api/')[2]}"


def page(path: str, query: Mapping[str, Any], patience: float) -> Steps[models.Page]:
    """Read a page of a list."""
    said = {name: value for name, value in query.items() if value is not None}
    reply = yield from ask(Call("GET", f"{path}?{urlencode(said)}" if said else path), patience)
    return models.Page.model_validate(reply.body)


def read(kind: type[T], call: Call, patience: float) -> Steps[T]:
    """Make a call, and give what it answers as a value."""
    reply = yield from ask(call, patience)
    return kind.model_validate(reply.body)  # type: ignore[attr-defined, no-any-return]


def receipt(request_id: str, patience: float) -> Steps[str]:
    """Read a receipt, as a compact JWS."""
    reply = yield from ask(Call("GET", f"/api/requests/{request_id}/receipt"), patience)
    return str(reply.body)


def redeliver(request_id: str, by: str, patience: float, *, everything: bool) -> Steps[models.Redelivery]:
    """Have sent again what was not taken."""
    call = Call("POST", f"/api/requests/{request_id}/redeliver", {"by": by, "everything": everything})
    return (yield from read(models.Redelivery, call, patience))


def receipt_keys(patience: float) -> Steps[dict[str, Any]]:
    """Read the public keys that receipts are verified with, as a JWK Set."""
    reply = yield from ask(Call("GET", "/.well-known/jwks.json"), patience)
    return dict(reply.body) if isinstance(reply.body, dict) else {}


def export(day: str, cursor: str | None, patience: float) -> Steps[tuple[str, str | None]]:
    """Read a page of a day's lines, and the address at which they go on."""
    path = cursor or f"/api/export?{urlencode({'day': day})}"
    reply = yield from ask(Call("GET", path), patience)
    link = reply.headers.get("link", "")
    after = local(link.partition("<")[2].partition(">")[0]) if 'rel="next"' in link else None
    return str(reply.body or ""), after

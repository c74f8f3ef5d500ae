"""What each route demands of whoever calls it: one table, of which routes, tests and documents are made.

A route that has no row here does not start. `own` lets a caller have what it created itself; `all`, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import RightMissing

if TYPE_CHECKING:
    from approvals.people.callers import Caller, Right


@dataclass(frozen=True)
class Demand:
    """What a caller needs. Without any right: nothing, for the reason that is given."""

    all: Right | None = None
    """The right to do it to every request."""
    own: Right | None = None
    """The right to do it to what the caller created itself."""
    why: str = ""

    def admit(self, caller: Caller) -> None:
        """See that a caller may do this at all. Raises RightMissing."""
        wanted = [right for right in (self.all, self.own) if right]
        if wanted and not caller.rights.intersection(wanted):
            raise RightMissing(wanted[-1])


OPEN = "says nothing of anyone"
ROUTES: dict[str, dict[str, Demand]] = {
    "api/requests": {"GET": Demand(all="read", own="request"), "POST": Demand(own="request")},
    "api/inbox": {"GET": Demand(all="read", own="request")},
    "api/approvals/batch": {"POST": Demand(all="decide")},
    "api/requests/{request_id}": {"GET": Demand(all="read", own="request")},
    "api/requests/{request_id}/history": {"GET": Demand(all="read", own="request")},
    "api/requests/{request_id}/payload": {"DELETE": Demand(all="operate")},
    "api/export": {"GET": Demand(all="read")},
    "api/requests/{request_id}/consume": {"POST": Demand(own="request")},
    "api/requests/{request_id}/revoke": {"POST": Demand(all="operate", own="request")},
    "api/requests/{request_id}/receipt": {"GET": Demand(all="read", own="request")},
    "api/requests/{request_id}/redeliver": {"POST": Demand(all="operate")},
    "api/subscriptions": {
        "GET": Demand(all="operate", own="request"),
        "POST": Demand(own="request"),
    },
    "api/subscriptions/{subscription_id}": {"DELETE": Demand(all="operate", own="request")},
    "api/callbacks/ping": {"POST": Demand(all="operate")},
    ".well-known/jwks.json": {"GET": Demand(why=OPEN)},
    "api/requests/{request_id}/cancel": {"POST": Demand(all="operate", own="request")},
    "api/requests/{request_id}/reassign": {"POST": Demand(all="operate")},
    "api/approvals/{request_id}": {"POST": Demand(all="decide")},
    "api/approvals/{request_id}/delegate": {"POST": Demand(all="decide")},
    "api/policies/preview": {"POST": Demand(own="request")},
    "api/health": {"GET": Demand(why=OPEN)},
    "api/openapi.json": {"GET": Demand(why=OPEN)},
    "api/docs": {"GET": Demand(why=OPEN)},
    "assets/viewer.js": {"GET": Demand(why=OPEN)},
    "approve/{token}": {
        "GET": Demand(why="a signed link, for one person of one request"),
        "POST": Demand(why="a signed link, for one person of one request"),
    },
    "requested/{token}": {
        "GET": Demand(why="a signed link, for whoever asked for one request"),
        "POST": Demand(why="a signed link, for whoever asked for one request"),
    },
    "assets/time.js": {"GET": Demand(why=OPEN)},
    "/": {"GET": Demand(why=OPEN)},
}


def route(path: str) -> str:
    """Give a route back, if it has a row. Raises LookupError, which keeps the app from starting."""
    if path not in ROUTES:
        raise LookupError(f"The route {path} has no row in approvals/web/rights.py: who may call it?")
    return path

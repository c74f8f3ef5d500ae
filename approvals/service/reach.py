"""Which requests a caller may have, and whom it may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import NotFound, RightMissing

if TYPE_CHECKING:
    from approvals.people.callers import Caller, Right
    from approvals.rules.story import Found

NAMELESS = ("", "key")
"""Who made a request while callers had no names."""


@dataclass(frozen=True)
class Reach:
    """Who calls, and what right lets them reach every request; with the right `request` alone they reach their own."""

    caller: Caller
    everything: Right | None = None

    def check(self, found: Found) -> None:
        """See that the caller may have this request. Raises RightMissing, or NotFound when they may not even know."""
        rights = self.caller.rights
        if self.everything in rights:
            return
        if "request" in rights and found.request.created_by == self.caller.name:
            return
        if "request" in rights and "read" not in rights:
            raise NotFound
        raise RightMissing(self.everything or "request")

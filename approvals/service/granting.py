"""Using a yes, once: for whoever acts on it, a deployment, a payment, an agent's tool call."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.grant_errors import GrantExpired, GrantRevoked, GrantUsed, NotApproved, OtherAction
from approvals.records import grants, trail
from approvals.records.store import StoreUnavailable
from approvals.rules.digest import action_digest
from approvals.rules.story import Found, Status
from approvals.rules.trail import entry
from approvals.rules.value import load_json
from approvals.service.desk import Desk, records_at_hand

if TYPE_CHECKING:
    from approvals.rules.intake import Withdrawal
    from approvals.rules.trail import Kind

logger = logging.getLogger("approvals.service")


@dataclass(frozen=True)
class Consumption:
    """A grant that was used: the request with its decision, when, and whether the same call had done so before."""

    found: Found
    used_at: str
    used_by: str
    replayed: bool


@dataclass(frozen=True)
class Granting(Desk):
    """Grants of approved requests."""

    async def consume(self, request_id: str, action: Any, key: str | None) -> Consumption:
        """Use a grant for exactly this action.

        Raises NotApproved, OtherAction, GrantUsed, GrantExpired, GrantRevoked, and what `find` raises.
        """
        found = await self.find(request_id)
        request, story = found.request, found.story
        if story.status is not Status.APPROVED or found.suspended or not story.settled_at:
            raise NotApproved(found)
        agreed = action_digest(request.salt, None if request.action is None else load_json(request.action))
        if agreed != (sent := action_digest(request.salt, action)):
            raise OtherAction(agreed, sent)
        with records_at_hand():
            before = await grants.grant_of(self.store, request_id)
        until = story.settled_at + dt.timedelta(seconds=request.grant_ttl_seconds)
        if not before.used_at and not before.revoked_at and self.received_at >= until:
            raise GrantExpired(until)
        with records_at_hand():
            grant, is_ours = await grants.use(self.store, request_id, self.caller.name, key, self.received_at)
        if grant.revoked_at and not is_ours:
            raise GrantRevoked(grant.revoked_at, grant.revoked_by or "")
        if not is_ours:
            raise GrantUsed(grant.used_at or "", grant.used_by or "")
        replayed = bool(before.used_at)
        if not replayed:
            await self.note(request_id, "consumed", by=self.caller.name)
        return Consumption(found, grant.used_at or "", grant.used_by or "", replayed)

    async def revoke(self, request_id: str, wish: Withdrawal) -> Found:
        """Take a grant back, whatever becomes of the request. Raises what `find` raises, and RecordsUnavailable."""
        found = await self.find(request_id)
        with records_at_hand():
            before = await grants.grant_of(self.store, request_id)
            await grants.revoke(self.store, request_id, wish.by, self.received_at)
        if not before.revoked_at:
            await self.note(request_id, "revoked", by=wish.by, caller=self.caller.name, reason=wish.reason)
        return found

    async def note(self, request_id: str, kind: Kind, **said: str) -> None:
        """Write into the trail what was done; that it was done is in the grant's own row."""
        try:
            await trail.append(self.store, request_id, entry(self.received_at, kind, **said))
        except StoreUnavailable:
            logger.warning("Request %s: its trail does not say that its grant was %s.", request_id, kind)

"""Grants: a yes is good for one thing, once. A row holds its use and its revocation.

The use and the Idempotency-Key it came with are written at once, in the request's own partition: whoever lost the
answer sends the same key and gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.records.indexes import digest
from approvals.records.requests import partition_of
from approvals.records.store import Conflict, Insert, Replace, Row
from approvals.rules.value import rfc3339

if TYPE_CHECKING:
    import datetime as dt

    from approvals.records.store import Store

GRANT = "grant"
TRIES = 10


@dataclass(frozen=True)
class Grant:
    """What has become of a request's grant."""

    body: dict[str, Any]

    @property
    def used_at(self) -> str | None:
        """When it was used."""
        return self.body.get("used_at")

    @property
    def used_by(self) -> str | None:
        """By which caller."""
        return self.body.get("used_by")

    @property
    def revoked_at(self) -> str | None:
        """When it was taken back."""
        return self.body.get("revoked_at")

    @property
    def revoked_by(self) -> str | None:
        """Who took it back."""
        return self.body.get("revoked_by")


async def grant_of(store: Store, request_id: str) -> Grant:
    """Read what has become of a grant. Raises StoreUnavailable."""
    row = await store.get(partition_of(request_id), GRANT)
    return Grant(row.body if row else {})


async def use(store: Store, request_id: str, caller: str, key: str | None, now: dt.datetime) -> tuple[Grant, bool]:
    """Use a grant, if nobody has, and nobody took it back; give what stands, and whether this key used it.

    Raises StoreUnavailable, after which the same key may be sent again.
    """
    partition, mine = partition_of(request_id), {"used_at": rfc3339(now), "used_by": caller}
    key_row = None if key is None else f"consume-{digest(f'{caller} {key}')}"
    for _ in range(TRIES):
        row = await store.get(partition, GRANT)
        if row and (row.body.get("used_at") or row.body.get("revoked_at")):
            is_ours = key_row is not None and await store.get(partition, key_row) is not None
            return Grant(row.body), is_ours and bool(row.body.get("used_at"))
        written = [Insert(GRANT, mine) if row is None else Replace(GRANT, row.body | mine, row.etag)]
        if key_row:
            written.append(Insert(key_row, mine))
        try:
            await store.write(partition, *written)
        except Conflict:
            continue
        return Grant(mine), True
    return await grant_of(store, request_id), False


async def revoke(store: Store, request_id: str, by: str, now: dt.datetime) -> Grant:
    """Take a grant back, for good. Raises StoreUnavailable. A second time changes nothing."""
    partition = partition_of(request_id)
    for _ in range(TRIES):
        row: Row | None = await store.get(partition, GRANT)
        if row and row.body.get("revoked_at"):
            return Grant(row.body)
        body = (row.body if row else {}) | {"revoked_at": rfc3339(now), "revoked_by": by}
        try:
            await store.write(partition, Insert(GRANT, body) if row is None else Replace(GRANT, body, row.etag))
        except Conflict:
            continue
        return Grant(body)
    return await grant_of(store, request_id)

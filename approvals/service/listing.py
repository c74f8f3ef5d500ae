"""Lists of requests, a page at a time: of all, or of what a caller has made itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import BadQuery
from approvals.people.links import NotGenuine, Purpose, Signer
from approvals.records import indexes
from approvals.records.lists import read_page
from approvals.records.store import LAST
from approvals.service.desk import Desk, records_at_hand

if TYPE_CHECKING:
    from approvals.records.requests import Entry
    from approvals.rules.intake import ListWish


@dataclass(frozen=True)
class Listed:
    """A page, and the cursor with which the list goes on."""

    entries: list[Entry]
    cursor: str | None


@dataclass(frozen=True)
class Listing(Desk):
    """Looking at many requests."""

    @property
    def scope(self) -> str:
        """What the caller may see of all requests."""
        sees_all = self.reach.everything in self.caller.rights
        return indexes.EVERYTHING if sees_all else indexes.scope_of(self.caller.name)

    async def list(self, wish: ListWish) -> Listed:
        """Give a page of a list. Raises BadQuery for a cursor that is not of this list, RecordsUnavailable."""
        if wish.kind == "inbox":
            partition, after, before = indexes.inbox_partition(self.scope, wish.value), "", LAST
        else:
            partition = indexes.list_partition(self.scope, wish.kind, wish.value)
            after = f"{indexes.newest_first(wish.created_before)}{LAST}" if wish.created_before else ""
            before = indexes.newest_first(wish.created_after) if wish.created_after else LAST
        bounds = f"{partition} {after} {before}"
        if wish.cursor is not None:
            after = self.read_cursor(wish.cursor, bounds)
        with records_at_hand():
            page = await read_page(
                self.store, partition, after=after, before=before, limit=wish.limit, now=self.clock.now()
            )
        return Listed(page.entries, self.cursor_after(page.after, bounds))

    def cursor_after(self, after: str | None, bounds: str) -> str | None:
        """Sign where a list goes on, and which list it is; nothing at its end."""
        if after is None:
            return None
        return Signer(self.settings.link_keys).sign_fields(Purpose.CURSOR, [indexes.digest(bounds), after])

    def read_cursor(self, cursor: str, bounds: str) -> str:
        """Give the key after which a list goes on. Raises BadQuery."""
        try:
            fields = Signer(self.settings.link_keys).verify_fields(Purpose.CURSOR, cursor)
        except NotGenuine:
            fields = None
        match fields:
            case [str(of), str(after)] if of == indexes.digest(bounds):
                return after
        raise BadQuery((("cursor", "is not one of this list: take `next` as it is, or begin anew"),))

"""What a store must do: keep rows in partitions, in the order of their keys, and change several of them at once.

It is the least that Azure Table Storage and SQLite have in common, so that everything above it is written once.
A partition and a key are ASCII of `PARTS`, 200 characters at most; keys are ordered by their bytes. A body is JSON of
any size up to `BODY_BYTES`. An etag is another one after every change of a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PARTS = r"[A-Za-z0-9:._-]{1,200}"
"""What a partition and a key are made of. Nothing else is safe in an Azure table, and `~` is the store's own."""
BODY_BYTES = 3_000_000
"""What a body may weigh as JSON in UTF-8; a transaction of Azure Table Storage takes 4 MiB."""
CHANGES = 90
"""How many changes `write` takes at once; a transaction of Azure Table Storage takes 100, some for large bodies."""
LAST = "~"
"""Behind every key."""


class StoreUnavailable(Exception):
    """The store was not reached in time, or answered nonsense: whether a write happened is not known."""


class Conflict(Exception):
    """A row to insert is there, or a row to replace is not what it was: nothing at all was written."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"The row {key} is not as expected.")


@dataclass(frozen=True)
class Row:
    """A row as it was read."""

    key: str
    body: dict[str, Any]
    etag: str


@dataclass(frozen=True)
class Insert:
    """Write a row that must not be there."""

    key: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Replace:
    """Write a row that must still have this etag."""

    key: str
    body: dict[str, Any]
    etag: str


@dataclass(frozen=True)
class Put:
    """Write a row, whatever is there."""

    key: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Delete:
    """Remove a row, if it is there; with an etag only if it still has that."""

    key: str
    etag: str = ""


Write = Insert | Replace | Put | Delete
Pointer = tuple[str, Put | Delete]
"""A change of a row of some partition."""


class Store(Protocol):
    """Rows in partitions. Every method raises StoreUnavailable; none blocks the event loop."""

    async def get(self, partition: str, key: str) -> Row | None:
        """Read a row, or nothing."""

    async def scan(self, partition: str, *, after: str = "", before: str = LAST, limit: int) -> list[Row]:
        """Read the first rows of a partition whose keys are greater than `after` and less than `before`, in order.

        What it costs depends on `limit` alone, never on how many rows there are.
        """

    async def partitions(self, prefix: str, key: str, *, after: str = "", limit: int) -> list[str]:
        """Name the next partitions that begin so and have a row of this key, in order; for commands, not for calls."""

    async def write(self, partition: str, *changes: Write) -> dict[str, str]:
        """Make all changes to different rows of a partition, or none. Raises Conflict.

        Give the new etags by the keys of the rows, as far as they are known. A write that happened and whose answer was
        lost is not taken for a conflict with itself.
        """

    async def write_each(self, writes: Iterable[Pointer]) -> None:
        """Make changes of different partitions, which have nothing to do with each other: each by itself.

        When it fails some of them may have been made. A `Delete` has no etag here.
        """

    async def write_between(
        self, before: Iterable[Pointer], partition: str, *changes: Write, after: Iterable[Pointer] = ()
    ) -> dict[str, str]:
        """Put rows of other partitions, then make all changes or none, then remove rows. Raises Conflict.

        Give what `write` gives. Each is a step: when one fails, those before may have been made, those behind are not.
        """

    async def close(self) -> None:
        """Let go of files and connections."""


async def write_in_steps(
    store: Store, before: Iterable[Pointer], partition: str, *changes: Write, after: Iterable[Pointer] = ()
) -> dict[str, str]:
    """Do as `write_between` says with a store that cannot make changes of several partitions at once."""
    await store.write_each(before)
    etags = await store.write(partition, *changes)
    await store.write_each(after)
    return etags


def keys_of(changes: Sequence[Write]) -> list[str]:
    """Give the keys of changes. Raises ValueError when two are for one row, or there are none or too many."""
    keys = [change.key for change in changes]
    if not 1 <= len(keys) <= CHANGES or len(set(keys)) != len(keys):
        raise ValueError(f"a write is for 1 to {CHANGES} different rows, not {keys}")
    return keys

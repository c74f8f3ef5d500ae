"""The store in a file of SQLite, for one machine: one table, ordered by its primary key.

All calls go through one thread of its own, so that none blocks the event loop and no transaction meets another of
this process; other processes are waited for by SQLite itself (WAL, `busy_timeout`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from approvals.records.store import LAST, Conflict, Delete, Insert, Put, Replace, Row, StoreUnavailable, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import TypeVar

    from approvals.records.store import Pointer, Write

    T = TypeVar("T")
    Done = tuple[asyncio.Future[Any], Any]

AT_ONCE = 64
"""How much work is done before those who wait for the first of it are answered."""
CALL_SECONDS = 5.0
"""How long a call may wait for another process to finish its write."""
TABLE = """
CREATE TABLE IF NOT EXISTS rows (
    partition TEXT NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (partition, key)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Call:
    """Some work for the thread of a store, and who waits for what comes of it."""

    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class SqliteStore:
    """Rows in a file, or in memory for `:memory:`."""

    def __init__(self, file: Path | str) -> None:
        self.file = str(file)
        self.thread = ThreadPoolExecutor(1, "records")
        self.waiting: SimpleQueue[Call] = SimpleQueue()
        self.connection: sqlite3.Connection | None = None

    async def get(self, partition: str, key: str) -> Row | None:
        """Read a row, or nothing."""
        found = await self.call(
            lambda db: db.execute(
                "SELECT key, body, etag FROM rows WHERE partition = ? AND key = ?", (partition, key)
            ).fetchone()
        )
        return as_row(found) if found else None

    async def scan(self, partition: str, *, after: str = "", before: str = LAST, limit: int) -> list[Row]:
        """Read the first rows between two keys, in order."""
        found = await self.call(
            lambda db: db.execute(
                "SELECT key, body, etag FROM rows WHERE partition = ? AND key > ? AND key < ? ORDER BY key LIMIT ?",
                (partition, after, before, limit),
            ).fetchall()
        )
        return [as_row(each) for each in found]

    async def partitions(self, prefix: str, key: str, *, after: str = "", limit: int) -> list[str]:
        """Name the next partitions that begin so and have a row of this key, in order."""
        found = await self.call(
            lambda db: db.execute(
                "SELECT partition FROM rows WHERE partition > ? AND partition < ? AND key = ?"
                " ORDER BY partition LIMIT ?",
                (max(prefix, after), prefix + LAST, key, limit),
            ).fetchall()
        )
        return [partition for (partition,) in found]

    async def write(self, partition: str, *changes: Write) -> dict[str, str]:
        """Make all changes, or none; give the new etags. Raises Conflict."""
        return await self.write_between((), partition, *changes)

    async def write_each(self, writes: Iterable[Pointer]) -> None:
        """Make changes of different partitions: here all at once, which is what a transaction costs, once."""
        if changes := list(writes):
            await self.change(changes)

    async def write_between(
        self, before: Iterable[Pointer], partition: str, *changes: Write, after: Iterable[Pointer] = ()
    ) -> dict[str, str]:
        """Make changes of several partitions: here all at once, or none; give the new etags. Raises Conflict."""
        keys, earlier = keys_of(changes), list(before)
        etags = await self.change([*earlier, *((partition, change) for change in changes), *after])
        return dict(zip(keys, etags[len(earlier) :], strict=False))

    async def change(self, changes: Sequence[tuple[str, Write]]) -> list[str]:
        """Make all changes in one transaction, or none; give each one's new etag. Raises Conflict."""

        def change_all(db: sqlite3.Connection) -> list[str]:
            db.execute("BEGIN IMMEDIATE")
            try:
                etags = [apply_change(db, partition, change) for partition, change in changes]
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
            return etags

        return await self.call(change_all)

    async def close(self) -> None:
        """Let go of the file."""
        if self.connection:
            await self.call(lambda db: db.close())
        self.connection = None
        self.thread.shutdown(wait=False)

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in the thread of this store. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        call = Call(work, loop, loop.create_future())
        self.waiting.put(call)
        self.thread.submit(self.do_what_waits)
        try:
            return await call.answer  # type: ignore[no-any-return]
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error

    def do_what_waits(self) -> None:
        """Do what has come up meanwhile in one go, and hand it over at once.

        With many callers a hand-over between threads costs more than most work (0.35 ms of CPU, measured with 32).
        """
        done: dict[asyncio.AbstractEventLoop, list[Done]] = {}
        for _ in range(AT_ONCE):
            if self.waiting.empty():
                break
            call = self.waiting.get()
            try:
                outcome: Any = call.work(self.open())
            except Exception as error:  # noqa: BLE001 - it is whoever called that hears it
                outcome = error
            done.setdefault(call.loop, []).append((call.answer, outcome))
        for loop, outcomes in done.items():
            with contextlib.suppress(RuntimeError):  # a loop that is closed: nobody is there any more to hear it
                loop.call_soon_threadsafe(hand_over, outcomes)

    def open(self) -> sqlite3.Connection:
        """Open the file, the first time."""
        if self.connection is None:
            self.connection = sqlite3.connect(self.file, timeout=CALL_SECONDS, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            self.connection.execute(TABLE)
        return self.connection


def hand_over(outcomes: list[Done]) -> None:
    """Give those who still wait what came of their work."""
    for answer, outcome in outcomes:
        if answer.done():
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def apply_change(db: sqlite3.Connection, partition: str, change: Write) -> str:
    """Make one change within a transaction; give the row's new etag, none for one that is removed. Raises Conflict."""
    if isinstance(change, Delete):
        done = db.execute(
            "DELETE FROM rows WHERE partition = ? AND key = ? AND (etag = ? OR ? = '')",
            (partition, change.key, change.etag, change.etag),
        )
        if change.etag and not done.rowcount:
            raise Conflict(change.key)
        return ""
    etag, body = uuid.uuid4().hex, json.dumps(change.body, ensure_ascii=False, separators=(",", ":"))
    if isinstance(change, Replace):
        done = db.execute(
            "UPDATE rows SET etag = ?, body = ? WHERE partition = ? AND key = ? AND etag = ?",
            (etag, body, partition, change.key, change.etag),
        )
    else:
        verb = {Insert: "INSERT OR IGNORE", Put: "INSERT OR REPLACE"}[type(change)]
        done = db.execute(
            f"{verb} INTO rows (partition, key, etag, body) VALUES (?, ?, ?, ?)",
            (partition, change.key, etag, body),
        )
    if not done.rowcount:
        raise Conflict(change.key)
    return etag


def as_row(found: tuple[str, str, str]) -> Row:
    """Give what was read as a row."""
    key, body, etag = found
    return Row(key, json.loads(body), etag)

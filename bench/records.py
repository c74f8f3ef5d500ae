"""What the records cost, and that it does not grow: `python -m bench.records`.

For 1,000, 10,000 and 100,000 stored requests: creating, writing a decision, reading a page of 50, reading an inbox, on
SQLite in a file. Medians in one run, as ratios to the smallest store. Tables in Azure are measured in operations
(docs/cost.md): the emulator filters whole tables by itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sqlite3
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from approvals.records import indexes
from approvals.records.lists import read_page
from approvals.records.requests import Requests, partition_of, progress_of, record_of, summary_of
from approvals.records.sqlite import SqliteStore
from approvals.rules import hearing
from approvals.rules.policy import Panel, Policy, Stage
from approvals.rules.story import RULES, Decision, Found, Request, Story

SIZES = (1_000, 10_000, 100_000)
TIMES = 200
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PEOPLE = [f"person-{n}@example.com" for n in range(20)]


def request(n: int) -> Found:
    """Build a request, a minute after the one before."""
    at = NOON + dt.timedelta(minutes=n)
    panel = Panel(approvers=(PEOPLE[n % len(PEOPLE)],), timeout_seconds=86400)
    return Found(
        request=Request(
            request_id=f"{n:032x}",
            requester="ada@example.com",
            item=f"Laptop {n}",
            created_at=at,
            deadline=at + dt.timedelta(days=1),
            policy=Policy(stages=(Stage(panel=panel),)),
            rules=RULES,
            created_by="bench",
        ),
        story=Story(),
    )


def rows_of(found: Found) -> list[tuple[str, str, str, str]]:
    """Give all rows of a started request, as they would be written one by one."""
    request_id, index = found.request.request_id, indexes.index_rows(found)
    watch = [indexes.WATCH, indexes.earliest_first(found.due_at, request_id)]
    state = {"lease_until": "2026-03-01T12:10:00.000Z", "started": True, "keyed": True, "ended": None}
    state |= {"progress": progress_of(found), "index": sorted(map(list, index)), "watch": watch} | summary_of(found)
    pointer = {"id": request_id, "at": "2026-03-01T12:00:00.000Z"}
    bodies = [(partition_of(request_id), "state", state), (partition_of(request_id), "record", record_of(found))]
    bodies += [(partition, key, pointer) for partition, key in [*index, tuple(watch)]]
    return [(partition, key, uuid.uuid4().hex, json.dumps(body)) for partition, key, body in bodies]


async def measure(size: int, folder: str) -> dict[str, float]:
    """Fill a store, and give the median milliseconds of each kind of call."""
    store = SqliteStore(Path(folder) / f"{size}.sqlite")

    def fill(db: sqlite3.Connection) -> None:
        db.execute("BEGIN")
        for n in range(size):
            db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows_of(request(n)))
        db.execute("COMMIT")

    await store.call(fill)
    requests, everything = Requests(store), indexes.list_partition(indexes.EVERYTHING, "status", "Pending")
    inbox = indexes.inbox_partition(indexes.EVERYTHING, PEOPLE[0])

    async def create(n: int) -> None:
        one = request(size + n)
        await requests.insert(one, NOON)
        await requests.keep(one, NOON)

    async def decide(n: int) -> None:
        one = request(n * (size // TIMES))
        at = one.request.created_at + dt.timedelta(hours=1)
        vote = Decision(decision_id="d", is_approved=True, approver=one.panel.approvers[0], decided_at=at)
        await requests.keep(hearing.apply_event(one, vote, "decision", at), at)

    async def read_list(_: int) -> None:
        await read_page(store, everything, after="", before="~", limit=50, now=NOON)

    async def read_inbox(_: int) -> None:
        await read_page(store, inbox, after="", before="~", limit=50, now=NOON)

    found = {}
    for name, work in {"create": create, "list": read_list, "inbox": read_inbox, "decide": decide}.items():
        took = []
        for n in range(TIMES):
            begun = time.perf_counter()
            await work(n)
            took.append((time.perf_counter() - begun) * 1000)
        found[name] = statistics.median(took)
    await store.close()
    return found


def main() -> None:
    """Measure, and print ratios."""
    with tempfile.TemporaryDirectory() as folder:
        found = {size: asyncio.run(measure(size, folder)) for size in SIZES}
    print("| | " + " | ".join(f"{size:,} stored" for size in SIZES) + " |")
    print("| --- |" + " ---: |" * len(SIZES))
    for name, first in found[SIZES[0]].items():
        cells = [f"{first:.2f} ms", *(f"{found[size][name] / first:.2f} times" for size in SIZES[1:])]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

"""The command that makes lists anew: what it finds, says, and leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys

from approvals.rebuilding import Rebuilding
from approvals.records.indexes import EVERYTHING, list_partition
from approvals.records.sqlite import SqliteStore
from approvals.records.store import Delete
from tests.builders import GRACE, NOON
from tests.localhost import ROOT, LocalHost, LocalTaskHub
from tests.unit.records.test_lists import numbered, stored


async def test_rows_that_are_missing_are_written_and_the_rest_is_left_alone():
    store, said = SqliteStore(":memory:"), []
    await stored(store, *map(numbered, range(5)))
    everything = list_partition(EVERYTHING)
    (row, *_) = await store.scan(everything, limit=10)
    await store.write(everything, Delete(row.key))

    run = Rebuilding(store, said.append)
    await run.from_records(NOON)
    again = Rebuilding(store, said.append)
    await again.from_records(NOON)

    assert len(await store.scan(everything, limit=10)) == 5
    assert (run.repaired, again.repaired) == (1, 0)
    assert f"  {row.body['id']}: 1 rows of lists were missing" in said


def test_records_that_were_lost_are_made_anew_from_the_scheduler(started, calling, tmp_path):
    """The command as an operator runs it, against a hub of its own and an app that goes on."""
    hub = started(LocalTaskHub())
    lost, found = tmp_path / "lost.sqlite", tmp_path / "found.sqlite"
    caller = calling(started(LocalHost(**{**hub.environment_of_a_host, "RECORDS_FILE": str(lost)})))
    decided, open_still = caller.asked(approvers=[GRACE]), caller.asked(approvers=[GRACE])
    caller.decide(decided)

    environment = {**os.environ, **hub.environment_of_a_host, "RECORDS_FILE": str(found)}
    run = subprocess.run(
        [sys.executable, "-m", "approvals.records", "rebuild"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert f"  {decided}: the records did not know it" in run.stdout
    assert run.stdout.rstrip().endswith("2 requests of the scheduler; 2 written anew; 0 with rows of lists mended.")
    other = calling(started(LocalHost(**{**hub.environment_of_a_host, "RECORDS_FILE": str(found)})))
    listed = {each["request_id"]: each["status"] for each in other.http.get("/api/requests").json()["requests"]}
    assert listed == {decided: "Approved", open_still: "Pending"}

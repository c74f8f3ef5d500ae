"""The bench measures four systems in one run, and what grows; here with a handful of requests."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bench import growth, table
from bench.__main__ import ROOT
from bench.systems import APPS


@pytest.mark.large
def test_the_bench_measures_every_row_of_every_system():
    said = subprocess.run(
        [sys.executable, "-m", "bench", "--requests", "20", "--pending", "0", "--rounds", "1", "--at-once", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    for row in table.ROWS:
        cells = next(line for line in said.stdout.splitlines() if line.startswith(f"| {row.name} |")).split("|")[3:-1]
        assert len(cells) == len(table.columns(APPS))
        assert all(float(cell.strip(f" {table.WORSE}")) > 0 for cell in cells), cells
    raised = next(line for line in said.stdout.splitlines() if line.startswith("| Calls to the scheduler per creation"))
    assert "1.00" in raised, "each of them starts an instance with one call"


@pytest.mark.large
def test_growth_is_measured_by_size_and_drawn(tmp_path):
    found = {
        "turns": {str(votes): growth.turn_ms(votes) for votes in (1, 25)},
        "memory": asyncio.run(growth.memory([5, 10])),
        "cold_start": growth.cold_start(),
        "alone": {name: growth.alone(folder) for name, folder in growth.APPS.items()},
    }
    growth.plot(found, tmp_path / "growth.svg")

    assert found["turns"]["25"] > found["turns"]["1"]
    assert [row["pending"] for row in found["memory"]] == [5, 10]
    assert found["cold_start"] > 1
    assert found["alone"]["sample"]["decision_calls"] == 2, "a look and an event"
    assert found["alone"]["ours"]["decision_calls"] >= 3, "a look, an event, and a look that confirms it"
    assert (tmp_path / "growth.svg").read_text().startswith("<?xml")


def test_a_peer_that_was_played_stands_beside_ours_and_what_it_does_not_count_is_left_open():
    ours = {row.key: 2.0 for row in table.ROWS}
    played = {name: {0: [ours]} for name in APPS}
    played["restate"] = {0: [{"cycles": 4.0, **{row.key: 1.0 for row in table.ROWS[1:-5]}}]}

    text = table.markdown(played, "as it was")

    def cells(row):
        return next(line for line in text.splitlines() if line.startswith(f"| {row.name} |")).split("|")[3:-1]

    assert [cell.strip() for cell in cells(table.ROWS[0])] == ["1.00"] * 4 + [f"{table.WORSE} 0.50"]
    assert [cell.strip() for cell in cells(table.ROWS[-1])] == ["1.00"] * 4 + [table.NOT_COUNTED]
    assert "ours : sample : floor : seed : restate" in text


def test_without_the_peer_nothing_is_said_of_it():
    text = table.markdown({name: {0: [{row.key: 1.0 for row in table.ROWS}]} for name in APPS}, "as it was")

    assert "restate" not in text

"""What grows: `python -m bench.growth`, with `--plots` also as SVG for the documents.

CPU of a turn with ever more votes, resident memory with ever more pending requests, the cold start, and what the
app's own code costs without a host. Each is measured by itself, in processes of its own where memory counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

from approvals.rules import events
from approvals.rules.story import Story
from bench import trial
from bench.load import Callers
from bench.policies import finish
from bench.systems import ROOT, running
from tests import simulation
from tests.builders import HOUR, a_panel, a_policy, asked, decided

APPS = {"ours": ROOT, "sample": ROOT / "bench" / "sample"}
PLOT = ROOT / "docs" / "growth.svg"
VOTES = (1, 5, 20, 100)
PANEL = 20
"""How many people a stage may ask; more votes are more stages."""
TIMES = 15
STARTS = 5
COLD = """
import time
began = time.process_time()
import azure.functions, azure.durable_functions
frameworks = time.process_time() - began
import function_app
print(frameworks, time.process_time() - began)
"""


def turn_ms(votes: int) -> float:
    """Give the milliseconds of CPU of the last turn of an approval with so many votes, the least of several."""
    sizes = [min(PANEL, votes - first) for first in range(0, votes, PANEL)]
    people = [[f"person-{stage}-{slot}" for slot in range(size)] for stage, size in enumerate(sizes)]
    policy = a_policy(*(a_panel(*names, hours=100, required=len(names)) for names in people))
    instance = simulation.Instance(asked(policy=policy)).start()
    for stage, names in enumerate(people):
        finish(instance)
        for slot, name in enumerate(names):
            after = instance.now - instance.request.created_at + HOUR / 100
            vote = decided(name, slot=slot, stage=stage, after=after, decision_id=f"d{stage}-{slot}")
            instance.deliver(instance.decision(vote, key=events.slot_key(Story(stage=stage), slot)))
    finish(instance)
    if not instance.end:
        raise RuntimeError(f"an approval with {votes} votes did not end")
    length, _ = instance.answers[-1]
    least = float("inf")
    for _ in range(TIMES):
        began = time.process_time()
        simulation.answer(instance.history[:length], instance.request)
        least = min(least, time.process_time() - began)
    return 1000 * least


async def memory(sizes: list[int]) -> list[dict[str, float]]:
    """Give the resident kilobytes for each pending request, of the app and of the hub, at each size."""
    found = []
    async with running("ours") as system, Callers(system.url, 16, 0.005) as callers:
        await trial.warm(system, callers)
        app, hub = system.app.memory, system.hub.memory
        for size in sizes:
            await trial.fill(system, callers, size)
            grown = {"app": system.app.memory - app, "hub": system.hub.memory - hub}
            found.append({"pending": size, **{name: bytes_ / size / 1000 for name, bytes_ in grown.items()}})
    return found


def cold_start() -> float:
    """Give the CPU of importing `function_app`, frameworks included, over that of the frameworks; median."""
    ratios = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            environment = {**os.environ, "RECORDS_FILE": f"{folder}/records.sqlite", "NOTIFY_URLS": ""}
            said = subprocess.run(
                [sys.executable, "-c", COLD], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
            ).stdout.split()
        frameworks, whole = map(float, said[-2:])
        ratios.append(whole / frameworks)
    return median(ratios)


def alone(folder: Path) -> dict[str, float]:
    """Measure an app's code without a host, in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.alone", str(folder)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return json.loads(said.splitlines()[-1])


def measure(sizes: list[int]) -> dict[str, Any]:
    """Measure all of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's notices about itself
        turns = {str(votes): turn_ms(votes) for votes in VOTES}
    return {
        "turns": turns,
        "memory": asyncio.run(memory(sizes)),
        "cold_start": cold_start(),
        "alone": {name: alone(folder) for name, folder in APPS.items()},
    }


def markdown(found: dict[str, Any]) -> str:
    """Write the tables."""
    first = found["turns"]["1"]
    ours, sample = found["alone"]["ours"], found["alone"]["sample"]
    lines = [
        "| Votes | CPU of a turn | over that with 1 vote |",
        "|---:|---:|---:|",
        *(f"| {votes} | {ms:.2f} ms | {ms / first:.2f} |" for votes, ms in found["turns"].items()),
        "",
        "| Pending requests | resident memory each, app | hub |",
        "|---:|---:|---:|",
        *(f"| {it['pending']:,} | {it['app']:.2f} kB | {it['hub']:.2f} kB |" for it in found["memory"]),
        "",
        "| The app's own code, no host | ours | sample | calls to the client, ours | sample |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {what} | {ours[what + '_ms']:.3f} ms | {sample[what + '_ms']:.3f} ms "
            f"| {ours[what + '_calls']:g} | {sample[what + '_calls']:g} |"
            for what in ("creation", "decision", "look")
        ),
        "",
        f"Cold start, CPU of importing `function_app` over that of its frameworks: {found['cold_start']:.2f}.",
    ]
    return "\n".join(lines) + "\n"


def plot(found: dict[str, Any], file: Path) -> None:
    """Draw the rows that grow."""
    import matplotlib as mpl  # noqa: PLC0415 - only who draws needs it

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "bench"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot([int(votes) for votes in found["turns"]], list(found["turns"].values()), marker="o")
    left.set(xlabel="votes", ylabel="ms of CPU", title="The last turn", ylim=(0, None))
    for name in ("app", "hub"):
        rows = found["memory"]
        right.plot([row["pending"] for row in rows], [row[name] for row in rows], marker="o", label=name)
    right.set(xlabel="pending requests", ylabel="kB each", title="Resident memory", ylim=(0, None))
    right.legend()
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Measure, print, and draw when asked."""
    ask = argparse.ArgumentParser(prog="python -m bench.growth", description="Measure what grows.")
    ask.add_argument("--pending", default="1000,10000,20000", metavar="N,N", help="default: %(default)s")
    ask.add_argument("--plots", type=Path, nargs="?", const=PLOT, metavar="FILE", help="draw them, too")
    said = ask.parse_args()
    sizes = sorted({int(number) for number in said.pending.split(",")})
    if sizes[0] < 1:
        ask.error("at least 1 pending request")
    found = measure(sizes)
    print(markdown(found))
    if said.plots:
        plot(found, said.plots)


if __name__ == "__main__":
    main()

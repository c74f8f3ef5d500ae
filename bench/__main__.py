"""`python -m bench`: measure the systems in turn and print how they relate."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

from bench import policies, table, trial
from bench.load import Callers
from bench.peer import NAME, PeerCallers, running_peer
from bench.systems import APPS, ROOT, Failed, running

OUTPUT = ROOT / ".bench" / "latest.md"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    ask = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure this app against the shape of Microsoft's human-interaction sample; print ratios.",
    )
    ask.add_argument("--requests", type=int, default=1000, metavar="N", help="requests a trial (default: %(default)s)")
    ask.add_argument(
        "--pending",
        type=lambda text: sorted({int(number) for number in text.split(",")}),
        default="0",
        metavar="N,N",
        help="how many other requests are pending, a trial each (default: %(default)s)",
    )
    ask.add_argument("--rounds", type=int, default=3, help="how often each is started anew (default: %(default)s)")
    ask.add_argument("--at-once", type=int, default=32, metavar="N", help="callers (default: %(default)s)")
    ask.add_argument(
        "--pause", type=float, default=0.005, metavar="S", help="seconds before a look (default: %(default)s)"
    )
    ask.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes of an app's own on the local host (default: 0)"
    )
    ask.add_argument("--restate", action="store_true", help="measure Restate too, which make bench-restate installs")
    ask.add_argument("--policies", action="store_true", help="measure only what policies cost; needs no task hub")
    ask.add_argument("--quick", action="store_true", help="a smoke test in seconds: few requests, one round")
    said = ask.parse_args()
    if said.quick:
        said.requests, said.pending, said.rounds = 60, [0, 100], 1
    if said.requests < 20 or said.rounds < 1 or min(said.pending) < 0:
        ask.error("at least 20 requests, one round, and no fewer than 0 pending")
    return said


async def play(name: str, said: argparse.Namespace) -> dict[int, trial.Figures]:
    """Start a system, measure it with ever more requests pending, and end it."""
    figures = {}
    start, speak = (running_peer(), PeerCallers) if name == NAME else (running(name, said.workers), Callers)
    async with start as system, speak(system.url, said.at_once, said.pause) as callers:
        await trial.warm(system, callers)
        for pending in said.pending:
            began = time.perf_counter()
            await trial.fill(system, callers, pending)
            figures[pending] = await trial.measure(system, callers, said.requests, pending)
            print(f"  {name}, {pending:,} pending: {time.perf_counter() - began:.0f} s", flush=True)
    return figures


async def compare(said: argparse.Namespace) -> str:
    """Measure in alternation, so that what else the machine does falls on all; give the table."""
    names = [*APPS, *([NAME] if said.restate else [])]
    played = {name: {pending: [] for pending in said.pending} for name in names}
    for number in range(said.rounds):
        print(f"Round {number + 1} of {said.rounds}", flush=True)
        for name, rounds in played.items():
            for pending, figures in (await play(name, said)).items():
                rounds[pending].append(figures)
    python = ".".join(map(str, sys.version_info[:2]))
    conditions = (
        f"medians of {said.rounds} rounds of {said.requests:,} requests, {said.at_once} callers at once, "
        f"{1000 * said.pause:g} ms before a first look, {said.workers} worker processes on the local host, "
        f"Python {python}, {os.cpu_count()} processors"
    )
    return table.markdown(played, conditions)


def main() -> int:
    """Run, print the table and keep it."""
    said = arguments()
    began = time.perf_counter()
    costs = policies.table()
    if said.policies:
        print(costs)
        return 0
    try:
        text = f"{asyncio.run(compare(said))}\n{costs}"
    except (Failed, TimeoutError, ExceptionGroup) as error:
        first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        print(
            f"Not measured: {type(first).__name__}: {first}",
            *getattr(error, "__notes__", ()),
            sep="\n",
            file=sys.stderr,
        )
        return 1
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text)
    print(f"\n{text}\nWritten to {OUTPUT.relative_to(ROOT)} after {time.perf_counter() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

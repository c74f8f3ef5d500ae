"""The approval as a workflow of Restate: ask, wait for an answer or the deadline, act on it.

Callers speak to Restate's own ingress, with nothing in between. Run by the interpreter of this folder's environment,
which has Restate's SDK; `SIGUSR1` has it write how many requests wait for a decision into the file that it is given.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config

approval = restate.Workflow("approval")
waiting = 0
"""Requests that wait for a decision, or are being ended; no process ends meanwhile, so that nothing is replayed."""


async def submit() -> dict[str, str]:
    """Stand for telling an approver."""
    return {"status": "Pending"}


@approval.main()
async def run(context: restate.WorkflowContext, asked: dict) -> dict:
    """Ask, wait for an answer or the deadline, act on it."""
    global waiting  # noqa: PLW0603 - one number of one process
    context.set("said", await context.run_typed("submit", submit))
    waiting += 1
    answered = context.promise("answer").value()
    deadline = context.sleep(timedelta(hours=asked["timeout_hours"]))
    won = await restate.select(answer=answered, deadline=deadline)

    async def process() -> dict:
        """Stand for acting on the answer."""
        return {**won[1], "status": "Approved" if won[1]["is_approved"] else "Rejected"}

    outcome = {"status": "Timeout"} if won[0] == "deadline" else await context.run_typed("process", process)
    context.set("said", outcome)
    waiting -= 1
    return outcome


@approval.handler()
async def decide(context: restate.WorkflowSharedContext, said: dict) -> dict:
    """Hand a decision over: the promise is resolved, durably; what becomes of it a look tells."""
    await context.promise("answer").resolve(said)
    return {"message": "handed over"}


@approval.handler()
async def look(context: restate.WorkflowSharedContext) -> dict:
    """Tell how far it is."""
    return await context.get("said") or {"status": "Pending"}


async def main(statistics: Path) -> None:
    """Serve on any free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    listener.setblocking(False)
    config = Config()
    config.bind, config.accesslog = [f"fd://{listener.fileno()}"], None
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: write(statistics))
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, ended.set)
    print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await serve(restate.app([approval]), config, shutdown_trigger=ended.wait)


def write(statistics: Path) -> None:
    """Write the count, whole or not at all."""
    fresh = statistics.with_suffix(".new")
    fresh.write_text(json.dumps({"pending_timers": waiting}))
    fresh.rename(statistics)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

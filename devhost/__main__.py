"""`python -m devhost`: run a function app on this machine, with nothing but Python."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path

from devhost import connection, index, invocations, outbox
from devhost.host import HIGHEST_PORT, Host, PortTaken, is_loopback
from devhost.processes import WorkerEnded


def arguments() -> argparse.Namespace:
    """Read the command line."""
    ask = argparse.ArgumentParser(
        prog="python -m devhost",
        description="A local host for function apps: no Azure tools, no keys, no durability beyond the task hub's.",
        epilog="With ENDPOINT and TASKHUB set it uses that task hub (the scheduler's emulator, a deployed scheduler, "
        "or python -m devhost.taskhub) instead of an embedded one.",
    )
    ask.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    ask.add_argument("--port", type=port, default=7071, help="port of the app, 0 for any (default: %(default)s)")
    ask.add_argument("--rpc-port", type=port, default=17071, help="port of the durable RPC (default: %(default)s)")
    ask.add_argument("--app", type=Path, default=Path(), metavar="FOLDER", help="where function_app.py is")
    ask.add_argument("--unkind", type=int, metavar="SEED", help="lose, double and shuffle as the real thing may")
    ask.add_argument("--workers", type=int, default=0, metavar="N", help="run the app's functions in N processes")
    ask.add_argument("--verbose", action="store_true", help="log what the libraries say, too")
    return ask.parse_args()


def port(text: str) -> int:
    """Read a port."""
    number = int(text)
    if not 0 <= number <= HIGHEST_PORT:
        raise ValueError(text)
    return number


def examples(base: str) -> list[str]:
    """Give the curl lines that the app's own docstring offers, at this host's address."""
    doc = importlib.import_module("function_app").__doc__ or ""
    commands = doc.replace("\\\n", "\\\n  ").split("\n\n")
    found = [line.strip() for line in commands if line.strip().startswith("curl ")]
    return [command.replace("http://localhost:7071", base) for command in found]


def greeting(host: Host) -> str:
    """Say what runs, where, and what to try."""
    lines = [
        "Local Functions host, for development: no keys are checked, nothing here is deployed.",
        f"  app        {host.app.folder.resolve()}  ({host.url})",
        f"  durable    {host.rpc_url}",
        f"  task hub   {host.task_hub}",
    ]
    if host.outbox:
        lines += [f"  outbox     {host.url}{outbox.PATH}  (the mail that the app sends stays there)"]
    if commands := examples(host.url):
        lines += ["", "Try it:", *(f"  {command}" for command in commands)]
    elif host.app.http:
        lines += ["", "Routes:", *(f"  {', '.join(f.methods)} /{f.route}" for f in host.app.http)]
    if any(function.route.template == "" for function in host.app.http):
        lines += ["", f"A page to open: {host.url}/"]
    return "\n".join([*lines, "", f"Listening on {host.url} (Ctrl-C ends it)"])


async def serve(said: argparse.Namespace) -> int:
    """Run until told to end."""
    kept = await outbox.keep(said.app, os.environ) if is_loopback(said.host) else None
    address = connection.from_environment(os.environ)
    folder = contextlib.nullcontext() if address else tempfile.TemporaryDirectory(prefix="devhost-")
    with folder as kept_here:
        if kept_here:
            index.keep_in(said.app, Path(kept_here), os.environ)
        return await run(said, address, kept)


async def run(said: argparse.Namespace, address: connection.TaskHubAddress | None, kept: outbox.Outbox | None) -> int:
    """Run the app until told to end."""
    app = index.load(said.app)
    host = Host(app, said.host, said.port, said.rpc_port, address, said.unkind, said.workers, outbox=kept)
    told = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C cancels this, as asyncio has it
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(sign, told.set)
    if address:
        print(f"Reaching {address} ...", flush=True)
    try:
        await host.start()
        print(greeting(host), flush=True)
        await told.wait()
        print("Ending.", flush=True)
    finally:
        await host.stop()
    return 0


def main() -> int:
    """Run, and turn what is wrong with the surroundings into a sentence."""
    said = arguments()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S"
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(invocations.InvocationFilter())
    if not said.verbose:
        warnings.filterwarnings("ignore", "Potential duplicate Task completion")
        for name in ("azure", "durabletask", "aiohttp", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return asyncio.run(serve(said))
    except (index.Refused, connection.Unconfigured, PortTaken, WorkerEnded) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # function threads that still sleep must not keep a host alive that was told to end
    os._exit(status)

"""`python -m devhost.taskhub`: the embedded task hub by itself."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from devhost.taskhub.hub import TaskHub
from devhost.taskhub.unkind import UnkindTaskHub


def main(arguments: list[str] | None = None) -> None:
    """Run a hub by itself until SIGINT or SIGTERM. Exits with a sentence when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m devhost.taskhub", description="The embedded task hub by itself.")
    parser.add_argument("--port", type=int, default=0, help="port of 127.0.0.1; 0, the default, takes a free one")
    parser.add_argument("--stats", type=Path, metavar="FILE", help="write the counts there on SIGUSR1 and at the end")
    parser.add_argument("--unkind", type=int, metavar="SEED", help="misbehave as the real one does on a bad day")
    options = parser.parse_args(arguments)

    # The signals are blocked before there are other threads, which inherit that, and waited for here: delivered to
    # a thread of gRPC, one would wake nobody.
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    port, seed = options.port, options.unkind
    hub = TaskHub(port) if seed is None else UnkindTaskHub(port, seed=seed)

    def write_statistics() -> None:
        if options.stats:
            whole = options.stats.with_name(options.stats.name + ".new")
            whole.write_text(json.dumps(hub.statistics()) + "\n")
            whole.replace(options.stats)  # a reader never sees half a file

    try:
        address = hub.start()
    except OSError as error:
        sys.exit(str(error))
    print(f"Embedded task hub on {address}. Its state is in memory and ends with it.", flush=True)
    print("Ready. Ctrl-C ends it.", flush=True)
    while signal.sigwait(signals) == signal.SIGUSR1:
        write_statistics()
    hub.stop()
    write_statistics()


if __name__ == "__main__":
    main()

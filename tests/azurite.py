"""Azurite, the emulator of Azure Storage, for the tests that need it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 60


def free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def azurite(kind="table"):
    """Run the emulator of tables or blobs; give its endpoint."""
    program = ROOT / f"node_modules/.bin/azurite-{kind}"
    folder, port = tempfile.mkdtemp(prefix="azurite-"), free_port()
    command = [program, f"--{kind}Host", "127.0.0.1", f"--{kind}Port", str(port), "--location", folder, "--silent"]
    process = subprocess.Popen([*command, "--skipApiVersionCheck"], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < end, "Azurite does not listen"
            time.sleep(0.1)  # it has no way to say that it listens
        yield f"http://127.0.0.1:{port}/devstoreaccount1"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def is_here(kind="table"):
    return (ROOT / f"node_modules/.bin/azurite-{kind}").exists()

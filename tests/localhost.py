"""A local host in a process of its own, as a person would start it; and a task hub in another."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 30
SETTINGS = {
    *(
        "ENDPOINT",
        "TASKHUB",
        "PUBLIC_BASE_URL",
        "RECORDS_FILE",
        "RECORDS_TABLE_ENDPOINT",
        "NOTIFY_LOG",
        "NOTIFY_URLS",
        "NOTIFY_REQUESTER",
        "CALLBACKS",
        "EVENT_TYPE_PREFIX",
    ),
    *("APPROVAL_LINK_KEYS", "CALLERS", "TRUST_EASY_AUTH", "WEBSITE_AUTH_ENABLED", "WEBSITE_SITE_NAME"),
}
"""What this machine may have set, and the tests choose themselves."""


@dataclass
class Process:
    """A process whose output is kept, started when it has printed a line that matches `ready`."""

    arguments: list[str]
    ready: str
    environment: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def start(self):
        plain = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            cwd=ROOT,
            env={**plain, "PYTHONUNBUFFERED": "1", **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.started.wait(PATIENCE) or not self.found:
            self.kill()
            raise AssertionError("did not start:\n" + self.output)
        return self

    def _read(self):
        self.found = None
        for line in self.process.stdout:
            self.lines.append(line)
            if not self.found and (found := re.search(self.ready, line)):
                self.found = found
                self.started.set()
        self.process.stdout.close()
        self.started.set()

    @property
    def output(self):
        return "".join(self.lines)

    def wait_for(self, pattern):
        """Wait until it has printed a line that matches."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.output):
            assert time.monotonic() < end, f"no line matches {pattern} in:\n{self.output}"
            time.sleep(0.02)

    def kill(self):
        """End it as a crash would: kill -9."""
        self.process.kill()
        self._gone()

    def stop(self, sign=signal.SIGINT):
        """End it as a person would: Ctrl-C. Gives the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
        self._gone()
        return self.process.returncode

    def _gone(self):
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.reader.join(PATIENCE)


class LocalHost(Process):
    """`python -m devhost`."""

    def __init__(self, *arguments, app=ROOT, port=0, **environment):
        super().__init__(
            ["devhost", "--port", str(port), "--rpc-port", "0", "--app", str(app), *arguments],
            r"^Listening on (http://\S+)",
            {"NOTIFY_LOG": "false", "NOTIFY_URLS": "", **environment},
        )

    @property
    def url(self):
        return self.found[1]

    @property
    def rpc_url(self):
        return re.search(r"durable\s+(http://\S+)", self.output)[1]


class ClockedHost(LocalHost):
    """A local host on a clock that tests move."""

    def __init__(self, *arguments, **environment):
        super().__init__(*arguments, **environment)
        self.arguments[0] = "tests.clocked"

    def move(self, seconds):
        """Move its clock forward."""
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()


class LocalTaskHub(Process):
    """`python -m devhost.taskhub`."""

    def __init__(self, *arguments, port=0):
        super().__init__(["devhost.taskhub", "--port", str(port), *arguments], r"127\.0\.0\.1:(\d+)")
        self.folder = tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True)
        weakref.finalize(self, self.folder.cleanup)

    @property
    def environment_of_a_host(self):
        """Lead a host here; the records of this hub's requests are in a file of its own."""
        records = str(Path(self.folder.name) / "records.sqlite")
        return {"ENDPOINT": f"http://127.0.0.1:{self.found[1]}", "TASKHUB": "default", "RECORDS_FILE": records}

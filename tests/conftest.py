"""What the tests share: one local host a worker, and a caller who speaks to it over HTTP."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest

from tests import chance, promises
from tests.builders import a_cancellation, a_decision, a_request
from tests.chance import few, seeds, times
from tests.localhost import ClockedHost

__all__ = ["few", "seeds", "times"]


def pytest_addoption(parser):
    """Let `make test-all` ask for everything."""
    parser.addoption("--all", action="store_true", help="everything: large tests too, and large searches")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Say how far the random tests go."""
    chance.prepare(config)


def pytest_report_header(config):
    """Say how long it takes, and how to play it again."""
    everything = config.getoption("--all")
    target, takes = ("test-all", "ten minutes") if everything else ("test", "two minutes")
    return [
        f"make {target}: about {takes} on two cores{'' if everything else '; make test-all tries much more'}.",
        f"Random tests go by seed {chance.SEED}: SEED={chance.SEED} make {target} plays the same again.",
    ]


@pytest.fixture(scope="session")
def host():
    """Give a running local host on an embedded task hub; each worker has its own, and its clock is moved."""
    running = ClockedHost().start()
    yield running
    running.stop()


class Caller:
    """A back-end team that calls the API."""

    def __init__(self, base_url):
        self.http = httpx.Client(
            base_url=base_url, timeout=40, trust_env=False, event_hooks={"response": [promises.check]}
        )

    def ask(self, key=None, **fields):
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post("/api/requests", json=a_request(**fields), headers=headers)

    def sweep(self):
        """Have done now what the app does by itself every minute."""
        assert self.http.post("/admin/functions/sweep", json={}).status_code == 202

    def purge(self, request_id):
        """Have the scheduler forget a request, as soon as its instance has ended."""
        for _ in range(1000):
            if self.http.delete(f"/runtime/webhooks/durabletask/instances/{request_id}").status_code == 200:
                return
            time.sleep(0.02)
        raise AssertionError("its instance does not end")

    def asked(self, **fields):
        """Ask, and give the id of the request."""
        return self.ask(**fields).raise_for_status().json()["request_id"]

    def decide(self, request_id, **fields):
        return self.http.post(f"/api/approvals/{request_id}", json=a_decision(**fields))

    def cancel(self, request_id, **fields):
        return self.http.post(f"/api/requests/{request_id}/cancel", json=a_cancellation(**fields))

    def look(self, request_id, wait=None):
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return self.http.get(f"/api/requests/{request_id}", headers=headers)

    def until(self, request_id, seen):
        """Look until something is seen that no call waits for, and give the story."""
        for _ in range(1000):
            if seen(story := self.look(request_id).raise_for_status().json()):
                return story
            time.sleep(0.02)
        raise AssertionError(story)

    def outcome(self, request_id, wait=20):
        """Wait until the request has an outcome, and give its whole story."""
        return self.look(request_id, wait).raise_for_status().json()


@pytest.fixture(scope="session")
def caller(host):
    """Give a caller of the session's host."""
    one = Caller(host.url)
    yield one
    one.http.close()


@pytest.fixture
def started():
    """Start processes that end with the test: `started(LocalHost(...))`."""
    with contextlib.ExitStack() as ending:

        def start(process):
            ending.callback(process.stop)
            return process.start()

        yield start


@pytest.fixture
def calling():
    """Give callers of other hosts than the session's: `calling(host)`."""
    with contextlib.ExitStack() as ending:

        def call(host):
            one = Caller(host.url)
            ending.callback(one.http.close)
            return one

        yield call

"""How far random tests and sweeps go, and by which chance: a little every day, all of it in `make test-all`.

A run has one seed, printed at its start: a new one each time, in CI the day, after `SEED=123 make test` that one.
Nothing is kept between runs; what a random test finds becomes an `@example`.
"""

from __future__ import annotations

import datetime as dt
import os
import random

import pytest
from hypothesis import HealthCheck, settings

EVERYDAY = "not large"
"""What is chosen where nobody chooses: see `addopts` in pyproject.toml."""


def chosen(environment, today):
    """Give the seed of a run."""
    wished = environment.get("SEED") or (f"{today:%Y%m%d}" if environment.get("CI") else random.randrange(10**8))
    return int(wished)


SEED = chosen(os.environ, dt.datetime.now(dt.UTC))
os.environ["SEED"] = str(SEED)  # for the other workers of this run
everything = False


def prepare(config):
    """Set how far this run goes, before the tests are read: the decorators below depend on it."""
    global everything  # noqa: PLW0603 - decorators have no other way to know
    everything = config.getoption("--all")
    if everything and config.option.markexpr == EVERYDAY:
        config.option.markexpr = ""
    config.option.hypothesis_seed = SEED
    slow_machine = [HealthCheck.too_slow]
    settings.register_profile(
        "run", database=None, derandomize=False, deadline=None, print_blob=True, suppress_health_check=slow_machine
    )
    settings.load_profile("run")


def size(everyday, large):
    """Give one of two numbers: for every day, or for `make test-all`."""
    return large if everything else everyday


def sized(everyday, large=None):
    """Mark a test that is smaller every day: it takes so many `times` or `seeds`, or a `few` of anything."""
    return pytest.mark.sized(everyday, large)


def examples(everyday, large):
    """Let Hypothesis try so many examples every day, and so many in `make test-all`."""
    return lambda test: sized(everyday, large)(settings(max_examples=size(everyday, large))(test))


def of(request):
    """Give the number for this run of a test marked `sized`."""
    return size(*request.node.get_closest_marker("sized").args)


@pytest.fixture
def times(request):
    """Give how often something is done, as the test's mark says."""
    return of(request)


@pytest.fixture
def seeds(request):
    """Give seeds of random searches, as many as the test's mark says; each names the run it comes from."""
    return [f"{SEED}-{number}" for number in range(of(request))]


@pytest.fixture
def few(request):
    """Choose by the run's seed as many of some things as the test's mark says; in `make test-all` all of them."""

    def choose(things):
        things, most = list(things), of(request)
        return things if most is None or most >= len(things) else random.Random(SEED).sample(things, most)

    return choose

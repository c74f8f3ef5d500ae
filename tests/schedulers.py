"""A scheduler in memory, as kind and as unkind as the real one: a start wipes out what has ended, and a purge all."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from approvals.errors import SchedulerUnavailable
from approvals.rules import hearing
from approvals.rules.events import read_event
from approvals.rules.story import Found, Story
from tests.builders import NOON


class MovedClock:
    """A clock that moves when it is told, or when somebody sleeps."""

    def __init__(self, now=NOON):
        self.time, self.passed = now, 0.0

    def now(self):
        return self.time

    def elapsed(self):
        return self.passed

    async def sleep(self, seconds):
        self.move(seconds=seconds)

    def move(self, **by):
        by = dt.timedelta(**by)
        self.time += by
        self.passed += by.total_seconds()


class FakeScheduler:
    """Instances by id. `starts` counts how often each was really begun."""

    def __init__(self, clock):
        self.clock, self.there, self.starts, self.is_away = clock, {}, Counter(), False
        self.callbacks = []

    def check(self):
        if self.is_away:
            raise SchedulerUnavailable

    async def start(self, request):
        self.check()
        here = self.there.get(request.request_id)
        if here and here.story.is_open:
            return False
        self.starts[request.request_id] += 1
        self.there[request.request_id] = Found(request=request, story=Story())
        return True

    async def read(self, request_id):
        self.check()
        return self.there.get(request_id)

    look = read

    async def raise_event(self, request_id, name, data):
        self.check()
        key = name.removesuffix(f"-{request_id}").rpartition("-")[0]
        found = self.there[request_id]
        self.there[request_id] = hearing.apply_event(found, read_event(key, data), key, self.clock.now())

    async def start_callback(self, delivery):
        self.check()
        if delivery.instance_id not in [each.instance_id for each in self.callbacks]:
            self.callbacks.append(delivery)

    async def purge(self, request_id):
        self.there.pop(request_id, None)
        return True

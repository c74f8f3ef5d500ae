"""The task hub on a bad day: everything the real one is allowed to do, often, and repeatably by a seed.

Nothing here is invented: an event raised to a Pending instance was acknowledged and then discarded by the real
extension (12 of 200 in a recorded run); of 40 timers of two to four seconds 35 fired early, by 0.92 s at most, since
its queue counts whole seconds and rounds down, and a timer set nearer than a second fired at once, again and again
(up to 31 turns in a row); and the rest is what delivery at least once means.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from devhost.taskhub.hub import TaskHub

if TYPE_CHECKING:
    from durabletask.internal import orchestrator_service_pb2 as pb

    from devhost.taskhub.agenda import Execution
    from devhost.taskhub.executions import Activity
    from devhost.taskhub.leases import Lease

LATEST_COPY_SECONDS = 0.05
"""How long the second copy of an event may be on its way."""
BEHIND_THE_SECOND = (0.08, 0.2)
"""How long after the last whole second a timer fires, least and most: early by 0.92 s at most, and 34 of 40 early."""
AT_ONCE_SECONDS = 0.03
"""How soon a timer fires that is nearer than a second."""
BOTH_RESULTS = 0.25
"""How often both results of an activity that ran twice are delivered, and not the first alone."""
IN_PLACE = frozenset(
    {
        "orchestratorStarted",
        "executionStarted",
        "executionSuspended",
        "executionResumed",
        "executionTerminated",
        "executionRewound",
    }
)
"""Events that stay where they are, and that no other passes."""


@dataclass(frozen=True)
class Unkindness:
    """How often each thing goes wrong, from 0 (never) to 1 (always)."""

    lose_pending_event: float = 0.2
    """Of the events raised to an instance that has not completed a turn."""
    double_event: float = 0.1
    """Of the events raised."""
    double_activity: float = 0.1
    """Of the activities scheduled."""
    shuffle: float = 0.3
    """Of the groups of events that arrived together."""
    early_timer: float = 1.0
    """Of the timers, how many are counted in whole seconds, rounded down; most of those fire early."""
    lost_completion: float = 0.1
    """Of the reports of turns and of activities."""


class UnkindTaskHub(TaskHub):
    """A task hub that loses, doubles, shuffles and repeats.

    One generator decides everything, in the order in which things happen: equal calls in equal order meet equal
    faults.
    """

    def __init__(self, port: int = 0, *, seed: int = 0, rates: Unkindness | None = None) -> None:
        super().__init__(port)
        self.unkind_counts: Counter[str] = Counter()
        """What has gone wrong: the names of the rates, and double_result for both results of one activity."""
        self._rates = rates or Unkindness()
        self._random = random.Random(seed)

    def statistics(self) -> dict[str, Any]:
        """Give the hub's figures, and under "unkind" what has gone wrong."""
        with self._lock:
            return {**super().statistics(), "unkind": dict(self.unkind_counts)}

    def _happens(self, fault: str) -> bool:
        happens = self._random.random() < getattr(self._rates, fault)
        self.unkind_counts[fault] += happens
        return happens

    def _receive(self, execution: Execution, event: pb.HistoryEvent) -> None:
        if not execution.started and self._happens("lose_pending_event"):
            return
        super()._receive(execution, event)
        if self._happens("double_event"):
            copy = type(event)()
            copy.CopyFrom(event)
            if self._random.random() < 1 / 2:
                super()._receive(execution, copy)
            else:
                self._agenda.add(time.time() + self._random.uniform(0, LATEST_COPY_SECONDS), execution, copy)

    def _arrange(self, events: list[pb.HistoryEvent]) -> list[pb.HistoryEvent]:
        arranged: list[pb.HistoryEvent] = []
        for fixed, group in groupby(super()._arrange(events), lambda event: event.WhichOneof("eventType") in IN_PLACE):
            together = list(group)
            if not fixed and len(together) > 1 and self._happens("shuffle"):
                order = list(range(len(together)))
                while order == sorted(order):
                    self._random.shuffle(order)
                together = [together[place] for place in order]
            arranged += together
        return arranged

    def _schedule(self, activity: Activity) -> None:
        super()._schedule(activity)
        if self._happens("double_activity"):
            super()._schedule(activity)

    def _when_fires(self, fire_at: float) -> float:
        left = fire_at - time.time()
        if left <= 0 or not self._happens("early_timer"):
            return super()._when_fires(fire_at)
        whole = int(left)
        behind = self._random.uniform(*BEHIND_THE_SECOND) if whole else AT_ONCE_SECONDS
        return min(fire_at, fire_at - left + whole + behind)

    def _accepts(self, lease: Lease) -> bool:
        return super()._accepts(lease) and not self._happens("lost_completion")

    def _conclude(self, activity: Activity, event: pb.HistoryEvent) -> None:
        if activity.concluded and self._random.random() < BOTH_RESULTS:
            self.unkind_counts["double_result"] += 1
            self._deliver(activity.execution, event)
        else:
            super()._conclude(activity, event)

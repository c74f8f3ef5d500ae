"""What is due later: the history events that wait for their instant, and the executions they are for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from durabletask.internal import orchestrator_service_pb2 as pb

CLOCK_CHECK_SECONDS = 60.0
"""The longest sleep of the agenda: somebody may set the wall clock meanwhile."""


@dataclass(eq=False, slots=True)
class Execution:
    """One run of an instance from its start to its end, to its continuation as new or to its replacement.

    Whatever comes later (a timer, a result, a child's end) holds the execution it is for, and is dropped when
    that one is no longer live.
    """

    instance_id: str
    started: bool
    """Whether the instance has completed an orchestrator turn, in this execution or in one it continues."""
    live: bool = True
    late: int = 0
    """How many events of the agenda are for it."""


class Agenda:
    """History events that are due later: one heap and one thread, however many there are.

    All its methods are called under the hub's lock, and so is `deliver`. Events of executions that have ended
    are left in the heap until they are the greater part of it; so it holds at most twice what is needed.
    """

    def __init__(self, lock: threading.RLock, deliver: Callable[[Execution, pb.HistoryEvent], None]) -> None:
        self._changed = threading.Condition(lock)
        self._deliver = deliver
        self._heap: list[tuple[float, int, Execution, pb.HistoryEvent]] = []
        self._order = count()
        self._dead = 0
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """How many entries the heap holds, dead ones included."""
        return len(self._heap)

    def __iter__(self) -> Iterator[pb.HistoryEvent]:
        """Give the events still to come, in no order."""
        return (event for _, _, execution, event in self._heap if execution.live)

    def add(self, due: float, execution: Execution, event: pb.HistoryEvent) -> None:
        """Have the event delivered to the execution at `due`, in seconds since 1970."""
        entry = (due, next(self._order), execution, event)
        heappush(self._heap, entry)
        execution.late += 1
        if self._heap[0] is entry:
            self._changed.notify()

    def forget(self, execution: Execution) -> None:
        """Drop the events of an execution that is no longer live."""
        self._dead += execution.late
        if self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].live]
            heapify(self._heap)
            self._dead = 0

    def clear(self) -> None:
        """Drop every event."""
        self._heap.clear()
        self._dead = 0

    def start(self) -> None:
        """Begin to deliver."""
        self._thread = threading.Thread(target=self._run, name="task-hub-agenda", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more; what is due waits for the next start."""
        self._thread = None
        self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while self._thread is threading.current_thread():
                self._deliver_due()
                wait = min(self._heap[0][0] - time.time(), CLOCK_CHECK_SECONDS) if self._heap else None
                self._changed.wait(wait)

    def _deliver_due(self) -> None:
        while self._heap and self._heap[0][0] <= time.time():
            _, _, execution, event = heappop(self._heap)
            if execution.live:
                execution.late -= 1
                self._deliver(execution, event)
            else:
                self._dead -= 1

"""Instances and their executions: what is delivered to them, and what becomes of what they ask for.

The rules of orchestrations (histories, continue-as-new, queries, purges) are those of durabletask's in-memory
backend; what that one lacks stands here: every execution has an identity, so that what was begun by one is never
told to the next, and timers share one agenda.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend, OrchestrationInstance

from devhost.taskhub.agenda import Agenda, Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COUNTED = {
    "eventRaised": "events",
    "taskCompleted": "activity_results",
    "taskFailed": "activity_results",
    "timerFired": "timers",
}
"""What the delivery of a history event is counted as."""
OF_ONE_EXECUTION = frozenset(
    {
        "taskCompleted",
        "taskFailed",
        "timerFired",
        "subOrchestrationInstanceCompleted",
        "subOrchestrationInstanceFailed",
    }
)
"""Answers to what an execution began: of no meaning to the next one, unlike events raised to the instance."""


@dataclass(eq=False, slots=True)
class Activity:
    """A call of an activity, as an orchestrator asked for it."""

    execution: Execution
    name: str
    version: str | None
    task_id: int
    input: str | None
    concluded: bool = False
    """Whether its result has been delivered."""


class Bell(threading.Condition):
    """Wakes whoever waits for work: threads by waiting on it, an event loop by a function that it calls."""

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(lock)
        self.listeners: list[Callable[[], None]] = []

    def notify_all(self) -> None:
        """Wake everyone."""
        super().notify_all()
        for listener in self.listeners:
            listener()


class Executions(InMemoryOrchestrationBackend):
    """The backend's instances, each with the execution that is live; everything is called under the hub's lock."""

    def __init__(self, port: int) -> None:
        super().__init__(max_history_size=sys.maxsize, port=port)
        self._logger.setLevel("WARNING")  # else a line for every item
        self.counts: Counter[str] = Counter()
        """What has happened: starts, events, activities, activity_results, timers, turns, suborchestrations, reads.

        turns and activities count hand-outs, so work that was handed out again counts again.
        """
        self._work = Bell(self._lock)
        self._executions: dict[str, Execution] = {}
        self._parents: dict[str, tuple[Execution, int]] = {}
        self._agenda = Agenda(self._lock, self._deliver)

    # Where a subclass may interfere

    def _receive(self, execution: Execution, event: pb.HistoryEvent) -> None:
        """Take in an event raised to a live execution."""
        self._deliver(execution, event)

    def _schedule(self, activity: Activity) -> None:
        """Queue an activity that an orchestrator asked for."""
        self._activity_queue.append(activity)
        self._work.notify_all()

    def _when_fires(self, fire_at: float) -> float:
        """Give the instant at which a timer set to `fire_at` fires, both in seconds since 1970."""
        return fire_at

    # Executions

    def _ended(self, instance_id: str) -> bool:
        """Whether the instance exists and is terminal."""
        return instance_id in self._instances and instance_id not in self._executions

    def _begin(self, instance: OrchestrationInstance, *, started: bool) -> None:
        """Give the instance a new execution in the place of the one it may have."""
        self._retire(instance.instance_id)
        self._executions[instance.instance_id] = Execution(instance.instance_id, started)
        stamp(instance.pending_events)

    def _retire(self, instance_id: str) -> None:
        """End the instance's execution, if it has one: nothing is delivered to it any more."""
        execution = self._executions.pop(instance_id, None)
        if execution is not None:
            execution.live = False
            self._agenda.forget(execution)

    def _deliver(self, execution: Execution, event: pb.HistoryEvent) -> None:
        """Add an event, as of now, to what the execution's next turn sees; drop it if that has ended."""
        if not execution.live:
            return
        instance = self._instances[execution.instance_id]
        event.timestamp.GetCurrentTime()
        instance.pending_events.append(event)
        instance.last_updated_at = datetime.now(UTC)
        kind = COUNTED.get(event.WhichOneof("eventType"))
        if kind:
            self.counts[kind] += 1
        self._enqueue_orchestration(execution.instance_id)

    def _enqueue_orchestration(self, instance_id: str) -> None:
        """Queue the instance; one whose turn is out is queued by the completion of that."""
        if instance_id not in self._orchestration_queue_set and instance_id not in self._orchestration_in_flight:
            self._orchestration_queue.append(instance_id)
            self._orchestration_queue_set.add(instance_id)
            self._work.notify_all()

    def _create_instance_internal(
        self, instance_id: str, name: str, encoded_input: str | None = None, version: str | None = None
    ) -> None:
        super()._create_instance_internal(instance_id, name, encoded_input, version)
        self._begin(self._instances[instance_id], started=False)

    def _build_instance_response(
        self,
        instance: OrchestrationInstance,
        include_payloads: bool,  # noqa: FBT001 - the backend's
    ) -> pb.GetInstanceResponse:
        response = super()._build_instance_response(instance, include_payloads)
        self._show_version(response.orchestrationState)
        return response

    def _show_version(self, state: pb.OrchestrationState) -> None:
        """Add the version, which the backend leaves out, to what is told of an instance."""
        version = self._instances[state.instanceId].version
        if version is not None:
            state.version.value = version

    def _raise_event_internal(self, instance_id: str, event_name: str, event_data: str | None = None) -> None:
        if instance_id not in self._instances:
            raise ValueError(f"Orchestration instance '{instance_id}' not found")
        execution = self._executions.get(instance_id)
        if execution is not None:
            self._receive(execution, helpers.new_event_raised_event(event_name, event_data))

    @staticmethod
    def _note_suspension(instance: OrchestrationInstance) -> None:
        """Show why an instance was suspended or resumed as its output, as the real extension does."""
        for event in instance.dispatched_events:
            kind = event.WhichOneof("eventType")
            if kind in ("executionSuspended", "executionResumed"):
                change = getattr(event, kind)
                instance.output = json.dumps(change.input.value) if change.HasField("input") else None

    # What an orchestrator asked for

    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        again = complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        if again:  # the backend would carry over answers to what the old execution began
            instance.pending_events = [
                event for event in instance.pending_events if event.WhichOneof("eventType") not in OF_ONE_EXECUTION
            ]
        super()._process_complete_orchestration_action(instance, complete_action)
        if again:
            self._begin(instance, started=True)
            self._name_parent(instance)

    def _process_schedule_task_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        task = action.scheduleTask
        encoded_input = task.input.value if task.HasField("input") else None
        version = task.version.value if task.HasField("version") else None
        instance.history.append(helpers.new_task_scheduled_event(action.id, task.name, encoded_input))
        execution = self._executions[instance.instance_id]
        self._schedule(Activity(execution, task.name, version, action.id, encoded_input))

    def _process_create_timer_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        created = pb.TimerCreatedEvent(fireAt=action.createTimer.fireAt)
        instance.history.append(pb.HistoryEvent(eventId=action.id, timerCreated=created))
        self._set_timer(instance, instance.history[-1])

    def _set_timer(self, instance: OrchestrationInstance, created: pb.HistoryEvent) -> None:
        fire_at = created.timerCreated.fireAt
        fired = pb.TimerFiredEvent(fireAt=fire_at, timerId=created.eventId)
        self._agenda.add(
            self._when_fires(fire_at.seconds + fire_at.nanos / 1e9),
            self._executions[instance.instance_id],
            pb.HistoryEvent(eventId=-1, timerFired=fired),
        )

    def _process_create_sub_orchestration_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        child = action.createSubOrchestration
        child.instanceId = child.instanceId or uuid4().hex
        self.counts["suborchestrations"] += 1
        super()._process_create_sub_orchestration_action(instance, action)

    def _watch_sub_orchestration(self, parent_instance_id: str, sub_instance_id: str, task_id: int) -> None:
        """Note whom the child's end is to be told to, and tell it now if it has ended."""
        self._parents[sub_instance_id] = (self._executions[parent_instance_id], task_id)
        child = self._instances[sub_instance_id]
        if self._is_terminal_status(child.status):
            self._tell_parent(child)
        else:
            self._name_parent(child)

    def _name_parent(self, child: OrchestrationInstance) -> None:
        """Let a child that is about to start see whose it is."""
        if child.instance_id not in self._parents:
            return
        parent, task_id = self._parents[child.instance_id]
        for event in child.pending_events:
            if event.HasField("executionStarted"):
                event.executionStarted.parentInstance.taskScheduledId = task_id
                event.executionStarted.parentInstance.orchestrationInstance.instanceId = parent.instance_id

    def _notify_waiters(self, instance_id: str) -> None:
        super()._notify_waiters(instance_id)
        instance = self._instances.get(instance_id)
        if instance is not None and self._is_terminal_status(instance.status):
            self._retire(instance_id)
            self._tell_parent(instance)

    def _tell_parent(self, child: OrchestrationInstance) -> None:
        """Deliver the end of a child to the execution that began it, if any."""
        if child.instance_id not in self._parents:
            return
        parent, task_id = self._parents.pop(child.instance_id)
        if child.status == pb.ORCHESTRATION_STATUS_COMPLETED:
            event = helpers.new_sub_orchestration_completed_event(task_id, child.output)
        else:
            failure = child.failure_details or pb.TaskFailureDetails(
                errorType=helpers.get_orchestration_status_str(child.status), errorMessage=child.output or ""
            )
            failed = pb.SubOrchestrationInstanceFailedEvent(taskScheduledId=task_id, failureDetails=failure)
            event = pb.HistoryEvent(eventId=-1, subOrchestrationInstanceFailed=failed)
        self._deliver(parent, event)

    def _prepare_rewind(self, instance: OrchestrationInstance, reason: str | None = None) -> None:
        self._begin(instance, started=True)
        super()._prepare_rewind(instance, reason)

    def _process_rewind_orchestration_action(
        self, instance: OrchestrationInstance, rewind_action: pb.RewindOrchestrationAction
    ) -> None:
        super()._process_rewind_orchestration_action(instance, rewind_action)
        fired = {event.timerFired.timerId for event in instance.history if event.HasField("timerFired")}
        for event in instance.history:
            if event.HasField("timerCreated") and event.eventId not in fired:
                self._set_timer(instance, event)


def stamp(events: Iterable[pb.HistoryEvent]) -> None:
    """Give the events that have no time yet the current one."""
    for event in events:
        if not event.timestamp.seconds:
            event.timestamp.GetCurrentTime()

"""The embedded task hub: the scheduler's side of a local run, in memory, behind one gRPC port.

It speaks TaskHubSidecarService, so whatever drives a Durable Task Scheduler drives it, from this process or
from another: `python -m devhost.taskhub --port 4001`. The rules of orchestrations (histories, continue-as-new,
queries, purges) are those of durabletask's in-memory backend; what that one lacks is here: work is leased and
comes back when its worker dies, every execution has an identity, timers share one heap and one thread.

durabletask is pinned, and its private names are used in this file only.
"""
# ruff: noqa: N802 - the names of gRPC methods are the protocol's

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from concurrent import futures
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend, OrchestrationInstance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

HOST = "127.0.0.1"
SERVER_THREADS = 64
"""Every stream of work items and every wait for an instance holds one."""
MESSAGE_BYTES = 64 * 1024 * 1024
PING_SECONDS = 10.0
"""How often a silent worker is asked for a sign of life, and how long it may take to give one. A killed process
closes its connection itself; this is for one that is stopped or unplugged."""
CLOCK_CHECK_SECONDS = 60.0
"""The longest sleep of the agenda: somebody may set the wall clock meanwhile."""

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


@dataclass(eq=False, slots=True)
class WorkStream:
    """A worker's open call of GetWorkItems, and what it wants to be given."""

    turns: Mapping[str, frozenset[str]] | None
    activities: Mapping[str, frozenset[str]] | None
    open: bool = True


@dataclass(eq=False, slots=True)
class Lease:
    """Work handed out and not reported yet: an activity, or (without one) an orchestrator turn."""

    stream: WorkStream
    execution: Execution
    activity: Activity | None = None


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


class TaskHub(InMemoryOrchestrationBackend):
    """A task hub in memory, on a port of this machine only.

    Delivery is at least once, as with the real one: an item whose worker vanished is handed out again with a new
    completion token, and a completion with an old token is answered OK and has no effect.
    """

    def __init__(self, port: int = 0) -> None:
        """Prepare a hub for `port`; 0 takes any free one."""
        super().__init__(max_history_size=sys.maxsize, port=port)
        self._logger.setLevel("WARNING")  # else a line for every item
        self.counts: Counter[str] = Counter()
        """What has happened: starts, events, activities, activity_results, timers, turns, suborchestrations.

        turns and activities count hand-outs, so work that was handed out again counts again.
        """
        self._threads: futures.ThreadPoolExecutor | None = None
        self._work = threading.Condition(self._lock)
        self._executions: dict[str, Execution] = {}
        self._leases: dict[str, Lease] = {}
        self._parents: dict[str, tuple[Execution, int]] = {}
        self._agenda = Agenda(self._lock, self._deliver)

    @property
    def port(self) -> int:
        """The port listened on; before the first start, the one asked for."""
        return self._port

    @property
    def pending_timers(self) -> int:
        """How many timers of live executions are still to fire."""
        with self._lock:
            return sum(event.HasField("timerFired") for event in self._agenda)

    @property
    def actions(self) -> int:
        """The actions a Durable Task Scheduler would bill.

        One for every start, event, activity, activity result and timer, two for a sub-orchestration.
        """
        with self._lock:
            single = ("starts", "events", "activities", "activity_results", "timers")
            return sum(self.counts[key] for key in single) + 2 * self.counts["suborchestrations"]

    def statistics(self) -> dict[str, Any]:
        """Give the counts, the billable actions and the pending timers, fit for JSON."""
        with self._lock:
            return {**self.counts, "actions": self.actions, "pending_timers": self.pending_timers}

    # The server

    def start(self) -> str:
        """Listen, and give the address: "127.0.0.1:port". A hub that was stopped goes on with what it had.

        Raises OSError when the port is taken.
        """
        taken = f"Port {self._port} of {HOST} is taken: stop what listens there, or choose another port."
        if self._port:
            with socket.socket() as probe:  # gRPC would print its own lines about it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, self._port))
                except OSError as error:
                    raise OSError(taken) from error
        threads = futures.ThreadPoolExecutor(SERVER_THREADS, thread_name_prefix="task-hub")
        server = grpc.server(
            threads,
            options=[
                ("grpc.so_reuseport", 0),  # else two hubs would share a port and halve the work
                ("grpc.max_receive_message_length", MESSAGE_BYTES),
                ("grpc.max_send_message_length", MESSAGE_BYTES),
                ("grpc.keepalive_time_ms", int(PING_SECONDS * 1000)),
                ("grpc.http2.ping_timeout_ms", int(PING_SECONDS * 1000)),
                ("grpc.http2.max_pings_without_data", 0),  # else only two, then one a minute
            ],
        )
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, server)
        try:
            self._port = server.add_insecure_port(f"{HOST}:{self._port}")
        except RuntimeError as error:
            raise OSError(taken) from error
        with self._lock:
            self._shutdown_event.clear()
            self._server, self._threads = server, threads
            self._agenda.start()
        server.start()
        return f"{HOST}:{self._port}"

    def stop(self, grace: float | None = None) -> None:
        """Listen no more, give streams and waits `grace` seconds (none: end them now), and fire no timers."""
        with self._lock:
            self._shutdown_event.set()
            self._agenda.stop()
            self._work.notify_all()
        super().stop(grace)
        with self._lock:
            for waiters in self._state_waiters.values():
                for waiter in waiters:
                    waiter.event.set()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def reset(self) -> None:
        """Forget every instance, all work and the counts."""
        with self._lock:
            for instance_id in list(self._executions):
                self._retire(instance_id)
            super().reset()
            self._leases.clear()
            self._parents.clear()
            self._agenda.clear()
            self.counts.clear()

    # Instances

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance; one it replaces is told nothing, and its work has no effect any more."""
        with self._lock:
            replaced = self._instances.get(request.instanceId)
            response = super().StartInstance(request, context)
            self._begin(self._instances[response.instanceId], started=False)
            if replaced is not None:
                self._leases.pop(str(replaced.completion_token), None)
                self._orchestration_in_flight.discard(response.instanceId)
                self._enqueue_orchestration(response.instanceId)
            self.counts["starts"] += 1
            return response

    def RestartInstance(
        self, request: pb.RestartInstanceRequest, context: grpc.ServicerContext
    ) -> pb.RestartInstanceResponse:
        """Start a terminal instance again, with its first input."""
        with self._lock:
            response = super().RestartInstance(request, context)
            self.counts["starts"] += 1
            return response

    def RaiseEvent(self, request: pb.RaiseEventRequest, context: grpc.ServicerContext) -> pb.RaiseEventResponse:
        """Raise an event to an instance, suspended or not; to a terminal one it is without effect."""
        with self._lock:
            try:
                self._raise_event_internal(
                    request.instanceId, request.name, request.input.value if request.HasField("input") else None
                )
            except ValueError as missing:
                context.abort(grpc.StatusCode.NOT_FOUND, str(missing))
            return pb.RaiseEventResponse()

    def SuspendInstance(self, request: pb.SuspendRequest, context: grpc.ServicerContext) -> pb.SuspendResponse:
        """Suspend an instance; a terminal one stays as it is."""
        with self._lock:
            if self._ended(request.instanceId):
                return pb.SuspendResponse()
            return super().SuspendInstance(request, context)

    def ResumeInstance(self, request: pb.ResumeRequest, context: grpc.ServicerContext) -> pb.ResumeResponse:
        """Resume an instance; a terminal one stays as it is."""
        with self._lock:
            if self._ended(request.instanceId):
                return pb.ResumeResponse()
            return super().ResumeInstance(request, context)

    # Work

    def GetWorkItems(self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext) -> Iterator[pb.WorkItem]:
        """Hand out work until the caller goes away, and take back then what it has not reported."""
        turns, activities, _ = self._parse_work_item_filters(request)
        stream = WorkStream(turns, activities)
        # The callback comes as soon as the connection breaks, also while this waits for work.
        if not context.add_callback(lambda: self._close(stream)):
            return
        try:
            while (item := self._next_item(stream)) is not None:
                yield item
        finally:
            self._close(stream)

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take the outcome of an orchestrator turn from whoever holds its lease; from others it has no effect."""
        with self._lock:
            lease = self._leases.get(request.completionToken)
            if lease is None or lease.activity is not None or lease.execution.instance_id != request.instanceId:
                return pb.CompleteTaskResponse()
            del self._leases[request.completionToken]
            if not self._accepts(lease):
                self._take_back(lease)
                return pb.CompleteTaskResponse()
            if any(action.HasField("completeOrchestration") for action in request.actions[:-1]):
                # What it left running belongs to the execution that ends, not to the one that may follow.
                request.actions.sort(key=lambda action: action.HasField("completeOrchestration"))
            instance = self._instances[request.instanceId]
            self._note_suspension(instance)
            lease.execution.started = True
            response = super().CompleteOrchestratorTask(request, context)
            _stamp_tail(instance.history)
            if instance.pending_events and instance.status == pb.ORCHESTRATION_STATUS_SUSPENDED:
                self._enqueue_orchestration(request.instanceId)
            return response

    def CompleteActivityTask(
        self,
        request: pb.ActivityResponse,
        context: grpc.ServicerContext,  # noqa: ARG002 - the protocol's signature
    ) -> pb.CompleteTaskResponse:
        """Take the outcome of an activity from whoever holds its lease; from others it has no effect."""
        with self._lock:
            lease = self._leases.get(request.completionToken)
            if lease is None or lease.activity is None:
                return pb.CompleteTaskResponse()
            del self._leases[request.completionToken]
            if not self._accepts(lease):
                self._take_back(lease)
                return pb.CompleteTaskResponse()
            task_id = lease.activity.task_id
            if request.HasField("failureDetails"):
                failed = pb.TaskFailedEvent(taskScheduledId=task_id, failureDetails=request.failureDetails)
                event = pb.HistoryEvent(eventId=-1, taskFailed=failed)
            else:
                result = request.result if request.HasField("result") else None
                completed = pb.TaskCompletedEvent(taskScheduledId=task_id, result=result)
                event = pb.HistoryEvent(eventId=-1, taskCompleted=completed)
            self._conclude(lease.activity, event)
            return pb.CompleteTaskResponse()

    def AbandonTaskOrchestratorWorkItem(
        self,
        request: pb.AbandonOrchestrationTaskRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the protocol's signature
    ) -> pb.AbandonOrchestrationTaskResponse:
        """Hand the orchestrator turn out again."""
        self._abandon(request.completionToken)
        return pb.AbandonOrchestrationTaskResponse()

    def AbandonTaskActivityWorkItem(
        self,
        request: pb.AbandonActivityTaskRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - the protocol's signature
    ) -> pb.AbandonActivityTaskResponse:
        """Hand the activity out again."""
        self._abandon(request.completionToken)
        return pb.AbandonActivityTaskResponse()

    # Where a subclass may interfere; all are called under the lock

    def _receive(self, execution: Execution, event: pb.HistoryEvent) -> None:
        """Take in an event raised to a live execution."""
        self._deliver(execution, event)

    def _arrange(self, events: list[pb.HistoryEvent]) -> list[pb.HistoryEvent]:
        """Give the order in which a turn sees what arrived for it."""
        return events

    def _schedule(self, activity: Activity) -> None:
        """Queue an activity that an orchestrator asked for."""
        self._activity_queue.append(activity)
        self._work.notify_all()

    def _accepts(self, lease: Lease) -> bool:  # noqa: ARG002 - for those who refuse
        """Whether the report of leased work counts; otherwise the work is handed out again."""
        return True

    def _conclude(self, activity: Activity, event: pb.HistoryEvent) -> None:
        """Deliver an activity's result, the first one only."""
        if not activity.concluded:
            activity.concluded = True
            self._deliver(activity.execution, event)

    # Leases

    def _next_item(self, stream: WorkStream) -> pb.WorkItem | None:
        """Wait for an item for the stream and lease it; None when the stream or the hub ends."""
        with self._work:
            while stream.open and not self._shutdown_event.is_set():
                # Activities first: what has begun is finished before more is begun.
                item = self._next_activity(stream) or self._next_turn(stream)
                if item is not None:
                    return item
                self._work.wait()
            return None

    def _next_activity(self, stream: WorkStream) -> pb.WorkItem | None:
        wanted = (a for a in self._activity_queue if self._matches_filter(a.name, a.version, stream.activities))
        activity = next(wanted, None)
        if activity is None:
            return None
        self._activity_queue.remove(activity)
        self.counts["activities"] += 1
        return pb.WorkItem(
            completionToken=self._lease(Lease(stream, activity.execution, activity)),
            activityRequest=pb.ActivityRequest(
                name=activity.name,
                version=helpers.get_string_value(activity.version),
                taskId=activity.task_id,
                input=helpers.get_string_value(activity.input),
                orchestrationInstance=pb.OrchestrationInstance(instanceId=activity.execution.instance_id),
            ),
        )

    def _next_turn(self, stream: WorkStream) -> pb.WorkItem | None:
        turn, unwanted = None, []
        while turn is None and self._orchestration_queue:
            instance_id = self._orchestration_queue.popleft()
            self._orchestration_queue_set.discard(instance_id)
            instance = self._instances.get(instance_id)
            if instance is None or not instance.pending_events or instance_id in self._orchestration_in_flight:
                continue
            if self._matches_filter(instance.name, instance.version, stream.turns):
                turn = self._hand_out(instance, stream)
            else:
                unwanted.append(instance_id)
        self._orchestration_queue.extendleft(reversed(unwanted))
        self._orchestration_queue_set.update(unwanted)
        return turn

    def _hand_out(self, instance: OrchestrationInstance, stream: WorkStream) -> pb.WorkItem:
        events = self._arrange(instance.pending_events)
        instance.pending_events = []
        if not events[0].HasField("orchestratorStarted"):
            events.insert(0, helpers.new_orchestrator_started_event())
        events[0].timestamp.GetCurrentTime()  # the turn's "now", also when it is handed out again
        _stamp(events)
        instance.dispatched_events = events
        self._orchestration_in_flight.add(instance.instance_id)
        token = self._lease(Lease(stream, self._executions[instance.instance_id]))
        instance.completion_token = int(token)
        self.counts["turns"] += 1
        return pb.WorkItem(
            completionToken=token,
            orchestratorRequest=pb.OrchestratorRequest(
                instanceId=instance.instance_id, pastEvents=instance.history, newEvents=events
            ),
        )

    def _lease(self, lease: Lease) -> str:
        """Note the lease and give its completion token, a new one each time."""
        token = str(self._next_completion_token)
        self._next_completion_token += 1
        self._leases[token] = lease
        return token

    def _abandon(self, token: str) -> None:
        with self._lock:
            lease = self._leases.pop(token, None)
            if lease is not None:
                self._take_back(lease)

    def _close(self, stream: WorkStream) -> None:
        """End a stream and take back what it holds; a second time has no effect."""
        with self._lock:
            if stream.open:
                stream.open = False
                lost = [token for token, lease in self._leases.items() if lease.stream is stream]
                for token in lost:
                    self._take_back(self._leases.pop(token))
                self._work.notify_all()

    def _take_back(self, lease: Lease) -> None:
        """Queue the work of a lease that has ended without a report.

        Behind what is waiting, so that work which is given up again and again does not hold up the rest.
        """
        if lease.activity is not None:
            self._activity_queue.append(lease.activity)
            self._work.notify_all()
            return
        instance = self._instances[lease.execution.instance_id]
        instance.pending_events = [*instance.dispatched_events, *instance.pending_events]
        instance.dispatched_events = []
        self._orchestration_in_flight.discard(instance.instance_id)
        self._enqueue_orchestration(instance.instance_id)

    # Executions

    def _ended(self, instance_id: str) -> bool:
        """Whether the instance exists and is terminal."""
        return instance_id in self._instances and instance_id not in self._executions

    def _begin(self, instance: OrchestrationInstance, *, started: bool) -> None:
        """Give the instance a new execution in the place of the one it may have."""
        self._retire(instance.instance_id)
        self._executions[instance.instance_id] = Execution(instance.instance_id, started)
        _stamp(instance.pending_events)

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
            fire_at.seconds + fire_at.nanos / 1e9,
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


def _stamp(events: Iterable[pb.HistoryEvent]) -> None:
    """Give the events that have no time yet the current one."""
    for event in events:
        if not event.timestamp.seconds:
            event.timestamp.GetCurrentTime()


def _stamp_tail(history: list[pb.HistoryEvent]) -> None:
    """Give the events that a turn has just appended the current time."""
    for event in reversed(history):
        if event.timestamp.seconds:
            return
        event.timestamp.GetCurrentTime()


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
    hub = _hub(options.port, options.unkind)

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


def _hub(port: int, seed: int | None) -> TaskHub:
    if seed is None:
        return TaskHub(port)
    from devhost.unkind import UnkindTaskHub  # noqa: PLC0415 - it builds on this module

    return UnkindTaskHub(port, seed=seed)


if __name__ == "__main__":
    main()

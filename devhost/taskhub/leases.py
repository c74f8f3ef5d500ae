"""Work and who holds it: turns and activities are leased to a worker, and come back when it dies.

Delivery is at least once, as with the real one: an item whose worker vanished is handed out again with a new
completion token, and a completion with an old token is answered OK and has no effect.
"""
# ruff: noqa: N802 - the names of gRPC methods are the protocol's

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb

from devhost.taskhub.executions import Activity, Executions, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import grpc
    from durabletask.testing.in_memory_backend import OrchestrationInstance

    from devhost.taskhub.agenda import Execution


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


class Leases(Executions):
    """Hands work out to the workers that ask for it, and takes their reports."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._leases: dict[str, Lease] = {}

    # Work

    def GetWorkItems(self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext) -> Iterator[pb.WorkItem]:
        """Hand out work until the caller goes away, and take back then what it has not reported."""
        stream = self.open_stream(request)
        # The callback comes as soon as the connection breaks, also while this waits for work.
        if not context.add_callback(lambda: self.close_stream(stream)):
            return
        try:
            while (item := self._next_item(stream)) is not None:
                yield item
        finally:
            self.close_stream(stream)

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

    def _arrange(self, events: list[pb.HistoryEvent]) -> list[pb.HistoryEvent]:
        """Give the order in which a turn sees what arrived for it."""
        return events

    def _accepts(self, lease: Lease) -> bool:  # noqa: ARG002 - for those who refuse
        """Whether the report of leased work counts; otherwise the work is handed out again."""
        return True

    def _conclude(self, activity: Activity, event: pb.HistoryEvent) -> None:
        """Deliver an activity's result, the first one only."""
        if not activity.concluded:
            activity.concluded = True
            self._deliver(activity.execution, event)

    # Leases

    def open_stream(self, request: pb.GetWorkItemsRequest) -> WorkStream:
        """Begin a stream of the work that is asked for."""
        turns, activities, _ = self._parse_work_item_filters(request)
        return WorkStream(turns, activities)

    def take(self, stream: WorkStream) -> pb.WorkItem | None:
        """Lease the next item to the stream; None when there is none now."""
        with self._lock:
            # Activities first: what has begun is finished before more is begun.
            return self._next_activity(stream) or self._next_turn(stream)

    def listen(self, ring: Callable[[], None]) -> None:
        """Have `ring` called whenever there may be work, under the hub's lock."""
        with self._lock:
            self._work.listeners.append(ring)

    def unlisten(self, ring: Callable[[], None]) -> None:
        """Have `ring` called no more."""
        with self._lock:
            self._work.listeners.remove(ring)

    def _next_item(self, stream: WorkStream) -> pb.WorkItem | None:
        """Wait for an item for the stream and lease it; None when the stream or the hub ends."""
        with self._work:
            while stream.open and not self._shutdown_event.is_set():
                item = self.take(stream)
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
        stamp(events)
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

    def close_stream(self, stream: WorkStream) -> None:
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


def _stamp_tail(history: list[pb.HistoryEvent]) -> None:
    """Give the events that a turn has just appended the current time."""
    for event in reversed(history):
        if event.timestamp.seconds:
            return
        event.timestamp.GetCurrentTime()

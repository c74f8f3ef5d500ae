"""Work items from the task hub to the app's functions, and what came of them back.

The registered orchestrator is called with the history as the extension sends it, through the SDK's own replay;
its answer passes the gate (`replay`) before anything is scheduled. Activities run once per hand-out: a task hub
hands work out again when a host dies with it, so they run at least once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc.aio
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from devhost import history, replay, version
from devhost.connection import is_away
from devhost.invocations import Invocation
from devhost.processes import FunctionRaised, WorkerEnded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from devhost.connection import Connection
    from devhost.index import Activity, FunctionApp

logger = logging.getLogger("devhost.worker")

# As the extension with Azure Storage sends them: a timer beyond six days is cut into slices of three whose
# cancellation never arrives. The scheduler sends none; the stricter values show such timers before they cost.
LONG_TIMERS = {"longRunningTimerIntervalDuration": "3.00:00:00", "maximumShortTimerDuration": "6.00:00:00"}
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
AT_ONCE = 64


@dataclass(frozen=True)
class Names:
    """What the app registered, as the gate asks for it."""

    app: FunctionApp

    def has_activity(self, name: str) -> bool:
        """Tell whether an activity of that name is registered."""
        return self.app.find_activity(name) is not None

    def has_orchestrator(self, name: str) -> bool:
        """Tell whether an orchestrator of that name is registered."""
        return self.app.find_orchestrator(name) is not None


@dataclass
class Worker:
    """Takes work items as long as it runs; connects again when the task hub was away."""

    app: FunctionApp
    connection: Connection
    threads: Executor
    client_binding: Callable[[], str]
    running: set[asyncio.Task[None]] = field(default_factory=set)
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the task hub has been asked for work once, whether it is there or not."""

    async def run(self) -> None:
        """Stream work items until cancelled; try again, after growing pauses, when the task hub is away."""
        hub, presence, clock = self.connection.hub, self.connection.presence, asyncio.get_running_loop().time
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = clock()
            try:
                await hub.Hello(Empty())
                presence.note_answer()
                self.tried.set()
                async for item in hub.GetWorkItems(self.wanted()):
                    self.begin(item)
            except grpc.aio.AioRpcError as error:
                if is_away(error):
                    presence.note_absence(error)
                else:
                    logger.warning("The task hub gives no work: %s: %s", error.code().name, error.details())
            self.tried.set()
            if clock() - began > LONGEST_PAUSE_SECONDS:  # it was well meanwhile
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def wanted(self) -> pb.GetWorkItemsRequest:
        """Say what work is wanted: the app's own functions' alone if host.json says so, else everything."""
        request = pb.GetWorkItemsRequest(
            maxConcurrentOrchestrationWorkItems=AT_ONCE, maxConcurrentActivityWorkItems=AT_ONCE
        )
        if self.app.host.filters_work_items:
            filters = request.workItemFilters
            filters.orchestrations.extend(pb.OrchestrationFilter(name=name) for name in self.app.orchestrators)
            filters.activities.extend(pb.ActivityFilter(name=name) for name in self.app.activities)
        return request

    def begin(self, item: pb.WorkItem) -> None:
        """Begin a work item beside the others."""
        kind = item.WhichOneof("request")
        if kind not in ("orchestratorRequest", "activityRequest"):
            if kind != "healthPing":
                logger.error("This local host does not implement work items of the kind %s.", kind)
            return
        task = asyncio.create_task(self.handle(item, turn=kind == "orchestratorRequest"))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def handle(self, item: pb.WorkItem, *, turn: bool) -> None:
        """Do a work item; give back one that could not be reported, so that it is handed out again."""
        try:
            if turn:
                await self.run_turn(item.orchestratorRequest, item.completionToken)
            else:
                await self.run_activity(item.activityRequest, item.completionToken)
        except Exception as error:
            if isinstance(error, grpc.aio.AioRpcError):
                logger.warning("A work item could not be reported: %s", error.code().name)
            elif isinstance(error, WorkerEnded):
                logger.warning("A work item is handed out again: its worker process ended.")
            else:
                logger.exception("A work item failed inside this host")
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.abandon(item.completionToken, turn=turn)

    async def report(self, call: Callable[[Any], Awaitable[Any]], outcome: Any) -> None:
        """Report until there is an answer: a stopped task hub goes on later, with this work still handed out.

        One that has forgotten the work meanwhile, or had the report all the same, takes no notice.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await call(outcome)
            except grpc.aio.AioRpcError as error:
                if not is_away(error):
                    raise
                self.connection.presence.note_absence(error)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def abandon(self, token: str, *, turn: bool) -> None:
        """Tell the task hub that nothing will come of a work item, after a pause so that it is no busy loop."""
        await asyncio.sleep(FIRST_PAUSE_SECONDS)
        hub = self.connection.hub
        if turn:
            await hub.AbandonTaskOrchestratorWorkItem(pb.AbandonOrchestrationTaskRequest(completionToken=token))
        else:
            await hub.AbandonTaskActivityWorkItem(pb.AbandonActivityTaskRequest(completionToken=token))

    # --- orchestrators ----------------------------------------------------------------------------

    async def run_turn(self, request: pb.OrchestratorRequest, token: str) -> None:
        """Run one turn of an orchestration and report what it asks for."""
        events = history.write_for_sdk(request.pastEvents, request.newEvents)
        started = next(event for event in reversed(events) if event["EventType"] == replay.EXECUTION_STARTED)
        if not version.is_accepted(started["Version"], self.app.host.default_version):
            # The extension leaves such an instance Pending for a newer host. The item is kept, not given back:
            # given back, it would be handed out again at once, for ever.
            logger.warning(
                "Instance %s is of version %r, this host runs %r: it stays Pending.",
                request.instanceId,
                started["Version"],
                self.app.host.default_version,
            )
            return
        name = started["Name"]
        answer = await self.call_orchestrator(name, request.instanceId, events, started)
        turn = replay.replay(name, request.instanceId, events, answer, Names(self.app), self.app.host.default_version)
        await self.report(
            self.connection.hub.CompleteOrchestratorTask,
            pb.OrchestratorResponse(
                instanceId=request.instanceId,
                completionToken=token,
                customStatus=wrap(None if turn.custom_status is None else replay.compact(turn.custom_status)),
                actions=[end_to_protobuf(turn.end)] if turn.end else [to_protobuf(a) for a in turn.actions],
            ),
        )

    async def call_orchestrator(
        self, name: str, instance_id: str, events: list[replay.Event], started: replay.Event
    ) -> dict[str, Any] | replay.Crash:
        """Call the orchestrator; what it raises is either an answer with an error, or a crash."""
        orchestrator = self.app.find_orchestrator(name)
        if not orchestrator:
            known = ", ".join(f"'{known}'" for known in self.app.orchestrators)
            return replay.Crash(
                f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. "
                f"Additional info: The following are the known orchestrator functions: {known}."
            )
        parent = started["ParentInstance"]
        context = {
            "history": events,
            "input": history.parse_stored(started["Input"]),
            "instanceId": instance_id,
            "isReplaying": any(event["IsPlayed"] for event in events),
            "parentInstanceId": parent and parent["OrchestrationInstance"]["InstanceId"],
            "sourceInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
            **LONG_TIMERS,
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
        invocation = Invocation(orchestrator.name, self.app.folder)
        arguments = {"context": json.dumps(context)}
        try:
            return json.loads(
                await invocation.run(orchestrator.call, arguments, self.threads, is_async=orchestrator.is_async)
            )
        except WorkerEnded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the function raised
            _, marker, answer = str(error).partition("\n\n$OutOfProcData$:")
            if marker:
                return json.loads(answer)
            return replay.Crash(f"One or more errors occurred. ({worker_failure(error)})")

    # --- activities -------------------------------------------------------------------------------

    async def run_activity(self, request: pb.ActivityRequest, token: str) -> None:
        """Run one activity and report its result or its failure."""
        response = pb.ActivityResponse(
            instanceId=request.orchestrationInstance.instanceId, taskId=request.taskId, completionToken=token
        )
        try:
            activity = self.app.find_activity(request.name)
            if not activity:
                raise LookupError(f"There is no activity '{request.name}' in this app.")  # noqa: TRY301
            result = await self.call_activity(activity, request.input.value)
            response.result.CopyFrom(StringValue(value=result))
        except WorkerEnded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the function raised
            logger.warning("Activity '%s' failed: %s: %s", request.name, type(error).__name__, error)
            response.failureDetails.CopyFrom(
                pb.TaskFailureDetails(
                    errorType="System.Exception",
                    errorMessage=f"Activity function '{request.name}' failed:  {type(error).__name__}: {error}",
                    stackTrace=StringValue(value=stack_of(error)),
                )
            )
        await self.report(self.connection.hub.CompleteActivityTask, response)

    async def call_activity(self, activity: Activity, text: str) -> str:
        """Call an activity with its decoded input; give its result as compact JSON text."""
        value = ActivityTriggerConverter.decode(Datum(type="json", value=text or "null"), trigger_metadata=None)
        arguments = {activity.parameter: value} | dict.fromkeys(activity.client_parameters, self.client_binding())
        invocation = activity.context()
        if activity.wants_context:
            arguments["context"] = invocation
        result = await invocation.run(activity.call, arguments, self.threads, is_async=activity.is_async)
        text = ActivityTriggerConverter.encode(result, expected_type=None).value
        return replay.compact(json.loads(text))


def worker_failure(error: Exception) -> str:
    """Write a failure as the Python worker ships it to the host."""
    return f"Result: Failure\nException: {type(error).__name__}: {error}\nStack: {stack_of(error)}"


def stack_of(error: Exception) -> str:
    """Give where a function failed, also when that was in another process."""
    return error.stack if isinstance(error, FunctionRaised) else "".join(traceback.format_tb(error.__traceback__))


def wrap(text: str | None) -> StringValue | None:
    """Wrap a text for the protocol."""
    return None if text is None else StringValue(value=text)


def to_protobuf(action: replay.Action) -> pb.OrchestratorAction:
    """Write what is to be scheduled for the task hub."""
    match action:
        case replay.ScheduleActivity(number, name, text):
            scheduled = pb.ScheduleTaskAction(name=name, input=StringValue(value=text))
            return pb.OrchestratorAction(id=number, scheduleTask=scheduled)
        case replay.CreateTimer(number, fire_at):
            due = Timestamp()
            due.FromDatetime(fire_at)
            return pb.OrchestratorAction(id=number, createTimer=pb.CreateTimerAction(fireAt=due))
        case replay.StartChild(number, name, text, instance_id, wanted):
            child = pb.CreateSubOrchestrationAction(
                instanceId=instance_id, name=name, version=wrap(wanted), input=StringValue(value=text)
            )
            return pb.OrchestratorAction(id=number, createSubOrchestration=child)


def end_to_protobuf(end: replay.End) -> pb.OrchestratorAction:
    """Write how the instance ends for the task hub."""
    match end:
        case replay.Completed(output):
            done = pb.CompleteOrchestrationAction(
                orchestrationStatus=pb.ORCHESTRATION_STATUS_COMPLETED, result=wrap(output)
            )
        case replay.Failed(message):
            details = pb.TaskFailureDetails(errorType="OrchestrationFailureException", errorMessage=message)
            done = pb.CompleteOrchestrationAction(
                orchestrationStatus=pb.ORCHESTRATION_STATUS_FAILED, failureDetails=details
            )
        case replay.Terminated(reason):
            done = pb.CompleteOrchestrationAction(
                orchestrationStatus=pb.ORCHESTRATION_STATUS_TERMINATED, result=wrap(reason)
            )
        case replay.ContinuedAsNew(text, carryover):
            done = pb.CompleteOrchestrationAction(
                orchestrationStatus=pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW,
                result=wrap(text),
                carryoverEvents=[
                    pb.HistoryEvent(
                        eventId=-1,
                        timestamp=read_timestamp(event["Timestamp"]),
                        eventRaised=pb.EventRaisedEvent(name=event["Name"], input=wrap(event["Input"])),
                    )
                    for event in carryover
                ],
            )
    return pb.OrchestratorAction(id=-1, completeOrchestration=done)


def read_timestamp(text: str) -> Timestamp:
    """Read one of the extension's timestamps for the protocol."""
    moment = Timestamp()
    moment.FromDatetime(replay.read_instant(text))
    return moment

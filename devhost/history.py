"""A task hub's history in the two forms the extension gives it: to the SDK, and to whoever asks for the status.

Field names and integers are those the extension really sent (recorded), not those of the gRPC protocol.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from devhost.replay import CHILD_CREATED, EXECUTION_STARTED, TASK_SCHEDULED, TIMER_CREATED, TIMER_FIRED, compact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from durabletask.internal import orchestrator_service_pb2 as pb
    from google.protobuf.timestamp_pb2 import Timestamp
    from google.protobuf.wrappers_pb2 import StringValue

    from devhost.replay import Event

STATUSES = (
    "Running",
    "Completed",
    "ContinuedAsNew",
    "Failed",
    "Canceled",
    "Terminated",
    "Pending",
    "Suspended",
)
PLAYED = {0, 3, 5, 6, 8, 9, 11, 15, 19, 20}


def write_instant(time: Timestamp) -> str:
    """Write an instant as the extension does: seven digits and Z."""
    return f"{write_seconds(time)}.{time.nanos // 100:07d}Z"


def write_seconds(time: Timestamp) -> str:
    """Write an instant to the second, without a zone."""
    return time.ToDatetime().isoformat(timespec="seconds")


def read_optional(value: StringValue, owner: Any, name: str) -> str | None:
    """Read a wrapped string, or nothing where there is none."""
    return value.value if owner.HasField(name) else None


def describe_failure(details: pb.TaskFailureDetails) -> dict[str, Any]:
    """Give a failure's reason, and the long serialised detail the extension puts behind it."""
    message = details.errorMessage
    detail = {
        "$type": "System.Exception, System.Private.CoreLib",
        "ClassName": "System.Exception",
        "Message": message,
        "StackTraceString": details.stackTrace.value,
    }
    return {"Reason": message, "Details": compact(detail), "FailureDetails": None}


def convert(event: pb.HistoryEvent) -> tuple[int, dict[str, Any]] | None:  # noqa: C901, PLR0912 - a table
    """Give the integer type and the particular fields of an event, or nothing for what the SDK never sees."""
    kind = event.WhichOneof("eventType")
    it = getattr(event, kind) if kind else None
    match kind:
        case "orchestratorStarted":
            return 12, {}
        case "orchestratorCompleted":
            return 13, {}
        case "executionStarted":
            parent = it.parentInstance.orchestrationInstance.instanceId if it.HasField("parentInstance") else None
            return 0, {
                "OrchestrationInstance": {
                    "InstanceId": it.orchestrationInstance.instanceId,
                    "ExecutionId": it.orchestrationInstance.executionId.value,
                },
                "ParentInstance": {"OrchestrationInstance": {"InstanceId": parent}} if parent else None,
                "Name": it.name,
                "Version": read_optional(it.version, it, "version"),
                "Input": read_optional(it.input, it, "input") or None,
                "Tags": None,
                "Correlation": None,
                "ParentTraceContext": None,
                "ScheduledStartTime": None,
                "Generation": 0,
                "GenerateNewTrace": False,
            }
        case "executionTerminated":
            return 3, {"Input": read_optional(it.input, it, "input")}
        case "taskScheduled":
            # the extension keeps no inputs in the history (storeInputsInOrchestrationHistory is off)
            return 4, {"Name": it.name, "Version": "", "Input": None, "ParentTraceContext": None, "Tags": None}
        case "taskCompleted":
            return 5, {"TaskScheduledId": it.taskScheduledId, "Result": read_optional(it.result, it, "result")}
        case "taskFailed":
            return 6, {"TaskScheduledId": it.taskScheduledId, **describe_failure(it.failureDetails)}
        case "subOrchestrationInstanceCreated":
            return 7, {"Name": it.name, "Version": it.version.value, "InstanceId": it.instanceId, "Input": None}
        case "subOrchestrationInstanceCompleted":
            return 8, {"TaskScheduledId": it.taskScheduledId, "Result": read_optional(it.result, it, "result")}
        case "subOrchestrationInstanceFailed":
            return 9, {"TaskScheduledId": it.taskScheduledId, **describe_failure(it.failureDetails)}
        case "timerCreated":
            return 10, {"FireAt": write_instant(it.fireAt)}
        case "timerFired":
            return 11, {"TimerId": it.timerId, "FireAt": write_instant(it.fireAt)}
        case "eventRaised":
            return 15, {"Name": it.name, "Input": read_optional(it.input, it, "input"), "ParentTraceContext": None}
        case "executionSuspended":
            return 19, {"Reason": it.input.value}
        case "executionResumed":
            return 20, {"Reason": it.input.value}
        case _:
            return None


def write_for_sdk(past: Iterable[pb.HistoryEvent], new: Iterable[pb.HistoryEvent]) -> list[Event]:
    """Give the history as the extension hands it to Python."""
    history: list[Event] = []
    for events, played in ((past, True), (new, False)):
        for event in events:
            found = convert(event)
            if found:
                kind, fields = found
                history.append(
                    {
                        "EventType": kind,
                        "EventId": event.eventId,
                        "IsPlayed": played and kind in PLAYED,
                        "Timestamp": write_instant(event.timestamp),
                        **fields,
                    }
                )
    return history


def parse_stored(text: str | None) -> Any:
    """Read stored JSON text; what is no JSON stays text, nothing stays nothing."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


SHOWN = {
    0: "ExecutionStarted",
    3: "ExecutionTerminated",
    5: "TaskCompleted",
    6: "TaskFailed",
    8: "SubOrchestrationInstanceCompleted",
    9: "SubOrchestrationInstanceFailed",
    10: "TimerCreated",
    11: "TimerFired",
    15: "EventRaised",
    19: "ExecutionSuspended",
    20: "ExecutionResumed",
}
HIDDEN = ("EventId", "IsPlayed", "TaskScheduledId", "TimerId", "OrchestrationInstance", "ParentInstance", "Version")


def write_for_status(events: Iterable[pb.HistoryEvent], state: dict[str, Any], *, outputs: bool) -> list[Event]:
    """Give the history as the status call shows it: what was scheduled is folded into what came of it."""
    history = write_for_sdk(events, ())
    scheduled = {e["EventId"]: e for e in history if e["EventType"] in (TASK_SCHEDULED, CHILD_CREATED)}
    fired = {e["TimerId"] for e in history if e["EventType"] == TIMER_FIRED}
    shown: list[Event] = []
    for event in history:
        kind = event["EventType"]
        if kind not in SHOWN or (kind == TIMER_CREATED and event["EventId"] in fired):
            continue
        fields = {k: v for k, v in event.items() if k not in HIDDEN} | {"EventType": SHOWN[kind]}
        if kind == EXECUTION_STARTED:
            fields["FunctionName"] = fields.pop("Name")
            fields.pop("Tags")
        if task := scheduled.get(event.get("TaskScheduledId", -1)):
            fields |= {"FunctionName": task["Name"], "ScheduledTime": task["Timestamp"], "Input": task["Input"]}
        if "Result" in fields:
            fields["Result"] = parse_stored(fields["Result"])
            if not outputs:
                del fields["Result"]
        shown.append(fields)
    if state["runtimeStatus"] in ("Completed", "Failed", "Terminated"):
        shown.append(
            {
                "EventType": "ExecutionCompleted",
                "OrchestrationStatus": state["runtimeStatus"],
                **({"Result": state["output"]} if outputs else {}),
                "FailureDetails": None,
                "Timestamp": state["lastUpdatedTime"],
            }
        )
    return shown

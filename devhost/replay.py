"""What the durable extension makes of an orchestrator's answer.

A Python orchestrator answers every turn with the whole list of actions it ever asked for. The extension
does not schedule that list: its shim walks it and awaits each action before it begins the next, while the
framework below replays the history into the tasks so begun. Where SDK and shim come to disagree, an instance
hangs or loses an event, with no error anywhere. A host that schedules every listed action hides that, so this
module keeps the shim's walk, the framework's bookkeeping, and their order.

The mechanism is that of Microsoft's DurableTask.Core (TaskOrchestrationExecutor, TaskOrchestrationContext) and
of the extension's out-of-process shim; `tests/conformance` holds what they answered when recorded.
Pure: no clock, no I/O. History and answers are the JSON that passes between extension and SDK.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from devhost.promises import Promise, failed, run, when_all, when_any

if TYPE_CHECKING:
    from collections.abc import Callable

Event = dict[str, Any]
Json = Any

EXECUTION_STARTED, EXECUTION_TERMINATED = 0, 3
TASK_SCHEDULED, TASK_COMPLETED, TASK_FAILED = 4, 5, 6
CHILD_CREATED, CHILD_COMPLETED, CHILD_FAILED = 7, 8, 9
TIMER_CREATED, TIMER_FIRED = 10, 11
ORCHESTRATOR_STARTED, EVENT_RAISED = 12, 15
EXECUTION_SUSPENDED, EXECUTION_RESUMED = 19, 20

UNOFFERED = {7: "CallEntity", 8: "CallHttp", 9: "SignalEntity", 10: "ScheduledSignalEntity"}
STATUS_LIMIT_KB = 16
NAMESPACE = uuid.UUID("9e952958-5e33-4daf-827f-2fa12937b875")


class Functions(Protocol):
    """The names the app registered; the extension compares them without case."""

    def has_activity(self, name: str) -> bool:
        """Tell whether an activity of that name is registered."""

    def has_orchestrator(self, name: str) -> bool:
        """Tell whether an orchestrator of that name is registered."""


@dataclass(frozen=True)
class ScheduleActivity:
    """Run an activity; `input` is JSON text."""

    id: int
    name: str
    input: str


@dataclass(frozen=True)
class CreateTimer:
    """Fire at `fire_at`, an instant in UTC."""

    id: int
    fire_at: dt.datetime


@dataclass(frozen=True)
class StartChild:
    """Start a sub-orchestration; `input` is JSON text."""

    id: int
    name: str
    input: str
    instance_id: str
    version: str | None


Action = ScheduleActivity | CreateTimer | StartChild
KINDS = {
    ScheduleActivity: "ScheduleTaskOrchestratorAction",
    CreateTimer: "CreateTimerOrchestratorAction",
    StartChild: "CreateSubOrchestrationAction",
}


@dataclass(frozen=True)
class Completed:
    """The instance ends well; `output` is JSON text or nothing."""

    output: str | None


@dataclass(frozen=True)
class Failed:
    """The instance ends with this message as its output."""

    message: str


@dataclass(frozen=True)
class Terminated:
    """An operator ended the instance; the reason becomes its output."""

    reason: str | None


@dataclass(frozen=True)
class ContinuedAsNew:
    """The instance begins again with `input` (JSON text) and the events that came after it said so."""

    input: str
    carryover: tuple[Event, ...]


End = Completed | Failed | Terminated | ContinuedAsNew


@dataclass(frozen=True)
class Turn:
    """What one turn asks of the task hub."""

    actions: tuple[Action, ...] = ()
    end: End | None = None
    custom_status: Json = None


class Crash(Exception):
    """The orchestrator function failed without an answer: the message is the worker's."""


class OrchestrationFailed(Exception):
    """The walk ended in a failure; the message is the instance's output."""


class NonDeterministic(Exception):
    """The history holds what this turn did not schedule."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"Non-Deterministic workflow detected: A previous execution of this orchestration scheduled {detail} "
            "Was a change made to the orchestrator code after this instance had already started running?"
        )


def compact(value: Json) -> str:
    """JSON text as the extension writes it: no spaces, nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass
class Execution:
    """One execution of one instance, replayed from its history. Lives for a turn."""

    name: str
    instance_id: str
    answer: dict[str, Any] | Crash
    functions: Functions
    default_version: str | None
    now: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)
    began: str = ""
    ids: int = 0
    open: dict[int, Promise] = field(default_factory=dict)
    unconfirmed: dict[int, Action] = field(default_factory=dict)
    parked: dict[int, Action] = field(default_factory=dict)
    waiting: defaultdict[str, list[Promise]] = field(default_factory=lambda: defaultdict(list))
    early: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    suspended: bool = False
    held: deque[Event] = field(default_factory=deque)
    next_input: str | None = None
    carryover: list[Event] = field(default_factory=list)
    custom_status: Json = None
    ended: Promise | None = None
    value: list[Any] = field(default_factory=list)
    terminated: Terminated | None = None

    # --- the shim: walks the answer ---------------------------------------------------------------

    async def walk(self) -> Json:
        """Begin each action in turn, awaiting it before the next; then say how the orchestrator ended."""
        if isinstance(self.answer, Crash):
            raise OrchestrationFailed(f"Orchestrator function '{self.name}' failed: {self.answer}")
        self.set_custom_status(self.answer.get("customStatus"))
        for action in self.answer["actions"][0]:
            try:
                await self.begin(action)
            except OrchestrationFailed:
                raise
            except Exception:  # noqa: BLE001 - the shim swallows the failure of what it awaits
                pass
        if self.answer.get("error"):
            raise OrchestrationFailed(f"Orchestrator function '{self.name}' failed: {self.answer['error']}")
        if not self.answer["isDone"]:
            await Promise()
        return self.answer.get("output")

    def set_custom_status(self, status: Json) -> None:
        """Keep the status of this turn. Raises OrchestrationFailed over 16 KB of UTF-16, whole KB compared."""
        if status is None:
            return
        size = len(compact(status).encode("utf-16-le", "surrogatepass")) // 1024
        if size > STATUS_LIMIT_KB:
            raise OrchestrationFailed(
                f"Orchestrator function '{self.name}' failed: The UTF-16 size of the JSON-serialized payload must "
                f"not exceed {STATUS_LIMIT_KB} KB. The current payload size is {size} KB."
            )
        self.custom_status = status

    def begin(self, action: dict[str, Any]) -> Promise:
        """Begin one action, or every child of a compound one."""
        match action["actionType"]:
            case 0:
                return self.call_activity(action["functionName"], action["input"])
            case 1:
                name, text = action["functionName"], action["input"]
                return self.with_retry(action["retryOptions"], lambda: self.call_activity(name, text))
            case 2:
                return self.start_child(action)
            case 3:
                return self.with_retry(action["retryOptions"], lambda: self.start_child(action))
            case 4:
                self.next_input = compact(action["input"])
                return when_all([])
            case 5:
                return self.create_timer(read_instant(action["fireAt"]), cancelled=action["isCanceled"])
            case 6:
                return self.wait_for_event(action["externalEventName"])
            case 11:
                return when_any([self.begin(child) for child in action["compoundActions"]])
            case 12:
                return when_all([self.begin(child) for child in action["compoundActions"]])
            case other:
                raise OrchestrationFailed(
                    f"Orchestrator function '{self.name}' failed: this local host does not implement "
                    f"{UNOFFERED.get(other, 'an unknown action')} (action type {other})."
                )

    def call_activity(self, name: str, text: str) -> Promise:
        """Schedule an activity. An unknown name takes no number and schedules nothing: recorded, it hangs."""
        if not self.functions.has_activity(name):
            return failed(ValueError(f"The function '{name}' doesn't exist or is not an activity function."))
        return self.schedule(lambda number: ScheduleActivity(number, name, text))

    def start_child(self, action: dict[str, Any]) -> Promise:
        """Start a sub-orchestration; its input is encoded once more, as a client's is."""
        name, given = action["functionName"], action.get("instanceId")
        if not self.functions.has_orchestrator(name) or given == self.instance_id:
            return failed(ValueError(f"No sub-orchestration '{name}' with ID '{given}' can be started."))
        version = action.get("version") or self.default_version
        return self.schedule(
            lambda number: StartChild(
                number,
                name,
                compact(action["input"]),
                given or uuid.uuid5(NAMESPACE, f"{self.instance_id}|{self.began}|{number}").hex,
                version,
            )
        )

    def create_timer(self, fire_at: dt.datetime, *, cancelled: bool = False) -> Promise:
        """Create a timer. A cancelled one is created and at once done with, from the first turn of the replay on."""
        timer = self.schedule(lambda number: CreateTimer(number, fire_at))
        if cancelled:
            del self.open[self.ids - 1]
            timer.complete(ValueError("A task was canceled."))
        return timer

    def schedule(self, action: Callable[[int], Action]) -> Promise:
        """Give the action the next number and leave it open until the history completes it."""
        number, promise = self.ids, Promise()
        self.ids += 1
        self.unconfirmed[number], self.open[number] = action(number), promise
        return promise

    def with_retry(self, options: dict[str, Any], attempt: Callable[[], Promise]) -> Promise:
        """Try up to the given number of times; a timer after every failure, due at once after the last."""
        attempts = options["maxNumberOfAttempts"]
        interval = dt.timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])

        async def trying() -> None:
            error: Exception | None = None
            for number in range(attempts):
                try:
                    return await attempt()
                except Exception as caught:  # noqa: BLE001 - an activity may fail in any way
                    error = caught
                last = number == attempts - 1
                await self.create_timer(self.now if last else self.now + interval)
            raise error or ValueError("no attempt was made")

        return run(trying())[0]

    def wait_for_event(self, name: str) -> Promise:
        """Take the oldest early event of that name (case ignored), or go on top of the stack of those who wait."""
        key, promise = name.upper(), Promise()
        if self.early[key]:
            self.early[key] -= 1
            promise.complete()
        else:
            self.waiting[key].append(promise)
        return promise

    # --- the framework: replays the history -------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Replay one event; while suspended, hold all but the resume and the termination."""
        kind = event["EventType"]
        if kind == ORCHESTRATOR_STARTED:
            self.now = read_instant(event["Timestamp"])
            self.began = self.began or event["Timestamp"]
        elif self.suspended and kind not in (EXECUTION_RESUMED, EXECUTION_TERMINATED):
            if kind != EXECUTION_SUSPENDED:
                self.held.append(event)
        elif handler := HANDLERS.get(kind):
            handler(self, event)

    def start(self, _event: Event) -> None:
        """Call the shim."""
        self.ended, self.value = run(self.walk())

    def confirm(self, event: Event) -> None:
        """Strike what the history shows as scheduled off the list of what is still to schedule.

        Raises NonDeterministic when this turn scheduled something else under that number, or nothing.
        """
        number, expected = event["EventId"], CONFIRMS[event["EventType"]]
        action = self.unconfirmed.get(number)
        if isinstance(action, expected) and has_same_name(action, event):
            del self.unconfirmed[number]
            return
        raise NonDeterministic(describe_disagreement(event, action))

    def complete(self, event: Event) -> None:
        """Complete an open task; a second completion is a duplicate and ignored."""
        number = event["TimerId"] if event["EventType"] == TIMER_FIRED else event["TaskScheduledId"]
        promise = self.open.pop(number, None)
        if promise:
            # SetResult runs the continuations before the framework strikes the task off; the order does not show
            promise.complete(
                ValueError(event.get("Reason")) if event["EventType"] in (TASK_FAILED, CHILD_FAILED) else None
            )

    def raise_event(self, event: Event) -> None:
        """Give the event to the last who began to wait for it; keep it if nobody does."""
        if self.next_input is not None:
            self.carryover.append(event)
            return
        key = event["Name"].upper()
        if self.waiting[key]:
            self.waiting[key].pop().complete()
        else:
            self.early[key] += 1

    def suspend(self, _event: Event) -> None:
        """Set aside what is not yet scheduled, so that it is not scheduled again every turn."""
        self.suspended = True
        self.parked.update(self.unconfirmed)
        self.unconfirmed.clear()

    def resume(self, _event: Event) -> None:
        """Take up what was set aside, then what arrived meanwhile, in order."""
        self.suspended = False
        self.unconfirmed.update(self.parked)
        self.parked.clear()
        while self.held:
            self.handle(self.held.popleft())

    def terminate(self, event: Event) -> None:
        """End, whatever else happens."""
        self.terminated = self.terminated or Terminated(event.get("Input"))

    def turn(self) -> Turn:
        """Say what this turn asks for. An instance with open tasks does not end, however its story did."""
        end: End | None = self.terminated
        if not end and self.ended and self.ended.done and not self.open:
            if self.ended.error:
                end = Failed(str(self.ended.error))
            elif self.next_input is not None:
                end = ContinuedAsNew(self.next_input, tuple(self.carryover))
            else:
                end = Completed(None if self.value[0] is None else compact(self.value[0]))
        actions = () if end else tuple(self.unconfirmed[number] for number in sorted(self.unconfirmed))
        return Turn(actions, end, self.custom_status)


HANDLERS: dict[int, Callable[[Execution, Event], None]] = {
    EXECUTION_STARTED: Execution.start,
    EXECUTION_TERMINATED: Execution.terminate,
    TASK_SCHEDULED: Execution.confirm,
    TIMER_CREATED: Execution.confirm,
    CHILD_CREATED: Execution.confirm,
    TASK_COMPLETED: Execution.complete,
    TASK_FAILED: Execution.complete,
    CHILD_COMPLETED: Execution.complete,
    CHILD_FAILED: Execution.complete,
    TIMER_FIRED: Execution.complete,
    EVENT_RAISED: Execution.raise_event,
    EXECUTION_SUSPENDED: Execution.suspend,
    EXECUTION_RESUMED: Execution.resume,
}
CONFIRMS: dict[int, type[Action]] = {
    TASK_SCHEDULED: ScheduleActivity,
    TIMER_CREATED: CreateTimer,
    CHILD_CREATED: StartChild,
}


def has_same_name(action: Action, event: Event) -> bool:
    """Compare the names of what was and what is scheduled; a timer has none."""
    return isinstance(action, CreateTimer) or action.name.upper() == event["Name"].upper()


def describe_disagreement(event: Event, action: Action | None) -> str:
    """Tell what the history holds and what this turn scheduled instead."""
    number, kind = event["EventId"], event["EventType"]
    what = {
        TASK_SCHEDULED: f"an activity task with sequence {'number' if action else 'ID'} {number} "
        + (f"named '{event.get('Name')}'," if action else f"and name '{event.get('Name')}' (version ''),"),
        TIMER_CREATED: f"a timer task with sequence number {number}" + (" named" if action else ""),
        CHILD_CREATED: f"a sub-orchestration task with sequence ID {number} and name '{event.get('Name')}' "
        f"(version '{event.get('Version') or ''}', instance ID '{event.get('InstanceId')}'),",
    }[kind]
    if action is None:
        return f"{what} but the current replay execution hasn't (yet?) scheduled this task."
    if isinstance(action, CONFIRMS[kind]):
        return (
            f"{what} but the current orchestration replay instead scheduled an activity task named "
            f"'{getattr(action, 'name', '')}' with this sequence number."
        )
    return (
        f"{what} but the current orchestration replay instead produced a {KINDS[type(action)]} action with this "
        "sequence number."
    )


def read_instant(text: str) -> dt.datetime:
    """Read the extension's timestamps, which carry seven digits of a second, as an instant in UTC."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = dt.datetime.fromisoformat(whole).replace(tzinfo=dt.UTC)
    return moment + dt.timedelta(microseconds=int(rest[:6].ljust(6, "0"))) if rest else moment


def replay(
    name: str,
    instance_id: str,
    history: list[Event],
    answer: dict[str, Any] | Crash,
    functions: Functions,
    default_version: str | None = None,
) -> Turn:
    """Say what the extension schedules after an orchestrator gave `answer` to `history`."""
    execution = Execution(name, instance_id, answer, functions, default_version)
    try:
        for event in history:
            execution.handle(event)
    except NonDeterministic as error:
        return Turn(end=execution.terminated or Failed(str(error)), custom_status=execution.custom_status)
    return execution.turn()

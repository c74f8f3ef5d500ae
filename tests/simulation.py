"""One instance of the orchestrator, run by the SDK's own replay behind the gate, on a clock the test moves.

No task hub and no threads: the test decides what arrives, together with what, in which order, and when.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, field

from approvals.durable import activities, callbacks
from approvals.durable.callback_workflow import callback_workflow
from approvals.durable.workflow import approval_workflow
from approvals.rules.story import Found, Story
from devhost import replay
from tests.builders import NOON

ACTIVITIES = ("submit_approval_request", "process_approval", "send_callback")
HANDLES = {each._function._name: each._function._func for each in (approval_workflow, callback_workflow)}


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


class Registered:
    def has_activity(self, name):
        return name in ACTIVITIES

    def has_orchestrator(self, name):
        return name in HANDLES


def context_of(history, request):
    text = json.dumps(request.model_dump_json())
    return json.dumps(
        {
            "history": history,
            "input": text,
            "instanceId": request.request_id,
            "isReplaying": len(history) > 2,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
            "longRunningTimerIntervalDuration": "3.00:00:00",
            "maximumShortTimerDuration": "6.00:00:00",
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
    )


def answer(history, request, orchestrator="approval_workflow"):
    """What the orchestrator answers to a history."""
    return json.loads(HANDLES[orchestrator](context_of(history, request)))


@dataclass
class Instance:
    """An instance of the orchestrator."""

    request: object
    now: dt.datetime = NOON
    history: list = field(default_factory=list)
    timers: dict = field(default_factory=dict)
    running: dict = field(default_factory=dict)
    scheduled: list = field(default_factory=list)
    fired: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    end: object = None
    orchestrator: str = "approval_workflow"

    def start(self, *events):
        """Run the first turn, with events that came before it."""
        started = {
            "EventType": 0,
            "Name": self.orchestrator,
            "Version": "1.0",
            "Input": json.dumps(json.dumps(self.request.model_dump_json())),
            "EventId": -1,
            "IsPlayed": False,
            "Timestamp": stamp(self.now),
        }
        return self.deliver(started, *events)

    def deliver(self, *events):
        """Run a turn with what arrived together."""
        if self.end:
            return self
        began = {"EventType": 12, "EventId": -1, "IsPlayed": False, "Timestamp": stamp(self.now)}
        self.history += [began, *events]
        state = answer(self.history, self.request, self.orchestrator)
        self.answers.append((len(self.history), state))
        names = re.findall(r'"externalEventName": "([^"]+)"', json.dumps(state["actions"]))
        assert len(names) == len(set(names)), f"an event name is waited on twice: {sorted(names)}"
        turn = replay.replay(self.orchestrator, self.request.request_id, self.history, state, Registered(), "1.0")
        self.custom_status = turn.custom_status
        for action in turn.actions:
            common = {"EventId": action.id, "IsPlayed": False, "Timestamp": stamp(self.now)}
            if isinstance(action, replay.CreateTimer):
                self.timers[action.id] = action.fire_at
                self.history.append({"EventType": 10, "FireAt": stamp(action.fire_at), **common})
            else:
                self.running[action.id] = action
                self.scheduled.append((action.name, json.loads(json.loads(action.input))))
                self.history.append({"EventType": 4, "Name": action.name, "Input": None, **common})
        self.history.append({"EventType": 13, "EventId": -1, "IsPlayed": False, "Timestamp": stamp(self.now)})
        self.end = turn.end
        return self

    @property
    def story(self):
        """What the instance says of itself."""
        return json.loads(self.end.output) if isinstance(self.end, replay.Completed) else self.custom_status

    def raised(self, kind, data, number=1, encode=json.dumps):
        """An event as the durable client raises it."""
        name = f"{kind}-{number}-{self.request.request_id}"
        text = json.dumps(encode(data)) if encode else json.dumps(data)
        return {
            "EventType": 15,
            "Name": name,
            "Input": text,
            "EventId": -1,
            "IsPlayed": False,
            "Timestamp": stamp(self.now),
        }

    def decision(self, decision, key="decision", **more):
        return self.raised(key, decision.model_dump(mode="json"), **more)

    def change(self, change, **more):
        return self.raised("change", change.model_dump(mode="json"), **more)

    def cancellation(self, cancellation, **more):
        return self.raised("cancel", cancellation.model_dump(mode="json"), **more)

    def result(self, number, *, failure=None, undelivered=(), said=None):
        """The result of an activity, by its number: done, failed, or done but for some messages."""
        common = {"TaskScheduledId": number, "EventId": -1, "IsPlayed": False, "Timestamp": stamp(self.now)}
        if failure:
            return {"EventType": 6, "Reason": failure, "Details": "{}", **common}
        return {"EventType": 5, "Result": json.dumps(said or activities.write_undelivered(undelivered)), **common}

    def finish(self, number, **more):
        """Complete an activity."""
        self.running.pop(number)
        return self.deliver(self.result(number, **more))

    def due(self):
        """The timers that have not fired, next first."""
        return sorted((at, number) for number, at in self.timers.items() if number not in self.fired)

    def fire(self, early=0):
        """Move the clock to the next timer, or so many seconds before it, and give its event."""
        at, number = self.due()[0]
        self.now = max(self.now, at - dt.timedelta(seconds=early))
        self.fired.append(number)
        return {
            "EventType": 11,
            "TimerId": number,
            "FireAt": stamp(at),
            "EventId": -1,
            "IsPlayed": False,
            "Timestamp": stamp(self.now),
        }

    @property
    def found(self):
        """The request with the story it publishes."""
        return Found(request=self.request, story=Story.from_json(self.story))

    def activities_of(self, name):
        return [input_ for called, input_ in self.scheduled if called == name]


REGISTERED = {
    f._function._name
    for f in (activities.submit_approval_request, activities.process_approval, callbacks.send_callback)
}
assert set(ACTIVITIES) == REGISTERED

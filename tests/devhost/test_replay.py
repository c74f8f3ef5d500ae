"""The gate, against every turn that was recorded on the real extension."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from devhost import replay as gate
from devhost.replay import Crash, CreateTimer, ScheduleActivity, replay

CONFORMANCE = Path(__file__).parent.parent / "conformance"
TURNS = [json.loads(line) for line in (CONFORMANCE / "turns.jsonl").read_text().splitlines()]
SCHEDULED = {gate.TASK_SCHEDULED: "activity", gate.TIMER_CREATED: "timer"}


class ConformanceApp:
    def has_activity(self, name):
        return name in ("echo", "seen", "fail")

    def has_orchestrator(self, name):
        return name != "nobody"


def answered(turn):
    if "state" in turn:
        return turn["state"]
    exception = turn["exception"]
    if "$OutOfProcData$:" in exception:
        return json.loads(exception.split("$OutOfProcData$:")[1])
    return Crash(exception)


def gated(turn):
    context = turn["context"]
    return replay(turn["orchestrator"], context["instanceId"], context["history"], answered(turn), ConformanceApp())


def scheduled(turn):
    return {e["EventId"]: SCHEDULED[e["EventType"]] for e in turn["context"]["history"] if e["EventType"] in SCHEDULED}


def executions():
    """Consecutive turns of one execution of one instance."""
    for before, after in pairwise(TURNS):
        first, second = before["context"]["history"], after["context"]["history"]
        same = before["scenario"] == after["scenario"] and len(second) > len(first)
        if same and second[0]["Timestamp"] == first[0]["Timestamp"]:
            yield pytest.param(before, after, id=f"{before['scenario']}-{len(first)}")


@pytest.mark.parametrize(("before", "after"), list(executions()))
def test_the_gate_schedules_just_what_the_real_extension_scheduled_next(before, after):
    turn = gated(before)

    new = {number: kind for number, kind in scheduled(after).items() if number not in scheduled(before)}
    assert {a.id: "timer" if isinstance(a, CreateTimer) else "activity" for a in turn.actions} == new
    assert turn.end is None


def test_enough_recorded_turns_were_compared():
    assert len(list(executions())) >= 60


def test_every_last_recorded_turn_ends_as_the_instance_did():
    status = {}
    for line in (CONFORMANCE / "recorded.jsonl").read_text().splitlines():
        scenario = json.loads(line)
        for answer in scenario["answers"]:
            if isinstance(answer["body"], dict) and "runtimeStatus" in answer["body"]:
                status[scenario["scenario"]] = answer["body"]["runtimeStatus"]
    last = {turn["scenario"]: turn for turn in TURNS}
    running = {"Running", "Suspended", "Pending"}
    restarted = {"manage_completed", "manage_failed"}

    for name, turn in last.items():
        if name not in restarted:
            end = gated(turn).end
            assert (type(end).__name__ if end else "Running") == (
                "Running" if status[name] in running else status[name]
            ), name


STARTED = [
    {"EventType": 12, "Timestamp": "2026-01-01T00:00:00Z"},
    {"EventType": 0, "Timestamp": "2026-01-01T00:00:00Z"},
]
TIMER = {"actionType": 5, "fireAt": "2026-01-02T00:00:00.000000Z", "isCanceled": False}


def state(*actions, done=False, **more):
    return {"isDone": done, "schemaVersion": 2, "actions": [list(actions)], **more}


def wait(name):
    return {"actionType": 6, "externalEventName": name, "reason": "ExternalEvent"}


def activity(name="echo"):
    return {"actionType": 0, "functionName": name, "input": "1"}


def raised(name):
    return {"EventType": 15, "Name": name, "Input": "1", "Timestamp": "2026-01-01T00:00:01Z"}


def turn_of(answer, *events):
    return replay("story", "i", [*STARTED, *events], answer, ConformanceApp())


def test_an_action_waits_for_the_one_before_it():
    assert turn_of(state(wait("a"), activity())).actions == ()
    assert turn_of(state(wait("a"), activity()), raised("a")).actions == (ScheduleActivity(0, "echo", "1"),)


def test_event_names_are_compared_without_case():
    assert turn_of(state(wait("Go"), activity()), raised("gO")).actions


def test_an_unknown_activity_takes_no_number_and_passes_the_gate():
    turn = turn_of(state({"actionType": 11, "compoundActions": [activity("ehco"), activity()]}, activity()))

    assert [a.id for a in turn.actions] == [0, 1]


def test_a_failure_waits_for_open_timers():
    turn = turn_of(state({"actionType": 11, "compoundActions": [TIMER, wait("a")]}, error="bad"), raised("a"))

    assert turn.end is None


def test_a_crash_after_something_was_scheduled_is_told_as_non_determinism():
    created = {"EventType": 10, "EventId": 0, "FireAt": "2026-01-02T00:00:00Z", "Timestamp": "2026-01-01T00:00:00Z"}

    end = turn_of(Crash("ValueError: poison"), created).end

    assert end.message == (
        "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled a timer task with "
        "sequence number 0 but the current replay execution hasn't (yet?) scheduled this task. Was a change made to "
        "the orchestrator code after this instance had already started running?"
    )


def test_events_after_continue_as_new_are_carried_over_and_earlier_ones_lost():
    answer = state(wait("tick"), {"actionType": 4, "input": "1"}, done=True)

    end = turn_of(answer, raised("other"), raised("tick"), raised("tick")).end

    assert end.input == '"1"'
    assert [e["Name"] for e in end.carryover] == ["tick"]


def test_what_is_not_implemented_is_refused_by_name():
    end = turn_of(state({"actionType": 8, "httpRequest": {}})).end

    assert "CallHttp" in end.message

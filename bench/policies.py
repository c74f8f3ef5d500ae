"""What a policy costs: scheduler actions, and the orchestrator's CPU over all its replays.

The orchestrator runs behind the gate, without a task hub, so that nothing but its own work (and the SDK's replay)
is measured. CPU is given as a ratio to a bare approval of the same run.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.rules import events, story
from devhost import replay
from tests.builders import HOUR, a_panel, a_policy, asked, decided
from tests.simulation import Instance

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 30


@dataclass(frozen=True)
class Cost:
    """Of one approval: scheduler actions, turns, and seconds of CPU."""

    actions: int
    turns: int
    cpu: float


def approve(people: int, reminders: int = 0) -> Instance:
    """Play an approval by everyone, after some reminders, to its end."""
    names = [f"person-{number}" for number in range(people)]
    policy = a_policy(a_panel(*names, hours=100, required=max(1, people), remind_hours=1 if reminders else None))
    instance = Instance(asked(policy=policy)).start()
    for _ in range(reminders):
        instance.deliver(instance.fire())
        finish(instance)
    for slot in range(max(1, people)):
        key = events.slot_key(story.Story(), slot)
        after = instance.now - instance.request.created_at + HOUR / 100
        vote = decided(names[slot] if names else "someone", slot=slot, after=after, decision_id=f"d{slot}")
        instance.deliver(instance.decision(vote, key=key))
    finish(instance)
    assert isinstance(instance.end, replay.Completed), f"the approval did not end: {instance.end}"
    return instance


def finish(instance: Instance) -> None:
    """Let every activity that runs complete."""
    for number in list(instance.running):
        instance.finish(number)


def cost(people: int, reminders: int = 0) -> Cost:
    """Measure an approval; the CPU is the least of several runs."""
    least, instance = float("inf"), None
    for _ in range(TIMES):
        began = time.process_time()
        instance = approve(people, reminders)
        least = min(least, time.process_time() - began)
    events = sum(event["EventType"] == replay.EVENT_RAISED for event in instance.history)
    actions = 1 + events + 2 * len(instance.scheduled) + len(instance.fired)
    return Cost(actions, len(instance.answers), least)


def table() -> str:
    """Measure and write the table, in Markdown."""
    rows: list[tuple[str, Callable[[], Cost]]] = [
        ("bare: one open slot", lambda: cost(0)),
        ("1 approver", lambda: cost(1)),
        ("5 approvers, all required", lambda: cost(5)),
        ("20 approvers, all required", lambda: cost(20)),
        ("1 approver, after 10 reminders", lambda: cost(1, 10)),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's notices about itself
        measured = [(name, measure()) for name, measure in rows]
    bare = measured[0][1]
    lines = [
        f"Per approval; CPU is the orchestrator's over all its turns, the least of {TIMES} runs, over a bare one's.",
        "",
        "| Policy | Scheduler actions | Turns | Actions per turn | CPU ÷ bare | CPU per turn ÷ bare |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, it in measured:
        per_turn = (it.cpu / it.turns) / (bare.cpu / bare.turns)
        lines.append(
            f"| {name} | {it.actions} | {it.turns} | {it.actions / it.turns:.2f} | {it.cpu / bare.cpu:.2f} "
            f"| {per_turn:.2f} |"
        )
    one, five, twenty = (measured[i][1] for i in (1, 2, 3))
    extra = ((five.actions - one.actions) / 4, (twenty.actions - five.actions) / 15)
    lines += ["", f"Actions for each further approver: {extra[0]:g} from 1 to 5, and {extra[1]:g} from 5 to 20."]
    return "\n".join(lines) + "\n"

"""The orchestrator: the only writer of an outcome.

It arms a round (a timer, the waits, a message to people), waits for whatever comes first, asks the model what
becomes of it, and tells the world once. The extension schedules an action only when the one before it has
completed, and the SDK mishandles several things; from measured defects follow the laws kept here:

* An event name is waited on once; the model names a fresh one for every wait.
* A `task_any` holds fresh tasks only, or tasks that are already scheduled only.
* Every round but the first holds an activity, so that it passes the gate without anyone's help.
* Nothing is yielded alone while an answer can still arrive.
* The losing timer is cancelled, and none is longer than five days.
* The custom status is set on every replay, truthy, and well under 16 KB.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df

from approvals import activities, model
from approvals.model import Found, Heard, Request, Story, Wake

if TYPE_CHECKING:
    from collections.abc import Generator

blueprint = df.Blueprint()

NAME = "approval_workflow"


@blueprint.orchestration_trigger(context_name="context")
def approval_workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Ask, wait, hear, tell."""
    found = Found(request=Request.decoded(context.get_input()), story=Story())
    started_at = now(context)
    listening = Listening(context)

    while found.story.is_open:
        context.set_custom_status(found.story.published())
        yield context.task_any(listening.arm(found))
        found = listening.hear(found)
        while found.story.is_open and not listening.needs_a_round(found):
            context.set_custom_status(found.story.published())
            yield context.task_any(listening.tasks)
            found = listening.hear(found)

    listening.stop_timer()
    context.set_custom_status(found.story.published())
    try:
        yield context.call_activity(activities.process_approval, found.model_dump_json(exclude_defaults=True))
    except Exception:  # noqa: BLE001 - the outcome stands, whatever became of telling it
        found = found.with_story(found.story.noted("The outcome could not be told: process_approval failed."))
        context.set_custom_status(found.story.published())
    if found.request.keyed and now(context) < model.guarded_until(started_at):
        yield context.create_timer(model.guarded_until(started_at))
    return found.story.whole()


@dataclass
class Listening:
    """The tasks an instance listens to. Event names it has waited on once are never waited on again."""

    context: df.DurableOrchestrationContext
    timer: Any = None
    fires_at: dt.datetime | None = None
    panel: tuple[int, bool] = (0, False)
    waits: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    notices: list[Any] = field(default_factory=list)
    told: Found | None = None

    @property
    def tasks(self) -> list[Any]:
        """All that has not been heard yet."""
        return [*([self.timer] if self.timer else []), *self.waits.values(), *self.notices]

    def needs_a_round(self, found: Found) -> bool:
        """Whether a timer is missing, or something is to be listened to that is not armed."""
        return self.timer is None or not model.listens_to(found).keys() <= self.keys.keys()

    def arm(self, found: Found) -> list[Any]:
        """Make what is missing; give the fresh tasks, and no other."""
        fresh = []
        if self.timer is None:
            self.fires_at = model.wakes_at(found, now(self.context))
            self.timer = self.context.create_timer(self.fires_at)
            fresh.append(self.timer)
        listened = model.listens_to(found)
        for name, key in listened.items():
            if name not in self.keys:
                self.keys[name] = key
                self.waits[name] = self.context.wait_for_external_event(name)
                fresh.append(self.waits[name])
        # The waits of a panel that is over stay behind, which holds nothing up. That for a change is kept: a later
        # panel may be passed on under the same name, and a name is waited on once.
        self.waits = {n: wait for n, wait in self.waits.items() if n in listened or self.keys[n] == "change"}
        if self.told or found.request.tell:
            notice = activities.Notice(found=found, occasion=model.occasion(self.told, found))
            told = notice.model_dump_json(exclude_defaults=True)
            fresh.append(self.context.call_activity(activities.submit_approval_request, told))
            self.notices.append(fresh[-1])
        self.told = found
        return fresh

    def hear(self, found: Found) -> Found:
        """Take what has completed out of the tasks and let the model say what becomes of it."""
        heard: list[tuple[Heard, str]] = []
        for name in [name for name, wait in self.waits.items() if wait.is_completed]:
            key, data = self.keys[name], self.waits.pop(name).result
            try:
                heard.append((model.read(key, data), key))
            except ValueError:
                found = found.with_story(
                    found.story.spent(key, f"A {key.partition('-')[0]} event that could not be read was ignored.")
                )
        for notice in [notice for notice in self.notices if notice.is_completed]:
            self.notices.remove(notice)
            if isinstance(notice.result, Exception):
                note = "The approvers could not be told: submit_approval_request failed."
                found = found.with_story(found.story.noted(note))
        if self.timer and self.timer.is_completed:
            self.timer = None
            heard.append((Wake(heard_at=self.fires_at), ""))
        found = model.hear_all(found, heard, now(self.context))
        panel = (found.story.stage, found.story.escalated)
        if panel != self.panel:
            self.panel = panel
            self.stop_timer()
        return found

    def stop_timer(self) -> None:
        """Cancel the timer that lost; left alone it would keep the instance running."""
        if self.timer:
            self.timer.cancel()
            self.timer = None


def now(context: df.DurableOrchestrationContext) -> dt.datetime:
    """Give the replay's own time in UTC, never the clock's."""
    return context.current_utc_datetime.astimezone(dt.UTC)  # type: ignore[no-any-return]

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
from approvals.model import Cancellation, Deadline, Decision, Found, Heard, Request, Story

if TYPE_CHECKING:
    from collections.abc import Generator

blueprint = df.Blueprint()

NAME = "approval_workflow"


@blueprint.orchestration_trigger(context_name="context")
def approval_workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Ask, wait, hear, tell."""
    request = Request.decoded(context.get_input())
    story = Story()
    started_at = now(context)
    listening = Listening(context, request)

    while story.is_open:
        context.set_custom_status(story.published())
        yield context.task_any(listening.arm(story))
        story = listening.hear(story)
        while story.is_open and not listening.needs_a_round:
            context.set_custom_status(story.published())
            yield context.task_any(listening.tasks)
            story = listening.hear(story)

    listening.stop()
    context.set_custom_status(story.published())
    try:
        yield context.call_activity(activities.process_approval, Found(request=request, story=story).model_dump_json())
    except Exception:  # noqa: BLE001 - the outcome stands, whatever became of telling it
        story = story.noted("The outcome could not be told: process_approval failed.")
        context.set_custom_status(story.published())
    if request.keyed and now(context) < model.guarded_until(started_at):
        yield context.create_timer(model.guarded_until(started_at))
    return story.published()


@dataclass
class Listening:
    """The tasks an instance listens to, and the waits that are not armed yet."""

    context: df.DurableOrchestrationContext
    request: Request
    rounds: int = 0
    timer: Any = None
    fires_at: dt.datetime | None = None
    waits: dict[str, Any] = field(default_factory=dict)
    unarmed: set[str] = field(default_factory=lambda: set(KINDS))
    notices: list[Any] = field(default_factory=list)

    @property
    def tasks(self) -> list[Any]:
        """All that has not been heard yet."""
        return [*([self.timer] if self.timer else []), *self.waits.values(), *self.notices]

    @property
    def needs_a_round(self) -> bool:
        """Whether a timer fired before the deadline, or an event that could not be read took a wait."""
        return self.timer is None or bool(self.unarmed)

    def arm(self, story: Story) -> list[Any]:
        """Make what is missing; give the fresh tasks, and no other."""
        self.rounds += 1
        fresh = []
        if self.timer is None:
            self.fires_at = model.next_timer(self.request, now(self.context))
            self.timer = self.context.create_timer(self.fires_at)
            fresh.append(self.timer)
        for kind in sorted(self.unarmed):
            name = model.event_name(self.request.request_id, kind, story.waits[kind])
            self.waits[kind] = self.context.wait_for_external_event(name)
            fresh.append(self.waits[kind])
        self.unarmed.clear()
        if self.rounds > 1 or self.request.tell:
            asked = self.request.model_dump_json()
            fresh.append(self.context.call_activity(activities.submit_approval_request, asked))
            self.notices.append(fresh[-1])
        return fresh

    def hear(self, story: Story) -> Story:
        """Take what has completed out of the tasks and let the model say what becomes of the story."""
        heard: list[Heard] = []
        for kind in [kind for kind, wait in self.waits.items() if wait.is_completed]:
            data = self.waits.pop(kind).result
            try:
                heard.append(KINDS[kind].decoded(data))
            except ValueError:
                story = story.spent(kind)
                self.unarmed |= {kind} if story.listens_to(kind) else set()
        for notice in [notice for notice in self.notices if notice.is_completed]:
            self.notices.remove(notice)
            if isinstance(notice.result, Exception):
                story = story.noted("The approvers could not be told: submit_approval_request failed.")
        if self.timer and self.timer.is_completed:
            self.timer = None
            if self.fires_at == self.request.deadline:
                heard.append(Deadline(heard_at=self.request.deadline))
        return model.hear_all(self.request, story, heard, now(self.context))

    def stop(self) -> None:
        """Cancel the timer that lost; left alone it would keep the instance running."""
        if self.timer:
            self.timer.cancel()


KINDS: dict[str, type[Decision | Cancellation]] = {"decision": Decision, "cancel": Cancellation}


def now(context: df.DurableOrchestrationContext) -> dt.datetime:
    """Give the replay's own time in UTC, never the clock's."""
    return context.current_utc_datetime.astimezone(dt.UTC)  # type: ignore[no-any-return]

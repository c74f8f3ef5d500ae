"""The orchestrator: the only writer of an outcome.

It arms a round (a timer, the waits, a message to people), waits for whatever comes first, asks the model what
becomes of it, and tells the world once. The extension schedules an action only when the one before it has
completed, and the SDK mishandles several things; from measured defects follow the laws kept here:

* An event name is waited on once; the model names a fresh one for every wait.
* A `task_any` holds fresh tasks only, or tasks that are already scheduled only.
* Every round but the first holds an activity, so that it passes the gate without anyone's help.
* Nothing is yielded alone while an answer can still arrive, but for that second wait.
* The losing timer is cancelled, and none is longer than five days.
* A timer is a hint, not the clock: one that fires early is waited for once more.
* The custom status is set on every replay, truthy, and well under 16 KB.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df

from approvals import signals
from approvals.durable import NAME, activities, sdk
from approvals.rules import deliveries, events, hearing
from approvals.rules.notices import AGAIN, OUTCOME, Notice, change_kind, notice_of
from approvals.rules.story import Event, Found, Request, Story, TimerFired

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["NAME", "approval_workflow", "blueprint"]

blueprint = df.Blueprint()
sdk.mend()

SECOND = dt.timedelta(seconds=1)
"""A timer may fire up to a second early (35 of 40 on the real extension, by 0.92 s at most)."""


@blueprint.orchestration_trigger(context_name="context")
def approval_workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Play a request to its end. That it fails, which only a defect can bring about, is logged."""
    try:
        return (yield from play_request(context))
    except Exception:
        signals.REQUEST_FAILED.write(request=context.instance_id)
        raise


def play_request(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Ask, wait, hear, tell."""
    found = Found(request=Request.from_json(context.get_input()), story=Story())
    started_at = now(context)
    listening = Listening(context)

    while found.story.is_open:
        context.set_custom_status(found.story.snapshot())
        yield context.task_any(listening.arm(found))
        yield from listening.wait_out_early_timer(found)
        found = listening.apply_completed(found)
        while found.story.is_open and not listening.needs_a_round(found):
            context.set_custom_status(found.story.snapshot())
            yield context.task_any(listening.tasks)
            yield from listening.wait_out_early_timer(found)
            found = listening.apply_completed(found)

    listening.stop_timer()
    found = yield from tell_outcome(context, found)
    if found.request.keyed and now(context) < events.guard_end(started_at):
        yield context.create_timer(events.guard_end(started_at))
    return found.output()


def tell_outcome(context: df.DurableOrchestrationContext, found: Found) -> Generator[Any, Any, Found]:
    """Tell the outcome, and again what failed. The outcome stands, whatever becomes of that."""
    notice = notice_of(found, OUTCOME)
    # the first version gave the story alone, the first time
    given = (found if found.request.has_first_rules else notice).model_dump_json(exclude_defaults=True)
    while True:
        context.set_custom_status(found.story.snapshot())
        try:
            failed = activities.read_undelivered((yield context.call_activity(activities.process_approval, given)))
        except Exception:  # noqa: BLE001
            found = found.with_story(found.story.with_note("The outcome could not be told: process_approval failed."))
            failed = notice.tried or activities.whole_notice_undelivered(notice)
        found = deliveries.record_delivery(found, notice.tried, failed, now(context))
        context.set_custom_status(found.story.snapshot())
        if not found.story.deliver_at:
            return found
        yield context.create_timer(found.story.deliver_at)
        found = deliveries.count_attempt(found)
        notice = notice_of(found, AGAIN)
        given = notice.model_dump_json(exclude_defaults=True)


@dataclass
class Listening:
    """The tasks an instance listens to. Event names it has waited on once are never waited on again."""

    context: df.DurableOrchestrationContext
    timer: Any = None
    fires_at: dt.datetime | None = None
    panel: tuple[int, bool] = (0, False)
    waits: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    notices: dict[Any, Notice] = field(default_factory=dict)
    last_notified: Found | None = None

    @property
    def tasks(self) -> list[Any]:
        """All that has not been heard yet."""
        return [*([self.timer] if self.timer else []), *self.waits.values(), *self.notices]

    def needs_a_round(self, found: Found) -> bool:
        """Whether a timer is missing, something is to be listened to that is not armed, or the caller to be told."""
        if change_kind(self.last_notified, found):
            return True
        return self.timer is None or not events.awaited_events(found).keys() <= self.keys.keys()

    def arm(self, found: Found) -> list[Any]:
        """Make what is missing; give the fresh tasks, and no other."""
        fresh = []
        if self.timer is None:
            self.fires_at = events.next_wake_at(found, now(self.context))
            self.timer = self.context.create_timer(self.fires_at)
            fresh.append(self.timer)
        listened = events.awaited_events(found)
        for name, key in listened.items():
            if name not in self.keys:
                self.keys[name] = key
                self.waits[name] = self.context.wait_for_external_event(name)
                fresh.append(self.waits[name])
        # The waits of a panel that is over stay behind, which holds nothing up. That for a change is kept: a later
        # panel may be passed on under the same name, and a name is waited on once.
        self.waits = {n: wait for n, wait in self.waits.items() if n in listened or self.keys[n] == "change"}
        if self.last_notified or found.request.tell:
            notice = notice_of(found, hearing.occasion(self.last_notified, found), self.last_notified)
            given = notice.model_dump_json(exclude_defaults=True)
            fresh.append(self.context.call_activity(activities.submit_approval_request, given))
            self.notices[fresh[-1]] = notice
        self.last_notified = found
        return fresh

    def wait_out_early_timer(self, found: Found) -> Generator[Any, Any, None]:
        """Wait until the instant of a timer that fired before it, so that no silence is taken for an answer too soon.

        One more timer, set a second later, is past the instant even when it fires early, too; a nearer one would fire
        at once again, turn after turn (recorded). What is decided meanwhile is heard before the silence.
        """
        if found.request.has_first_rules or not (self.timer and self.timer.is_completed and self.fires_at):
            return
        again_at = self.fires_at
        while now(self.context) < self.fires_at:
            again_at += SECOND
            yield self.context.create_timer(again_at)

    def apply_completed(self, found: Found) -> Found:
        """Take what has completed out of the tasks and let the model say what becomes of it."""
        heard: list[tuple[Event, str]] = []
        for name in [name for name, wait in self.waits.items() if wait.is_completed]:
            key, data = self.keys[name], self.waits.pop(name).result
            try:
                heard.append((events.read_event(key, data), key))
            except ValueError:
                found = found.with_story(
                    found.story.with_spent_event(
                        key, f"A {key.partition('-')[0]} event that could not be read was ignored."
                    )
                )
        if self.timer and self.timer.is_completed:
            self.timer = None
            heard.append((TimerFired(heard_at=self.fires_at), ""))
        for task in [task for task in self.notices if task.is_completed]:
            found = self.record_delivery(found, self.notices.pop(task), task.result)
        found = hearing.apply_events(found, heard, now(self.context))
        panel = (found.story.stage, found.story.escalated)
        if panel != self.panel:
            self.panel = panel
            self.stop_timer()
        return found

    def record_delivery(self, found: Found, notice: Notice, result: Any) -> Found:
        """Take note of what became of a message. What failed may want an earlier timer."""
        if isinstance(result, Exception):
            note = "The approvers could not be told: submit_approval_request failed."
            found = found.with_story(found.story.with_note(note))
            failed = notice.tried or activities.whole_notice_undelivered(notice)
        else:
            failed = activities.read_undelivered(result)
        if (found.story.stage, found.story.escalated) != (notice.found.story.stage, notice.found.story.escalated):
            late = deliveries.close_late(found, failed)  # those people are not asked any more
            return found.with_story(found.story.model_copy(update=late))
        found = deliveries.record_delivery(found, notice.tried, failed, now(self.context))
        if found.story.deliver_at and self.fires_at and found.story.deliver_at < self.fires_at:
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

"""What an activity is given to tell people: why now, and as much of the request as a message says. Pure.

An input stands in the history for as long as the instance does, and the scheduler takes a megabyte at most; so votes
come without their forms, long comments are cut, and of what many people said only the last is there. The page behind
a message's link shows everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.rules import callbacks
from approvals.rules.policy import Panel, Policy, Stage
from approvals.rules.story import Found, Undelivered
from approvals.rules.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from approvals.rules.callbacks import Kind
    from approvals.rules.presentation import Presentation
    from approvals.rules.story import Change, Decision, Request, Story

OUTCOME = "outcome"
AGAIN = "again"
RENEWED = "renewed"
"""Nobody's news: a round that only makes a wait or a timer anew."""
NOTICE_BYTES = 200_000
"""What an input may weigh as the SDK writes it, in ASCII; a quarter of a megabyte is never reached."""


class Notice(Value):
    """What people are told, and why now."""

    found: Found
    occasion: str
    key: str = ""
    """What names its messages, so that the same one has the same name; before version 2 it is worked out anew."""
    callbacks: tuple[Undelivered, ...] = ()
    """What the caller of the request is to be told with it."""

    @property
    def tried(self) -> tuple[Undelivered, ...]:
        """What is sent again with it."""
        return self.found.story.undelivered if self.occasion == AGAIN else ()

    @property
    def owed_callbacks(self) -> tuple[Undelivered, ...]:
        """The callbacks to begin with it: its own, and those that could not be begun before."""
        return (*self.callbacks, *(each for each in self.tried if each.channel in callbacks.OWN_CHANNELS))


@dataclass(frozen=True)
class Measure:
    """How much of a request is given: characters, answers, and messages that are sent again; the rest waits."""

    description: int
    details: int
    comments: int
    answers: int
    again: int
    links: int


MEASURES = (
    Measure(description=8000, details=16 * 1024, comments=300, answers=20, again=40, links=10),
    Measure(description=1000, details=2000, comments=100, answers=8, again=10, links=2),
)


def notice_of(found: Found, occasion: str, before: Found | None = None) -> Notice:
    """Give the notice for an occasion, and for what has changed since `before`.

    Before version 2 it held the whole story.
    """
    if found.request.has_first_rules:
        return Notice(found=found, occasion=occasion)
    key, owed = key_of(found, occasion), tuple(callbacks_of(found, occasion, before))
    for measure in MEASURES:
        request = short_request(found, measure)
        shortened = content_of(found.request) != content_of(request)
        short = Found(request=request, story=short_story(found.story, occasion, measure), shortened=shortened)
        notice = Notice(found=short, occasion=occasion, key=key, callbacks=owed)
        if len(json.dumps(notice.model_dump_json(exclude_defaults=True))) <= NOTICE_BYTES:
            break
    return notice


def end_kind(found: Found) -> Kind | None:
    """Say what the end of a request is told as; nothing while it is open."""
    return callbacks.ENDS.get(found.story.status)


def change_kind(before: Found | None, found: Found) -> Kind | None:
    """Say what a change of an open request is told as; nothing when there was none, or nobody wants to be told."""
    wanted = found.request.callback and found.request.callback.on == "every_change"
    if not wanted or not found.story.is_open or not before or before.story.revision == found.story.revision:
        return None
    return "voted" if len(before.story.votes) < len(found.story.votes) else "changed"


def callbacks_of(found: Found, occasion: str, before: Found | None = None) -> Iterator[Undelivered]:
    """Give what the caller is to be told: a change, or the end, which whoever has subscribed is told as well."""
    ends = occasion == OUTCOME
    kind = end_kind(found) if ends else change_kind(before, found)
    key = callbacks.event_id(found.request.request_id, found.story.revision)
    if kind and found.request.callback:
        yield Undelivered(channel=callbacks.CHANNEL, key=key, occasion=kind)
    if kind and ends:
        yield Undelivered(channel=callbacks.SUBSCRIBERS, key=key, occasion=kind)


def content_of(request: Request) -> tuple[object, ...]:
    """Give what of a request may be cut."""
    return request.description, request.details, request.presentation.links


def key_of(found: Found, occasion: str) -> str:
    """Name a message so that the same one has the same name."""
    story = found.story
    if occasion == OUTCOME:
        return f"{found.request.request_id}-{story.status.lower()}"
    return (
        f"{found.request.request_id}-{occasion.replace('_', '-')}-{story.stage + 1}{'e' * story.escalated}"
        f"-{story.reminded}-{len(story.changes)}"
    )


def short_request(found: Found, measure: Measure) -> Request:
    """Give the request without its form and options, and without the people of other panels."""
    request, policy, here = found.request, found.policy, found.story.stage
    stages = tuple(
        stage if number == here else Stage(name=stage.name, panel=Panel(timeout_seconds=stage.panel.timeout_seconds))
        for number, stage in enumerate(policy.stages)
    )
    short = Policy(stages=stages, allow_self_approval=policy.allow_self_approval)
    details = request.details
    update: dict[str, Any] = {
        "policy": short,
        "description": cut(request.description, measure.description),
        "details": details if details is None or len(details) <= measure.details else None,
        "presentation": request.presentation.model_copy(update=short_presentation(request.presentation, measure)),
    }
    return request.without_secrets.model_copy(update=update)


def short_presentation(shown: Presentation, measure: Measure) -> dict[str, Any]:
    """Give the links and labels of a request that are told; those that take too much room are left to the page."""
    labels = shown.details_schema
    return {
        "links": shown.links[: measure.links],
        "details_schema": labels if labels is None or len(labels) <= measure.details else None,
    }


def short_story(story: Story, occasion: str, measure: Measure) -> Story:
    """Give as much of a story as a message says: the last answers, and the last change."""
    votes = tuple(
        short_vote(vote, measure if number >= len(story.votes) - measure.answers else None)
        for number, vote in enumerate(story.votes)
        if vote.place[:2] == (story.stage, story.escalated) or number >= len(story.votes) - measure.answers
    )
    update: dict[str, Any] = {
        "votes": votes,
        "decision": short_vote(story.decision, measure) if story.decision else None,
        "changes": tuple(short_change(change, measure) for change in story.changes[-1:]),
        "undelivered": story.undelivered[: measure.again] if occasion == AGAIN else (),
        "never_delivered": (),
        "notes": (),
        "marks": (),
        "waits": {},
    }
    return story.model_copy(update=update)


def short_vote(vote: Decision, measure: Measure | None) -> Decision:
    """Give an answer without its form, its comments cut; without a measure only where it stands and what it was."""
    if measure is None:
        return vote.model_copy(update={"form": None, "comments": "", "on_behalf_of": None, "approver": ""})
    comments = cut(vote.comments, measure.comments)
    return vote.model_copy(update={"form": None, "comments": comments, "on_behalf_of": None})


def short_change(change: Change, measure: Measure) -> Change:
    """Give a change, its reason cut."""
    return change.model_copy(update={"reason": cut(change.reason, measure.comments)})


def cut(text: str, most: int) -> str:
    """Give a text of so many characters at most, with a sign where more was."""
    return text if len(text) <= most else text[: most - 1] + "…"

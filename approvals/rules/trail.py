"""The trail of a request: every step with its instant, as an auditor reads it. Pure.

While a request runs it is worked out of the story. From its end on it is kept in the records, and what comes after the
end is written behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired

from typing_extensions import TypedDict

from approvals.rules.policy import Assurance
from approvals.rules.value import rfc3339
from approvals.rules.written import InstantJson

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from approvals.rules.story import Change, Decision, Found, Mark, Undelivered

Kind = Literal[
    "created",
    "asked",
    "escalated",
    "reminded",
    "passed_on",
    "answered",
    "settled",
    "not_delivered",
    "refused",
    "misdirected",
    "sent_again",
    "delivered",
    "consumed",
    "revoked",
    "erased",
]


class TrailEntryJson(TypedDict):
    """One step. What does not belong to a kind of step is left out."""

    at: InstantJson
    kind: Kind
    by: NotRequired[str]
    """Who did it."""
    caller: NotRequired[str]
    """The system that said so."""
    stage: NotRequired[int]
    escalated: NotRequired[bool]
    people: NotRequired[list[str]]
    """Who was asked; nobody in particular where anybody could answer."""
    to: NotRequired[str]
    """Whom it was passed on to, or whom a message was for."""
    outcome: NotRequired[str]
    """A yes or no, or the status that a request ended in."""
    option: NotRequired[str]
    reason: NotRequired[str]
    """In their own words."""
    channel: NotRequired[str]
    assurance: NotRequired[Assurance]
    occasion: NotRequired[str]
    """What a message was about."""
    digest: NotRequired[str]
    """What was agreed to, as `content_digest` has it."""


def trail_of(found: Found) -> list[TrailEntryJson]:
    """Give every step so far, in order."""
    entries = [created(found), *askings(found), *map(answered, found.story.votes)]
    entries += map(passed_on, found.story.changes)
    if not found.story.is_open:
        entries.append(settled(found))
    entries += not_delivered(found)
    return sorted(entries, key=lambda entry: entry["at"])


def entry(at: dt.datetime, kind: Kind, **more: object) -> TrailEntryJson:
    """Write a step; what says nothing is left out."""
    said = {name: value for name, value in more.items() if value not in (None, "")}
    return {"at": rfc3339(at), "kind": kind, **said}  # type: ignore[typeddict-item]


def created(found: Found) -> TrailEntryJson:
    """Write how it began."""
    request = found.request
    return entry(
        request.created_at,
        "created",
        by=request.requester,
        caller=request.created_by,
        assurance=request.requester_assurance,
    )


def askings(found: Found) -> Iterator[TrailEntryJson]:
    """Write who was asked, asked instead, and reminded; of reminders before version 1.3 nothing is known."""
    first = found.policy.panel(0, escalated=False)
    yield entry(found.request.created_at, "asked", stage=1, escalated=False, people=list(first.approvers))
    escalated = set[int]()
    for mark in found.story.marks:
        if mark.kind == "escalated":
            escalated.add(mark.stage)
        yield asking(found, mark, escalated=mark.stage in escalated)


def asking(found: Found, mark: Mark, *, escalated: bool) -> TrailEntryJson:
    """Write that a panel was asked, or reminded."""
    people = list(found.policy.panel(mark.stage, escalated=escalated).approvers)
    return entry(mark.at, mark.kind, stage=mark.stage + 1, escalated=escalated, people=people)


def answered(vote: Decision) -> TrailEntryJson:
    """Write a person's answer."""
    return entry(
        vote.decided_at,
        "answered",
        by=vote.approver,
        caller=vote.caller,
        stage=vote.stage + 1,
        escalated=vote.escalated,
        outcome="approved" if vote.is_approved else "rejected",
        option=vote.option,
        reason=vote.comments,
        channel=vote.channel,
        assurance=vote.assurance,
        digest=vote.content_digest,
    )


def passed_on(change: Change) -> TrailEntryJson:
    """Write that somebody else is asked."""
    return entry(
        change.changed_at,
        "passed_on",
        by=change.by,
        caller=change.caller,
        people=[change.holder],
        to=change.to,
        reason=change.reason,
    )


def settled(found: Found) -> TrailEntryJson:
    """Write how it ended, and by whom; by nobody where it was silence."""
    story = found.story
    taken_back = story.cancellation
    return entry(
        story.settled_at or found.request.created_at,
        "settled",
        outcome=story.status.value,
        by=taken_back.by if taken_back else (story.decision.approver if story.decision else None),
        caller=taken_back.caller if taken_back else None,
        reason=taken_back.reason if taken_back else None,
    )


def not_delivered(found: Found) -> Iterator[TrailEntryJson]:
    """Write what no channel took, when that is known: at the end, or as it stands."""
    story = found.story
    at = story.settled_at or (story.votes[-1].decided_at if story.votes else found.request.created_at)
    for each in (*story.never_delivered, *story.undelivered):
        yield message(each, at)


def message(each: Undelivered, at: dt.datetime) -> TrailEntryJson:
    """Write a message that was not delivered."""
    return entry(at, "not_delivered", to=each.to, channel=each.channel, occasion=each.occasion)


def without_words(entries: list[TrailEntryJson]) -> list[TrailEntryJson]:
    """Give the same without what people wrote in their own words."""
    return [{name: value for name, value in each.items() if name != "reason"} for each in entries]  # type: ignore[misc]

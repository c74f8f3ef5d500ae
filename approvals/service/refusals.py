"""What an answer lacks, and why one does not count: as errors, with what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals import old_forms
from approvals.errors import (
    AlreadyDecided,
    AlreadyVoted,
    Invalid,
    NoLongerOpen,
    NotYours,
    OtherStage,
    OwnRequest,
    PassedOnTooOften,
    StageUnclear,
    Stale,
)
from approvals.people.wording import silence_sentence
from approvals.rules import events, forms, vocabulary
from approvals.rules.saying import say
from approvals.rules.story import Status
from approvals.rules.value import Problem, load_json, rfc3339

if TYPE_CHECKING:
    from approvals.rules.intake import Answer
    from approvals.rules.story import Found


def resolve_stage(found: Found, named: int | str) -> int:
    """Give the stage that is named by its name, or by its number from 1. Raises Invalid for one there is not."""
    stages = found.policy.stages
    if isinstance(named, int) and named <= len(stages):
        return named - 1
    for number, stage in enumerate(stages):
        if stage.name and stage.name == named:
            return number
    raise Invalid((Problem("/stage", say("is not a stage of this request")),))


async def judge_form(text: str, answer: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Give the answer to a form with the defaults filled in, and say what is wrong with it."""
    schema = load_json(text)
    try:
        form = vocabulary.read_form(schema)
    except vocabulary.NotOffered:  # of a request that was made before there was a vocabulary
        return answer, await old_forms.answer_problems(schema, answer)
    filled_in = forms.fill_in(form, answer)
    return filled_in, forms.answer_problems(form, filled_in)


def answer_problems(found: Found, answer: Answer, wrong: list[Problem]) -> list[Problem]:
    """Find what a decision owes to the policy: an option that fits, a comment, the form and what is `wrong` in it."""
    policy = found.policy
    problems = policy.problems_with(is_approved=answer.is_approved, comments=answer.comments, option=answer.option)
    if answer.form is None and policy.owes_form(is_approved=answer.is_approved):
        problems.append(Problem("/form", say("is required")))
    elif policy.form is not None:
        problems += [Problem(f"/form{problem.pointer}", problem.detail) for problem in wrong]
    elif answer.form is not None:
        problems.append(Problem("/form", say("is not asked for")))
    return problems


def refusal(found: Found, judgement: str, person: str) -> Exception:
    """Say why an answer does not count, and what stands."""
    story, request = found.story, found.request
    match judgement:
        case "self":
            return OwnRequest(person)
        case "not_yours" | "nobody":
            passed_on = (change.to for change in reversed(story.changes) if request.is_same(change.holder, person))
            return NotYours(person, next(passed_on, None))
        case "voted":
            votes = (vote for vote in reversed(story.votes) if request.is_same(vote.approver, person))
            return AlreadyVoted(next(votes, None), person)
        case "unclear":
            return StageUnclear(person, found.stage_name)
        case "elsewhere":
            return OtherStage(found.stage_name)
        case "stale":
            return Stale(story.revision)
        case "exhausted":
            return PassedOnTooOften(events.MAX_CHANGES)
    return closure(found)


def closure(found: Found) -> Exception:
    """Say how a request ended that takes no answer any more."""
    story = found.story
    if story.decision:
        verdict = "approved" if story.decision.is_approved else "rejected"
        at = rfc3339(story.decision.decided_at)
        return AlreadyDecided(found, f"{story.decision.approver} {verdict} this request at {at}.")
    if story.cancellation:
        at = rfc3339(story.cancellation.cancelled_at)
        return NoLongerOpen(found, f"This request was cancelled by {story.cancellation.by} at {at}.")
    if story.status is Status.FAILED:
        return NoLongerOpen(found, "This request failed inside the service and takes no decision any more.")
    return NoLongerOpen(found, f"{silence_sentence(found)} The deadline was {rfc3339(found.due_at)}.")

"""What a page offers besides an answer: to pass it on, and to say that one should not have been asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from approvals import errors
from approvals.people.identity import holder_of
from approvals.rules.intake import Delegation, Intake
from approvals.rules.saying import say
from approvals.rules.text import Comments, Name, is_blank
from approvals.rules.value import Problem
from approvals.web import bodies, showing
from approvals.web.responses import status_of

if TYPE_CHECKING:
    import azure.functions as func

    from approvals.people.links import Link
    from approvals.rules.story import Found
    from approvals.web.showing import Submission, Visit


def check_reason(text: str) -> str:
    """Accept a reason that says something."""
    if is_blank(text):
        raise ValueError(say("is required"))
    return text


class PassingOn(Intake):
    """Whom to ask instead, and why."""

    to: Name
    reason: Annotated[Comments, AfterValidator(check_reason)]


async def act(visit: Visit, link: Link, found: Found, typed: Submission) -> func.HttpResponse:
    """Do what was pressed that is no answer. A page that has gone stale says so, and does nothing."""
    name = holder_of(link, found)
    if not name or not visit.was_shown(typed.first("page"), found):
        return showing.form_page(visit, link, found, 409, showing.Submission(typed.values, stale=True))
    match typed.values.get("do"):
        case ["pass_on"]:
            return await pass_on(visit, link, found, typed, name)
        case ["not_mine"]:
            told = await visit.approvals.note_misdirected(found, name)
            return showing.html_response(200, "end", kind="not_mine", found=found, name=name, told=told)
    unread = (Problem("/answer", say("is required")),)
    return showing.form_page(visit, link, found, 422, showing.Submission(typed.values, unread))


async def pass_on(visit: Visit, link: Link, found: Found, typed: Submission, name: str) -> func.HttpResponse:
    """Have somebody else asked in one's place."""
    try:
        wish = bodies.validate(PassingOn, {"to": typed.first("to"), "reason": typed.first("reason")})
        delegation = Delegation(approver=name, to=wish.to, comments=wish.reason, stage=link.stage + 1)
        standing = await visit.approvals.delegate(link.request_id, delegation, visit.evidence(link))
    except errors.Invalid as error:
        return showing.form_page(visit, link, found, 422, showing.Submission(typed.values, error.problems))
    except errors.SchedulerUnavailable:
        return showing.form_page(visit, link, found, 503, showing.Submission(typed.values, away=True))
    except errors.ApprovalError as error:
        again = await visit.find(link) or found
        wrong = Problem(*problem_of(error))
        return showing.end_page(visit, link, again) or showing.form_page(
            visit, link, again, status_of(error), showing.Submission(typed.values, (wrong,))
        )
    if not standing.confirmed:
        return showing.html_response(202, "end", kind="unconfirmed", found=standing.found)
    return showing.back_to(visit)


def problem_of(error: errors.ApprovalError) -> tuple[str, str]:
    """Say where and why it cannot be passed on."""
    if isinstance(error, errors.OwnRequest):
        return "/to", say("is who asked for this, and cannot decide")
    if isinstance(error, errors.RightMissing):
        return "/to", say("is nobody whom the system that asked may have asked")
    if isinstance(error, errors.PassedOnTooOften):
        return "", say("is not possible any more: it was done too often")
    return "", say("is not possible now: something has changed")

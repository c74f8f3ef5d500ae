"""The page of whoever asked: what has become of the request, and, while it is open, taking it back.

Its link is of a purpose of its own, so that it never answers; GET shows, and POST takes back by the same way as the
API's `cancel`. What it shows is what its creator sees by the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from approvals import errors
from approvals.people import languages, links
from approvals.people.evidence import evidence_rows
from approvals.people.links import NotGenuine
from approvals.rules.intake import Withdrawal
from approvals.rules.value import COMMENTS_CHARACTERS
from approvals.web import bodies, calls, fields, showing
from approvals.web.responses import RETRY_SECONDS

if TYPE_CHECKING:
    import azure.functions as func

    from approvals.rules.story import Found
    from approvals.web.showing import Visit

SHOWN = "requested"
"""What the form is signed for: whatever has happened since, as long as the request is open, it may be taken back."""


async def show(visit: Visit) -> func.HttpResponse:
    """Show what has become of it."""
    found = await find(visit)
    return page_of(visit, found) if found else showing.html_response(410, "end", kind="expired")


async def submit(visit: Visit, req: func.HttpRequest) -> func.HttpResponse:
    """Take it back. One that has ended meanwhile is shown as it ended."""
    found = await find(visit)
    if (sent_wrongly := showing.refuse_foreign_body(req)) or not found:
        return sent_wrongly or showing.html_response(410, "end", kind="expired")
    text = req.get_body().decode("utf-8", "replace")
    typed = showing.Submission(parse_qs(text, keep_blank_values=True, max_num_fields=showing.FIELDS))
    if found.story.cancellation:
        return showing.back_to(visit)
    if not found.story.is_open:
        return page_of(visit, found, 409, languages.gettext("It had ended before it could be taken back."))
    if typed.values.get("do") != ["withdraw"] or not was_shown(visit, typed.first("page")):
        return page_of(visit, found, 409, languages.gettext("Please send it again."), typed)
    try:
        wish = bodies.validate(Withdrawal, {"by": found.request.requester, "reason": typed.first("reason")})
        standing = await visit.approvals.cancel(found.request.request_id, wish, on_page=True)
    except errors.Invalid as error:
        return page_of(visit, found, 422, "", showing.Submission(typed.values, error.problems))
    except errors.SchedulerUnavailable:
        return page_of(visit, found, 503, languages.gettext("Please send it again."), typed)
    except (errors.Conflict, errors.Closed):
        again = await find(visit) or found
        return page_of(visit, again, 409, languages.gettext("It had ended before it could be taken back."))
    if not standing.confirmed:
        return showing.html_response(202, "end", kind="unconfirmed", found=standing.found)
    return showing.back_to(visit)


async def find(visit: Visit) -> Found | None:
    """Read the request of a link; nothing when it is over for good. Raises NotGenuine."""
    link = visit.signer.verify_requester(visit.token)
    calls.about.set(link.request_id)
    if link.is_expired(visit.approvals.received_at):
        return None
    try:
        found = await visit.approvals.find(link.request_id)
    except errors.NotFound:
        return None
    if link.holder != links.fingerprint(found.request, found.request.requester):
        raise NotGenuine
    return found


def was_shown(visit: Visit, form: str) -> bool:
    """Tell whether a form is of a page of ours that this visitor was shown."""
    try:
        return visit.signer.verify_form(form, visit.token, visit.viewer) == SHOWN
    except NotGenuine:
        return False


def page_of(
    visit: Visit,
    found: Found,
    status: int = 200,
    note: str = "",
    typed: showing.Submission = showing.NOTHING_SENT,
) -> func.HttpResponse:
    """Show the request as it stands, in the language of the request."""
    with languages.speaking(showing.language_of(found)):
        details, more_details = evidence_rows(found.request)
        holders = (found.holder(slot) for slot in found.awaited)
        return showing.html_response(
            status,
            "requested",
            headers={"Retry-After": RETRY_SECONDS} if status == 503 else None,  # noqa: PLR2004 - the scheduler is away
            found=found,
            note=note,
            reason=typed.first("reason"),
            problems=[fields.full_sentence(languages.gettext("The reason"), each.detail) for each in typed.problems],
            people=[holder for holder in holders if holder],
            details=details,
            more_details=more_details,
            action=showing.shown_action(found.request.action),
            page_token=visit.signer.sign_form(visit.token, SHOWN, visit.viewer) if found.story.is_open else "",
            limits={"comments": COMMENTS_CHARACTERS},
        )

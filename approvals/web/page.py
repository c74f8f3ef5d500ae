"""The approver's page: GET shows, POST decides, and nothing else does.

Mail scanners open links, run scripts, and some press buttons; so no address of ours decides, nothing is chosen
beforehand, and no script submits. The page is plain HTML that works without its one script, which only adds the
reader's own time. A link tells whose answer it is; what becomes of the answer is the service's to say.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import azure.durable_functions as df
import azure.functions as func

from approvals import errors, settings
from approvals.durable.instances import Instances
from approvals.people import languages
from approvals.people.links import NotGenuine
from approvals.rules.saying import say
from approvals.rules.value import Problem
from approvals.service.approvals import Approvals
from approvals.web import calls, passing, requested
from approvals.web.brand import HEADERS
from approvals.web.responses import METHODS, RETRY_SECONDS, status_of
from approvals.web.rights import route
from approvals.web.showing import (
    FIELDS,
    Submission,
    Visit,
    back_to,
    end_page,
    form_page,
    html_response,
    read_choice,
    read_decision,
    reason_of,
    refuse_foreign_body,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger("approvals.web.page")

blueprint = df.Blueprint()

STATIC = Path(__file__).parent / "static"
SCRIPT = (STATIC / "time.js").read_text(encoding="utf-8")
ALLOWED = "GET, POST, HEAD, OPTIONS"


# --- routes ---------------------------------------------------------------------------------------


@blueprint.route(route=route("approve/{token}"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.durable_client_input(client_name="client")
async def approval_page(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/approve/{token}`: show, and on POST decide."""
    return await calls.log_call(req, respond(req, client))


@blueprint.route(route=route("requested/{token}"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.durable_client_input(client_name="client")
async def requester_page(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/requested/{token}`: show whoever asked what has become of it, and on POST take it back."""
    return await calls.log_call(req, respond(req, client, Page(requested.show, requested.submit)))


@dataclass(frozen=True)
class Page:
    """What a link leads to."""

    show: Callable[[Visit], Awaitable[func.HttpResponse]]
    submit: Callable[[Visit, func.HttpRequest], Awaitable[func.HttpResponse]]


async def respond(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, page: Page | None = None
) -> func.HttpResponse:
    """Answer a visit. Every answer is a page, also when something goes wrong."""
    with languages.speaking(languages.choose(*languages.accepted(req.headers.get("accept-language", "")))):
        return await respond_in_words(req, client, page or Page(show, submit))


async def respond_in_words(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, page: Page
) -> func.HttpResponse:
    """Answer in the language that is spoken."""
    token = req.route_params["token"]
    try:
        if req.method == "OPTIONS":
            return func.HttpResponse(status_code=204, headers={**HEADERS, "Allow": ALLOWED})
        if urlsplit(req.url).path.endswith("/"):  # some programs add one; what the page refers to would be elsewhere
            return func.HttpResponse(status_code=308, headers={**HEADERS, "Location": f"../{quote(token)}"})
        approvals = Approvals(Instances(client), settings.current())
        visit = Visit(approvals, token, approvals.signed_in(req.headers))
        match req.method:
            case "GET" | "HEAD":
                return await page.show(visit)
            case "POST":
                return await page.submit(visit, req)
        return html_response(405, "end", kind="method", headers={"Allow": ALLOWED})
    except NotGenuine:
        return html_response(404, "end", kind="not_genuine")
    except errors.Unavailable:
        return html_response(503, "end", kind="away", headers={"Retry-After": RETRY_SECONDS})
    except Exception:
        # the path has the link in it: it stays out of the log
        logger.exception("%s %s failed", req.method, calls.loggable_path(req))
        return html_response(500, "end", kind="defect")


@blueprint.route(route=route("assets/time.js"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def page_script(req: func.HttpRequest) -> func.HttpResponse:
    """`/assets/time.js`: the page's one script; it adds the reader's own time and does nothing else."""
    return await calls.log_call(req, serve_script(req))


async def serve_script(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the script."""
    allowed = "GET, HEAD, OPTIONS"
    if req.method == "OPTIONS":
        return func.HttpResponse(status_code=204, headers={"Allow": allowed})
    if req.method not in ("GET", "HEAD"):
        return func.HttpResponse(status_code=405, headers={"Allow": allowed})
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(SCRIPT, mimetype="text/javascript", headers=headers)


# --- visits ---------------------------------------------------------------------------------------


async def show(visit: Visit) -> func.HttpResponse:
    """Show what is asked, or what has become of it."""
    link = visit.link()
    found = await visit.find(link)
    if not found:
        return html_response(410, "end", kind="expired")
    return end_page(visit, link, found) or form_page(visit, link, found, 200)


async def submit(visit: Visit, req: func.HttpRequest) -> func.HttpResponse:
    """Take an answer. A page that has gone stale says so, and decides nothing."""
    link = visit.link()
    found = await visit.find(link)
    if (sent_wrongly := refuse_foreign_body(req)) or not found:
        return sent_wrongly or html_response(410, "end", kind="expired")
    typed = Submission(
        parse_qs(req.get_body().decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    )
    choice = read_choice(typed, found)
    if "do" in typed.values and not end_page(visit, link, found):
        return await passing.act(visit, link, found, typed)
    if ended := end_page(visit, link, found, choice, typed):
        return ended
    if not visit.was_shown(typed.first("page"), found):
        return form_page(visit, link, found, 409, Submission(typed.values, stale=True))
    if choice is None:
        return form_page(visit, link, found, 422, Submission(typed.values, (Problem("/answer", say("is required")),)))
    try:
        body = read_decision(visit, link, found, typed, choice)
        answer = await visit.approvals.decide(link.request_id, body, visit.evidence(link))
    except errors.Invalid as error:
        return form_page(visit, link, found, 422, Submission(typed.values, error.problems))
    except errors.SchedulerUnavailable:
        return form_page(visit, link, found, 503, Submission(typed.values, away=True))
    except (errors.Forbidden, errors.Conflict, errors.Closed) as error:
        again = await visit.find(link)
        return end_page(visit, link, again or found, choice, typed) or html_response(
            status_of(error), "end", kind="refused", reason=reason_of(error)
        )
    if not answer.confirmed:
        return html_response(202, "end", kind="unconfirmed", found=answer.found)
    # back to the link by GET, so that loading the page again sends nothing again
    return back_to(visit)

"""The JSON routes: they translate, and decide nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from approvals import VERSION, errors, settings
from approvals.durable.instances import Instances
from approvals.people.callers import identify
from approvals.people.identity import Evidence
from approvals.rules import telling
from approvals.rules.intake import Answer, Delegation, Withdrawal
from approvals.rules.value import compact
from approvals.service.approvals import Approvals
from approvals.service.reach import Reach
from approvals.web import bodies, calls, commands, headers, queries, representation
from approvals.web.responses import COMMON, METHODS, RETRY_SECONDS, Unexpected, json_response, problem_response
from approvals.web.rights import ROUTES, Demand, route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from approvals.rules.story import Found

    Handler = Callable[[func.HttpRequest, Approvals], Awaitable[func.HttpResponse]]

logger = logging.getLogger("approvals.web.api")

NO_REVISION = 0
"""Older than every story: the first has revision 1."""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}

blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)


# --- routes ---------------------------------------------------------------------------------------


@blueprint.route(route=route("api/requests"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def requests(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests`: ask, and list."""
    return await handle(req, client, "api/requests", {"GET": list_requests, "POST": create})


@blueprint.route(route=route("api/inbox"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def inbox(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/inbox`: what awaits a person."""
    return await handle(req, client, "api/inbox", {"GET": list_inbox})


@blueprint.route(route=route("api/approvals/batch"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def approvals_batch(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/approvals/batch`: decide many."""
    return await handle(req, client, "api/approvals/batch", {"POST": decide_all})


@blueprint.route(route=route("api/requests/{request_id}"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def request(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}`: look."""
    return await handle(req, client, "api/requests/{request_id}", {"GET": read})


@blueprint.route(route=route("api/requests/{request_id}/cancel"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def cancellation(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/cancel`: take back."""
    return await handle(req, client, "api/requests/{request_id}/cancel", {"POST": cancel})


@blueprint.route(route=route("api/approvals/{request_id}"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def approval(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/approvals/{request_id}`: decide."""
    return await handle(req, client, "api/approvals/{request_id}", {"POST": decide})


@blueprint.route(route=route("api/requests/{request_id}/reassign"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def reassignment(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/reassign`: ask someone else."""
    return await handle(req, client, "api/requests/{request_id}/reassign", {"POST": reassign})


@blueprint.route(route=route("api/approvals/{request_id}/delegate"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def delegation(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/approvals/{request_id}/delegate`: have someone else decide."""
    return await handle(req, client, "api/approvals/{request_id}/delegate", {"POST": delegate})


@blueprint.route(route=route("api/policies/preview"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def policy_preview(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/policies/preview`: what would happen."""
    return await handle(req, client, "api/policies/preview", {"POST": preview})


@blueprint.route(route=route("api/health"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.durable_client_input(client_name="client")
async def health(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/health`: whether this app answers; it asks nobody else, so that a slow scheduler does not take it down."""
    return await handle(req, client, "api/health", {"GET": report_health})


# --- what they do ---------------------------------------------------------------------------------


async def create(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Make a request: 201, or 200 for one this Idempotency-Key made before."""
    key = headers.idempotency_key(req.headers)
    proposal = bodies.parse_body(bodies.RequestBody, req.headers, req.get_body()).proposal()
    made = await approvals.create(proposal, key, origin(req, approvals), evidence(req, approvals))
    found = made.found
    calls.about.set(found.request.request_id)
    shown = approvals.invitations(found.request) if approvals.sees_links else None
    written = representation.creation_json(found, shown, made.addressees, approvals.requester_url(found.request))
    where = {"Location": found.request.status_url}
    if made.fresh:
        return json_response(201, written, where)
    return json_response(200, written, {**where, "Idempotent-Replayed": "true"})


async def read(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Tell the whole story; with `Prefer: wait=N` when it changes or after N seconds."""
    wait = headers.preferred_wait(req.headers)
    found = await approvals.wait_for_change(req.route_params["request_id"], wait)
    text, etag = story_with_etag(found)
    extra = {"ETag": etag} | ({"Preference-Applied": f"wait={wait}"} if wait else {})
    if headers.matches_if_none_match(etag, req.headers):
        return func.HttpResponse(status_code=304, headers={**COMMON, **extra})
    return json_response(200, text, extra)


async def list_requests(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """List requests, newest first."""
    return await list_response(req, approvals, "api/requests", queries.read_query(queries.ListQuery, req.url))


async def list_inbox(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """List what awaits a person, most urgent first."""
    return await list_response(req, approvals, "api/inbox", queries.read_query(queries.InboxQuery, req.url))


async def list_response(
    req: func.HttpRequest, approvals: Approvals, path: str, query: queries.ListQuery | queries.InboxQuery
) -> func.HttpResponse:
    """Write a page of a list, and where it goes on: in the body, and as a link (RFC 8288)."""
    base = approvals.settings.public_base_url or origin(req, approvals)
    listed = await approvals.list(query.wish())
    after = queries.next_address(base, path, query, listed.cursor) if listed.cursor else None
    written: representation.ListJson = {
        "requests": [representation.summary_json(entry, base) for entry in listed.entries],
        "next": after,
    }
    return json_response(200, written, {"Link": f'<{after}>; rel="next"'} if after else {})


async def decide_all(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Take many decisions, ten at once, each as if it had come alone."""
    body = bodies.parse_body(commands.BatchBody, req.headers, req.get_body())
    spoken, free = evidence(req, approvals), asyncio.Semaphore(commands.BATCH_AT_ONCE)

    async def take(each: commands.BatchDecision) -> representation.BatchResultJson:
        async with free:
            try:
                answer = await approvals.decide(each.request_id, each.answer(), spoken)
                response = answer_response(answer.found, confirmed=answer.confirmed)
            except errors.ApprovalError as error:
                response = problem_response(error)
            except Exception:
                logger.exception("A decision of a batch failed")
                response = problem_response(Unexpected())
        said = json.loads(response.get_body())
        return {"request_id": each.request_id, "status": response.status_code, "body": said}

    results = await asyncio.gather(*map(take, body.decisions))
    written: representation.BatchJson = {"results": list(results)}
    return json_response(200, written)


async def decide(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Take a decision: 200 once it is recorded, 202 when that could not be seen in time."""
    body = bodies.parse_body(Answer, req.headers, req.get_body())
    answer = await approvals.decide(req.route_params["request_id"], body, evidence(req, approvals))
    return answer_response(answer.found, confirmed=answer.confirmed)


async def cancel(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Take a request back: 200 once that is recorded, 202 when it could not be seen in time."""
    body = bodies.parse_body(Withdrawal, req.headers, req.get_body())
    request_id = req.route_params["request_id"]
    if_revision = expected_revision(req, await approvals.find(request_id))
    answer = await approvals.cancel(request_id, body, if_revision)
    return answer_response(answer.found, confirmed=answer.confirmed)


async def reassign(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Ask someone else: 200 once that is recorded."""
    body = bodies.parse_body(bodies.ReassignmentBody, req.headers, req.get_body())
    request_id = req.route_params["request_id"]
    if_revision = expected_revision(req, await approvals.find(request_id))
    answer = await approvals.reassign(request_id, body.reassignment(), if_revision)
    return answer_response(answer.found, confirmed=answer.confirmed)


async def delegate(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Have someone else decide in one's place: 200 once that is recorded."""
    body = bodies.parse_body(Delegation, req.headers, req.get_body())
    answer = await approvals.delegate(req.route_params["request_id"], body, evidence(req, approvals))
    return answer_response(answer.found, confirmed=answer.confirmed)


async def preview(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Say what would happen with a request: with the imagined answers, and when nobody answers."""
    body = bodies.parse_body(bodies.PreviewBody, req.headers, req.get_body())
    with_answers, in_silence = approvals.preview(
        body.request.proposal(), [each.answer() for each in body.answers], "/request"
    )
    seen: representation.PreviewJson = {
        "with_these_answers": representation.outcome_json(with_answers),
        "if_nobody_answers": representation.outcome_json(in_silence),
    }
    return json_response(200, seen)


def evidence(req: func.HttpRequest, approvals: Approvals) -> Evidence:
    """Say what speaks for whoever calls: a key, which the host has checked, and the sign-in where that counts."""
    return Evidence("api", person=approvals.signed_in(req.headers))


def expected_revision(req: func.HttpRequest, found: Found) -> int | None:
    """Give the revision that the caller acts on; nothing when any will do. Raises PreconditionMissing, Stale.

    Whether it is still the present one is for the service to say, which first looks whether the wish is recorded.

    A request without named approvers has nothing to be stale about but its end, which is told anyway: it may be
    cancelled without If-Match. With version 1 of the rules the orchestration does not compare: it is looked at here.
    """
    known = headers.matches_if_match(story_with_etag(found)[1], req.headers)
    if known is None and any(stage.panel.approvers for stage in found.policy.stages):
        raise errors.PreconditionMissing
    if headers.is_any(req.headers):
        return None
    if found.request.has_first_rules:
        if not known:
            raise errors.Stale(found.story.revision)
        return None
    return found.story.revision if known else NO_REVISION


def story_with_etag(found: Found) -> tuple[str, str]:
    """Write the story, and the ETag of it: its revision, and a digest of all that is written."""
    text = compact(telling.story_json(found))
    return text, f'"{found.story.revision}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


async def report_health(_req: func.HttpRequest, _approvals: Approvals) -> func.HttpResponse:
    """Say that the app answers, and which version."""
    health: representation.HealthJson = {"status": "ok", "version": VERSION}
    return json_response(200, health)


def answer_response(found: Found, *, confirmed: bool) -> func.HttpResponse:
    """Tell what stands after an answer."""
    if confirmed:
        return json_response(200, telling.story_json(found))
    where = {"Location": found.request.status_url, "Retry-After": RETRY_SECONDS}
    return json_response(202, telling.story_json(found), where)


# --- in and out -----------------------------------------------------------------------------------


async def handle(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, path: str, handlers: dict[str, Handler]
) -> func.HttpResponse:
    """Answer with the handler of the method, and log the call."""
    return await calls.log_call(req, respond(req, client, path, handlers))


async def respond(
    req: func.HttpRequest, client: df.DurableOrchestrationClient, path: str, handlers: dict[str, Handler]
) -> func.HttpResponse:
    """Answer with the handler of the method, and turn what goes wrong into a problem of the one shape.

    Who calls, and whether they may do this at all, is seen before anything else of the call is read.
    """
    allowed = allowed_methods(handlers)
    try:
        if req.method == "OPTIONS":
            return func.HttpResponse(status_code=204, headers={**COMMON, "Allow": ", ".join(allowed)})
        method = "GET" if req.method == "HEAD" else req.method
        handler = handlers.get(method)
        if not handler:
            return problem_response(errors.MethodNotOffered(allowed))
        return await handler(req, admit(req, client, ROUTES[path][method]))
    except errors.ApprovalError as error:
        return problem_response(error)
    except Exception:
        logger.exception("%s %s failed", req.method, calls.loggable_path(req))
        return problem_response(Unexpected())


def admit(req: func.HttpRequest, client: df.DurableOrchestrationClient, demand: Demand) -> Approvals:
    """Give the service to whoever may use it for this. Raises KeyRequired or RightMissing."""
    here = settings.current()
    approvals = Approvals(Instances(client), here)
    if not (demand.all or demand.own):
        return approvals
    caller = identify(req.headers, here, approvals.received_at)
    demand.admit(caller)
    return replace(approvals, reach=Reach(caller, demand.all))


def allowed_methods(handlers: dict[str, Handler]) -> tuple[str, ...]:
    """Name the methods a route answers to."""
    head = ("HEAD",) if "GET" in handlers else ()
    return (*handlers, *head, "OPTIONS")


def origin(req: func.HttpRequest, approvals: Approvals) -> str:
    """Give the address the request came to: a development convenience, PUBLIC_BASE_URL goes before it.

    Raises BadHeader where it would lead people, with their links, to where a caller wants them that sees no links.
    """
    parts = urlsplit(req.url)
    is_chosen = not approvals.settings.public_base_url and parts.hostname not in LOOPBACK
    if is_chosen and not approvals.sees_links:
        raise errors.BadHeader("People's links may not begin with a Host that this caller chose: set PUBLIC_BASE_URL.")
    return f"{parts.scheme}://{parts.netloc}"

"""The routes of an auditor: the trail of a request, a day's requests as JSON Lines, and that content be erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.durable_functions as df
import azure.functions as func

from approvals.rules.intake import Withdrawal
from approvals.web import bodies, queries, representation
from approvals.web.api import handle, origin, story_with_etag
from approvals.web.responses import METHODS, json_response
from approvals.web.rights import route

if TYPE_CHECKING:
    from approvals.service.approvals import Approvals

blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)

LINES = "application/jsonl"


@blueprint.route(route=route("api/requests/{request_id}/history"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def history(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/history`: what has happened, step by step."""
    return await handle(req, client, "api/requests/{request_id}/history", {"GET": tell_history})


@blueprint.route(route=route("api/requests/{request_id}/payload"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def payload(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/payload`: erase what was asked and said."""
    return await handle(req, client, "api/requests/{request_id}/payload", {"DELETE": erase})


@blueprint.route(route=route("api/export"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def export(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/export`: what ended on a day."""
    return await handle(req, client, "api/export", {"GET": export_day})


async def tell_history(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Tell every step of a request."""
    found, entries = await approvals.trail(req.route_params["request_id"])
    told: representation.HistoryJson = {
        "request_id": found.request.request_id,
        "status": found.story.status,
        "entries": entries,
    }
    return json_response(200, told)


async def erase(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Erase the content of an ended request; once that is done, doing it again changes nothing."""
    body = bodies.parse_body(Withdrawal, req.headers, req.get_body())
    left = await approvals.erase(req.route_params["request_id"], body)
    return json_response(200, story_with_etag(left)[0])


async def export_day(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Give a day's ended requests, a page at a time: an answer of a function is not streamed."""
    query = queries.read_query(queries.ExportQuery, req.url)
    page, cursor = await approvals.export(query.day, query.cursor)
    base = approvals.settings.public_base_url or origin(req, approvals)
    after = queries.next_address(base, "api/export", query, cursor) if cursor else None
    return json_response(200, page.text, {"Link": f'<{after}>; rel="next"'} if after else {}, media=LINES)

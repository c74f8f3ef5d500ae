"""The routes of those who act on a yes: use it, once, or take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.durable_functions as df
import azure.functions as func

from approvals.rules.intake import Withdrawal
from approvals.web import bodies, commands, headers, representation
from approvals.web.api import handle, story_with_etag
from approvals.web.responses import METHODS, json_response
from approvals.web.rights import route

if TYPE_CHECKING:
    from approvals.service.approvals import Approvals

blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)


@blueprint.route(route=route("api/requests/{request_id}/consume"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def consumption(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/consume`: use the yes, once."""
    return await handle(req, client, "api/requests/{request_id}/consume", {"POST": consume})


@blueprint.route(route=route("api/requests/{request_id}/revoke"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def revocation(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/revoke`: take the yes back."""
    return await handle(req, client, "api/requests/{request_id}/revoke", {"POST": revoke})


async def consume(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Use the yes for exactly this action: 200 once, and again for the same Idempotency-Key."""
    key = headers.idempotency_key(req.headers)
    body = bodies.parse_body(commands.ConsumptionBody, req.headers, req.get_body())
    used = await approvals.consume(req.route_params["request_id"], body.action, key)
    again = {"Idempotent-Replayed": "true"} if used.replayed else {}
    return json_response(200, representation.consumption_json(used), again)


async def revoke(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Take the yes back, for good."""
    body = bodies.parse_body(Withdrawal, req.headers, req.get_body())
    found = await approvals.revoke(req.route_params["request_id"], body)
    return json_response(200, story_with_etag(found)[0])

"""The routes of an operator who looks after callbacks: send again, and try a receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.durable_functions as df
import azure.functions as func

from approvals.web import bodies, commands, representation
from approvals.web.api import handle, origin
from approvals.web.responses import COMMON, METHODS, json_response
from approvals.web.rights import route

if TYPE_CHECKING:
    from approvals.service.approvals import Approvals

blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)


@blueprint.route(route=route("api/requests/{request_id}/redeliver"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def redelivery(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/requests/{request_id}/redeliver`: send again what was not taken."""
    return await handle(req, client, "api/requests/{request_id}/redeliver", {"POST": redeliver})


@blueprint.route(route=route("api/callbacks/ping"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def callback_ping(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/callbacks/ping`: try whether a receiver takes our callbacks."""
    return await handle(req, client, "api/callbacks/ping", {"POST": ping})


@blueprint.route(route=route("api/subscriptions"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def subscriptions(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/subscriptions`: be told of the end of each request."""
    return await handle(req, client, "api/subscriptions", {"GET": list_subscriptions, "POST": subscribe})


@blueprint.route(route=route("api/subscriptions/{subscription_id}"), methods=METHODS)
@blueprint.durable_client_input(client_name="client")
async def subscription(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/api/subscriptions/{subscription_id}`: be told no more."""
    return await handle(req, client, "api/subscriptions/{subscription_id}", {"DELETE": unsubscribe})


async def subscribe(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Keep an address: 201, with where it is ended."""
    body = bodies.parse_body(commands.SubscriptionBody, req.headers, req.get_body())
    made = await approvals.subscribe(body.callback_url, body.callback_format)
    base = approvals.settings.public_base_url or origin(req, approvals)
    where = {"Location": f"{base}/api/subscriptions/{made.subscription_id}"}
    return json_response(201, representation.subscription_json(made), where)


async def list_subscriptions(_req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """List the caller's addresses, or all to an operator."""
    written: representation.SubscriptionsJson = {
        "subscriptions": [representation.subscription_json(each) for each in await approvals.subscriptions()]
    }
    return json_response(200, written)


async def unsubscribe(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Forget an address."""
    await approvals.unsubscribe(req.route_params["subscription_id"])
    return func.HttpResponse(status_code=204, headers=COMMON)


async def redeliver(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Send again: 202, since callbacks are on their way then."""
    body = bodies.parse_body(commands.RedeliveryBody, req.headers, req.get_body())
    done = await approvals.redeliver(req.route_params["request_id"], body.by, everything=body.everything)
    return json_response(202, representation.redelivery_json(done))


async def ping(req: func.HttpRequest, approvals: Approvals) -> func.HttpResponse:
    """Send a ping, once, and say what became of it."""
    body = bodies.parse_body(commands.PingBody, req.headers, req.get_body())
    url, attempt = await approvals.ping(body.callback_url, body.callback_format, origin(req, approvals))
    return json_response(200, representation.ping_json(url, attempt))

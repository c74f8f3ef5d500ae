"""The least an app can do that asks, waits, and confirms what it answers: our calls and turns, and no code of ours.

It makes the calls of the scheduler and the turns that ours makes for a bare approval, keeps no records, checks nothing
and knows no policy. So it says how fast ours could be on the same host if all of its own code took no time.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df
import azure.functions as func

from approvals.durable import sdk

if TYPE_CHECKING:
    from collections.abc import Generator

EVENT = "approval_response"

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
sdk.mend()


@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Wait for an answer or the deadline, publish the outcome, act on it."""
    asked = context.get_input()
    context.set_custom_status({"status": "Pending"})
    deadline = context.create_timer(context.current_utc_datetime + dt.timedelta(hours=asked["timeout_hours"]))
    answered = context.wait_for_external_event(EVENT)
    winner = yield context.task_any([answered, deadline])
    if winner is not answered:
        return {"status": "Timeout"}
    deadline.cancel()
    said = answered.result if isinstance(answered.result, dict) else json.loads(answered.result)
    outcome = {**said, "status": "Approved" if said["is_approved"] else "Rejected"}
    context.set_custom_status(outcome)
    yield context.call_activity("process_approval", outcome)
    return outcome


@app.activity_trigger(input_name="outcome")
async def process_approval(outcome: dict) -> str:
    """Stand for acting on the outcome."""
    return outcome["status"]


@app.route(route="api/requests", methods=["POST"])
@app.durable_client_input(client_name="client")
async def create(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an orchestration."""
    request_id = uuid.uuid4().hex
    await client.start_new("approval", request_id, req.get_json())
    return answer_json({"request_id": request_id, "status": "Pending"})


@app.route(route="api/requests/{request_id}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def look(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Tell how far it is."""
    return answer_json(await status_of(req.route_params["request_id"], client))


@app.route(route="api/approvals/{request_id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def decide(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Look, hand a decision over, and look until it is recorded; with the pauses of ours."""
    request_id, pause = req.route_params["request_id"], 0.005
    began = time.monotonic()
    said = await status_of(request_id, client)
    if said["status"] == "Pending":
        pause = max(pause, 2 * (time.monotonic() - began))
        await client.raise_event(request_id, EVENT, req.get_json())
    while said["status"] == "Pending":
        await asyncio.sleep(min(pause, 0.5))
        said = await status_of(request_id, client)
        pause *= 1.5
    return answer_json(said)


async def status_of(request_id: str, client: df.DurableOrchestrationClient) -> dict[str, Any]:
    """Read what the orchestration says of itself."""
    state = await client.get_status(request_id, show_input=True)
    return {"request_id": request_id, **(state.custom_status or {"status": "Pending"})}


def answer_json(body: dict[str, Any]) -> func.HttpResponse:
    """Answer JSON."""
    return func.HttpResponse(json.dumps(body), mimetype="application/json")

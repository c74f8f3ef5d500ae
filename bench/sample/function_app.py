"""Microsoft's human-interaction sample as a function app, in our own words: start, raise, status.

It has the orchestration of `bench/seed.py` and answers a decision as soon as the event is handed over, so that
beside it one sees what this product costs on the same host.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df
import azure.functions as func

if TYPE_CHECKING:
    from collections.abc import Generator

EVENT = "approval_response"
OPEN = ("Running", "Pending")

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


# --- the orchestration ----------------------------------------------------------------------------


@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Ask, wait for an answer or the deadline, act on it."""
    asked = context.get_input()
    submitted = yield context.call_activity("submit_approval_request", asked)
    context.set_custom_status(submitted)
    deadline = context.create_timer(context.current_utc_datetime + dt.timedelta(hours=asked["timeout_hours"]))
    answered = context.wait_for_external_event(EVENT)
    winner = yield context.task_any([answered, deadline])
    if winner is not answered:
        return {"request_id": asked["request_id"], "status": "Timeout"}
    deadline.cancel()
    said = answered.result if isinstance(answered.result, dict) else json.loads(answered.result)
    return (yield context.call_activity("process_approval", {"request_id": asked["request_id"], **said}))


@app.activity_trigger(input_name="asked")
async def submit_approval_request(asked: dict) -> dict:
    """Stand for telling an approver."""
    request_id = asked["request_id"]
    return {"request_id": request_id, "status": "Pending", "approval_url": f"/api/approvals/{request_id}"}


@app.activity_trigger(input_name="answer")
async def process_approval(answer: dict) -> dict:
    """Stand for acting on the answer."""
    return {**answer, "status": "Approved" if answer["is_approved"] else "Rejected"}


# --- the client -----------------------------------------------------------------------------------


@app.route(route="api/requests", methods=["POST"])
@app.durable_client_input(client_name="client")
async def create(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an orchestration."""
    body, request_id = req.get_json(), str(uuid.uuid4())
    asked = {name: body[name] for name in ("requester", "item", "timeout_hours")}
    await client.start_new("approval", request_id, {"request_id": request_id, **asked})
    return answer_json(
        {
            "request_id": request_id,
            "status": "Pending",
            "approval_url": f"/api/approvals/{request_id}",
            "status_url": f"/api/requests/{request_id}",
        }
    )


@app.route(route="api/requests/{request_id}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def look(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Tell how far it is: the output once there is one."""
    request_id = req.route_params["request_id"]
    state = await client.get_status(request_id)
    if not state:
        return answer_json({"error": f"Request {request_id} not found"}, 404)
    runtime = state.runtime_status.name
    said = (state.output if runtime == "Completed" else state.custom_status) or {}
    return answer_json(
        {
            "request_id": request_id,
            "runtime_status": runtime,
            "status": said.get("status", "Pending"),
            "details": said,
        }
    )


@app.route(route="api/approvals/{request_id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def decide(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Hand a decision over."""
    request_id, body = req.route_params["request_id"], req.get_json()
    state = await client.get_status(request_id)
    if not state:
        return answer_json({"error": f"Request {request_id} not found"}, 404)
    if state.runtime_status.name not in OPEN:
        return answer_json({"error": f"Cannot respond to a request that is {state.runtime_status.name}"}, 400)
    said = {name: body.get(name, "") for name in ("is_approved", "approver", "comments")}
    await client.raise_event(request_id, EVENT, {**said, "response_time": dt.datetime.now(dt.UTC).isoformat()})
    return answer_json(
        {"request_id": request_id, "message": "handed over", "status_url": f"/api/requests/{request_id}"}
    )


def answer_json(body: dict[str, Any], status: int = 200) -> func.HttpResponse:
    """Answer JSON."""
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")

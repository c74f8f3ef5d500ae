"""The seed: the shape of Microsoft's human-interaction sample for the Durable Task Scheduler.

Its client answers a decision as soon as the event is handed over; whether it counted, a caller sees by looking.
Kept from the sample: two activities around one wait, the look before the event. Made faster than the sample: one
process, an asynchronous client, no log lines, no access log.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import socket
import uuid
from typing import TYPE_CHECKING, Any

import uvicorn
from durabletask import task
from durabletask.azuremanaged.client import AsyncDurableTaskSchedulerClient
from durabletask.azuremanaged.worker import DurableTaskSchedulerWorker
from durabletask.client import OrchestrationState, OrchestrationStatus
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

EVENT = "approval_response"
OPEN = (OrchestrationStatus.PENDING, OrchestrationStatus.RUNNING)

quiet = logging.getLogger("seed")
quiet.setLevel(logging.WARNING)
hub = {
    "host_address": os.environ.get("ENDPOINT", "http://127.0.0.1:8080"),
    "taskhub": os.environ.get("TASKHUB", "default"),
    "token_credential": None,
    "secure_channel": False,
    "logger": quiet,
}


# --- the worker -----------------------------------------------------------------------------------


def submit_approval_request(_: task.ActivityContext, asked: dict[str, Any]) -> dict[str, Any]:
    """Stand for telling an approver."""
    request_id = asked["request_id"]
    return {"request_id": request_id, "status": "Pending", "approval_url": f"/api/approvals/{request_id}"}


def process_approval(_: task.ActivityContext, answer: dict[str, Any]) -> dict[str, Any]:
    """Stand for acting on the answer."""
    return {**answer, "status": "Approved" if answer["is_approved"] else "Rejected"}


def approval(context: task.OrchestrationContext, asked: dict[str, Any]) -> Generator[task.Task, Any, dict[str, Any]]:
    """Ask, wait for an answer or the deadline, act on it."""
    submitted = yield context.call_activity(submit_approval_request, input=asked)
    context.set_custom_status(submitted)
    deadline = context.create_timer(context.current_utc_datetime + dt.timedelta(hours=asked["timeout_hours"]))
    answered = context.wait_for_external_event(EVENT)
    winner = yield task.when_any([answered, deadline])
    if winner is not answered:
        return {"request_id": asked["request_id"], "status": "Timeout"}
    answer = {"request_id": asked["request_id"], **answered.get_result()}
    return (yield context.call_activity(process_approval, input=answer))


# --- the client -----------------------------------------------------------------------------------


class Request(BaseModel):
    """What is asked for."""

    requester: str
    item: str
    timeout_hours: float = 24.0


class Decision(BaseModel):
    """What a person says to it."""

    is_approved: bool
    approver: str
    comments: str = ""


@contextlib.asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Work as long as the client listens."""
    with DurableTaskSchedulerWorker(**hub) as worker:
        worker.add_orchestrator(approval)
        worker.add_activity(submit_approval_request)
        worker.add_activity(process_approval)
        worker.start()
        yield
    await client.close()


app = FastAPI(lifespan=lifespan)
client = AsyncDurableTaskSchedulerClient(**hub)


@app.post("/api/requests")
async def create(request: Request) -> dict[str, Any]:
    """Start an orchestration."""
    request_id = str(uuid.uuid4())
    asked = {"request_id": request_id, **request.model_dump()}
    await client.schedule_new_orchestration(approval, input=asked, instance_id=request_id)
    return {
        "request_id": request_id,
        "status": "Pending",
        "approval_url": f"/api/approvals/{request_id}",
        "status_url": f"/api/requests/{request_id}",
    }


@app.get("/api/requests/{request_id}")
async def look(request_id: str) -> dict[str, Any]:
    """Tell how far it is: the output once there is one."""
    state = await found(request_id)
    said = state.serialized_output if state.runtime_status is OrchestrationStatus.COMPLETED else None
    said = json.loads(said or state.serialized_custom_status or "{}")
    return {
        "request_id": request_id,
        "runtime_status": state.runtime_status.name,
        "status": said.get("status", "Pending"),
        "details": said,
    }


@app.post("/api/approvals/{request_id}")
async def decide(request_id: str, decision: Decision) -> dict[str, Any]:
    """Hand a decision over."""
    state = await found(request_id)
    if state.runtime_status not in OPEN:
        raise HTTPException(400, f"Cannot respond to a request that is {state.runtime_status.name}")
    data = {**decision.model_dump(), "response_time": dt.datetime.now(dt.UTC).isoformat()}
    await client.raise_orchestration_event(request_id, EVENT, data=data)
    return {"request_id": request_id, "message": "handed over", "status_url": f"/api/requests/{request_id}"}


async def found(request_id: str) -> OrchestrationState:
    """Read the orchestration of a request."""
    state = await client.get_orchestration_state(request_id)
    if not state:
        raise HTTPException(404, f"Request {request_id} not found")
    return state


def main() -> None:
    """Listen on any free port of this machine."""
    # the protocol by its number: asyncio sets TCP_NODELAY only then, and without it an answer takes 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", timeout_keep_alive=120))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()

"""What an app's own code costs: its HTTP functions called with a client that answers at once, without any host.

`python -m bench.alone FOLDER` prints the milliseconds of CPU of a creation, a decision and a look, and how often each
called the client. What the client itself computes is not counted.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import sys
import tempfile
import time
from functools import wraps
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df
import azure.functions as func

from bench.load import ANSWERED, ASKED

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 300
WARMING = 20


class Client:
    """A scheduler in this process: an event is heard as it is raised."""

    def __init__(self) -> None:
        self.there: dict[str, SimpleNamespace] = {}
        self.calls, self.cpu = 0, 0.0

    def start_new(self, name: str, instance_id: str, data: Any) -> str:
        """Start an instance."""
        runtime = SimpleNamespace(name="Running")
        self.there[instance_id] = SimpleNamespace(
            name=name,
            instance_id=instance_id,
            input_=data,
            output=None,
            custom_status=None,
            runtime_status=runtime,
            historyEvents=[],
            last_updated_time=dt.datetime.now(dt.UTC),
        )
        return instance_id

    def get_status(self, instance_id: str, **_: bool) -> SimpleNamespace | None:
        """Read an instance."""
        return self.there.get(instance_id)

    def raise_event(self, instance_id: str, name: str, data: Any) -> None:
        """Have the rules hear it, for ours; for the sample the answer is the outcome."""
        it = self.there[instance_id]
        it.output = story_after(it, name, data) if it.name == "approval_workflow" else {**data, "status": "Approved"}
        it.runtime_status = SimpleNamespace(name="Completed")

    def instead_of(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give a method for the SDK's client, which counts calls and the CPU they take."""

        @wraps(call)
        async def counted(_: df.DurableOrchestrationClient, *arguments: Any, **named: Any) -> Any:
            self.calls += 1
            began = time.process_time()
            try:
                return call(*arguments, **named)
            finally:
                self.cpu += time.process_time() - began

        return counted


def story_after(it: SimpleNamespace, name: str, data: Any) -> dict[str, Any]:
    """Give the story as the orchestration would publish it."""
    from approvals.rules import events, hearing  # noqa: PLC0415
    from approvals.rules.story import Found, Request, Story  # noqa: PLC0415

    key = name.removesuffix(f"-{it.instance_id}").rpartition("-")[0]
    found = Found(request=Request.from_json(it.input_), story=Story())
    heard = hearing.apply_event(found, events.read_event(key, data), key, dt.datetime.now(dt.UTC))
    return heard.story.model_dump(mode="json", exclude_defaults=True)


def measure(folder: Path) -> dict[str, float]:
    """Call the app in `folder`; give milliseconds and calls, by what was done."""
    from devhost import index  # noqa: PLC0415
    from devhost.rpc import client_binding  # noqa: PLC0415

    app, client = index.load(folder), Client()
    for name in ("start_new", "get_status", "raise_event"):
        setattr(df.DurableOrchestrationClient, name, client.instead_of(getattr(client, name)))
    binding = client_binding("http://localhost", "http://localhost:1", "bench")
    routes = {(method, function.route.template): function for function in app.http for method in function.methods}
    spent: dict[str, list[float]] = {}

    async def call(what: str, method: str, path: str, body: dict[str, Any] | None = None, **values: str) -> Any:
        function = routes[method, path]
        request = func.HttpRequest(
            method=method,
            url=f"http://localhost/{path}",
            headers={"content-type": "application/json", "host": "localhost"},
            route_params=values,
            body=b"" if body is None else json.dumps(body).encode(),
        )
        arguments = {function.trigger_parameter: request, **dict.fromkeys(function.client_parameters, binding)}
        calls, inside, began = client.calls, client.cpu, time.process_time()
        answer = await function.call(**arguments)
        cpu = time.process_time() - began - (client.cpu - inside)
        if answer.status_code >= 400:
            raise RuntimeError(f"{what}: {answer.status_code} {answer.get_body().decode()}")
        spent.setdefault(f"{what}_ms", []).append(1000 * cpu)
        spent.setdefault(f"{what}_calls", []).append(client.calls - calls)
        return json.loads(answer.get_body())

    async def play() -> None:
        for number in range(TIMES + WARMING):
            if number == WARMING:
                spent.clear()
            made = await call("creation", "POST", "api/requests", ASKED)
            request_id = made["request_id"]
            await call("decision", "POST", "api/approvals/{request_id}", ANSWERED, request_id=request_id)
            await call("look", "GET", "api/requests/{request_id}", request_id=request_id)

    asyncio.run(play())
    return {name: median(values) for name, values in spent.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        quiet = {"RECORDS_FILE": f"{folder}/records.sqlite", "NOTIFY_LOG": "false", "NOTIFY_URLS": ""}
        os.environ.update(quiet)
        logging.disable(logging.ERROR)
        print(json.dumps(measure(Path(sys.argv[1]).resolve())))

"""App code in worker processes: what crashes there ends a worker, and nothing else is lost by it."""

import json
import re
import time

import httpx
import pytest

from tests.localhost import PATIENCE, LocalHost

APP = """
import asyncio
import logging
import os
import pathlib
import signal
import sys

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
MARK = pathlib.Path(__file__).with_name("mark")

def die(how):
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "exit":
        sys.exit(3)

@app.route("pid", methods=["GET"])
def pid(req):
    return str(os.getpid())

@app.route("echo", methods=["POST"])
async def echo(req, context):
    logging.getLogger("app").warning("a line of %s", context.function_name)
    await asyncio.to_thread(logging.getLogger("app").warning, "a lost line")
    answer = func.HttpResponse(req.get_body() + str(dict(req.params)).encode(), status_code=201)
    answer.headers.add("Set-Cookie", "a=1")
    return answer

@app.route("die/{how}", methods=["GET"])
async def die_async(req):
    die(req.route_params["how"])

@app.route("die-sync/{how}", methods=["GET"])
def die_sync(req):
    die(req.route_params["how"])

@app.route("bad", methods=["GET"])
def bad(req):
    return lambda: "what cannot be sent"

@app.route("run/{flow}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def run(req, client):
    instance_id = await client.start_new(req.route_params["flow"])
    while True:
        status = await client.get_status(instance_id)
        if status.runtime_status.name in ("Completed", "Failed"):
            return str(status.output)
        await asyncio.sleep(0.05)

@app.orchestration_trigger(context_name="context")
def survives(context):
    return (yield context.call_activity("dies_once"))

@app.activity_trigger(input_name="given")
def dies_once(given):
    if not MARK.exists():
        MARK.write_text("been here")
        die("killed")
    return {"ended": "well"}

@app.orchestration_trigger(context_name="context")
def fails(context):
    return (yield context.call_activity("raises"))

@app.activity_trigger(input_name="given")
def raises(given):
    raise LookupError("nowhere")
"""


@pytest.fixture
def host(tmp_path):
    (tmp_path / "function_app.py").write_text(APP)
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0"}))
    host = LocalHost("--workers", "1", app=tmp_path).start()
    yield host
    host.stop()


def get(host, path):
    return httpx.get(f"{host.url}/api/{path}", timeout=PATIENCE)


def test_functions_run_in_another_process_as_they_would_in_this_one(host):
    assert int(get(host, "pid").text) != host.process.pid

    answer = httpx.post(f"{host.url}/api/echo?a=b", content=b"body", timeout=PATIENCE)
    assert (answer.status_code, answer.text) == (201, "body{'a': 'b'}")
    assert answer.headers["Set-Cookie"] == "a=1"
    assert (get(host, "bad").status_code, get(host, "bad").content) == (500, b"")
    failed = get(host, "run/fails").text
    assert failed.startswith(
        "Orchestrator function 'fails' failed: Activity function 'raises' failed:  LookupError: nowhere"
    )
    host.stop()
    assert "a line of echo" in host.output
    assert "a lost line" not in host.output


def test_a_call_whose_worker_dies_is_an_empty_500_and_the_third_death_ends_the_host(host):
    before = get(host, "pid").text
    for path in ("die/killed", "die-sync/exit"):
        answer = get(host, path)
        assert (answer.status_code, answer.content) == (500, b"")
        after = get(host, "pid").text  # waits for the worker that takes its place
        assert after != before
        before = after

    assert (answer := get(host, "die/exit")).status_code == 500
    assert answer.content == b""
    host.process.wait(PATIENCE)
    host.stop()
    assert len(re.findall("A worker process ended", host.output)) == 3
    assert "the third worker process in three minutes" in host.output


def test_what_a_dead_worker_held_is_done_by_the_next(host):
    assert get(host, "run/survives").status_code == 500  # the caller's own call was in that worker as well
    listing = f"{host.url}/runtime/webhooks/durabletask/instances"
    ended = PATIENCE + time.monotonic()
    while (found := httpx.get(listing).json()[0])["runtimeStatus"] != "Completed":
        assert time.monotonic() < ended, found
        time.sleep(0.05)  # nothing tells from outside when it has gone on
    assert found["output"] == {"ended": "well"}


def test_a_host_whose_workers_cannot_start_says_so(tmp_path):
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0"}))
    (tmp_path / "function_app.py").write_text(
        APP + "\nif 'devhost.processes' in sys.orig_argv:\n    raise ImportError('not in a worker')\n"
    )
    with pytest.raises(AssertionError, match=r"(?s)not in a worker.*Cannot start: the worker processes end"):
        LocalHost("--workers", "1", app=tmp_path).start()

"""Which log lines of an app arrive: those the real host keeps (recorded on host 4.1037, worker 4.34), no others."""

import json
import re

import httpx
import pytest

from tests.localhost import LocalHost

APP = """
import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
pool = ThreadPoolExecutor(1)
over = asyncio.Event()

def say(what):
    logging.getLogger("app.lines").warning("said by %s.", what)

say("the import")

def on_thread(what, *arguments):
    thread = threading.Thread(target=what, args=arguments)
    thread.start()
    thread.join()

async def say_later(what):
    await asyncio.sleep(0)
    say(what)

def counted_to(context, what):
    context.thread_local_storage.invocation_id = context.invocation_id
    say(what)

@app.route("async", methods=["GET"])
async def in_async(req, context):
    say("an async function")
    await asyncio.create_task(say_later("its task"))
    await asyncio.gather(say_later("its gathered task"))
    await asyncio.to_thread(say, "to_thread")
    await asyncio.get_running_loop().run_in_executor(pool, say, "an executor")
    await asyncio.to_thread(asyncio.run, say_later("a loop of its own"))
    on_thread(say, "its thread")
    await asyncio.to_thread(counted_to, context, "to_thread with the id")
    on_thread(counted_to, context, "its thread with the id")
    asyncio.get_running_loop().call_soon(say, "a callback")
    return "done"

@app.route("later", methods=["GET"])
async def in_time(req):
    async def go_on():
        await over.wait()
        say("a task whose function has returned")
        done.set()
    done = asyncio.Event()
    global waited
    waited = done
    app.background = asyncio.create_task(go_on())
    return "done"

@app.route("then", methods=["GET"])
async def then(req):
    over.set()
    await waited.wait()
    return "done"

@app.route("sync", methods=["GET"])
def in_sync(req, context):
    say("a sync function")
    asyncio.run(say_later("the loop of a sync function"))
    on_thread(say, "the thread of a sync function")
    on_thread(counted_to, context, "the thread of a sync function with the id")
    return "done"

@app.route("start", methods=["GET"])
@app.durable_client_input(client_name="client")
async def start(req, client):
    instance_id = await client.start_new("flow")
    while (await client.get_status(instance_id)).runtime_status.name != "Completed":
        await asyncio.sleep(0.02)
    return "done"

@app.orchestration_trigger(context_name="context")
def flow(context):
    say("an orchestrator")
    yield context.call_activity("act")
    yield context.call_activity("act_async")

@app.activity_trigger(input_name="given")
def act(given: str):
    say("an activity")
    on_thread(say, "the thread of an activity")

@app.activity_trigger(input_name="given")
async def act_async(given: str, context):
    say("an async activity")
    await asyncio.to_thread(say, "to_thread of an activity")
    await asyncio.to_thread(counted_to, context, "to_thread of an activity with the id")
"""

ARRIVE = {
    *("an async function", "its task", "its gathered task", "to_thread with the id", "its thread with the id"),
    *("a sync function", "the loop of a sync function", "the thread of a sync function with the id"),
    *("an orchestrator", "an activity", "an async activity", "to_thread of an activity with the id"),
}


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    (folder / "function_app.py").write_text(APP)
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    host = LocalHost(app=folder).start()
    try:
        for path in ("async", "later", "then", "sync", "start"):
            assert httpx.get(f"{host.url}/api/{path}", timeout=20).text == "done"
    finally:
        host.stop()
    return host.output


def test_the_lines_of_functions_and_of_their_tasks_arrive_and_no_others(output):
    assert set(re.findall(r"app\.lines: said by (.*)\.", output)) == ARRIVE


def test_what_is_dropped_is_said_once_without_what_it_said(output):
    told = [line for line in output.splitlines() if "outside an invocation, are dropped" in line]

    assert len(told) == 1
    assert "'app.lines'" in told[0]
    assert "said by" not in told[0]

"""A task hub that is away: said in one line, asked again after growing pauses, and nothing is lost by it."""
# ruff: noqa: N802 - the names of gRPC methods are the protocol's

import asyncio
import json
import logging
import os
import signal

import grpc
import pytest
from durabletask.internal import orchestrator_service_pb2 as pb

from devhost import connection, worker
from devhost.connection import Connection, Presence, TaskHubAddress, connect
from devhost.hostjson import HostSettings
from devhost.index import FunctionApp, Orchestrator, load
from devhost.taskhub.hub import TaskHub
from devhost.worker import Worker
from tests.localhost import LocalTaskHub

ADDRESS = TaskHubAddress("http://127.0.0.1:1", "default")


class AwayHub:
    """A task hub that answers nothing until it is back; then it gives no work, and its stream breaks when told."""

    def __init__(self):
        self.back = False
        self.broken = asyncio.Event()

    async def Hello(self, _):
        if not self.back:
            raise refused(grpc.StatusCode.UNAVAILABLE)

    async def GetWorkItems(self, _):
        await self.broken.wait()
        return
        yield


def refused(code):
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="told so")


@pytest.fixture
def pauses(monkeypatch):
    """Let the worker's pauses pass at once, and keep them."""
    kept, sleep = [], asyncio.sleep

    async def pass_at_once(seconds):
        kept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(worker.asyncio, "sleep", pass_at_once)
    return kept


def made_worker(hub, **settings):
    app = FunctionApp(None, HostSettings(**settings), [], {"flow": Orchestrator("flow", None)}, {})
    return Worker(app, Connection(hub, Presence(str(ADDRESS))), None, lambda: "{}")


async def test_an_absent_task_hub_is_one_line_and_its_return_another(pauses, caplog):
    caplog.set_level(logging.INFO)
    hub = AwayHub()
    working = asyncio.create_task(made_worker(hub).run())
    while len(pauses) < 20:
        await asyncio.tasks.sleep(0)
    lines = [record.getMessage() for record in caplog.records]
    hub.back = True
    while len(caplog.records) < 2:
        await asyncio.tasks.sleep(0)
    working.cancel()

    (line,) = lines
    assert line.startswith("No answer from the task hub http://127.0.0.1:1, hub 'default' (UNAVAILABLE).")
    assert pauses[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert sum(pauses[:6]) < 12  # in which there were 22 lines once
    assert caplog.records[1].getMessage() == "The task hub http://127.0.0.1:1, hub 'default' answers again."


async def test_a_report_is_repeated_until_it_is_answered_and_only_when_there_was_no_answer(pauses, caplog):
    outcomes = [refused(grpc.StatusCode.DEADLINE_EXCEEDED), refused(grpc.StatusCode.UNAVAILABLE), None]
    taken = []

    async def call(outcome):
        taken.append(outcome)
        if error := outcomes.pop(0):
            raise error

    await made_worker(AwayHub()).report(call, "the outcome")
    assert taken == ["the outcome"] * 3
    assert pauses == [0.2, 0.4]
    assert len(caplog.records) == 1

    outcomes.append(refused(grpc.StatusCode.INVALID_ARGUMENT))
    with pytest.raises(grpc.aio.AioRpcError):
        await made_worker(AwayHub()).report(call, "the outcome")


async def test_a_stopped_task_hub_holds_no_call_for_ever_and_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.3)
    hub = LocalTaskHub().start()
    reached = connect(TaskHubAddress(hub.environment_of_a_host["ENDPOINT"], "default"))
    try:
        await reached.hub.StartInstance(pb.CreateInstanceRequest(instanceId="a", name="flow"))
        hub.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(
            os.waitid, os.P_PID, hub.process.pid, os.WSTOPPED | os.WNOWAIT
        )  # it answers until it has stopped
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await reached.hub.GetInstance(pb.GetInstanceRequest(instanceId="a"))
        assert connection.is_away(told.value)
        hub.process.send_signal(signal.SIGCONT)
        while True:
            try:
                assert (await reached.hub.GetInstance(pb.GetInstanceRequest(instanceId="a"))).exists
                break
            except grpc.aio.AioRpcError:
                continue  # it is still waking up
    finally:
        hub.process.send_signal(signal.SIGCONT)
        await reached.close()
        hub.kill()


FLOW = """
import azure.durable_functions as df
app = df.DFApp()

@app.orchestration_trigger(context_name="context")
def flow(context):
    return "ours"
"""


@pytest.mark.parametrize(("filters", "other"), [(False, "FAILED"), (True, "PENDING")])
async def test_work_of_other_apps_is_taken_unless_host_json_filters_it(tmp_path, filters, other):
    """What a filter leaves Pending fails without one: as the sample of Microsoft's on work item filtering says."""
    (tmp_path / "function_app.py").write_text(FLOW)
    durable = {"storageProvider": {"type": "azureManaged", "workItemFilteringEnabled": filters}}
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", "extensions": {"durableTask": durable}}))
    hub = TaskHub()
    hub.start()
    reached = connect(TaskHubAddress(f"http://127.0.0.1:{hub.port}", "default"))
    working = asyncio.create_task(Worker(load(tmp_path), reached, None, lambda: "{}").run())
    try:
        for name in ("theirs", "flow"):
            await reached.hub.StartInstance(pb.CreateInstanceRequest(instanceId=name, name=name))
        ended = await reached.hub.WaitForInstanceCompletion(pb.GetInstanceRequest(instanceId="flow"))
        left = await reached.hub.GetInstance(pb.GetInstanceRequest(instanceId="theirs"))
    finally:
        working.cancel()
        await reached.close()
        hub.stop()

    assert ended.orchestrationState.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED
    assert left.orchestrationState.orchestrationStatus == pb.OrchestrationStatus.Value(f"ORCHESTRATION_STATUS_{other}")

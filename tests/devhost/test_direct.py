"""The task hub spoken to from its own process: as over its port, but without one."""

import asyncio
import time

import grpc
import pytest
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from devhost.taskhub.direct import DirectCalls
from devhost.taskhub.hub import TaskHub

SOON = 10


@pytest.fixture
def hub():
    hub = TaskHub()
    hub.open()
    yield hub
    hub.stop()


@pytest.fixture
def calls(hub):
    return DirectCalls(hub)


async def next_item(stream):
    return await asyncio.wait_for(anext(stream), SOON)


def start(calls, instance_id="a"):
    return calls.StartInstance(pb.CreateInstanceRequest(instanceId=instance_id, name="flow"))


def outcome(item, *actions):
    return pb.OrchestratorResponse(
        instanceId=item.orchestratorRequest.instanceId, completionToken=item.completionToken, actions=actions
    )


async def test_it_listens_on_no_port(hub):
    assert hub.port == 0


async def test_who_waits_for_work_is_woken_by_a_start_by_an_event_and_by_the_agendas_thread(calls):
    stream = calls.GetWorkItems(pb.GetWorkItemsRequest())
    waiting = asyncio.create_task(next_item(stream))
    await asyncio.sleep(0)
    await start(calls)
    due = Timestamp()
    due.FromMilliseconds(int(time.time() * 1000) + 50)
    timer = pb.OrchestratorAction(id=0, createTimer=pb.CreateTimerAction(fireAt=due))
    await calls.CompleteOrchestratorTask(outcome(await waiting, timer))
    fired = await next_item(stream)
    assert [event.WhichOneof("eventType") for event in fired.orchestratorRequest.newEvents][-1] == "timerFired"
    await calls.CompleteOrchestratorTask(outcome(fired))
    waiting = asyncio.create_task(next_item(stream))
    await asyncio.sleep(0)
    await calls.RaiseEvent(pb.RaiseEventRequest(instanceId="a", name="go"))
    assert (await waiting).orchestratorRequest.newEvents[-1].eventRaised.name == "go"
    await stream.aclose()


async def test_what_a_closed_stream_held_is_handed_out_again(calls):
    stream = calls.GetWorkItems(pb.GetWorkItemsRequest())
    await start(calls)
    held = await next_item(stream)
    await stream.aclose()

    again = await next_item(calls.GetWorkItems(pb.GetWorkItemsRequest()))
    assert again.orchestratorRequest.instanceId == held.orchestratorRequest.instanceId
    assert again.completionToken != held.completionToken


async def test_a_refusal_is_the_error_that_grpc_raises(calls):
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await calls.RaiseEvent(pb.RaiseEventRequest(instanceId="nobody", name="go"))
    assert told.value.code() is grpc.StatusCode.NOT_FOUND


async def test_what_was_handed_out_is_a_copy(calls):
    stream = calls.GetWorkItems(pb.GetWorkItemsRequest())
    await start(calls)
    item = await next_item(stream)
    item.orchestratorRequest.newEvents[-1].executionStarted.name = "spoilt"
    await stream.aclose()

    again = await next_item(calls.GetWorkItems(pb.GetWorkItemsRequest()))
    assert again.orchestratorRequest.newEvents[-1].executionStarted.name == "flow"


async def test_nothing_may_hold_the_event_loop(calls):
    with pytest.raises(AttributeError, match="GetInstance"):
        calls.WaitForInstanceCompletion(pb.GetInstanceRequest(instanceId="a"))

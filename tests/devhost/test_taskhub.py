"""The embedded task hub, driven through its port as a worker and a client drive it."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.worker import TaskHubGrpcWorker
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from devhost.taskhub.hub import TaskHub

SOON = 20  # seconds after which a test fails instead of hanging


@pytest.fixture
def hub():
    hub = TaskHub()
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def hands(hub):
    with Hands(hub.port) as hands:
        yield hands


class Hands:
    """A client, and a worker that takes one item at a time and reports what the test says."""

    def __init__(self, port, request=None):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.hub = stubs.TaskHubSidecarServiceStub(self.channel)
        self.request = request or pb.GetWorkItemsRequest()
        self.stream = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vanish()
        self.channel.close()

    def connect(self):
        self.stream = self.stream or self.hub.GetWorkItems(self.request, timeout=SOON)
        return self

    def vanish(self):
        if self.stream:
            self.stream.cancel()
            self.stream = None

    def take(self):
        return next(self.connect().stream)

    def start(self, instance_id, name="wait", **more):
        self.hub.StartInstance(pb.CreateInstanceRequest(instanceId=instance_id, name=name, **more))

    def raise_event(self, instance_id, name="data"):
        self.hub.RaiseEvent(pb.RaiseEventRequest(instanceId=instance_id, name=name))

    def suspend(self, instance_id, reason="because"):
        self.hub.SuspendInstance(pb.SuspendRequest(instanceId=instance_id, reason=text(reason)))

    def resume(self, instance_id, reason="enough"):
        self.hub.ResumeInstance(pb.ResumeRequest(instanceId=instance_id, reason=text(reason)))

    def complete(self, item, *actions, **more):
        self.hub.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=item.orchestratorRequest.instanceId,
                completionToken=item.completionToken,
                actions=actions,
                **more,
            )
        )

    def turn(self, *actions, **more):
        item = self.take()
        self.complete(item, *actions, **more)
        return kinds(item)

    def report(self, item, result="1"):
        activity = item.activityRequest
        self.hub.CompleteActivityTask(
            pb.ActivityResponse(
                instanceId=activity.orchestrationInstance.instanceId,
                taskId=activity.taskId,
                result=text(result),
                completionToken=item.completionToken,
            )
        )

    def state(self, instance_id):
        request = pb.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=True)
        return self.hub.GetInstance(request).orchestrationState

    def history(self, instance_id):
        chunks = self.hub.StreamInstanceHistory(pb.StreamInstanceHistoryRequest(instanceId=instance_id))
        return [event for chunk in chunks for event in chunk.events]

    def nothing_else_waits(self):
        """Show it by a new instance that is handed out next."""
        self.start("sentinel")
        item = self.take()
        assert item.orchestratorRequest.instanceId == "sentinel"
        self.complete(item, ended())


def text(value):
    return StringValue(value=value)


def kinds(item):
    return [event.WhichOneof("eventType") for event in item.orchestratorRequest.newEvents]


def ended(result='"done"', status=pb.ORCHESTRATION_STATUS_COMPLETED, number=99):
    return pb.OrchestratorAction(
        id=number,
        completeOrchestration=pb.CompleteOrchestrationAction(orchestrationStatus=status, result=text(result)),
    )


def again():
    return ended("2", pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW)


def call(number=1, name="work"):
    return pb.OrchestratorAction(id=number, scheduleTask=pb.ScheduleTaskAction(name=name, input=text("7")))


def timer(seconds, number=1):
    at = Timestamp()
    at.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return pb.OrchestratorAction(id=number, createTimer=pb.CreateTimerAction(fireAt=at))


def child(instance_id="child", number=1):
    action = pb.CreateSubOrchestrationAction(name="sub", instanceId=instance_id)
    return pb.OrchestratorAction(id=number, createSubOrchestration=action)


# --- the server -----------------------------------------------------------------------------------


def test_it_listens_on_this_machine_only_and_says_where(hub):
    assert hub.port > 0
    with socket.create_connection(("127.0.0.1", hub.port), timeout=1):
        pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", hub.port), timeout=1)


def test_a_taken_port_is_refused_with_a_sentence(hub):
    with pytest.raises(OSError, match=f"Port {hub.port} of 127.0.0.1 is taken"):
        TaskHub(hub.port).start()


def test_a_stopped_hub_goes_on_where_it_was_on_the_same_port(hub, hands):
    hands.start("a")
    hands.turn(timer(0.05))
    port = hub.port
    hub.stop()
    assert hub.start() == f"127.0.0.1:{port}"
    with Hands(port) as later:
        assert later.turn(ended()) == ["orchestratorStarted", "timerFired"]


def test_stopping_ends_streams_and_waits_at_once(hub, hands):
    hands.start("a")
    hands.turn()
    waiting = hands.hub.WaitForInstanceCompletion.future(pb.GetInstanceRequest(instanceId="a"), timeout=SOON)
    while not hub._state_waiters:
        hands.state("a")
    began = time.monotonic()
    hub.stop()
    with pytest.raises(grpc.RpcError):
        waiting.result()
    with pytest.raises((grpc.RpcError, StopIteration)):
        hands.take()
    assert time.monotonic() - began < 2


def test_an_orchestration_runs_with_the_real_client_and_worker(hub):
    def add_one(_, number):
        return number + 1

    def twice(context, number):
        number = yield context.call_activity(add_one, input=number)
        yield context.create_timer(timedelta(milliseconds=20))
        number = yield context.call_activity(add_one, input=number)
        more = yield context.wait_for_external_event("more")
        return number + more

    worker = TaskHubGrpcWorker(host_address=f"127.0.0.1:{hub.port}")
    worker.add_orchestrator(twice)
    worker.add_activity(add_one)
    client = TaskHubGrpcClient(host_address=f"127.0.0.1:{hub.port}")
    worker.start()
    try:
        instance_id = client.schedule_new_orchestration(twice, input=5)
        client.wait_for_orchestration_start(instance_id, timeout=SOON)
        client.raise_orchestration_event(instance_id, "more", data=10)
        state = client.wait_for_orchestration_completion(instance_id, timeout=SOON)
    finally:
        worker.stop()
        client.close()
    assert state.runtime_status == OrchestrationStatus.COMPLETED
    assert json.loads(state.serialized_output) == 17
    assert hub.actions == 1 + 1 + 2 + 2 + 1


# --- leases ---------------------------------------------------------------------------------------

TAKER = """
import sys, grpc
from durabletask.internal import orchestrator_service_pb2 as pb, orchestrator_service_pb2_grpc as stubs
hub = stubs.TaskHubSidecarServiceStub(grpc.insecure_channel("127.0.0.1:" + sys.argv[1]))
for item in hub.GetWorkItems(pb.GetWorkItemsRequest()):
    print(item.WhichOneof("request"), flush=True)
"""


@contextlib.contextmanager
def taker(hub):
    """Run another process that takes all work and reports none."""
    with subprocess.Popen([sys.executable, "-c", TAKER, str(hub.port)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_work_handed_to_a_killed_worker_is_handed_out_again(hub, hands):
    hands.start("a")
    hands.turn(call())
    hands.start("b")
    hands.vanish()
    with taker(hub) as other:
        taken = {other.stdout.readline().strip() for _ in range(2)}
        assert taken == {"activityRequest", "orchestratorRequest"}
        before = hub.counts.copy()
        other.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        items = [hands.take(), hands.take()]
        assert time.monotonic() - killed < 2
    assert [item.WhichOneof("request") for item in items] == ["activityRequest", "orchestratorRequest"]
    assert hub.counts - before == {"activities": 1, "turns": 1}


def test_work_handed_to_a_stopped_worker_is_handed_out_again(monkeypatch):
    monkeypatch.setattr("devhost.taskhub.hub.PING_SECONDS", 0.3)
    hub = TaskHub()
    hub.start()
    with Hands(hub.port) as hands, taker(hub) as other:
        hands.start("a")
        other.stdout.readline()
        other.send_signal(signal.SIGSTOP)
        assert hands.turn() == ["orchestratorStarted", "executionStarted"]
    hub.stop()


def test_what_a_lost_worker_had_seen_comes_before_what_arrived_since(hub, hands):
    hands.start("a")
    hands.turn()
    hands.raise_event("a", "first")
    hands.take()
    hands.raise_event("a", "second")
    hands.vanish()
    events = hands.take().orchestratorRequest.newEvents
    assert [event.eventRaised.name for event in events[1:]] == ["first", "second"]


def test_the_late_report_of_a_lost_turn_is_refused(hub, hands):
    hands.start("a")
    lost = hands.take()
    hands.vanish()
    found = hands.take()
    hands.complete(lost, ended())
    assert hands.state("a").orchestrationStatus == pb.ORCHESTRATION_STATUS_PENDING
    hands.raise_event("a")
    hands.complete(found)
    assert hands.turn() == ["orchestratorStarted", "eventRaised"]


def test_the_late_report_of_a_lost_activity_is_refused_and_a_second_report_too(hub, hands):
    hands.start("a")
    hands.turn(call())
    lost = hands.take()
    hands.vanish()
    found = hands.take()
    hands.report(lost, '"lost"')
    hands.report(found, '"found"')
    hands.report(found, '"twice"')
    item = hands.take()
    assert kinds(item) == ["orchestratorStarted", "taskCompleted"]
    assert item.orchestratorRequest.newEvents[1].taskCompleted.result.value == '"found"'
    hands.complete(item)
    hands.nothing_else_waits()


def test_abandoned_work_is_handed_out_again(hub, hands):
    hands.start("a")
    token = hands.take().completionToken
    hands.hub.AbandonTaskOrchestratorWorkItem(pb.AbandonOrchestrationTaskRequest(completionToken=token))
    hands.turn(call())
    token = hands.take().completionToken
    hands.hub.AbandonTaskActivityWorkItem(pb.AbandonActivityTaskRequest(completionToken=token))
    hands.report(hands.take())
    assert hands.turn(ended()) == ["orchestratorStarted", "taskCompleted"]


def test_an_instance_has_one_turn_out_at_a_time(hub, hands):
    hands.start("a")
    first = hands.take()
    hands.raise_event("a")
    hands.nothing_else_waits()
    hands.complete(first)
    assert hands.turn() == ["orchestratorStarted", "eventRaised"]


def test_a_worker_gets_only_what_it_asked_for(hub, hands):
    filters = pb.WorkItemFilters(
        orchestrations=[pb.OrchestrationFilter(name="mine")], activities=[pb.ActivityFilter(name="mine")]
    )
    with Hands(hub.port, pb.GetWorkItemsRequest(workItemFilters=filters)) as picky:
        picky.start("a", "other")
        picky.start("b", "mine")
        picky.turn(call(1, "other"), call(2, "mine"))
        assert picky.take().activityRequest.name == "mine"
        assert hands.take().activityRequest.name == "other"
        assert hands.take().orchestratorRequest.instanceId == "a"


def test_waiting_for_work_costs_nothing(hub, hands):
    hands.start("a")
    hands.turn(ended())
    with Hands(hub.port) as other:
        other.connect()
        before = time.process_time()
        with pytest.raises(queue.Empty):  # a quarter of a second in which nothing happens
            queue.Queue().get(timeout=0.25)
        assert time.process_time() - before < 0.05


def test_an_empty_failure_is_a_failure(hub, hands):
    hands.start("a")
    hands.turn(call())
    failure = pb.TaskFailureDetails(errorType="ValueError")
    token = hands.take().completionToken
    hands.hub.CompleteActivityTask(pb.ActivityResponse(failureDetails=failure, completionToken=token))
    assert hands.turn() == ["orchestratorStarted", "taskFailed"]


# --- timers ---------------------------------------------------------------------------------------


def test_a_timer_fires_on_time(hub, hands):
    hands.start("a")
    action = timer(0.2)
    hands.turn(action, timer(60, number=2))
    event = hands.take().orchestratorRequest.newEvents[1]
    late = event.timestamp.ToDatetime() - action.createTimer.fireAt.ToDatetime()
    assert event.timerFired.timerId == 1
    assert timedelta(0) <= late < timedelta(milliseconds=200)
    assert hub.pending_timers == 1


def test_ten_thousand_timers_take_one_thread_and_all_fire(hub, hands):
    hands.start("far")
    item = hands.take()
    threads = threading.active_count()
    hands.complete(item, *(timer(600, number) for number in range(10_000)))
    hands.start("near")
    hands.turn(*(timer(0.2, number) for number in range(10_000)))
    fired = 0
    while fired < 10_000:
        item = hands.take()
        assert item.orchestratorRequest.instanceId == "near"
        fired += kinds(item).count("timerFired")
        hands.complete(item)
        assert threading.active_count() <= threads + 9  # the server may add some for calls
    assert hub.counts["timers"] == 10_000
    assert hub.pending_timers == 10_000


def test_timers_of_a_finished_instance_are_dropped_and_do_not_pile_up(hub, hands):
    hands.start("a")
    hands.turn(timer(60))
    hands.start("b")
    hands.turn(*(timer(60, number) for number in range(1000)))
    assert hub.pending_timers == 1001
    hands.raise_event("b")
    hands.turn(ended())
    assert hub.pending_timers == 1
    assert len(hub._agenda) == 1


def terminate_and_restart(hands):
    hands.hub.TerminateInstance(pb.TerminateRequest(instanceId="a"))
    hands.turn(ended(status=pb.ORCHESTRATION_STATUS_TERMINATED))
    hands.hub.RestartInstance(pb.RestartInstanceRequest(instanceId="a"))


def terminate_purge_and_start(hands):
    hands.hub.TerminateInstance(pb.TerminateRequest(instanceId="a"))
    hands.turn(ended(status=pb.ORCHESTRATION_STATUS_TERMINATED))
    purged = hands.hub.PurgeInstances(pb.PurgeInstancesRequest(instanceId="a"))
    assert purged.deletedInstanceCount == 1
    hands.start("a")


def continue_as_new(hands):
    hands.raise_event("a")
    hands.turn(again())


def replace_while_running(hands):
    running = pb.OrchestrationIdReusePolicy(replaceableStatus=[pb.ORCHESTRATION_STATUS_RUNNING])
    hands.start("a", orchestrationIdReusePolicy=running)


@pytest.mark.parametrize(
    "start_over", [terminate_and_restart, terminate_purge_and_start, continue_as_new, replace_while_running]
)
def test_a_new_execution_gets_no_timer_and_no_result_of_an_old_one(hub, hands, start_over):
    hands.start("a")
    old = timer(0.5)
    hands.turn(old, timer(60, number=2), call(3), child(number=4))
    activity, of_child = hands.take(), hands.take()
    start_over(hands)
    hands.turn()
    hands.report(activity)
    hands.complete(of_child, ended())
    hands.start("clock")
    hands.turn(old)  # at the same time, and behind it in the heap
    assert hands.take().orchestratorRequest.instanceId == "clock"
    hands.nothing_else_waits()
    assert hub.counts["timers"] == 1
    assert hub.counts["activity_results"] == 0
    assert hub.pending_timers == 0


def test_what_arrives_during_a_continuation_is_kept_if_it_was_raised_and_dropped_if_it_answers(hub, hands):
    hands.start("a")
    hands.turn(timer(60), call(2))
    activity = hands.take()
    hands.raise_event("a", "go")
    item = hands.take()
    hands.report(activity)
    hands.raise_event("a", "kept")
    hands.complete(item, again())
    assert hands.turn() == ["orchestratorStarted", "executionStarted", "eventRaised"]
    hands.nothing_else_waits()


def test_what_is_left_running_by_a_continuation_belongs_to_what_ended_in_any_order(hub, hands):
    hands.start("a")
    hands.turn(again(), timer(60), call(2))
    activity = hands.take()
    assert activity.activityRequest.name == "work"
    assert hub.pending_timers == 0
    hands.report(activity)
    item = hands.take()
    assert kinds(item) == ["orchestratorStarted", "executionStarted"]
    assert not item.orchestratorRequest.pastEvents


def test_the_turn_of_a_replaced_instance_is_refused_and_the_new_one_handed_out(hub, hands):
    hands.start("a")
    old = hands.take()
    pending = pb.OrchestrationIdReusePolicy(replaceableStatus=[pb.ORCHESTRATION_STATUS_PENDING])
    hands.start("a", "new", orchestrationIdReusePolicy=pending)
    new = hands.take()
    hands.complete(old, ended())
    assert hands.state("a").orchestrationStatus == pb.ORCHESTRATION_STATUS_PENDING
    hands.complete(new, ended())
    assert hands.state("a").orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED


# --- what instances show --------------------------------------------------------------------------


def test_every_event_of_a_history_carries_its_time(hub, hands):
    began = time.time()
    hands.start("a")
    hands.turn(call(), timer(0.01, number=2), child(number=3))
    hands.report(hands.take())
    seen = set()
    answers = {"taskCompleted", "timerFired", "subOrchestrationInstanceCompleted"}
    while not answers <= seen:
        item = hands.take()
        of_child = item.orchestratorRequest.instanceId == "child"
        seen |= set(kinds(item))
        hands.complete(item, *([ended()] if of_child or answers <= seen else []))
    history = hands.history("a")
    assert answers | {"taskScheduled", "timerCreated", "subOrchestrationInstanceCreated"} < {
        event.WhichOneof("eventType") for event in history
    }
    assert all(began <= event.timestamp.ToMicroseconds() / 1e6 <= time.time() for event in history)


def test_a_suspended_instance_gets_events_and_timers_at_once_and_shows_the_reason(hub, hands):
    hands.start("a")
    hands.turn()
    hands.suspend("a", 'for "audit"')
    assert hands.turn() == ["orchestratorStarted", "executionSuspended"]
    assert hands.state("a").orchestrationStatus == pb.ORCHESTRATION_STATUS_SUSPENDED
    assert json.loads(hands.state("a").output.value) == 'for "audit"'
    hands.raise_event("a", "first")
    item = hands.take()
    hands.raise_event("a", "while its turn is out")
    hands.complete(item)
    assert kinds(item) == ["orchestratorStarted", "eventRaised"]
    assert hands.turn(timer(0.01)) == ["orchestratorStarted", "eventRaised"]
    assert hands.turn() == ["orchestratorStarted", "timerFired"]
    hands.resume("a", "go on")
    assert hands.turn() == ["orchestratorStarted", "executionResumed"]
    assert hands.state("a").orchestrationStatus == pb.ORCHESTRATION_STATUS_RUNNING
    assert json.loads(hands.state("a").output.value) == "go on"
    hands.raise_event("a")
    hands.turn(ended('"result"'))
    assert hands.state("a").output.value == '"result"'


def test_a_custom_status_is_cleared_by_a_turn_without_one(hub, hands):
    hands.start("a")
    hands.turn(customStatus=text('"asking"'))
    assert hands.state("a").customStatus.value == '"asking"'
    hands.raise_event("a")
    hands.turn()
    assert not hands.state("a").HasField("customStatus")


def test_nothing_reaches_a_terminal_instance(hub, hands):
    hands.start("a")
    hands.turn(ended())
    before = hands.state("a")
    hands.raise_event("a")
    hands.suspend("a")
    hands.resume("a")
    hands.hub.TerminateInstance(pb.TerminateRequest(instanceId="a"))
    assert hands.state("a") == before
    assert not hub._instances["a"].pending_events
    assert hub.counts["events"] == 0
    hands.nothing_else_waits()


def test_an_event_to_a_missing_instance_is_not_found(hands):
    with pytest.raises(grpc.RpcError) as refused:
        hands.raise_event("nobody")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("suspended", [False, True])
def test_a_pending_or_suspended_instance_is_told_of_its_termination(hub, hands, suspended):
    hands.start("a")
    if suspended:
        hands.turn()
        hands.suspend("a")
        hands.turn()
    hands.hub.TerminateInstance(pb.TerminateRequest(instanceId="a", output=text('"over"')))
    assert hands.turn(ended('"over"', pb.ORCHESTRATION_STATUS_TERMINATED))[-1] == "executionTerminated"
    state = hands.state("a")
    assert (state.orchestrationStatus, state.output.value) == (pb.ORCHESTRATION_STATUS_TERMINATED, '"over"')


def test_only_terminal_instances_are_purged_and_queries_and_histories_follow(hub, hands):
    hands.start("a")
    hands.turn(ended())
    hands.start("b")
    every = pb.PurgeInstancesRequest(purgeInstanceFilter=pb.PurgeInstanceFilter())
    assert hands.hub.PurgeInstances(every).deletedInstanceCount == 1
    found = hands.hub.QueryInstances(pb.QueryInstancesRequest(query=pb.InstanceQuery()))
    assert [state.instanceId for state in found.orchestrationState] == ["b"]
    with pytest.raises(grpc.RpcError) as refused:
        hands.history("a")
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_restarted_instance_runs_with_its_first_input(hub, hands):
    hands.start("a", input=text("5"))
    hands.turn(ended())
    hands.hub.RestartInstance(pb.RestartInstanceRequest(instanceId="a"))
    item = hands.take()
    assert item.orchestratorRequest.newEvents[1].executionStarted.input.value == "5"
    assert hub.counts["starts"] == 2


def test_a_rewound_instance_runs_again_with_its_timer(hub, hands):
    hands.start("a")
    hands.turn(timer(0.5), ended(status=pb.ORCHESTRATION_STATUS_FAILED))
    assert hub.pending_timers == 0
    hands.hub.RewindInstance(pb.RewindInstanceRequest(instanceId="a"))
    item = hands.take()
    assert kinds(item) == ["orchestratorStarted", "executionRewound"]
    kept = [e for e in item.orchestratorRequest.pastEvents if not e.HasField("executionCompleted")]
    rewind = pb.RewindOrchestrationAction(newHistory=[*kept, *item.orchestratorRequest.newEvents])
    hands.complete(item, pb.OrchestratorAction(rewindOrchestration=rewind))
    assert hands.turn() == ["orchestratorStarted"]
    assert hands.turn(ended()) == ["orchestratorStarted", "timerFired"]


# --- sub-orchestrations ---------------------------------------------------------------------------


def test_the_end_of_a_child_is_told_to_its_parent_without_a_thread_that_waits(hub, hands):
    hands.start("parent")
    item = hands.take()
    threads = threading.active_count()
    hands.complete(item, *(child(f"child {number}", number) for number in range(100)))
    assert threading.active_count() <= threads + 9
    assert len(hub._parents) == 100
    for _ in range(100):
        started = hands.take()
        assert started.orchestratorRequest.newEvents[1].executionStarted.parentInstance.orchestrationInstance == (
            pb.OrchestrationInstance(instanceId="parent")
        )
        hands.complete(started, again() if started.orchestratorRequest.instanceId == "child 7" else ended('"yes"'))
    told = 0
    while told < 100:
        item = hands.take()
        if item.orchestratorRequest.instanceId == "parent":
            results = [e.subOrchestrationInstanceCompleted.result.value for e in item.orchestratorRequest.newEvents[1:]]
            assert set(results) == {'"yes"'}
            told += len(results)
            hands.complete(item)
        else:
            hands.complete(item, ended('"yes"'))
    assert not hub._parents
    assert hub.counts["suborchestrations"] == 100
    assert hub.actions == 1 + 2 * 100


@pytest.mark.parametrize("status", [pb.ORCHESTRATION_STATUS_FAILED, pb.ORCHESTRATION_STATUS_TERMINATED])
def test_a_failed_or_terminated_child_fails_its_task(hub, hands, status):
    hands.start("parent")
    hands.turn(child(instance_id=""))
    hands.turn(ended('"no more"', status))
    item = hands.take()
    failed = item.orchestratorRequest.newEvents[1].subOrchestrationInstanceFailed
    assert (failed.taskScheduledId, failed.failureDetails.errorMessage) == (1, '"no more"')


def test_a_child_whose_id_is_in_use_fails_its_task_and_leaves_the_other_alone(hub, hands):
    hands.start("child")
    hands.turn()
    hands.start("parent")
    hands.turn(child())
    assert hands.turn() == ["orchestratorStarted", "subOrchestrationInstanceFailed"]
    hands.raise_event("child")
    hands.turn(ended())
    hands.nothing_else_waits()


# --- by itself ------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(*arguments):
    command = [sys.executable, "-m", "devhost.taskhub", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_by_itself_it_says_where_it_is_counts_into_a_file_and_ends_cleanly(tmp_path, number):
    stats = tmp_path / "stats.json"
    with running("--port", "0", "--stats", str(stats), "--unkind", "7") as process:
        line = process.stdout.readline()
        assert line.endswith(". Its state is in memory and ends with it.\n")
        assert "Ready" in process.stdout.readline()
        port = int(line.split("127.0.0.1:")[1].split(".")[0])
        with Hands(port) as hands:
            hands.start("a")
            hands.take()
            os.kill(process.pid, signal.SIGUSR1)
            until = time.monotonic() + SOON
            while not stats.exists() and time.monotonic() < until:
                hands.state("a")
            seen = json.loads(stats.read_text())
            assert (seen["starts"], seen["turns"], seen["actions"], seen["pending_timers"]) == (1, 1, 1, 0)
            assert "unkind" in seen
            stats.unlink()
            asked = time.monotonic()
            process.send_signal(number)
            assert process.wait(SOON) == 0
            assert time.monotonic() - asked < 2
        assert process.stderr.read() == ""
        assert json.loads(stats.read_text())["starts"] == 1


def test_by_itself_it_says_when_the_port_is_taken(hub):
    with running("--port", str(hub.port)) as process:
        assert process.wait(SOON) == 1
        assert "is taken" in process.stderr.read()

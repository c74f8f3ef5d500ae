"""The unkind task hub: every fault really happens, and nothing worse than that."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime

import grpc
import pytest
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.task import when_all
from durabletask.worker import TaskHubGrpcWorker
from google.protobuf.timestamp_pb2 import Timestamp

from devhost.taskhub.unkind import Unkindness, UnkindTaskHub

SOON = 20  # seconds after which a test fails instead of hanging
KIND = Unkindness(lose_pending_event=0, double_event=0, double_activity=0, shuffle=0, early_timer=0, lost_completion=0)


class Play:
    """An unkind hub with one fault only, and a worker driven by hand."""

    def __init__(self, seed=0, **rates):
        self.unkind = UnkindTaskHub(seed=seed, rates=Unkindness(**{**vars(KIND), **rates}))

    def __enter__(self):
        self.channel = grpc.insecure_channel(self.unkind.start())
        self.hub = stubs.TaskHubSidecarServiceStub(self.channel)
        self.stream = self.hub.GetWorkItems(pb.GetWorkItemsRequest(), timeout=SOON)
        return self

    def __exit__(self, *_):
        self.stream.cancel()
        self.channel.close()
        self.unkind.stop()

    def start(self, instance_id="a"):
        self.hub.StartInstance(pb.CreateInstanceRequest(instanceId=instance_id, name="wait"))

    def raise_event(self, name, instance_id="a"):
        self.hub.RaiseEvent(pb.RaiseEventRequest(instanceId=instance_id, name=name))

    def take(self):
        return next(self.stream)

    def complete(self, item, *actions):
        self.hub.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=item.orchestratorRequest.instanceId, completionToken=item.completionToken, actions=actions
            )
        )

    def report(self, item):
        activity = item.activityRequest
        self.hub.CompleteActivityTask(
            pb.ActivityResponse(
                instanceId=activity.orchestrationInstance.instanceId,
                taskId=activity.taskId,
                completionToken=item.completionToken,
            )
        )


def raised(item):
    return [event.eventRaised.name for event in item.orchestratorRequest.newEvents if event.HasField("eventRaised")]


def kinds(item):
    return [event.WhichOneof("eventType") for event in item.orchestratorRequest.newEvents]


def call(number=1):
    return pb.OrchestratorAction(id=number, scheduleTask=pb.ScheduleTaskAction(name="work"))


def timer(due, number):
    fire_at = Timestamp()
    fire_at.FromDatetime(datetime.fromtimestamp(due, UTC))
    return pb.OrchestratorAction(id=number, createTimer=pb.CreateTimerAction(fireAt=fire_at))


def again():
    continued = pb.CompleteOrchestrationAction(orchestrationStatus=pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW)
    return pb.OrchestratorAction(id=99, completeOrchestration=continued)


def test_an_event_to_a_pending_instance_is_acknowledged_and_lost():
    with Play(lose_pending_event=1) as play:
        play.start()
        item = play.take()
        play.raise_event("lost")
        play.complete(item)
        play.raise_event("kept")
        assert raised(play.take()) == ["kept"]
        assert play.unkind.unkind_counts["lose_pending_event"] == 1


def test_an_event_to_a_continued_instance_is_not_lost():
    with Play(lose_pending_event=1) as play:
        play.start()
        play.complete(play.take(), again())
        item = play.take()
        play.raise_event("kept")
        play.complete(item)
        assert raised(play.take()) == ["kept"]


def test_an_event_comes_twice_in_one_turn_or_in_two():
    turns = Counter()
    for seed in range(8):
        with Play(seed, double_event=1) as play:
            play.start()
            item = play.take()
            play.raise_event("data")
            play.complete(item)
            seen = []
            while sum(map(len, seen)) < 2:
                item = play.take()
                seen.append(raised(item))
                play.complete(item)
            turns[len(seen)] += 1
            assert play.unkind.unkind_counts["double_event"] == 1
    assert turns.keys() == {1, 2}


def test_an_activity_runs_twice_and_its_result_comes_once_mostly_and_twice_sometimes():
    results = Counter()
    for seed in range(12):
        with Play(seed, double_activity=1) as play:
            play.start()
            turn = play.take()
            play.complete(turn, call())
            first, second = play.take(), play.take()
            assert first.activityRequest == second.activityRequest
            play.report(first)
            turn = play.take()
            play.report(second)
            play.raise_event("data")
            play.complete(turn)
            results[kinds(play.take()).count("taskCompleted")] += 1
            assert play.unkind.unkind_counts["double_activity"] == 1
    assert results.keys() == {0, 1}  # in the turn after the first result
    assert results[0] > results[1]


def test_what_arrives_together_is_shuffled_and_nothing_passes_a_suspension():
    with Play(shuffle=1) as play:
        play.start()
        item = play.take()
        for name in "ab":
            play.raise_event(name)
        play.hub.SuspendInstance(pb.SuspendRequest(instanceId="a"))
        for name in "cde":
            play.raise_event(name)
        play.complete(item)
        item = play.take()
        assert raised(item)[:2] == ["b", "a"]
        assert sorted(raised(item)[2:]) == ["c", "d", "e"] != raised(item)[2:]
        assert kinds(item)[0] == "orchestratorStarted"
        assert kinds(item)[3] == "executionSuspended"
        assert play.unkind.unkind_counts["shuffle"] == 2


def test_a_start_comes_first_however_much_arrived_with_it():
    with Play(shuffle=1) as play:
        play.start("other")
        play.take()
        play.stream.cancel()
        play.start()
        for name in "abc":
            play.raise_event(name)
        play.stream = play.hub.GetWorkItems(pb.GetWorkItemsRequest(), timeout=SOON)
        batches = [kinds(play.take()) for _ in range(2)]
        assert all(batch[:2] == ["orchestratorStarted", "executionStarted"] for batch in batches)


def test_the_report_of_a_turn_or_an_activity_is_lost_and_the_work_comes_again():
    with Play(seed=11, lost_completion=0.5) as play:
        play.start()
        turns = activities = 0
        while play.unkind.counts["activity_results"] == 0:
            item = play.take()
            if item.HasField("activityRequest"):
                activities += 1
                play.report(item)
            else:
                turns += 1
                play.complete(item, call())
        assert turns + activities == 2 + play.unkind.unkind_counts["lost_completion"]
        assert turns > 1
        assert activities > 1


def early_by(play, fire_at):
    """Set a timer on a clock that stands, and give by how much it will fire before its instant."""
    return fire_at - play.unkind._when_fires(fire_at)


def test_timers_fire_early_as_often_and_by_as_much_as_was_recorded(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr("devhost.taskhub.unkind.time.time", lambda: now)
    play = Play(early_timer=1)
    early = [early_by(play, now + 2 + number / 500) for number in range(1000)]  # timers of two to four seconds

    assert 0.82 < sum(by > 0 for by in early) / 1000 < 0.92  # 35 of 40
    assert 0.85 < max(early) < 0.921
    assert min(early) == 0
    assert 0.3 < sorted(by for by in early if by)[len([by for by in early if by]) // 2] < 0.5


def test_a_timer_nearer_than_a_second_fires_at_once_and_one_a_second_behind_an_instant_passes_it(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr("devhost.taskhub.unkind.time.time", lambda: now)
    play = Play(early_timer=1)

    for hundredth in range(1, 100):
        left = hundredth / 100
        assert play.unkind._when_fires(now + left) - now <= 0.031  # it spins: 31 turns a second
        assert play.unkind._when_fires(now + left + 1) >= now + left  # law 14
    assert play.unkind._when_fires(now - 5) == now - 5


def test_an_early_timer_wakes_an_orchestrator_before_its_instant_and_again_when_it_waits_for_the_rest():
    with Play(early_timer=1) as play:
        play.start()
        item = play.take()
        now = time.time()
        due = now + 1.9
        play.complete(item, timer(due, 0))
        item = play.take()
        assert kinds(item) == ["orchestratorStarted", "timerFired"]
        woken = item.orchestratorRequest.newEvents[0].timestamp.ToDatetime(UTC).timestamp()
        assert now + 1 < woken < due - 0.5
        turns = 0
        while time.time() < due and turns < 3:
            turns += 1
            play.complete(item, timer(due, turns))
            item = play.take()
        assert turns == 3  # in a tenth of a second, and up to thirty in all
        assert item.orchestratorRequest.newEvents[0].timestamp.ToDatetime(UTC).timestamp() < due
        assert play.unkind.unkind_counts["early_timer"] == 4


def test_equal_seeds_meet_equal_faults():
    def faults(seed):
        with Play(seed, lose_pending_event=0.5) as play:
            play.start()
            item = play.take()
            for name in "abcdefghij":
                play.raise_event(name)
            play.complete(item)
            return raised(play.take())

    assert faults(1) == faults(1) != faults(2)


@pytest.mark.parametrize("seed", [1, 2])
def test_orchestrations_come_to_their_right_end_on_a_bad_day(seed):
    runs, counted = Counter(), threading.Lock()

    def work(_, key):
        with counted:
            runs[key] += 1
        return key

    def several(context, key):
        results = yield when_all([context.call_activity(work, input=f"{key} {number}") for number in range(3)])
        yield context.wait_for_external_event("go")
        return results

    hub = UnkindTaskHub(seed=seed)
    address = hub.start()
    worker, client = TaskHubGrpcWorker(host_address=address), TaskHubGrpcClient(host_address=address)
    worker.add_orchestrator(several)
    worker.add_activity(work)
    worker.start()
    try:
        ids = [client.schedule_new_orchestration(several, input=str(number)) for number in range(30)]
        for instance_id in ids:
            client.wait_for_orchestration_start(instance_id, timeout=SOON)
            client.raise_orchestration_event(instance_id, "go")
        states = [client.wait_for_orchestration_completion(instance_id, timeout=SOON) for instance_id in ids]
    finally:
        worker.stop()
        client.close()
        hub.stop()
    assert {state.runtime_status for state in states} == {OrchestrationStatus.COMPLETED}
    assert len(runs) == 90
    assert runs.total() > 90
    assert hub.statistics()["unkind"]["lost_completion"] > 0

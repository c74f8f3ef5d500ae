"""How an instance is read: what an operator did to it, and what its custom status could not hold."""

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest

from approvals.durable import activities
from approvals.durable.instances import TELLS_OUTCOME, Instances
from approvals.errors import SchedulerUnavailable
from approvals.rules import hearing
from approvals.rules.events import awaited_events, event_name, slot_key
from approvals.rules.preview import ImaginedAnswer, play
from approvals.service.approvals import Approvals
from approvals.settings import Settings
from tests.builders import ALAN, EVE, GRACE, HOUR, NOON, a_panel, a_policy, cancelled, decided, found


def test_after_every_event_that_took_a_wait_a_fresh_name_is_listened_to():
    one = found(a_policy(a_panel(GRACE, ALAN, required=2)))
    for key, heard in {
        "cancel": cancelled(after=30 * HOUR),
        "decision": decided(after=30 * HOUR),
        "decision-0-1": decided(slot=0),
    }.items():
        spent = event_name(one.request.request_id, key, 1)
        assert spent not in awaited_events(hearing.apply_event(one, heard, key, NOON + HOUR)), key


def test_a_preview_agrees_with_what_the_service_accepts():
    one = found(a_policy(a_panel(GRACE), comment_required="always"))
    seen = play(one.request, [ImaginedAnswer(approver=GRACE, is_approved=True, after=HOUR, option="not an option")])
    assert seen.found.story.decision is None


class Client:
    """The durable client of one instance; counts what it is asked for. `tasks` are what its history has besides."""

    def __init__(self, one, runtime, events=(), tasks=()):
        self.one, self.runtime, self.events, self.tasks = one, runtime, events, tasks
        self.asked, self.began, self.answers = Counter(), asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def get_status(self, *_, show_history=False, **_how):
        self.asked["history" if show_history else "status"] += 1
        answer = SimpleNamespace(
            name="approval_workflow",
            input_=self.one.request.model_dump_json(),
            custom_status=self.one.story.snapshot(),
            output="a reason",
            runtime_status=SimpleNamespace(name=self.runtime),
            last_updated_time=NOON + 5 * HOUR,
            instance_id=self.one.request.request_id,
            historyEvents=[
                *({"EventType": "EventRaised", "Name": n, "Input": d} for n, d in self.events),
                *self.tasks,
            ],
        )
        self.began.set()
        await self.answers.wait()
        return answer


SETTINGS = Settings(link_keys=("k" * 40,))


def test_the_activity_that_acts_on_an_outcome_is_looked_for_by_its_name():
    assert activities.process_approval._function._name == TELLS_OUTCOME


def large():
    one = found(a_policy(a_panel(GRACE, ALAN, EVE, required=3)))
    events = []
    for slot, person in enumerate((GRACE, ALAN)):
        vote = decided(person, slot=slot, comments="x" * 2000, form='"' + "x" * 4000 + '"')
        key = slot_key(one.story, slot)
        one = hearing.apply_event(one, vote, key, NOON + HOUR)
        events.append((event_name(one.request.request_id, key, 1), vote.model_dump(mode="json")))
    assert one.story.snapshot()["abridged"]
    return one, events


async def test_a_terminated_request_of_a_large_story_is_cancelled():
    one, events = large()
    read = await Instances(Client(one, "Terminated", events)).read(one.request.request_id)
    assert read.story.status == "Cancelled"


SCHEDULED = {"EventType": "TaskScheduled", "Name": "process_approval"}
COMPLETED = {"EventType": "TaskCompleted", "FunctionName": "process_approval", "Result": "[]"}
ASKED = {"EventType": "TaskCompleted", "FunctionName": "submit_approval_request", "Result": "[]"}


@pytest.mark.parametrize("large_story", [False, True])
@pytest.mark.parametrize(
    ("tasks", "status"),
    [((), "Cancelled"), ((ASKED,), "Cancelled"), ((ASKED, SCHEDULED), "Approved"), ((COMPLETED,), "Approved")],
)
async def test_of_a_terminated_request_an_outcome_stands_if_it_was_acted_on(large_story, tasks, status):
    """While it was suspended its orchestrator was replayed, and showed an outcome that never happened."""
    one, events = large() if large_story else (found(a_policy(a_panel(GRACE))), [])
    last = decided(EVE, slot=2) if large_story else decided(GRACE)
    key = slot_key(one.story, last.slot)
    one = hearing.apply_event(one, last, key, NOON + HOUR)
    events.append((event_name(one.request.request_id, key, 1), last.model_dump(mode="json")))
    assert one.story.status == "Approved"

    read = await Instances(Client(one, "Terminated", events, tasks)).read(one.request.request_id)

    assert read.story.status == status
    assert bool(read.story.decision) is (status == "Approved")
    assert bool(read.story.cancellation) is (status == "Cancelled")
    assert len(read.story.votes) == (3 if large_story else 1), "what was heard stays visible"


class Clock:
    """A clock on which waiting takes no time."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return NOON + HOUR

    def elapsed(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds
        await asyncio.sleep(0)


async def test_two_hundred_who_wait_for_a_long_story_read_its_history_about_once():
    one, events = large()
    client = Client(one, "Running", events)

    seen = await asyncio.gather(
        *(
            Approvals(Instances(client), SETTINGS, Clock()).wait_for_change(one.request.request_id, 20)
            for _ in range(200)
        )
    )

    assert all(len(each.story.votes) == 2 and each.story.votes[0].comments for each in seen)
    assert client.asked["history"] <= 5
    assert client.asked["status"] < 200


async def test_who_asks_while_a_read_is_made_is_given_one_that_begins_afterwards():
    """Whoever was told that something is recorded must find it, whoever else was reading."""
    one = found(a_policy(a_panel(GRACE)))
    client, request_id = Client(one, "Running"), one.request.request_id
    client.answers.clear()
    early = asyncio.create_task(Instances(client).read(request_id))
    await client.began.wait()
    client.one = hearing.apply_event(one, decided(), slot_key(one.story, 0), NOON + HOUR)

    late = [asyncio.create_task(Instances(client).read(request_id)) for _ in range(3)]
    await asyncio.sleep(0)
    client.answers.set()

    assert [len((await each).story.votes) for each in late] == [1, 1, 1]
    await early
    assert client.asked["status"] == 2


async def test_a_read_that_fails_fails_for_those_who_shared_it_and_for_nobody_afterwards():
    one = found(a_policy(a_panel(GRACE)))
    client, request_id = Client(one, "Running"), one.request.request_id
    working, client.get_status = client.get_status, failing

    shared = await asyncio.gather(*(Instances(client).read(request_id) for _ in range(3)), return_exceptions=True)
    client.get_status = working

    assert all(isinstance(each, SchedulerUnavailable) for each in shared)
    assert await Instances(client).read(request_id)


async def failing(*_, **_how):
    raise OSError("away")


async def test_a_failed_request_of_a_large_story_has_failed():
    one, events = large()
    read = await Instances(Client(one, "Failed", events)).read(one.request.request_id)
    assert read.story.status == "Failed"


async def test_a_suspended_request_keeps_its_stage():
    one = found(a_policy(a_panel(GRACE), a_panel(ALAN)))
    one = hearing.apply_event(one, decided(), "decision", NOON + HOUR)
    read = await Instances(Client(one, "Suspended")).read(one.request.request_id)
    assert read.story.stage == 1

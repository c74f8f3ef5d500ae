"""How an instance is read: what an operator did to it, and what its custom status could not hold."""

from types import SimpleNamespace

from approvals.durable.instances import Instances
from approvals.rules import hearing
from approvals.rules.events import awaited_events, event_name, slot_key
from approvals.rules.preview import ImaginedAnswer, play
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
    def __init__(self, one, runtime, events=()):
        self.one, self.runtime, self.events = one, runtime, events

    async def get_status(self, *_, **_how):
        return SimpleNamespace(
            name="approval_workflow",
            input_=self.one.request.model_dump_json(),
            custom_status=self.one.story.snapshot(),
            output="a reason",
            runtime_status=SimpleNamespace(name=self.runtime),
            last_updated_time=NOON + 5 * HOUR,
            historyEvents=[{"EventType": "EventRaised", "Name": n, "Input": d} for n, d in self.events],
        )


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


async def test_a_failed_request_of_a_large_story_has_failed():
    one, events = large()
    read = await Instances(Client(one, "Failed", events)).read(one.request.request_id)
    assert read.story.status == "Failed"


async def test_a_suspended_request_keeps_its_stage():
    one = found(a_policy(a_panel(GRACE), a_panel(ALAN)))
    one = hearing.apply_event(one, decided(), "decision", NOON + HOUR)
    read = await Instances(Client(one, "Suspended")).read(one.request.request_id)
    assert read.story.stage == 1

"""The orchestrator, turn by turn: the SDK's own replay behind the extension's gate."""

import datetime as dt
import json
import random
import subprocess
import sys
import warnings

import pytest

from approvals.rules.story import RULES
from devhost import replay
from tests.builders import ALAN, EVE, GRACE, NOON, a_panel, a_policy, asked, cancelled, decided, undelivered
from tests.chance import size, sized
from tests.simulation import Instance, answer

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


def waiting(**fields):
    """An instance that waits for an answer."""
    return Instance(asked(**fields)).start()


def after(instance, time):
    instance.now = NOON + time
    return instance


def reminder(instance):
    """The number of the message that is being sent."""
    return next(n for n, a in instance.running.items() if a.name == "submit_approval_request")


def settled(instance):
    """Let process_approval run, and give the story."""
    (number,) = [n for n, a in instance.running.items() if a.name == "process_approval"]
    instance.finish(number)
    assert isinstance(instance.end, replay.Completed)
    return instance.story


def test_a_bare_request_arms_one_timer_and_tells_nobody():
    instance = waiting(hours=24)

    assert instance.due() == [(NOON + DAY, 0)]
    assert not instance.scheduled
    assert instance.custom_status["status"] == "Pending"


def test_a_request_with_someone_to_tell_tells_them_at_once():
    instance = waiting(tell=True)

    assert [name for name, _ in instance.scheduled] == ["submit_approval_request"]
    assert instance.scheduled[0][1]["found"]["request"]["item"] == "New laptop"


def test_a_bare_approval_costs_the_scheduler_four_actions():
    """Start, event, one activity and its result; the sample's costs six."""
    instance = waiting()

    instance.deliver(instance.decision(decided()))

    assert [name for name, _ in instance.scheduled] == ["process_approval"]
    assert settled(instance)["status"] == "Approved"
    assert not instance.fired


@pytest.mark.parametrize(("yes", "status"), [(True, "Approved"), (False, "Rejected")])
def test_a_decision_settles_it_and_is_told_once(yes, status):
    instance = waiting()

    after(instance, HOUR).deliver(instance.decision(decided(yes=yes, comments="Because")))

    assert instance.custom_status["status"] == status
    assert instance.custom_status["decision"]["comments"] == "Because"
    (told,) = instance.activities_of("process_approval")
    assert told["occasion"] == "outcome"
    assert told["found"]["story"]["status"] == status
    assert settled(instance)["decision"]["approver"] == GRACE


def test_a_request_of_version_1_tells_its_outcome_as_it_did():
    instance = waiting(rules=1)

    instance.deliver(instance.decision(decided()))

    (told,) = instance.activities_of("process_approval")
    assert told["story"]["status"] == "Approved"


def test_an_event_may_be_encoded_once_or_twice():
    for encode in (json.dumps, None):
        instance = waiting()
        instance.deliver(instance.decision(decided(), encode=encode))
        assert instance.custom_status["status"] == "Approved"


def test_a_decision_that_came_before_the_first_turn_counts():
    instance = Instance(asked())

    instance.start(instance.decision(decided()))

    assert settled(instance)["status"] == "Approved"


def test_a_decision_counts_while_the_approvers_are_still_being_told():
    instance = waiting(tell=True)

    instance.deliver(instance.decision(decided()))

    assert instance.custom_status["status"] == "Approved"
    assert [a.name for a in instance.running.values()] == ["submit_approval_request", "process_approval"]


def test_a_second_event_of_the_name_is_harmless():
    instance = waiting()

    instance.deliver(instance.decision(decided(GRACE)), instance.decision(decided(ALAN, yes=False)))
    instance.deliver(instance.decision(decided(EVE, yes=False)))

    assert settled(instance)["decision"]["approver"] == GRACE


def test_a_cancellation_settles_it():
    instance = waiting()

    instance.deliver(instance.cancellation(cancelled(reason="Not needed")))

    assert settled(instance)["cancellation"]["reason"] == "Not needed"


def test_of_a_decision_and_a_cancellation_the_first_in_the_history_counts():
    for first, second, status in (("decision", "cancellation", "Approved"), ("cancellation", "decision", "Cancelled")):
        instance = waiting()
        events = {"decision": instance.decision(decided()), "cancellation": instance.cancellation(cancelled())}
        instance.deliver(events[first], events[second])
        assert settled(instance)["status"] == status


def test_nobody_answers():
    instance = waiting(hours=2)

    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Timeout"
    assert instance.story["settled_at"] == "2026-03-01T14:00:00.000Z"


# --- timers that fire early -----------------------------------------------------------------------


@pytest.mark.parametrize("early", [0.001, 0.5, 0.92, 0.999])
def test_a_timer_that_fires_early_times_nothing_out_before_the_deadline(early):
    instance = waiting(hours=2)

    instance.deliver(instance.fire(early))
    assert instance.custom_status["status"] == "Pending"
    assert not instance.activities_of("process_approval")
    assert [at for at, _ in instance.due()] == [NOON + 2 * HOUR + SECOND], "a nearer one fires at once again"
    instance.deliver(instance.fire(early))

    assert settled(instance)["status"] == "Timeout"
    assert instance.found.story.settled_at >= NOON + 2 * HOUR


def test_an_answer_between_an_early_timer_and_the_deadline_counts():
    instance = waiting(hours=2)
    instance.deliver(instance.fire(early=0.9))

    in_time = 2 * HOUR - dt.timedelta(milliseconds=300)
    after(instance, in_time).deliver(instance.decision(decided(after=in_time)))
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Approved"


def test_an_answer_in_the_second_after_the_deadline_of_an_early_timer_is_late():
    instance = waiting(hours=2)
    instance.deliver(instance.fire(early=0.9))

    late = 2 * HOUR + dt.timedelta(milliseconds=1)
    after(instance, late).deliver(instance.decision(decided(after=late)))
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Timeout"


@pytest.mark.parametrize(("first", "status"), [("in time", "Approved"), ("late", "Timeout")])
def test_of_two_events_of_a_name_the_first_is_heard_even_when_it_is_late_and_the_other_in_time(first, status):
    """The service raises no late event. Where somebody else does, whoever answered behind it learns that it is over."""
    instance = waiting(hours=2)
    instance.deliver(instance.fire(early=0.9))
    deadline, moment = 2 * HOUR, dt.timedelta(milliseconds=100)
    late, in_time = (decided(after=deadline + late_by) for late_by in (moment, -moment))

    order = [in_time, late] if first == "in time" else [late, in_time]
    after(instance, deadline + moment).deliver(*map(instance.decision, order))
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == status
    expect("by hand", instance, instance.story)


def test_no_reminder_and_no_escalation_comes_before_its_instant():
    policy = a_policy(a_panel(GRACE, hours=3, remind_hours=2, on_timeout="escalate"), escalation=a_panel(EVE))
    instance = waiting(policy=policy)

    for instant, seen in ((2 * HOUR, {"reminded": 1}), (3 * HOUR, {"escalated": True})):
        instance.deliver(instance.fire(early=0.92))
        assert seen.items().isdisjoint(instance.custom_status.items())
        assert not instance.running
        instance.deliver(instance.fire(early=0.92))
        assert seen.items() <= instance.custom_status.items()
        assert instance.now >= NOON + instant
        instance.finish(reminder(instance))
    assert [mark.at for mark in instance.found.story.marks] == [
        NOON + 2 * HOUR + dt.timedelta(seconds=0.08),
        NOON + 3 * HOUR + dt.timedelta(seconds=0.08),
    ]


def test_a_request_of_version_1_takes_a_timer_for_the_clock():
    instance = waiting(hours=2, rules=1)

    instance.deliver(instance.fire(early=0.9))

    assert settled(instance)["status"] == "Timeout"


def test_the_timer_that_lost_is_cancelled():
    instance = waiting()

    instance.deliver(instance.decision(decided()))

    (first, *_) = instance.answers[-1][1]["actions"][0]
    (timer,) = [a for a in first["compoundActions"] if a["actionType"] == 5]
    assert timer["isCanceled"]


def test_an_answer_after_the_deadline_is_not_counted_even_when_the_timer_is_late():
    instance = waiting(hours=1)

    after(instance, 2 * HOUR).deliver(instance.decision(decided(after=HOUR)))
    assert instance.custom_status["status"] == "Pending"
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Timeout"
    assert "after the deadline" in instance.story["notes"][0]


def test_a_name_whose_answer_came_too_late_is_not_waited_on_again_in_a_later_round():
    """An instance of the first version makes no new wait for it; the round that follows must not make the old one."""
    instance = waiting(hours=1)

    instance.deliver(instance.decision(decided(after=2 * HOUR)))
    instance.deliver(instance.raised("cancel", "nonsense"))
    instance.finish(reminder(instance))
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Timeout"


def test_an_answer_in_the_last_millisecond_is_counted():
    instance = waiting(hours=1)

    after(instance, 2 * HOUR).deliver(instance.decision(decided(after=HOUR - dt.timedelta(milliseconds=1))))

    assert instance.custom_status["status"] == "Approved"


def test_no_timer_is_longer_than_five_days_and_the_deadline_is_kept_over_several():
    instance = waiting(hours=12 * 24)
    timers = []

    while instance.custom_status["status"] != "Timeout":
        timers.append(instance.due()[0][0] - NOON)
        instance.deliver(instance.fire())
        for number in [n for n, a in instance.running.items() if a.name == "submit_approval_request"]:
            instance.finish(number)

    assert timers == [5 * DAY, 10 * DAY, 12 * DAY]
    assert len(instance.activities_of("submit_approval_request")) == 2
    assert settled(instance)["status"] == "Timeout"


@pytest.mark.parametrize("moment", ["before the reminder", "with its timer", "during the reminder", "after it"])
def test_a_decision_counts_at_every_moment_of_a_later_round(moment):
    instance = waiting(hours=12 * 24)
    decision = decided(after=6 * DAY)

    timer = instance.fire()
    if moment == "with its timer":
        instance.deliver(timer, instance.decision(decision))
    else:
        instance.deliver(timer)
    number = reminder(instance)
    instance.running.pop(number)
    if moment == "before the reminder":
        instance.deliver(instance.decision(decision), instance.result(number))
    elif moment == "during the reminder":
        instance.deliver(instance.decision(decision))
        instance.deliver(instance.result(number))
    else:
        instance.deliver(instance.result(number))
        instance.deliver(instance.decision(decision))

    assert settled(instance)["status"] == "Approved"


def test_what_arrives_while_a_round_is_armed_is_heard_in_the_order_it_was_received():
    instance = waiting(hours=12 * 24)

    instance.deliver(instance.fire())
    instance.deliver(instance.cancellation(cancelled(after=5 * DAY + 2 * HOUR)))
    instance.deliver(instance.decision(decided(after=5 * DAY + HOUR)))
    instance.finish(reminder(instance))

    assert instance.custom_status["status"] == "Approved"


def test_an_event_that_cannot_be_read_is_ignored_and_the_next_one_is_heard():
    instance = waiting()

    instance.deliver(instance.raised("decision", {"nonsense": 1}))
    assert instance.custom_status["waits"]["decision"] == 2
    instance.finish(1)
    instance.deliver(instance.decision(decided(), number=2))

    assert settled(instance)["status"] == "Approved"
    assert "could not be read" in instance.story["notes"][0]


@pytest.mark.parametrize("data", [None, 12, "words", [], {}, {"is_approved": True}, "{", '"' * 50, [[[]]]])
def test_no_event_fails_an_instance(data):
    instance = waiting()

    instance.deliver(instance.raised("decision", data), instance.raised("cancel", data))

    assert instance.end is None
    assert instance.custom_status["status"] == "Pending"


def test_events_that_cannot_be_read_are_survived_in_bounded_number_and_the_deadline_still_holds():
    instance = waiting(hours=24)

    for number in range(1, 30):
        instance.deliver(instance.raised("decision", "x", number=number))
        for running in list(instance.running):
            instance.finish(running)
    instance.deliver(instance.fire())

    assert settled(instance)["status"] == "Timeout"
    assert len(instance.activities_of("submit_approval_request")) == 10


def test_a_failed_message_does_not_stop_an_approval():
    instance = waiting(tell=True)

    instance.finish(1, failure="no network")
    instance.deliver(instance.decision(decided()))

    assert settled(instance)["status"] == "Approved"
    assert "could not be told" in instance.story["notes"][0]


def test_the_outcome_stands_when_telling_it_fails():
    instance = waiting()

    instance.deliver(instance.decision(decided()))
    instance.finish(1, failure="no network")

    assert instance.story["status"] == "Approved"
    assert "process_approval failed" in instance.story["notes"][0]


def test_an_instance_with_a_key_is_not_finished_before_its_guard_is_over():
    instance = waiting(keyed=True)

    instance.deliver(instance.decision(decided()))
    instance.finish(1)
    assert instance.end is None
    assert instance.custom_status["status"] == "Approved"
    assert instance.due()[-1][0] - NOON <= DAY
    number = max(instance.timers)
    assert instance.timers[number] == NOON + HOUR

    instance.fired.append(0)
    instance.deliver(instance.fire())

    assert instance.story["status"] == "Approved"


def test_an_instance_with_a_key_that_was_decided_after_its_guard_finishes_at_once():
    instance = waiting(keyed=True)

    after(instance, 2 * HOUR).deliver(instance.decision(decided()))

    assert settled(instance)["status"] == "Approved"


def random_schedule(seed):
    """Run the orchestrator to its end on a random day."""
    chance = random.Random(seed)
    hours = chance.choice([1, 24, 24, 24 * 6, 24 * 13, 24 * 30])
    tell = chance.random() < 0.5
    rules, retries, keyed = chance.choice([1, RULES, RULES]), chance.choice([0, 5]), chance.random() < 0.3
    instance = Instance(asked(hours=hours, tell=tell, retries=retries, keyed=keyed, rules=rules))
    said, waiting_to_arrive = 0, []

    def speak():
        nonlocal said
        kind = chance.choice(["yes", "no", "cancel", "nonsense"])
        time = instance.now - NOON
        name = "cancel" if kind == "cancel" else "decision"
        waits = instance.custom_status.get("waits", {}) if instance.history else {}
        number = waits.get(name, 1)
        if kind == "cancel":
            value = cancelled(by=f"caller-{said}", after=time)
            event = instance.cancellation(value, number=number)
        elif kind == "nonsense":
            event = instance.raised("decision", {"nonsense": said}, number=number)
        else:
            value = decided(by=f"person-{said}", yes=kind == "yes", after=time, decision_id=f"d{said}")
            event = instance.decision(value, number=number)
        said += 1
        waiting_to_arrive.extend([event] * chance.choice([1, 1, 2]))

    early = chance.random() < 0.3
    if early:
        speak()
    batch = waiting_to_arrive if early and chance.random() < 0.7 else []
    waiting_to_arrive = [] if batch else waiting_to_arrive
    instance.start(*batch)
    for _ in range(400):
        if instance.end:
            break
        arriving = []
        if said < 6 and chance.random() < 0.25:
            speak()
        for number in list(instance.running):
            if chance.random() < 0.5:
                in_part = {"undelivered": [undelivered()]} if tell else {}
                luck = chance.choice([{}, {}, {"failure": "bad luck"}, in_part])
                arriving += [instance.result(number, **luck)] * chance.choice([1, 1, 1, 2])
                instance.running.pop(number)
        while waiting_to_arrive and chance.random() < 0.5:
            arriving.append(waiting_to_arrive.pop(chance.randrange(len(waiting_to_arrive))))
        if instance.due() and chance.random() < 0.2:
            instance.now += (instance.due()[0][0] - instance.now) * chance.random()
        if instance.due() and (chance.random() < 0.15 or not (arriving or instance.running or waiting_to_arrive)):
            arriving.append(instance.fire(early=0 if rules == 1 else chance.choice([0, 0.4, 0.92, 0.999])))
        chance.shuffle(arriving)
        if arriving:
            instance.deliver(*arriving)
    return instance


@sized(150, 2000)
def test_no_schedule_hangs_loses_or_doubles_an_answer(seeds):
    """Early, doubled, late, shuffled and unreadable events; timers; activities that fail, double or come late."""
    schedules, outcomes, rounds, tried_again = len(seeds), {}, 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of every second event of a name
        for seed in seeds:
            instance = random_schedule(seed)

            assert isinstance(instance.end, replay.Completed), f"schedule {seed} did not end: {instance.end}"
            story = instance.story
            told, *again = instance.activities_of("process_approval")
            told = told.get("found", told)["story"]
            assert told["status"] == story["status"], f"schedule {seed} was told something else"
            if story["status"] == "Timeout" and instance.request.rules > 1:
                assert instance.found.story.settled_at >= instance.request.deadline, f"schedule {seed} ended too soon"
            assert all(each["occasion"] == "again" for each in again), f"schedule {seed} was told twice"
            assert len(again) <= instance.request.retries
            tried_again += len(again) + tries(instance)
            expect(seed, instance, story)
            outcomes[story["status"]] = outcomes.get(story["status"], 0) + 1
            rounds += len(instance.activities_of("submit_approval_request"))

    assert sum(outcomes.values()) == schedules
    assert min(outcomes[status] for status in ("Approved", "Rejected", "Cancelled", "Timeout")) > schedules / 100, (
        outcomes
    )
    assert rounds > size(50, 2000)
    assert tried_again > size(5, 500)


def tries(instance):
    """Count how often the approvers were told again what had not been delivered."""
    return sum(notice["occasion"] == "again" for notice in instance.activities_of("submit_approval_request"))


def expect(seed, instance, story):
    """Check the outcome against what the history holds, by rules written anew."""
    before_the_timer, heard = answers_in_time(instance)
    if story["status"] == "Timeout":
        assert not before_the_timer, f"schedule {seed}: an answer in time was lost"
        return
    who = {data.get("approver") or data.get("by"): data for data in heard}
    counted = story.get("decision") or story.get("cancellation")
    data = who[counted.get("approver") or counted.get("by")]
    wanted = "Cancelled" if "by" in data else "Approved" if data["is_approved"] else "Rejected"
    assert story["status"] == wanted, f"schedule {seed}: {counted} became {story['status']}"


def answers_in_time(instance):
    """Those answers given in time that were the first of their name: before the deadline's timer, and all.

    Later ones of a name are nobody's, whatever the first was: a name is waited on once, and the SDK drops what comes
    after a wait has completed. One that came after the timer may count when both were waited out by the same round.
    """
    deadline, names, heard, before = instance.request.deadline, set(), [], None
    for event in instance.history:
        if event["EventType"] == 15 and event["Name"] not in names:
            names.add(event["Name"])
            data = json.loads(json.loads(event["Input"]))
            at = data.get("decided_at") or data.get("cancelled_at")
            if at and dt.datetime.fromisoformat(at) < deadline:
                heard.append(data)
        if event["EventType"] == 11 and dt.datetime.fromisoformat(event["FireAt"][:19] + "+00:00") >= deadline:
            before = len(heard)
        if event["EventType"] == 4 and event["Name"] == "process_approval":
            break
    return heard[:before], heard


@sized(10, 60)
def test_an_answer_is_the_same_every_time_and_only_grows(seeds):
    """At every prefix of a history the orchestrator asks for the same, and never takes back what it asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            instance = random_schedule(seed)
            before = []
            for length, state in instance.answers:
                again = answer(instance.history[:length], instance.request)
                assert again == state, f"schedule {seed} was answered differently the second time"
                actions = uncancelled(state["actions"][0])
                assert actions[: len(before)] == before, f"schedule {seed} took something back"
                before = actions


def uncancelled(actions):
    return json.loads(json.dumps(actions).replace('"isCanceled": true', '"isCanceled": false'))


def test_the_sdk_is_silenced_about_an_event_that_was_raised_again_and_about_nothing_else():
    code = """
import sys, warnings
warnings.simplefilter("always")
from tests.builders import asked, decided
from tests.simulation import Instance
one = Instance(asked()).start()
first = one.decision(decided())
one.deliver(first, first)
executor = sys.modules["azure.durable_functions.models.TaskOrchestrationExecutor"]
exec("import warnings; warnings.warn('Something else')", executor.__dict__)
warnings.warn("Potential duplicate Task completion of somebody else")
print(one.custom_status["status"])
"""

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "Approved"
    assert "for TaskId" not in ran.stderr
    assert "Something else" in ran.stderr
    assert "of somebody else" in ran.stderr

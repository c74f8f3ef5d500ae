"""Callbacks: begun by rounds of an approval, and each an orchestration of its own that ends within a day."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise

import pytest

from approvals.rules.callbacks import (
    CHANNEL,
    GIVE_UP_AFTER,
    MAX_BUSY,
    SUBSCRIBERS,
    Attempt,
    Callback,
    Delivery,
    delivery_of,
    event_id,
)
from approvals.rules.story import Found, Story, Undelivered
from approvals.rules.telling import story_json
from devhost import replay
from tests.builders import ALAN, EVE, GRACE, NOON, REQUEST_ID, a_panel, a_policy, asked, cancelled, decided, passed_on
from tests.simulation import Instance

SIGNATURE = "sig=c2VjcmV0"
WANTED = Callback(url=f"https://hooks.example.com/1?{SIGNATURE}", on="every_change")
DELIVERY = Delivery(request_id=REQUEST_ID, revision=2, kind="approved")


def said(outcome="failed", **more):
    return Attempt(outcome=outcome, **more).model_dump_json()


def delivering():
    return Instance(DELIVERY, orchestrator="callback_workflow").start()


def attempt(instance, text, **more):
    """Let the attempt that runs end so, and wait until the next one."""
    instance.finish(next(iter(instance.running)), said=text, **more)
    if not instance.end:
        instance.deliver(instance.fire())
    return instance


def begun(instance, name="submit_approval_request"):
    """Give what the caller was to be told, in the order of the rounds."""
    return [
        [each["occasion"] for each in given.get("callbacks", []) if each["channel"] == CHANNEL]
        for given in instance.activities_of(name)
    ]


def finish_all(instance, **more):
    for number in list(instance.running):
        instance.finish(number, **more)


# --- sending ---------------------------------------------------------------------------------------


def test_an_event_that_is_taken_is_sent_once():
    instance = attempt(delivering(), said("delivered"))

    assert isinstance(instance.end, replay.Completed)
    assert instance.activities_of("send_callback") == [{"request_id": REQUEST_ID, "revision": 2, "kind": "approved"}]


def test_one_that_is_not_is_sent_again_at_once_then_more_and_more_seldom_for_a_day():
    instance = delivering()
    times = []
    while not instance.end:
        times.append(instance.now - NOON)
        attempt(instance, said())

    assert times[:4] == [dt.timedelta(seconds=seconds) for seconds in (0, 5, 35, 155)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == sorted(pauses)
    assert dt.timedelta(hours=20) < times[-1] <= GIVE_UP_AFTER
    assert [given.get("attempt", 1) for given in instance.activities_of("send_callback")] == list(
        range(1, len(times) + 1)
    )


def test_a_receiver_that_is_gone_is_not_called_again():
    assert attempt(delivering(), said("gone")).end


def test_a_receiver_that_wants_to_be_left_alone_is():
    instance = attempt(delivering(), said(retry_after=600))

    assert instance.now - NOON == dt.timedelta(minutes=10)


def test_however_long_it_wants_to_be_left_alone_there_is_an_end():
    instance = attempt(delivering(), said(retry_after=24 * 3600))
    assert instance.now - NOON == GIVE_UP_AFTER

    attempt(instance, said(retry_after=24 * 3600))
    assert instance.end


def test_where_there_was_no_room_it_is_tried_again_soon_but_not_without_end():
    instance = delivering()
    for number in range(MAX_BUSY):
        attempt(instance, said("busy"))
        assert instance.now - NOON == dt.timedelta(seconds=5 * (number + 1))

    while not instance.end:
        attempt(instance, said("busy"))

    assert len(instance.activities_of("send_callback")) < 2 * MAX_BUSY


def test_an_activity_that_fails_is_an_attempt_that_failed():
    instance = delivering()
    attempt(instance, None, failure="worker died")

    assert attempt(instance, said("delivered")).end


def test_its_history_holds_no_word_of_the_request():
    instance = attempt(delivering(), said("delivered"))

    assert "New laptop" not in json.dumps(instance.history)


# --- beginning -------------------------------------------------------------------------------------


def test_a_bare_request_has_no_round_more_for_being_told_its_end():
    instance = Instance(asked(callback=Callback(url="https://hooks.example.com/1"))).start()
    instance.deliver(instance.decision(decided()))
    finish_all(instance)

    assert instance.end
    assert begun(instance) == []
    assert begun(instance, "process_approval") == [["approved"]]


def test_each_change_is_a_round_of_its_own_and_what_comes_meanwhile_is_heard():
    policy = a_policy(a_panel(GRACE, ALAN, EVE, required=3))
    instance = Instance(asked(policy=policy, callback=WANTED)).start()
    instance.deliver(instance.decision(decided(GRACE)))
    instance.deliver(instance.decision(decided(ALAN, slot=1), key="decision-0-1"))
    finish_all(instance)
    finish_all(instance)
    instance.deliver(instance.decision(decided(EVE, slot=2), key="decision-0-2"))
    finish_all(instance)

    assert begun(instance) == [["voted"], ["voted"]]
    assert begun(instance, "process_approval") == [["approved"]]


def test_what_is_passed_on_and_a_stage_that_begins_are_changes():
    policy = a_policy(a_panel(GRACE), a_panel(ALAN))
    instance = Instance(asked(policy=policy, callback=WANTED)).start()
    instance.deliver(instance.change(passed_on(GRACE, EVE)))
    finish_all(instance)
    instance.deliver(instance.decision(decided(EVE), number=2))
    finish_all(instance)
    instance.deliver(instance.cancellation(cancelled()))
    finish_all(instance)

    assert begun(instance) == [["changed"], ["voted"]]
    assert begun(instance, "process_approval") == [["cancelled"]]


def test_a_request_that_wants_to_hear_of_its_end_alone_is_scheduled_as_before():
    policy = a_policy(a_panel(GRACE, ALAN, required=2))
    quiet = Instance(asked(policy=policy, callback=WANTED.model_copy(update={"on": "settled"}))).start()
    quiet.deliver(quiet.decision(decided(GRACE)))

    assert quiet.scheduled == []


def test_what_could_not_be_begun_is_begun_later_across_stages_and_the_end():
    policy = a_policy(a_panel(GRACE), a_panel(ALAN))
    instance = Instance(asked(policy=policy, callback=WANTED, retries=5)).start()
    instance.deliver(instance.decision(decided(GRACE)))
    (first,) = instance.activities_of("submit_approval_request")[0]["callbacks"]
    late = Undelivered(**first)
    finish_all(instance, undelivered=[late])
    instance.deliver(instance.decision(decided(ALAN, stage=1), key="decision-2-0"))
    while not instance.end:
        finish_all(instance)
        instance.deliver(instance.fire())

    again = instance.activities_of("process_approval")[-1]
    assert again["occasion"] == "again"
    assert again["found"]["story"]["undelivered"] == [first]
    assert instance.found.story.undelivered == ()


def test_a_round_whose_activity_failed_owes_its_callback_still():
    policy = a_policy(a_panel(GRACE, ALAN, required=2))
    instance = Instance(asked(policy=policy, callback=WANTED, retries=5)).start()
    instance.deliver(instance.decision(decided(GRACE)))
    instance.finish(next(iter(instance.running)), failure="worker died")

    owed = [each for each in instance.found.story.undelivered if each.channel == CHANNEL]
    assert [each.occasion for each in owed] == ["voted"]


def test_whoever_has_subscribed_is_owed_the_end_of_every_request_and_nothing_else():
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, ALAN, required=2)))).start()
    instance.deliver(instance.decision(decided(GRACE)))
    instance.deliver(instance.decision(decided(ALAN, slot=1), key="decision-0-1"))

    assert instance.activities_of("submit_approval_request") == []
    (end,) = instance.activities_of("process_approval")
    assert end["callbacks"] == [
        {"channel": SUBSCRIBERS, "key": event_id(REQUEST_ID, instance.found.story.revision), "occasion": "approved"}
    ]


# --- what stands where -----------------------------------------------------------------------------


def test_the_secret_of_the_address_is_in_no_input_of_an_activity_and_in_no_answer():
    instance = Instance(asked(callback=WANTED, tell=True, policy=a_policy(a_panel(GRACE)))).start()
    finish_all(instance)
    instance.deliver(instance.decision(decided(GRACE)))
    finish_all(instance)
    told = story_json(Found(request=instance.request, story=Story()))

    assert SIGNATURE in instance.request.model_dump_json()
    assert SIGNATURE not in json.dumps([given for _, given in instance.scheduled])
    assert SIGNATURE not in json.dumps(told)
    assert SIGNATURE not in json.dumps(instance.story)
    assert told["callback"]["url"] == "https://hooks.example.com/1"


def test_nothing_of_an_address_is_in_what_a_debugger_or_a_log_shows():
    assert SIGNATURE not in repr(WANTED)


@pytest.mark.parametrize("revision", [1, 2, 217])
def test_an_event_is_named_by_its_request_and_revision(revision):
    key = event_id(REQUEST_ID, revision)

    assert key == f"{REQUEST_ID}-callback-{revision}"
    assert delivery_of(key, "voted").event_id == key
    assert Delivery(request_id=REQUEST_ID, revision=revision, kind="voted", again=2).instance_id == f"{key}-2"

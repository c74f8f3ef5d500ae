"""Who is told what, what becomes of what could not be delivered, and that no decision waits for it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading

import pytest

from approvals.durable import activities
from approvals.people import delivery
from approvals.people.channels import LogChannel, Undeliverable
from approvals.people.delivery import Dispatch
from approvals.people.links import NotGenuine, Signer
from approvals.rules import hearing
from approvals.rules.deliveries import SEND_AGAIN_AFTER
from approvals.rules.notices import OUTCOME, Notice, key_of
from approvals.rules.restoring import restore_story
from approvals.rules.story import Status
from approvals.rules.telling import story_json
from devhost import replay
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    NOON,
    a_panel,
    a_policy,
    asked,
    cancelled,
    decided,
    found,
    passed_on,
    undelivered,
)
from tests.simulation import Instance

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
SIGNER = Signer(["k" * 40])


class Mailbox:
    """A channel that keeps what it was given; it can be made to fail, or to hang."""

    def __init__(self, name="mailtos-1", personal=True, fails=0, permanent=False, defect=None, reached=None):
        self.name, self.personal, self.reached = name, personal, reached
        self.fails, self.permanent, self.defect = fails, permanent, defect
        self.sent, self.lock, self.open = [], threading.Lock(), threading.Event()
        self.open.set()

    def reaches(self, person):
        return self.reached is None or person in self.reached

    def send(self, message):
        self.open.wait(30)
        with self.lock:
            if self.fails:
                self.fails -= 1
                raise self.defect or Undeliverable("It is full.", permanent=self.permanent)
            self.sent.append(message)
        return f"{self.name} took it."

    @property
    def told(self):
        return sorted(message.to or "" for message in self.sent)


def a_dispatch(*channels, **fields):
    return Dispatch(channels=channels, signer=SIGNER, **fields)


def a_request_of_two(**fields):
    return found(a_policy(a_panel(GRACE, ALAN, required=2), **fields), tell=True, retries=5)


# --- who can be told -----------------------------------------------------------------------------


def test_a_name_that_no_channel_can_address_is_told_apart_and_one_that_any_can_is_not():
    mail, phone = Mailbox(reached=[GRACE]), Mailbox("sms-1", reached=[ALAN])

    assert a_dispatch(mail, phone).unreachable([GRACE, ALAN, EVE, EVE]) == [EVE]


def test_a_room_reaches_nobody_in_particular_so_it_neither_saves_nor_loses_anybody():
    room = Mailbox("slack-1", personal=False)

    assert a_dispatch(room).unreachable([GRACE]) == []
    assert a_dispatch().unreachable([GRACE]) == []
    assert a_dispatch(room, Mailbox(reached=[])).unreachable([GRACE]) == [GRACE]


# --- who is told ----------------------------------------------------------------------------------


async def test_everyone_who_is_asked_gets_a_message_with_their_own_link():
    box = Mailbox()

    assert await a_dispatch(box).announce(a_request_of_two(), "asked") == ()

    assert box.told == [ALAN, GRACE]
    slots = {message.to: SIGNER.verify(link_in(message)).slot for message in box.sent}
    assert slots == {GRACE: 0, ALAN: 1}


def link_in(message):
    (line,) = {word for word in message.text.split() if "/approve/" in word}
    assert line in message.html
    return line.rpartition("/")[2]


async def test_a_channel_that_many_read_hears_of_it_once_and_gets_nobodys_link():
    room = Mailbox("slack-1", personal=False)

    await a_dispatch(room).announce(a_request_of_two(), "asked")

    (message,) = room.sent
    assert message.to is None
    assert "/approve/" not in message.text + message.html


async def test_a_channel_that_many_read_gets_the_link_of_the_open_slot():
    room = Mailbox("slack-1", personal=False)

    await a_dispatch(room).announce(found(tell=True), "asked")

    assert SIGNER.verify(link_in(room.sent[0])).holder == ""


async def test_who_has_answered_is_not_reminded():
    box, asking = Mailbox(), a_request_of_two()
    asking = hearing.apply_event(asking, decided(GRACE), "decision", NOON)

    await a_dispatch(box).announce(asking, "reminded")

    assert box.told == [ALAN]


async def test_who_it_was_passed_on_to_is_told_and_nobody_else():
    box = Mailbox()
    asking = hearing.apply_event(a_request_of_two(), passed_on(GRACE, EVE), "change", NOON)

    await a_dispatch(box).announce(asking, "passed_on")

    assert box.told == [EVE]
    assert SIGNER.verify(link_in(box.sent[0])).generation == 1


async def test_a_requester_who_may_not_decide_is_not_asked():
    box = Mailbox()

    await a_dispatch(box).announce(found(a_policy(a_panel(ADA, GRACE))), "asked")

    assert box.told == [GRACE]


@pytest.mark.parametrize(("tells_requester", "told"), [(False, [ALAN, GRACE]), (True, [ADA, ALAN, GRACE])])
async def test_an_outcome_is_told_to_who_was_asked_and_who_answered_and_if_wished_to_the_requester(
    tells_requester, told
):
    box, asking = Mailbox(), a_request_of_two()
    settled = hearing.apply_event(asking, decided(GRACE, yes=False), "decision", NOON)

    await a_dispatch(box, tells_requester=tells_requester).announce(settled, OUTCOME)

    assert settled.story.status is Status.REJECTED
    assert box.told == told
    assert all("/approve/" not in message.text + message.html for message in box.sent)


async def test_a_renewal_tells_nobody():
    box = Mailbox()

    assert await a_dispatch(box).announce(a_request_of_two(), "renewed") == ()

    assert not box.sent


async def test_the_same_message_has_the_same_key_and_every_other_message_another():
    first, again = Mailbox(), Mailbox()
    asking = a_request_of_two()
    reminded = asking.with_story(asking.story.model_copy(update={"reminded": 1}))

    await a_dispatch(first).announce(asking, "asked")
    await a_dispatch(again).announce(asking, "asked")
    await a_dispatch(again).announce(reminded, "reminded")

    keys = [message.key for message in again.sent]
    assert {message.key for message in first.sent} == set(keys[:2])
    assert len(set(keys)) == 4


# --- what fails -----------------------------------------------------------------------------------


async def test_one_failing_channel_does_not_silence_the_others():
    full, fine, room = Mailbox(fails=9), Mailbox("ntfys-2"), Mailbox("slack-3", personal=False)

    failed = await a_dispatch(full, fine, room).announce(a_request_of_two(), "asked")

    assert [(each.to, each.channel) for each in failed] == [(GRACE, "mailtos-1"), (ALAN, "mailtos-1")]
    assert fine.told == [ALAN, GRACE]
    assert room.told == [""]


async def test_every_message_that_was_taken_is_a_line_in_the_log_with_its_request_and_no_link(caplog):
    """Written by the activity's own task: what a thread of ours writes does not reach the real host's log."""
    told, room = Mailbox(), Mailbox("slack-2", personal=False)
    request = a_request_of_two()

    with caplog.at_level(logging.INFO, "approvals"):
        await a_dispatch(told, room).announce(request, "asked")

    lines = [record.message for record in caplog.records if record.threadName == threading.current_thread().name]
    assert len(lines) == 3
    assert "/approve/" not in caplog.text


async def test_a_channel_that_hangs_holds_up_no_other_and_counts_as_failed():
    stuck, fine = Mailbox(), Mailbox("ntfys-2")
    stuck.open.clear()

    failed = await a_dispatch(stuck, fine, seconds=0.2).announce(a_request_of_two(), "asked")
    stuck.open.set()

    assert {each.channel for each in failed} == {"mailtos-1"}
    assert fine.told == [ALAN, GRACE]


async def test_a_defect_of_a_channel_is_a_failure_like_any_other():
    broken = a_dispatch(Mailbox(fails=1, defect=KeyError("oops")))

    failed = await broken.announce(found(a_policy(a_panel(GRACE))), "asked")

    assert [(each.to, each.permanent) for each in failed] == [(GRACE, False)]


async def test_only_what_failed_is_sent_again_under_the_same_key():
    box = Mailbox(fails=1)
    asking = a_request_of_two()
    first = await a_dispatch(box).announce(asking, "asked")

    assert await a_dispatch(box).retry(asking, first) == ()

    assert box.told == [ALAN, GRACE]
    assert box.sent[1].key == first[0].key


async def test_what_concerns_nobody_any_more_is_not_sent_again():
    box = Mailbox(fails=2)
    asking = a_request_of_two()
    failed = await a_dispatch(box).announce(asking, "asked")
    asking = hearing.apply_event(asking, decided(GRACE), "decision", NOON)
    asking = hearing.apply_event(asking, passed_on(ALAN, EVE), "change", NOON)

    assert await a_dispatch(box).retry(asking, failed) == ()
    assert not box.sent


async def test_who_cannot_be_addressed_is_not_tried_again_and_stays_visible():
    box = Mailbox(fails=1, permanent=True)
    asking = found(a_policy(a_panel(GRACE)))
    failed = await a_dispatch(box).announce(asking, "asked")

    assert failed[0].permanent
    assert await a_dispatch(box).retry(asking, failed) == failed
    assert not box.sent


async def test_a_notice_of_which_nobody_knows_what_became_is_sent_as_a_whole():
    box, asking = Mailbox(), a_request_of_two()

    await a_dispatch(box).retry(asking, activities.whole_notice_undelivered(Notice(found=asking, occasion="asked")))

    expected = Mailbox()
    await a_dispatch(expected).announce(asking, "asked")
    assert sorted(m.key for m in box.sent) == sorted(m.key for m in expected.sent)


async def test_a_channel_that_the_operator_took_away_is_forgotten():
    asking = a_request_of_two()

    assert await a_dispatch(Mailbox("ntfys-1")).retry(asking, [undelivered(channel="mailtos-1")]) == ()


async def test_no_link_is_in_what_an_activity_gives_back():
    box = Mailbox(fails=9)

    text = activities.write_undelivered(await a_dispatch(box).announce(a_request_of_two(), "asked"))

    assert activities.read_undelivered(text) == await a_dispatch(Mailbox(fails=9)).announce(a_request_of_two(), "asked")
    for word in text.replace('"', " ").split():
        with pytest.raises(NotGenuine):
            SIGNER.verify(word)


# --- in threads -----------------------------------------------------------------------------------


async def test_every_line_is_written_by_the_activity_itself_since_the_host_drops_those_of_threads(caplog):
    caplog.set_level("INFO")
    channels = LogChannel(), Mailbox("a-1"), Mailbox("b-2", fails=9), Mailbox("c-3", fails=9, permanent=True)

    await a_dispatch(*channels).announce(found(a_policy(a_panel(GRACE)), tell=True), "asked")

    key = key_of(found(), "asked")
    said = {record.getMessage().replace(key, "KEY").partition("+")[0] for record in caplog.records}
    assert {"a-1 took it.", "delivery_failed channel=b-2 key=KEY", "delivery_failed channel=c-3 key=KEY"} <= said
    assert any(line.startswith("To everyone: ") for line in said)
    assert {record.threadName for record in caplog.records} == {"MainThread"}


async def test_no_line_about_a_message_in_a_thread_has_what_a_defect_says(caplog):
    await a_dispatch(Mailbox(fails=1, defect=KeyError("s3cret"))).announce(found(a_policy(a_panel(GRACE))), "asked")

    assert "s3cret" not in caplog.text
    assert "KeyError" in caplog.text


async def test_composing_is_within_the_time_limit_and_off_the_event_loop(monkeypatch):
    slow, box = threading.Event(), Mailbox()
    monkeypatch.setattr(delivery.messages, "compose", lambda *_, **__: slow.wait(30))

    failed = await a_dispatch(box, seconds=0.05).announce(found(a_policy(a_panel(GRACE))), "asked")
    slow.set()

    assert [each.to for each in failed] == [GRACE]
    assert not box.sent


async def test_while_twelve_requests_wait_for_a_channel_that_hangs_another_channel_takes_what_is_sent():
    stuck, fine = Mailbox("stuck-1"), Mailbox("fine-2")
    stuck.open.clear()
    waiting = [asyncio.create_task(a_dispatch(stuck).announce(a_request_of_two(), "asked")) for _ in range(12)]

    assert await a_dispatch(fine).announce(a_request_of_two(), "asked") == ()

    assert not any(task.done() for task in waiting)
    stuck.open.set()
    assert await asyncio.gather(*waiting) == [()] * 12


# --- in the orchestration -------------------------------------------------------------------------


def waiting(**fields):
    return Instance(asked(tell=True, retries=5, **fields)).start()


def sending(instance):
    return next(n for n, a in instance.running.items() if a.name == "submit_approval_request")


def test_what_was_not_delivered_is_in_the_status_with_the_time_of_the_next_attempt():
    instance = waiting()

    instance.finish(1, undelivered=[undelivered()])

    assert instance.custom_status["undelivered"][0]["to"] == GRACE
    assert instance.custom_status["deliver_at"] == "2026-03-01T12:01:00.000Z"


def test_it_is_sent_again_after_a_growing_delay_and_then_given_up():
    instance, attempts = waiting(), []

    instance.finish(1, undelivered=[undelivered()])
    while instance.running:
        instance.finish(sending(instance))
        instance.deliver(instance.fire())
        if instance.custom_status["status"] != "Pending":
            break
        attempts.append(instance.now - NOON)
        instance.finish(sending(instance), undelivered=[undelivered()])

    waits = [later - earlier for earlier, later in zip([dt.timedelta(), *attempts], attempts, strict=False)]
    assert waits == list(SEND_AGAIN_AFTER)
    assert instance.custom_status["undelivered"][0]["to"] == GRACE
    assert "deliver_at" not in instance.custom_status


def test_once_it_is_delivered_the_status_says_nothing_of_it():
    instance = waiting()
    instance.finish(1, undelivered=[undelivered()])
    instance.finish(sending(instance))
    instance.deliver(instance.fire())

    instance.finish(sending(instance))

    assert "undelivered" not in instance.custom_status
    assert instance.due()[0][0] == NOON + 24 * HOUR


def test_what_is_sent_again_is_what_failed():
    instance = waiting()
    instance.finish(1, undelivered=[undelivered()])
    instance.finish(sending(instance))

    instance.deliver(instance.fire())

    notice = Notice.from_json(instance.scheduled[-1][1])
    assert notice.occasion == "again"
    assert notice.tried == (undelivered(),)


@pytest.mark.parametrize("moment", ["at once", "while it is renewed", "before the attempt", "with it", "during it"])
def test_a_decision_counts_whatever_is_being_delivered(moment):
    """One that comes during an attempt, or with its timer, is heard when the attempt has ended, however it ends."""
    instance = waiting()
    instance.finish(1, undelivered=[undelivered()])
    if moment == "while it is renewed":
        instance.deliver(instance.decision(decided()))
        instance.finish(sending(instance))
    elif moment == "before the attempt":
        instance.finish(sending(instance))
        instance.deliver(instance.decision(decided()))
    elif moment == "with it":
        instance.finish(sending(instance))
        instance.deliver(instance.fire(), instance.decision(decided()))
        instance.finish(sending(instance))
    elif moment == "during it":
        instance.finish(sending(instance))
        instance.deliver(instance.fire())
        number = sending(instance)
        instance.running.pop(number)
        instance.deliver(instance.decision(decided()))
        instance.deliver(instance.result(number, undelivered=[undelivered()]))
    else:
        number = sending(instance)
        instance.running.pop(number)
        instance.deliver(instance.result(number), instance.decision(decided()))

    (number,) = [n for n, a in instance.running.items() if a.name == "process_approval"]
    instance.finish(number)
    assert isinstance(instance.end, replay.Completed)
    assert instance.story["status"] == "Approved"
    assert not instance.story.get("undelivered")


def test_a_failure_that_is_told_after_the_panel_has_changed_is_not_the_new_panels():
    policy = a_policy(a_panel(GRACE), a_panel(ALAN))
    instance = waiting(policy=policy)
    first = instance.running.pop(1)
    assert first.name == "submit_approval_request"

    instance.deliver(instance.decision(decided(GRACE)))
    instance.deliver(instance.result(1, undelivered=[undelivered()]))
    instance.finish(sending(instance))

    assert instance.custom_status["stage"] == 1
    assert "undelivered" not in instance.custom_status


def test_what_a_stage_could_not_deliver_does_not_follow_into_the_next():
    instance = waiting(policy=a_policy(a_panel(GRACE), a_panel(ALAN)))
    instance.finish(1, undelivered=[undelivered()])
    instance.finish(sending(instance))
    instance.deliver(instance.fire())
    instance.finish(sending(instance), undelivered=[undelivered()])
    instance.finish(sending(instance))

    instance.deliver(instance.decision(decided(GRACE)))
    instance.finish(sending(instance), undelivered=[undelivered(ALAN)])

    assert instance.custom_status["stage"] == 1
    assert [each["to"] for each in instance.custom_status["undelivered"]] == [ALAN]
    assert "attempts" not in instance.custom_status


@pytest.mark.parametrize(("rules", "kept"), [(1, []), (2, [GRACE])])
def test_what_was_never_delivered_stays_in_the_record_after_the_end(rules, kept):
    instance = waiting(policy=a_policy(a_panel(GRACE), a_panel(ALAN)), rules=rules)
    instance.finish(1, undelivered=[undelivered()])
    instance.finish(sending(instance))
    instance.deliver(instance.decision(decided(GRACE)))
    assert [each["to"] for each in instance.custom_status.get("never_delivered", [])] == kept
    instance.finish(sending(instance))
    instance.deliver(instance.decision(decided(ALAN, stage=1), key="decision-1-1".removesuffix("-1")))

    story = story_json(instance.found)

    assert [(each["to"], each["next_attempt_at"]) for each in story["undelivered"]] == [(each, None) for each in kept]
    assert story["undelivered_count"] == len(kept)


@pytest.mark.parametrize(("rules", "kept"), [(1, []), (2, [GRACE])])
def test_a_failure_that_is_told_after_its_panel_is_over_is_in_the_record(rules, kept):
    instance = waiting(policy=a_policy(a_panel(GRACE), a_panel(ALAN)), rules=rules)
    instance.running.pop(1)
    instance.deliver(instance.decision(decided(GRACE)))

    instance.deliver(instance.result(1, undelivered=[undelivered()]))
    instance.finish(sending(instance))

    assert [each["to"] for each in instance.custom_status.get("never_delivered", [])] == kept


def test_of_many_that_were_not_delivered_none_goes_uncounted():
    crowd = tuple(undelivered(f"person-{n}@example.com") for n in range(23))
    one = found(a_policy(a_panel(GRACE)), tell=True, rules=2)
    pending = one.with_story(one.story.model_copy(update={"undelivered": crowd}))
    over = hearing.apply_event(pending, cancelled(), "cancel", NOON + HOUR)

    for story in (pending.story, over.story):
        read_back = restore_story(one.request, story.snapshot(), [])
        short = restore_story(one.request, story.abridged_snapshot(), [])
        shown = story_json(one.with_story(read_back))
        assert len(shown["undelivered"]) == 10
        assert shown["undelivered_count"] == 23
        assert story_json(one.with_story(short))["undelivered_count"] == 23


def test_the_outcome_is_told_again_and_stands_meanwhile():
    instance = waiting()
    instance.finish(1)
    instance.deliver(instance.decision(decided()))

    instance.finish(next(iter(instance.running)), undelivered=[undelivered(ADA, occasion="outcome")])
    assert instance.custom_status["status"] == "Approved"
    assert instance.custom_status["undelivered"][0]["to"] == ADA
    instance.deliver(instance.fire())
    assert Notice.from_json(instance.scheduled[-1][1]).tried == (undelivered(ADA, occasion="outcome"),)
    instance.finish(next(iter(instance.running)))

    assert isinstance(instance.end, replay.Completed)
    assert instance.story["status"] == "Approved"
    assert not instance.story.get("undelivered")


def test_an_outcome_that_cannot_be_told_is_given_up_and_stays_visible():
    instance = waiting()
    instance.finish(1)
    instance.deliver(instance.cancellation(cancelled()))

    while not instance.end:
        instance.finish(next(iter(instance.running)), undelivered=[undelivered(ADA, occasion="outcome")])
        if not instance.end:
            instance.deliver(instance.fire())

    assert instance.story["undelivered"][0]["to"] == ADA
    assert len(instance.activities_of("process_approval")) == 1 + len(SEND_AGAIN_AFTER)


def test_an_activity_that_failed_as_a_whole_is_tried_again_as_a_whole():
    instance = waiting()

    instance.finish(1, failure="no network")
    instance.finish(sending(instance))
    instance.deliver(instance.fire())

    notice = Notice.from_json(instance.scheduled[-1][1])
    assert [each.channel for each in notice.tried] == [""]
    assert notice.tried[0].key == key_of(found(), "asked")


def test_a_renewal_that_failed_has_nothing_to_be_sent_again():
    instance = waiting()
    instance.finish(1, undelivered=[undelivered()])

    instance.finish(sending(instance), failure="no network")

    assert [each["occasion"] for each in instance.custom_status["undelivered"]] == ["asked"]
    assert instance.custom_status["deliver_at"] == "2026-03-01T12:01:00.000Z"


def test_requests_of_before_version_1_2_are_not_tried_again():
    instance = Instance(asked(tell=True)).start()

    instance.finish(1, undelivered=[undelivered()])

    assert instance.custom_status["undelivered"][0]["to"] == GRACE
    assert not instance.running
    assert "deliver_at" not in instance.custom_status

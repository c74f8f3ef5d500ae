"""The rules: one slot first, then panels, silence, changes; the early answers; and what is read back."""

import datetime as dt
import itertools

import pytest

from approvals.rules import hearing, judging
from approvals.rules.events import awaited_events, next_wake_at, read_event, slot_key
from approvals.rules.story import Change, Decision, Status, Story, TimerFired
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    HOUR,
    NOON,
    a_panel,
    a_policy,
    asked,
    cancelled,
    decided,
    found,
    passed_on,
)

LATE = dt.timedelta(hours=25)
YES, NO, BACK = decided(), decided(ALAN, yes=False), cancelled()
OVER = TimerFired(heard_at=NOON + dt.timedelta(hours=24))
HEARD = {"yes": (YES, "decision"), "no": (NO, "decision"), "cancel": (BACK, "cancel"), "deadline": (OVER, "")}
BECOMES = {"yes": Status.APPROVED, "no": Status.REJECTED, "cancel": Status.CANCELLED, "deadline": Status.TIMEOUT}


def heard(*names):
    one = found()
    for name in names:
        one = hearing.apply_event(one, *HEARD[name], NOON)
    return one


def vote(one, person, *, yes=True, after=HOUR, **fields):
    """Answer for the slot a person holds now."""
    slot = one.slot_of(person) or 0
    here = {"stage": one.story.stage, "escalated": one.story.escalated, "slot": slot}
    decision = decided(person, yes=yes, after=after, **{**here, **fields})
    return hearing.apply_event(one, decision, slot_key(one.story, slot), NOON + after)


def wake(one, at):
    return hearing.apply_event(one, TimerFired(heard_at=NOON + at), "", NOON + at)


# --- one open slot --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", HEARD)
def test_the_first_thing_heard_settles_it(first):
    assert heard(first).story.status is BECOMES[first]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(HEARD, HEARD)))
def test_nothing_changes_what_is_settled(first, second):
    assert heard(first, second) == heard(first)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.PENDING])
def test_every_state_but_pending_is_final(status):
    one = found().with_story(Story(status=status))

    assert all(hearing.apply_event(one, *thing, NOON) == one for thing in HEARD.values())


@pytest.mark.parametrize(
    ("after", "counts"),
    [(dt.timedelta(hours=24, milliseconds=-1), True), (dt.timedelta(hours=24), False), (LATE, False)],
)
def test_at_the_deadline_is_late(after, counts):
    assert (not vote(found(), GRACE, after=after).story.is_open) == counts
    assert (not hearing.apply_event(found(), cancelled(after=after), "cancel", NOON).story.is_open) == counts


def test_what_is_late_is_noted():
    assert "after the deadline" in vote(found(), GRACE, after=LATE).story.notes[0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_arrives_together_is_heard_in_the_order_it_was_received(order):
    things = [
        (decided(after=3 * HOUR), "decision"),
        (decided(ALAN, yes=False, after=2 * HOUR), "decision"),
        (cancelled(after=HOUR), "cancel"),
    ]

    one = hearing.apply_events(found(), [things[i] for i in order], NOON)

    assert one.story.status is Status.CANCELLED


def test_a_decision_in_time_wins_over_the_deadline_that_arrives_with_it():
    decision = decided(after=dt.timedelta(hours=23))

    assert hearing.apply_events(found(), [(OVER, ""), (decision, "decision")], NOON).story.status is Status.APPROVED


# --- panels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "reject_when", "answers", "status"),
    [
        (1, "any", "y", Status.APPROVED),
        (1, "any", "n", Status.REJECTED),
        (2, "any", "yy", Status.APPROVED),
        (2, "any", "yn", Status.REJECTED),
        (2, "impossible", "n", Status.PENDING),
        (2, "impossible", "nyy", Status.APPROVED),
        (2, "impossible", "nn", Status.REJECTED),
        (3, "impossible", "n", Status.REJECTED),
        (3, "any", "yyy", Status.APPROVED),
        (3, "any", "yy", Status.PENDING),
        (1, "impossible", "nn", Status.PENDING),
        (1, "impossible", "nnn", Status.REJECTED),
        (1, "impossible", "nny", Status.APPROVED),
    ],
)
def test_what_three_people_make_of_it(required, reject_when, answers, status):
    one = found(a_policy(a_panel(GRACE, ALAN, EVE, required=required, reject_when=reject_when)))

    for person, answer in zip((GRACE, ALAN, EVE), answers, strict=False):
        one = vote(one, person, yes=answer == "y")

    assert one.story.status is status


def test_a_vote_counts_once_whoever_sends_it_again():
    one = found(a_policy(a_panel(GRACE, ALAN, EVE, required=2)))

    one = vote(vote(vote(one, GRACE), GRACE), GRACE.upper())

    assert one.votes(yes=True) == 1
    assert one.story.is_open


def test_an_answer_under_someone_elses_event_name_is_not_counted():
    one = found(a_policy(a_panel(GRACE, ALAN, required=2)))

    forged = hearing.apply_event(one, decided(EVE, slot=1), "decision-0-1", NOON)
    crossed = hearing.apply_event(one, decided(GRACE, slot=0), "decision-0-1", NOON)

    assert not forged.story.votes
    assert not crossed.story.votes
    assert forged.story.event_number("decision-0-1") == 2, "the wait was spent; the next name is listened to"


@pytest.mark.parametrize("name", [ADA, ADA.upper()])
def test_nobody_decides_on_a_request_of_their_own(name):
    one = vote(found(a_policy(a_panel())), name)

    assert one.story.is_open
    assert not one.story.votes


def test_names_are_compared_without_case_after_nfc():
    one = found(a_policy(a_panel("Jos\u00e9", "ALAN")))

    assert one.slot_of("jose\u0301") == 0
    assert one.slot_of("alan") == 1


def test_stages_are_asked_one_after_another_each_with_its_own_time():
    one = found(a_policy(a_panel(GRACE, hours=1), a_panel(ALAN, hours=2)))

    one = vote(one, GRACE, after=HOUR / 2)

    assert one.story.is_open
    assert one.story.stage == 1
    assert one.due_at == NOON + 2.5 * HOUR
    assert vote(one, ALAN, after=2 * HOUR).story.status is Status.APPROVED


def test_a_rejection_in_a_later_stage_rejects_the_request():
    one = vote(found(a_policy(a_panel(GRACE), a_panel(ALAN))), GRACE)

    assert vote(one, ALAN, yes=False).story.status is Status.REJECTED


def test_an_answer_for_a_stage_that_is_over_changes_nothing():
    before = found(a_policy(a_panel(GRACE, ALAN), a_panel(GRACE, EVE, required=2)))
    after = vote(before, ALAN)

    late = hearing.apply_event(after, decided(GRACE, yes=False, stage=0, slot=0), "decision", NOON)

    assert late == after


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_timeout", "status"), [("timeout", Status.TIMEOUT), ("approve", Status.APPROVED), ("reject", Status.REJECTED)]
)
def test_what_silence_means(on_timeout, status):
    one = wake(found(a_policy(a_panel(GRACE, hours=1, on_timeout=on_timeout))), HOUR)

    assert one.story.status is status
    assert one.story.decision is None


def test_silence_that_approves_goes_on_to_the_next_stage():
    one = wake(found(a_policy(a_panel(GRACE, hours=1, on_timeout="approve"), a_panel(ALAN))), HOUR)

    assert one.story.stage == 1
    assert "Silence approved" in one.story.notes[0]


def test_an_escalation_asks_other_people_instead_and_anew():
    policy = a_policy(
        a_panel(GRACE, ALAN, hours=1, required=2, on_timeout="escalate"),
        escalation=a_panel(EVE, hours=3, on_timeout="reject"),
    )
    one = wake(vote(found(policy), GRACE, after=HOUR / 2), HOUR)

    assert one.story.escalated
    assert one.slot_of(ALAN) is None
    assert one.due_at == NOON + 4 * HOUR
    assert vote(one, EVE, after=2 * HOUR).story.status is Status.APPROVED
    assert wake(one, 4 * HOUR).story.status is Status.REJECTED


def test_reminders_come_at_their_interval_ten_at_most_and_not_at_the_deadline():
    one = found(a_policy(a_panel(GRACE, hours=100, remind_hours=1)))
    times = []

    while one.story.is_open:
        at = next_wake_at(one, NOON) - NOON
        times.append(at / HOUR)
        one = wake(one, at)

    assert times == [*range(1, 11), 100]
    assert one.story.reminded == 10


def test_reminders_that_were_missed_are_not_sent_all_at_once():
    """A suspended instance, or one whose host was away, wakes late."""
    one = found(a_policy(a_panel(GRACE, hours=100, remind_hours=1)))

    one = hearing.apply_event(one, TimerFired(heard_at=NOON + HOUR), "", NOON + 6.5 * HOUR)

    assert one.story.reminded == 6
    assert one.next_reminder_at == NOON + 7 * HOUR


def test_a_panel_that_may_last_longer_than_five_days_has_reminders_of_its_own_accord():
    one = found(a_policy(a_panel(GRACE, hours=24 * 12)))

    assert one.next_reminder_at == NOON + 120 * HOUR
    assert found(a_policy(a_panel(GRACE, hours=24 * 5))).next_reminder_at is None


@pytest.mark.parametrize(
    ("hours", "now", "due"),
    [
        (1, NOON, NOON + HOUR),
        (120, NOON, NOON + 120 * HOUR),
        (720, NOON + 605 * HOUR, NOON + 120 * HOUR),
    ],
)
def test_no_timer_is_longer_than_five_days(hours, now, due):
    assert next_wake_at(found(hours=hours), now) == min(due, NOON + 120 * HOUR)
    many = found(a_policy(a_panel(GRACE, hours=720, remind_hours=0.1)))
    reminded = many.with_story(Story(reminded=10))
    assert next_wake_at(reminded, NOON) == NOON + 120 * HOUR


# --- passing on -----------------------------------------------------------------------------------


def change(one, **fields):
    return hearing.apply_event(one, passed_on(**fields), "change", NOON + HOUR)


def test_after_a_change_the_new_holder_decides_and_the_old_one_cannot():
    one = change(found(a_policy(a_panel(GRACE, ALAN, required=2))))

    assert one.slot_of(GRACE) is None
    assert one.slot_of(EVE) == 0
    assert one.story.event_number("decision") == 2, "what was sent to the old holder's name is not heard any more"
    assert one.story.event_number("change") == 2
    assert vote(one, EVE).votes(yes=True) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"to": ADA},
        {"to": ADA.upper()},
        {"to": ALAN},
        {"to": GRACE},
        {"holder": EVE, "to": "new@example.com"},
        {"after": LATE},
    ],
    ids=str,
)
def test_a_change_that_is_not_allowed_is_ignored_and_the_next_one_is_heard(fields):
    one = change(found(a_policy(a_panel(GRACE, ALAN))), **fields)

    assert not one.story.changes
    assert one.slot_of(GRACE) == 0
    assert one.story.event_number("change") == 2


def test_a_slot_that_has_answered_cannot_be_passed_on():
    one = vote(found(a_policy(a_panel(GRACE, ALAN, required=2))), GRACE)

    assert not change(one).story.changes


def test_a_request_is_passed_on_ten_times_at_most():
    one = found(a_policy(a_panel(GRACE)))
    people = [GRACE, *(f"person-{n}@example.com" for n in range(12))]

    for holder, to in itertools.pairwise(people):
        if "change" in awaited_events(one).values():
            one = change(one, holder=holder, to=to)

    assert len(one.story.changes) == 10
    assert one.slot_of("person-9@example.com") == 0


def test_an_open_slot_cannot_be_passed_on():
    assert "change" not in awaited_events(found()).values()
    assert not change(found()).story.changes


# --- names ----------------------------------------------------------------------------------------


def test_no_event_name_is_ever_listened_to_for_two_things():
    """Over every state of a long story, each name belongs to one slot and generation."""
    policy = a_policy(
        a_panel(GRACE, ALAN, required=2, hours=1, on_timeout="escalate"), escalation=a_panel(EVE, "x", hours=1)
    )
    one, meanings = found(policy), {}
    steps = [
        lambda it: change(it, to="new@example.com"),
        lambda it: hearing.apply_event(it, decided(EVE, slot=1), "decision-0-1", NOON),
        lambda it: vote(it, "new@example.com"),
        lambda it: wake(it, HOUR),
        lambda it: change(it, holder=EVE, to="another@example.com", after=HOUR * 1.5),
    ]
    for step in [*steps, lambda it: it]:
        for name, key in awaited_events(one).items():
            meaning = (key, one.story.event_number(key))
            assert meanings.setdefault(name, meaning) == meaning
            assert name == name.lower()
        one = step(one)
    assert len(meanings) > 8


# --- early answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "answer", "judgement"),
    [
        (found(), YES, "open"),
        (found(), decided(after=LATE), "late"),
        (heard("yes"), YES, "recorded"),
        (heard("yes"), decided(GRACE.upper(), comments="other words"), "recorded"),
        (heard("yes"), decided(GRACE, yes=False), "decided"),
        (heard("yes"), decided(ALAN), "decided"),
        (heard("no"), NO, "recorded"),
        (heard("no"), YES, "decided"),
        (heard("cancel"), YES, "closed"),
        (heard("deadline"), YES, "closed"),
        (found().with_story(Story(status=Status.FAILED)), YES, "closed"),
        (found(a_policy()), decided(EVE), "not_yours"),
        (found(a_policy()), decided(ADA), "self"),
        (change(found(a_policy())), decided(GRACE), "not_yours"),
        (change(found(a_policy())), decided(EVE), "open"),
        (vote(found(a_policy(a_panel(GRACE, ALAN, required=2))), GRACE), decided(GRACE), "recorded"),
        (vote(found(a_policy(a_panel(GRACE, ALAN, required=2))), GRACE), decided(GRACE, yes=False), "voted"),
    ],
)
def test_how_a_decision_relates_to_what_stands(one, answer, judgement):
    assert judging.judge_decision(one, answer) == judgement


def test_a_repeated_answer_is_never_taken_for_the_next_stages():
    """Who is asked in two stages names the stage to answer again."""
    one = vote(found(a_policy(a_panel(GRACE), a_panel(GRACE))), GRACE)

    assert judging.judge_decision(one, decided(GRACE, decision_id="again")) == "unclear"
    assert judging.judge_decision(one, decided(GRACE, yes=False)) == "unclear"
    assert judging.judge_decision(one, decided(GRACE), stage=0) == "recorded"
    assert judging.judge_decision(one, decided(GRACE), stage=1) == "open"
    assert judging.judge_decision(one, decided(ALAN), stage=0) == "elsewhere"


@pytest.mark.parametrize(
    ("one", "after", "judgement"),
    [
        (found(), HOUR, "open"),
        (found(), LATE, "late"),
        (heard("cancel"), HOUR, "recorded"),
        (heard("yes"), HOUR, "decided"),
        (heard("no"), HOUR, "decided"),
        (heard("deadline"), HOUR, "closed"),
    ],
)
def test_how_a_cancellation_relates_to_what_stands(one, after, judgement):
    assert judging.judge_cancellation(one, cancelled(after=after)) == judgement


@pytest.mark.parametrize(
    ("one", "fields", "judgement"),
    [
        (found(a_policy()), {}, "open"),
        (found(a_policy()), {"after": LATE}, "late"),
        (found(a_policy()), {"to": ADA}, "self"),
        (found(a_policy()), {"to": ALAN}, "asked"),
        (found(a_policy()), {"holder": EVE, "to": "x"}, "nobody"),
        (found(), {}, "nobody"),
        (change(found(a_policy())), {}, "recorded"),
        (vote(found(a_policy(a_panel(GRACE, ALAN, required=2))), GRACE), {}, "voted"),
        (vote(found(a_policy()), GRACE), {}, "decided"),
        (wake(found(a_policy()), 24 * HOUR), {}, "closed"),
    ],
)
def test_how_passing_on_relates_to_what_stands(one, fields, judgement):
    assert judging.judge_change(one, passed_on(**fields)) == judgement


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["{", "12", '"words"', None, [], 12, {"decision_id": "d"}, "[" * 100_000])
def test_what_is_no_decision_is_refused_as_a_value_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's and json's are both
        Decision.from_json(data)


def test_fields_of_a_later_version_are_ignored():
    data = {**YES.model_dump(mode="json"), "mood": "good"}

    assert Decision.from_json(data) == YES


def test_a_request_of_the_first_version_has_one_open_slot_and_may_be_decided_by_its_requester():
    one = found()

    assert (one.panel.approvers, one.panel.required, one.panel.on_timeout) == ((), 1, "timeout")
    assert vote(one, ADA).story.status is Status.APPROVED


def test_events_of_every_kind_are_read_by_their_key():
    assert isinstance(read_event("change", passed_on().model_dump(mode="json")), Change)
    assert isinstance(read_event("decision-3-1", YES.model_dump(mode="json")), Decision)
    assert asked().effective_policy.stages[0].panel.timeout_seconds == 24 * 3600


# --- who is sure enough ---------------------------------------------------------------------------


@pytest.mark.parametrize(("demand", "assurance", "counts"), [
    ("any", "key", True), ("any", "link", True), ("any", "signed-in", True),
    ("signed-in", "key", False), ("signed-in", "link", False), ("signed-in", "signed-in", True),
])  # fmt: skip
def test_an_answer_counts_only_when_it_is_sure_enough_whose_it_is(demand, assurance, counts):
    """Events can come past the API, which has refused what is not sure enough: the orchestrator checks again."""
    one = found(a_policy(a_panel(GRACE, assurance=demand)))

    after = hearing.apply_event(one, decided(GRACE, assurance=assurance), "decision", NOON)

    assert bool(after.story.votes) is counts
    assert after.story.is_open is not counts
    assert any("not signed in" in note for note in after.story.notes) is not counts

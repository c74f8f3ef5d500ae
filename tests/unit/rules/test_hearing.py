"""The rules: one slot first, then panels, silence, changes; the early answers; and what is read back."""

import datetime as dt
import itertools

import pytest

from approvals.rules import hearing, judging
from approvals.rules.events import awaited_events, next_wake_at, read_event, slot_key
from approvals.rules.story import RULES, Change, Decision, Status, Story, TimerFired
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
MARY = "mary@example.com"
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
        (heard("yes"), decided(GRACE.upper()), "recorded"),
        (heard("yes"), decided(GRACE.upper(), comments="other words"), "decided"),
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
    assert judging.judge_decision(one, decided(GRACE, decision_id="again"), stage=0) == "recorded"
    assert judging.judge_decision(one, decided(GRACE, decision_id="again"), stage=1) == "open"
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


# --- version 2: whoever holds a slot of the panel asked now answers it, exactly once ---------------


def escalating(**fields):
    """The issue's own: Grace and Alan, then Mary instead; Alan's answer was passed on to Mary, who approved."""
    first = a_panel(GRACE, ALAN, required=2, hours=1, on_timeout="escalate")
    return found(a_policy(first, escalation=a_panel(MARY, hours=10, on_timeout="reject")), **fields)


def escalated_to_who_answered(**fields):
    one = vote(change(escalating(**fields), holder=ALAN, to=MARY, after=HOUR / 4), MARY, after=HOUR / 2)
    return wake(one, HOUR)


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("said", [{"stage": 0}, {"place": (0, True, 0)}], ids=["naming the stage", "by their link"])
def test_who_answered_for_someone_else_answers_the_escalation_exactly_once(yes, said):
    one = escalated_to_who_answered()
    anew = decided(MARY, yes=yes, after=2 * HOUR, escalated=True, decision_id="anew")

    assert judging.judge_decision(one, anew, **said) == "open"
    one = hearing.apply_event(one, anew, slot_key(one.story, 0), NOON + 2 * HOUR)
    assert one.story.status is (Status.APPROVED if yes else Status.REJECTED)
    again = anew.model_copy(update={"decision_id": "once more"})
    assert judging.judge_decision(one, again, **said) == "recorded"
    other = again.model_copy(update={"is_approved": not yes})
    assert judging.judge_decision(one, other, **said) == "decided"


def test_who_is_asked_again_and_does_not_say_which_stage_is_asked_to():
    anew = decided(MARY, after=2 * HOUR, escalated=True, decision_id="anew")

    assert judging.judge_decision(escalated_to_who_answered(), anew) == "unclear"


def test_version_1_takes_an_answer_to_the_escalation_for_a_repetition():
    one = escalated_to_who_answered(rules=1)
    anew = decided(MARY, after=2 * HOUR, escalated=True, decision_id="anew")

    assert judging.judge_decision(one, anew, stage=0) == "recorded"
    assert judging.judge_decision(one, anew.model_copy(update={"is_approved": False}), stage=0) == "voted"


@pytest.mark.parametrize(
    ("fields", "judgement"),
    [
        ({}, "recorded"),
        ({"comments": "Other words"}, "voted"),
        ({"comments": ""}, "voted"),
        ({"form": '{"b":1,"a":2}'}, "recorded"),
        ({"form": '{"a":2,"b":2}'}, "voted"),
        ({"form": None}, "voted"),
        ({"yes": False}, "voted"),
        ({"option": "For a week"}, "voted"),
        ({"by": GRACE.upper()}, "recorded"),
    ],
    ids=str,
)
def test_only_the_same_answer_word_for_word_is_a_repetition(fields, judgement):
    said = {"comments": "Words", "form": '{"a":2,"b":1}'}
    one = found(a_policy(a_panel(GRACE, ALAN, required=2)))
    one = vote(one, GRACE, **said)

    again = decided(**{"by": GRACE, "decision_id": "again", **said, **fields})

    assert judging.judge_decision(one, again) == judgement
    old = one.model_copy(update={"request": asked(policy=one.request.policy, rules=1)})
    same = fields.keys().isdisjoint({"yes", "option"})
    assert judging.judge_decision(old, again) == ("recorded" if same else "voted"), "version 1 looked at the verdict"


def test_names_that_only_look_alike_are_two_people():
    one = found(a_policy(a_panel("boss@maß.de")))

    assert judging.judge_decision(one, decided("boss@mass.de")) == "not_yours"
    assert judging.judge_decision(one, decided("boss@xn--ma-hia.de")) == "open"
    assert vote(one, "boss@mass.de").story.is_open
    assert judging.judge_decision(found(a_policy(a_panel("boss@maß.de")), rules=1), decided("boss@mass.de")) == "open"


# --- version 2: what was seen is what is changed --------------------------------------------------


def test_the_revision_grows_with_each_vote_change_panel_and_the_outcome_and_with_nothing_else():
    one = escalating()
    seen = [one.story.revision]
    steps = [
        lambda it: change(it, holder=ALAN, to=EVE, after=HOUR / 4),
        lambda it: vote(it, EVE, after=HOUR / 2),
        lambda it: wake(it, HOUR),
        lambda it: vote(it, MARY, after=2 * HOUR),
    ]
    for step in steps:
        one = step(one)
        seen.append(one.story.revision)

    assert seen == [1, 2, 3, 4, 6], "the last answer is the outcome, too"
    assert vote(found(a_policy()), EVE).story.revision == 1
    assert change(found(a_policy()), to=ADA).story.revision == 1
    reminding = found(a_policy(a_panel(GRACE, hours=10, remind_hours=1)))
    assert wake(reminding, HOUR).story.reminded == 1
    assert wake(reminding, HOUR).story.revision == 1


@pytest.mark.parametrize(("seen", "counts"), [(None, True), (2, True), (1, False), (3, False), (0, False)])
def test_a_change_or_a_cancellation_counts_for_the_revision_it_was_meant_for(seen, counts):
    one = vote(found(a_policy(a_panel(GRACE, ALAN, required=2))), ALAN)
    wish, back = passed_on(if_revision=seen), cancelled(if_revision=seen)

    changed = hearing.apply_event(one, wish, "change", NOON + HOUR)
    withdrawn = hearing.apply_event(one, back, "cancel", NOON + HOUR)

    assert bool(changed.story.changes) is counts
    assert (withdrawn.story.status is Status.CANCELLED) is counts
    assert judging.judge_change(one, wish) == ("open" if counts else "stale")
    assert judging.judge_cancellation(one, back) == ("open" if counts else "stale")
    assert changed.story.event_number("change") == 2
    assert counts or withdrawn.story.event_number("cancel") == 2, "the next wish is heard"
    assert counts or "earlier revision" in withdrawn.story.notes[0]


def test_of_two_changes_with_one_revision_the_first_counts_and_the_other_is_stale():
    one = found(a_policy(a_panel(GRACE, ALAN)))
    first, second = passed_on(to=EVE, if_revision=1), passed_on(ALAN, MARY, if_revision=1)

    one = hearing.apply_event(one, first, "change", NOON + HOUR)

    assert judging.judge_change(one, second) == "stale"
    assert hearing.apply_event(one, second, "change", NOON + HOUR).story.changes == (first,)
    assert judging.judge_change(one, first) == "recorded"


def test_a_cancellation_that_stands_is_recorded_whatever_revision_the_next_one_names():
    assert judging.judge_cancellation(heard("cancel"), cancelled(if_revision=1)) == "recorded"


# --- version 2: silence, and the requester's own slot ---------------------------------------------


def silent(*answers, approvers=(GRACE, ALAN, EVE), stages=(), **fields):
    panel = a_panel(*approvers, hours=3, required=2, reject_when="impossible", on_timeout="approve")
    one = found(a_policy(panel, *stages), **fields)
    for number, (person, yes) in enumerate(answers):
        one = vote(one, person, yes=yes, after=HOUR + number * HOUR / 10)
    return wake(one, 3 * HOUR)


def test_silence_approves_only_where_nobody_has_rejected():
    against = silent((GRACE, True), (ALAN, False))

    assert silent((GRACE, True)).story.status is Status.APPROVED
    assert silent().story.status is Status.APPROVED
    assert against.story.status is Status.REJECTED
    assert against.story.decision.approver == ALAN
    assert silent((ALAN, False), rules=1).story.status is Status.APPROVED


def test_what_silence_would_mean_now_is_said_as_it_would_be_taken():
    panel = a_panel(GRACE, ALAN, EVE, required=2, reject_when="impossible", on_timeout="approve")

    def silence(**fields):
        return hearing.silence_now(vote(found(a_policy(panel), **fields), GRACE, yes=False))

    assert hearing.silence_now(found(a_policy(panel))) == "approve"
    assert hearing.silence_now(vote(found(a_policy(panel)), GRACE)) == "approve"
    assert silence() == "reject"
    assert silence(rules=1) == "approve"
    assert hearing.silence_now(found(a_policy(a_panel(GRACE, on_timeout="timeout")))) == "timeout"


def test_a_rejection_of_an_earlier_stage_does_not_hold_a_later_one_up():
    first = a_panel(GRACE, ALAN, reject_when="impossible")
    one = found(a_policy(first, a_panel(EVE, hours=1, on_timeout="approve")))
    one = vote(vote(one, ALAN, yes=False), GRACE)

    assert one.story.stage == 1
    assert wake(one, 2 * HOUR).story.status is Status.APPROVED


def test_the_requesters_own_slot_is_not_awaited_and_nobody_hopes_for_it():
    policy = a_policy(a_panel(GRACE, ADA, ALAN, required=2, reject_when="impossible"))
    one = vote(found(policy), GRACE, yes=False)
    first = vote(found(policy, rules=1), GRACE, yes=False)

    assert found(policy).awaited == [0, 2]
    assert one.story.status is Status.REJECTED, "one is left, and two are needed"
    assert first.story.is_open
    assert first.awaited == [1, 2]
    assert found(a_policy(a_panel(GRACE, ADA), allow_self_approval=True)).awaited == [0, 1]


def test_a_slot_of_the_requesters_can_be_given_to_someone_who_may_decide():
    one = found(a_policy(a_panel(GRACE, ADA)))
    wish = passed_on(ADA, EVE)

    assert judging.judge_change(one, wish) == "open"
    assert vote(change(one, holder=ADA, to=EVE), EVE).story.status is Status.APPROVED


# --- version 2: giving back, and changes ahead of time --------------------------------------------


def test_what_was_passed_on_can_be_given_back_and_every_link_before_is_void():
    one = change(found(a_policy()))

    back = passed_on(EVE, GRACE, after=2 * HOUR)
    assert judging.judge_change(one, back) == "open"
    one = change(one, holder=EVE, to=GRACE)

    assert one.slot_of(GRACE) == 0
    assert one.slot_of(EVE) is None
    assert one.generation(0) == 2
    assert vote(one, GRACE).story.status is Status.APPROVED
    assert judging.judge_change(one, passed_on(change_id="anew")) == "open", "and passed on once more"


def test_version_1_takes_whoever_was_asked_once_for_asked():
    one = change(found(a_policy(), rules=1))

    assert judging.judge_change(one, passed_on(EVE, GRACE)) == "asked"
    assert len(change(one, holder=EVE, to=GRACE).story.changes) == 1


def later(**fields):
    policy = a_policy(
        a_panel(GRACE, hours=1), a_panel(ALAN, hours=1, on_timeout="escalate"), escalation=a_panel(MARY, hours=1)
    )
    return found(policy, **fields)


@pytest.mark.parametrize(("place", "holder"), [((1, False), ALAN), ((1, True), MARY)])
def test_someone_of_a_later_panel_is_replaced_before_it_begins(place, holder):
    one = later()
    wish = passed_on(holder, EVE, stage=place[0], escalated=place[1], after=HOUR / 4)

    assert judging.judge_change(one, wish) == "open"
    one = hearing.apply_event(one, wish, "change", NOON + HOUR / 4)
    assert hearing.occasion(later(), one) == "renewed", "nobody is told before it is their turn"
    assert one.slot_of(GRACE) == 0
    one = vote(one, GRACE, after=HOUR / 2)
    if place[1]:
        one = wake(one, 2 * HOUR)

    assert (one.story.stage, one.story.escalated) == place
    assert one.slot_of(holder) is None
    assert vote(one, EVE, after=HOUR * 1.9 if place[1] else HOUR).votes(yes=True) == 1


def test_a_change_for_a_panel_that_is_over_counts_for_nothing():
    one = vote(later(), GRACE, after=HOUR / 2)
    wish = passed_on(GRACE, EVE, stage=0, after=HOUR)

    assert judging.judge_change(one, wish) == "nobody"
    assert not hearing.apply_event(one, wish, "change", NOON + HOUR).story.changes


def test_a_change_is_about_the_panel_that_is_asked_where_its_holder_is_in_it_and_else_about_the_next():
    one = found(a_policy(a_panel(GRACE, ALAN, required=2), a_panel(ALAN, EVE)))

    def meant(holder, stage=None):
        panel = judging.locate(one, passed_on(holder, "new@example.com"), stage)
        return panel and panel.story.stage

    assert meant(ALAN) == 0
    assert meant(EVE) == 1
    assert meant(ALAN, stage=1) == 1
    assert meant(EVE, stage=0) is None
    assert meant(MARY) is None
    one = vote(one, ALAN)
    assert meant(ALAN) == 1, "their answer of the first stage is given"
    assert meant(GRACE) == 0


def test_a_change_that_is_sent_again_is_that_one_and_not_the_next_stages():
    one = found(a_policy(a_panel(GRACE, ALAN, required=2), a_panel(GRACE)))
    said = passed_on(stage=0)
    one = hearing.apply_event(one, said, "change", NOON + HOUR)
    again = passed_on(change_id="again")

    panel = judging.locate(one, again)
    assert (panel.story.stage, panel.story.escalated) == (0, False)
    assert judging.judge_change(one, again.model_copy(update={"stage": 0})) == "recorded"
    assert judging.locate(one, passed_on(reason="Another", change_id="x")).story.stage == 1
    assert judging.locate(one, again, stage=1).story.stage == 1


@pytest.mark.parametrize(
    ("fields", "judgement"),
    [
        ({}, "recorded"),
        ({"to": EVE.upper()}, "recorded"),
        ({"reason": "Another"}, "nobody"),
        ({"by": MARY}, "nobody"),
        ({"kind": "delegate"}, "nobody"),
        ({"to": "new@example.com"}, "nobody"),
        ({"holder": ALAN, "to": EVE}, "asked"),
    ],
    ids=str,
)
def test_a_change_that_nobody_made_is_not_recorded(fields, judgement):
    one = hearing.apply_event(found(a_policy()), passed_on(stage=0), "change", NOON + HOUR)

    assert judging.judge_change(one, passed_on(**{"change_id": "again", "stage": 0, **fields})) == judgement


def test_who_is_asked_anyway_was_not_passed_anything_on():
    """Alan holds a slot of his own; nobody passed Grace's on to him."""
    one = change(found(a_policy(a_panel(GRACE, ALAN, MARY))), holder=MARY, to=EVE)

    assert judging.judge_change(one, passed_on(GRACE, ALAN)) == "asked"
    assert judging.judge_change(one, passed_on(GRACE, EVE)) == "asked"


def test_what_was_given_back_is_not_recorded_because_the_other_holds_something_else_now():
    one = change(found(a_policy()))
    one = change(one, holder=EVE, to=GRACE)
    one = change(one, holder=ALAN, to=EVE)

    assert judging.judge_change(one, passed_on(change_id="again")) == "asked"


@pytest.mark.parametrize("rules", [1, RULES])
def test_what_was_passed_on_in_one_stage_is_nobody_elses_in_the_next(rules):
    one = change(found(a_policy(a_panel(GRACE), a_panel(ALAN)), rules=rules))

    one = vote(one, EVE, after=2 * HOUR)

    assert one.holder(0) == ALAN
    assert one.generation(0) == 0
    before = one.at_panel(0, escalated=False)
    assert before.holder(0) == (GRACE if rules == 1 else EVE), "version 1 forgot it"


# --- version 2: marks -----------------------------------------------------------------------------


def test_what_the_orchestration_does_by_itself_is_marked_with_its_instant():
    first = a_panel(GRACE, hours=3, remind_hours=1, on_timeout="approve")
    policy = a_policy(first, a_panel(ALAN, hours=1, on_timeout="escalate"), escalation=a_panel(MARY, hours=1))
    one, old = found(policy), found(policy, rules=1)
    while one.story.is_open:
        at = next_wake_at(one, NOON) - NOON
        one, old = wake(one, at), wake(old, at)

    assert [(mark.kind, (mark.at - NOON) / HOUR, mark.stage) for mark in one.story.marks] == [
        ("reminded", 1, 0),
        ("reminded", 2, 0),
        ("asked", 3, 1),
        ("escalated", 4, 1),
    ]
    assert old.story.marks == ()


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

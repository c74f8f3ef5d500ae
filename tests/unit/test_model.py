"""The rules: the whole table, and a machine that plays any order against a model written anew."""

import datetime as dt
import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from approvals import model
from approvals.model import Cancellation, Deadline, Decision, Found, Status, Story
from tests.builders import ALAN, GRACE, NOON, asked, cancelled, decided

HOUR = dt.timedelta(hours=1)
LATE = dt.timedelta(hours=25)
YES, NO, BACK = decided(), decided(ALAN, yes=False), cancelled()
OVER = Deadline(heard_at=NOON + dt.timedelta(hours=24))
HEARD = {"yes": YES, "no": NO, "cancel": BACK, "deadline": OVER}
BECOMES = {
    "yes": Status.APPROVED,
    "no": Status.REJECTED,
    "cancel": Status.CANCELLED,
    "deadline": Status.TIMEOUT,
}


def heard(*names):
    story = Story()
    for name in names:
        story = model.hear(asked(), story, HEARD[name], NOON)
    return story


@pytest.mark.parametrize("first", HEARD)
def test_the_first_thing_heard_settles_it(first):
    assert heard(first).status is BECOMES[first]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(HEARD, HEARD)))
def test_nothing_changes_what_is_settled(first, second):
    assert heard(first, second) == heard(first)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.PENDING])
def test_every_state_but_pending_is_final(status):
    story = Story(status=status)

    assert all(model.hear(asked(), story, thing, NOON) == story for thing in HEARD.values())


@pytest.mark.parametrize(
    ("after", "late"),
    [(dt.timedelta(hours=24, milliseconds=-1), False), (dt.timedelta(hours=24), True), (LATE, True)],
)
def test_at_the_deadline_is_late(after, late):
    assert model.is_late(asked(hours=24), decided(after=after)) is late
    assert model.is_late(asked(hours=24), cancelled(after=after)) is late


def test_what_is_late_is_noted_and_not_counted():
    story = model.hear(asked(), Story(), decided(after=LATE), NOON)

    assert story.is_open
    assert "after the deadline" in story.notes[0]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_arrives_together_is_heard_in_the_order_it_was_received(order):
    things = [decided(after=3 * HOUR), decided(ALAN, yes=False, after=2 * HOUR), cancelled(after=HOUR)]

    story = model.hear_all(asked(), Story(), [things[i] for i in order], NOON)

    assert story.status is Status.CANCELLED


def test_a_decision_in_time_wins_over_the_deadline_that_arrives_with_it():
    decision = decided(after=dt.timedelta(hours=23))

    assert model.hear_all(asked(), Story(), [OVER, decision], NOON).status is Status.APPROVED


@pytest.mark.parametrize(
    ("story", "answer", "judgement"),
    [
        (Story(), YES, "open"),
        (Story(), decided(after=LATE), "late"),
        (heard("yes"), YES, "recorded"),
        (heard("yes"), decided(GRACE.upper(), comments="other words"), "recorded"),
        (heard("yes"), decided(GRACE, yes=False), "decided"),
        (heard("yes"), decided(ALAN), "decided"),
        (heard("no"), NO, "recorded"),
        (heard("no"), YES, "decided"),
        (heard("cancel"), YES, "closed"),
        (heard("deadline"), YES, "closed"),
        (Story(status=Status.FAILED), YES, "closed"),
    ],
)
def test_how_a_decision_relates_to_what_stands(story, answer, judgement):
    assert model.judge_decision(Found(request=asked(), story=story), answer) == judgement


@pytest.mark.parametrize(
    ("story", "after", "judgement"),
    [
        (Story(), HOUR, "open"),
        (Story(), LATE, "late"),
        (heard("cancel"), HOUR, "recorded"),
        (heard("yes"), HOUR, "decided"),
        (heard("no"), HOUR, "decided"),
        (heard("deadline"), HOUR, "closed"),
        (Story(status=Status.FAILED), HOUR, "closed"),
    ],
)
def test_how_a_cancellation_relates_to_what_stands(story, after, judgement):
    assert model.judge_cancellation(Found(request=asked(), story=story), cancelled(after=after)) == judgement


@pytest.mark.parametrize(
    ("hours", "now", "due"),
    [
        (1, NOON, NOON + HOUR),
        (120, NOON, NOON + 120 * HOUR),
        (121, NOON, NOON + 120 * HOUR),
        (720, NOON + 700 * HOUR, NOON + 720 * HOUR),
    ],
)
def test_no_timer_is_longer_than_five_days(hours, now, due):
    assert model.next_timer(asked(hours=hours), now) == due


def test_times_are_utc_with_milliseconds_and_z():
    zone = dt.timezone(dt.timedelta(hours=5))

    assert model.rfc3339(model.utc(dt.datetime(2026, 1, 1, 5, 0, 0, 123999, tzinfo=zone))) == "2026-01-01T00:00:00.123Z"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        model.utc(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("data", ["{", "12", '"words"', None, [], 12, {"decision_id": "d"}, "[" * 100_000])
def test_what_is_no_decision_is_refused_as_a_value_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's and json's are both
        Decision.decoded(data)


def test_fields_of_a_later_version_are_ignored():
    data = {**YES.model_dump(mode="json"), "channel": "link"}

    assert Decision.decoded(data) == YES


class AnyOrder(RuleBasedStateMachine):
    """Anything in any order against a model that knows three things: who spoke first, in time, and when."""

    def __init__(self):
        super().__init__()
        self.request = asked(hours=24)
        self.story = Story()
        self.minutes = 0
        self.first = None

    def hear(self, thing, status):
        self.story = model.hear(self.request, self.story, thing, NOON + dt.timedelta(minutes=self.minutes))
        if self.first is None and (self.minutes < 24 * 60 or isinstance(thing, Deadline)):
            self.first = (status, thing)

    @rule(minutes=st.integers(0, 600))
    def time_passes(self, minutes):
        self.minutes += minutes

    @rule(yes=st.booleans(), who=st.sampled_from([GRACE, ALAN]))
    def someone_decides(self, yes, who):
        decision = decided(who, yes=yes, after=dt.timedelta(minutes=self.minutes))
        self.hear(decision, Status.APPROVED if yes else Status.REJECTED)

    @rule()
    def the_caller_cancels(self):
        self.hear(cancelled(after=dt.timedelta(minutes=self.minutes)), Status.CANCELLED)

    @rule()
    def the_deadline_fires(self):
        if self.minutes >= 24 * 60:
            self.hear(Deadline(heard_at=self.request.deadline), Status.TIMEOUT)

    @invariant()
    def the_first_in_time_stands(self):
        status, thing = self.first or (Status.PENDING, None)
        assert self.story.status is status
        assert self.story.decision == (thing if isinstance(thing, Decision) else None)
        assert self.story.cancellation == (thing if isinstance(thing, Cancellation) else None)

    @invariant()
    def the_service_says_what_the_orchestrator_would(self):
        decision = decided("new@example.com", after=dt.timedelta(minutes=self.minutes))
        judgement = model.judge_decision(Found(request=self.request, story=self.story), decision)
        counts = model.hear(self.request, self.story, decision, NOON).decision == decision
        assert (judgement == "open") == counts


AnyOrder.TestCase.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
TestAnyOrder = AnyOrder.TestCase

"""What an answer, or silence, would lead to: said by the same rules that decide it, from where the request stands."""

import datetime as dt

import pytest

from approvals.people.wording import consequence, silence_outlook
from approvals.rules.policy import Option
from approvals.rules.preview import look_ahead
from approvals.rules.story import Status
from tests.builders import ADA, ALAN, EVE, GRACE, NOON, a_panel, a_policy, decided, found


def after_a_yes(one):
    """Give the request after Alan's yes."""
    return one.with_story(one.story.model_copy(update={"votes": (decided(ALAN, slot=1),)}))


TWO = a_policy(a_panel(GRACE, ALAN, required=2))


@pytest.mark.parametrize(
    ("one", "yes", "no", "silence"),
    [
        (
            found(a_policy(a_panel(GRACE))),
            "the request is approved.",
            "the request is rejected.",
            "ends without approval",
        ),
        (found(TWO), "1 more approval is needed.", "the request is rejected.", "ends without approval"),
        (after_a_yes(found(TWO)), "the request is approved.", "the request is rejected.", "ends without approval"),
        (
            found(a_policy(a_panel(GRACE, ALAN, EVE, reject_when="impossible"))),
            "the request is approved.",
            "1 more approval is needed.",
            "ends without approval",
        ),
        (
            found(a_policy(a_panel(GRACE, on_timeout="approve"), a_panel(ALAN))),
            "step 2 is next.",
            "the request is rejected.",
            "step 2 is next",
        ),
        (
            found(a_policy(a_panel(GRACE, on_timeout="escalate"), escalation=a_panel(ALAN))),
            "the request is approved.",
            "the request is rejected.",
            "other people are asked",
        ),
        (found(a_policy(a_panel())), "the request is approved.", "the request is rejected.", "ends without approval"),
    ],
    ids=["one", "two", "the last of two", "any of three", "two stages", "escalation", "open slot"],
)
def test_what_comes_next_is_what_the_rules_make_of_it(one, yes, no, silence):
    ahead = look_ahead(one, 0)

    assert consequence(one, ahead.if_approved) == yes
    assert consequence(one, ahead.if_rejected) == no
    assert silence_outlook(one, ahead.if_silent).endswith(silence)


def test_an_answer_that_would_not_count_has_no_outlook():
    own = found(a_policy(a_panel(ADA, GRACE)))

    assert look_ahead(own, 0).if_approved is None
    assert look_ahead(own, 1).if_approved.story.status is Status.APPROVED


def test_where_an_option_has_to_be_chosen_one_of_them_is_imagined():
    options = (Option(name="Now", approves=True), Option(name="Never", approves=False))
    one = found(a_policy(a_panel(GRACE), options=options, options_only=True, comment_required="always"))

    ahead = look_ahead(one, 0)

    assert [ahead.if_approved.story.status, ahead.if_rejected.story.status] == [Status.APPROVED, Status.REJECTED]


def test_looking_ahead_changes_nothing_and_asks_no_clock():
    one = found(TWO)
    before = one.model_dump()

    ahead = look_ahead(one, 0)

    assert one.model_dump() == before
    assert ahead.if_silent.story.settled_at == NOON + dt.timedelta(hours=24)

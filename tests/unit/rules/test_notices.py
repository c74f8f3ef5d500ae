"""What an activity is given: as much as a message says, and never more than the scheduler likes to keep."""

import json

import pytest

from approvals.people.messages import compose
from approvals.rules.notices import OUTCOME, Notice, notice_of
from approvals.rules.story import Status
from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS, TEXT_CHARACTERS
from approvals.web.bodies import RequestBody
from tests.builders import ADA, GRACE, NOON, a_panel, a_policy, asked, decided, found, passed_on, undelivered
from tests.simulation import Instance

QUARTER_MEGABYTE = 256 * 1024
CAT = "\N{CAT FACE}"  # one character, four bytes of UTF-8, twelve where JSON is written in ASCII
OCCASIONS = ("asked", "escalated", "passed_on", "reminded", "again", "renewed", OUTCOME)


def weight(payload):
    """What a payload weighs as the SDK writes it."""
    return len(json.dumps(payload))


def a_name(number, filling):
    return f"{number:04}".ljust(NAME_CHARACTERS, filling)


def the_busiest(filling, rules=2):
    """A request of five stages that escalate, in whose last panel twenty people have said all that one may say."""
    people = [a_name(number, filling) for number in range(20)]
    stages = [a_panel(*people, required=20) for _ in range(5)]
    policy = a_policy(*stages, escalation=a_panel(*people, required=20), form=json.dumps({"title": filling * 3000}))
    one = found(
        policy,
        rules=rules,
        item=filling * 200,
        description=filling * (8000 if filling == "x" else 4000),
        details=json.dumps({"k": filling * (16_000 if filling == "x" else 4000)}, ensure_ascii=False),
    )
    votes = tuple(
        decided(
            person,
            slot=slot,
            stage=stage,
            escalated=stage == 4,
            comments=filling * COMMENTS_CHARACTERS,
            form=json.dumps(filling * (TEXT_CHARACTERS // 2 - 1), ensure_ascii=False),
            decision_id=f"{stage}-{slot}",
            on_behalf_of=people[0],
        )
        for stage in range(5)
        for slot, person in enumerate(people[: 20 if stage < 4 else 19])
    )
    changes = tuple(
        passed_on(people[0], people[1], by=people[2], reason=filling * 2000, change_id=f"{n}") for n in range(10)
    )
    failed = tuple(undelivered(person, channel="mailtos-1", key="0" * 90) for person in people * 2)
    update = {"stage": 4, "escalated": True, "votes": votes, "changes": changes, "undelivered": failed}
    return one.with_story(one.story.model_copy(update=update))


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("filling", ["x", CAT, '"', "\\", "\N{EURO SIGN}"])
def test_no_input_of_an_activity_is_heavier_than_a_quarter_of_a_megabyte(filling, occasion):
    notice = notice_of(the_busiest(filling), occasion)

    assert weight(notice.model_dump_json(exclude_defaults=True)) < QUARTER_MEGABYTE


@pytest.mark.parametrize("filling", ["x", CAT, '"'])
def test_no_output_and_no_status_is_heavier_than_the_custom_status_may_be(filling):
    busiest = the_busiest(filling)
    settled = busiest.with_story(busiest.story.model_copy(update={"status": Status.APPROVED, "settled_at": NOON}))

    assert settled.output() == settled.story.snapshot()
    assert weight(json.dumps(settled.output())) < 64 * 1024


@pytest.mark.parametrize("character", ["x", CAT, "\N{EURO SIGN}", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_the_largest_request_the_api_takes_is_no_heavier_either(character):
    """A body has 64 KiB: what is in it, written in ASCII, is what the instance is started with."""
    room = 64 * 1024 - 3000
    details = {"k": character * (16_000 // len(character.encode()))}
    people = [f"{number}@example.com" for number in range(20)]
    left = (room - 16_000 - 8000) // len(character.encode()) // 100
    stages = [{"approvers": [f"{character * min(left, 200)}{person}" for person in people]} for _ in range(5)]
    body = {"requester": ADA, "item": "x", "description": character * 2000, "details": details, "stages": stages}
    assert len(json.dumps(body, ensure_ascii=False).encode()) < 64 * 1024

    policy = RequestBody.model_validate(body).to_policy()
    one = asked(policy=policy, description=body["description"], details=json.dumps(details, ensure_ascii=False))

    assert weight(one.model_dump_json(exclude_defaults=True)) < QUARTER_MEGABYTE


def test_the_heaviest_answer_is_a_light_event():
    answer = decided(
        a_name(1, CAT), decision_id="1", comments=CAT * 2000, form=json.dumps(CAT * 4094, ensure_ascii=False)
    )

    assert weight(json.dumps(answer.model_dump(mode="json"))) < QUARTER_MEGABYTE


def history_weight(rules, people=20):
    """The bytes of inputs and of the output of a request that many people answer at length, but for the answers."""
    names = [f"{number}@example.com" for number in range(people)]
    panel = a_panel(*names, hours=48, required=people, remind_hours=12)
    instance = Instance(asked(policy=a_policy(panel), tell=True, retries=5, rules=rules)).start()
    instance.finish(1)
    for slot, name in enumerate(names):
        vote = decided(name, slot=slot, comments="x" * 2000, form=json.dumps({"why": "y" * 4000}))
        instance.deliver(instance.decision(vote, key=f"decision-0-{slot}" if slot else "decision"))
        if slot in (5, 10, 15):
            instance.deliver(instance.fire())
            instance.finish(max(instance.running))
    instance.finish(max(instance.running))
    given = sum(len(json.dumps(input_)) for _, input_ in instance.scheduled)
    return given + len(instance.end.output)


def test_the_history_of_a_busy_request_has_a_tenth_of_the_bytes_it_had(capsys):
    before, now = history_weight(rules=1), history_weight(rules=2)

    with capsys.disabled():
        print(f"\n20 long answers, 3 reminders: {before:,} bytes of inputs and output before, {now:,} now")
    assert now * 10 <= before


def test_a_message_still_says_who_answered_what_and_who_is_awaited():
    one = found(a_policy(a_panel(GRACE, "b@example.com", "c@example.com", required=3)))
    vote = decided(GRACE, comments="Fine by me", form='{"a":1}')
    one = one.with_story(one.story.model_copy(update={"votes": (vote,)}))

    notice = Notice.from_json(notice_of(one, "reminded").model_dump_json(exclude_defaults=True))

    assert notice.found.awaited == [1, 2]
    assert notice.found.story.votes[0].comments == "Fine by me"
    assert notice.found.story.votes[0].form is None
    assert not notice.found.shortened


def test_what_does_not_fit_is_left_out_and_said_to_be():
    assert notice_of(the_busiest(CAT), "asked").found.shortened


def test_a_request_of_before_gives_its_activities_what_it_always_gave():
    busiest = the_busiest("x", rules=1)

    assert notice_of(busiest, "reminded").found == busiest


def test_the_message_says_that_something_is_left_out():
    long, short = notice_of(the_busiest(CAT), "asked").found, notice_of(found(a_policy()), "asked").found

    for one, said in ((long, True), (short, False)):
        message = compose(one, "asked", key="k", to=GRACE, link=None)
        assert ("Something is left out here" in message.text) is said
        assert ("Something is left out here" in message.html) is said

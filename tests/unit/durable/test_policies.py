"""Whole policies: any order of anything against rules written anew, behind the gate and without it."""

import datetime as dt
import itertools
import json
import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from approvals.rules import hearing, judging
from approvals.rules.callbacks import CHANNEL, ENDS, Callback, delivery_of
from approvals.rules.events import awaited_events, next_wake_at, slot_key
from approvals.rules.notices import Notice
from approvals.rules.preview import ImaginedAnswer, play
from approvals.rules.story import RULES, Change, Found, Story, TimerFired
from approvals.web import bodies
from devhost import replay
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    HOUR,
    NOON,
    a_panel,
    a_policy,
    a_request,
    asked,
    cancelled,
    decided,
    passed_on,
    undelivered,
)
from tests.chance import examples, size, sized
from tests.referee import SPELLINGS, Referee
from tests.simulation import Instance, answer

BOSS = "boss@maß.de"
PEOPLE = [GRACE, ALAN, EVE, "mary@example.com", "José", ADA, BOSS]
SPELLED = [*PEOPLE, *SPELLINGS]
EARLY = [0, 0, 0.001, 0.4, 0.92, 0.999]
"""Seconds by which a timer comes early: on the real extension 35 of 40 did, by 0.92 at most."""
MINUTE = dt.timedelta(minutes=1)


def a_random_policy(chance):
    """Draw a policy that the API admits."""
    allow_self = chance.choice([False, False, True])
    count = chance.choice([1, 1, 1, 2, 3])
    left = 30 * 24  # hours, for all stages together

    def one(*, may_escalate=False, asked_already=(), later=0, at_least=0):
        nonlocal left
        free = [person for person in PEOPLE if person not in asked_already]
        people = chance.sample(free, chance.randint(at_least, min(4, len(free))))
        able = [person for person in people if allow_self or person != ADA]
        people = people if able else people + [p for p in free if p != ADA][: bool(people)]
        able = [person for person in people if allow_self or person != ADA]
        hours = chance.choice([hours for hours in (1, 5, 30, 24 * 6, 24 * 11) if hours <= left - later])
        left -= hours
        silence = ["timeout", "approve", "reject", *(["escalate"] * 3 if may_escalate else [])]
        return a_panel(
            *people,
            hours=hours,
            required=chance.randint(1, max(1, len(able))),
            reject_when=chance.choice(["any", "impossible"]),
            on_timeout=chance.choice(silence),
            remind_hours=chance.choice([None, None, hours / 4]),
        )

    panels = [one(later=count - number) for number in range(count - 1)]
    panels.append(one(may_escalate=True, later=1))
    escalates = panels[-1].on_timeout == "escalate"
    escalation = one(asked_already=panels[-1].approvers, at_least=1) if escalates else None
    return a_policy(*panels, escalation=escalation, allow_self_approval=allow_self, form_required="on_approve")


policies = st.randoms(use_true_random=False).map(a_random_policy)


def as_words(policy):
    """Give the body of a request that agrees on a policy."""

    def words(panel):
        remind = panel.remind_every_seconds
        return {
            **({"approvers": list(panel.approvers)} if panel.approvers else {}),
            "required": panel.required,
            "reject_when": panel.reject_when,
            "timeout_hours": panel.timeout_seconds / 3600,
            "on_timeout": panel.on_timeout,
            "remind_every_hours": remind and remind / 3600,
        }

    stages = [
        {**words(stage.panel), **({"escalate_to": words(stage.escalation)} if stage.escalation else {})}
        for stage in policy.stages
    ]
    return a_request(stages=stages, allow_self_approval=policy.allow_self_approval)


NOBODY_TO_ESCALATE_TO = a_policy(a_panel(hours=1, on_timeout="escalate"), escalation=a_panel(hours=1))
"""Once drawn here. Whoever answered the first panel was awaited by the second, too: the API refuses it."""


@examples(100, 1000)
@given(policies)
def test_only_what_the_api_admits_is_drawn(policy):
    body = bodies.RequestBody.model_validate_json(json.dumps(as_words(policy)))

    assert body.problems() == []
    assert body.to_policy() == policy


def test_what_the_api_refuses_is_not_drawn():
    body = bodies.RequestBody.model_validate(as_words(NOBODY_TO_ESCALATE_TO))

    assert [problem.pointer for problem in body.problems()] == ["/stages/0/escalate_to/approvers"]


class AnyPolicy(RuleBasedStateMachine):
    """Votes, changes, cancellations and timers in any order: the model and the referee never differ."""

    @initialize(policy=policies, rules=st.sampled_from([1, RULES, RULES]))
    def ask(self, policy, rules=RULES):
        request = asked(policy=policy, rules=rules)
        self.found = Found(request=request, story=Story())
        self.referee = Referee(request)
        self.now = NOON
        self.wakes_at = next_wake_at(self.found, NOON)

    def hear(self, thing, key):
        before = (self.found.story.stage, self.found.story.escalated)
        self.found = hearing.apply_event(self.found, thing, key, self.now)
        self.referee.hear(thing, self.now)
        if before != (self.found.story.stage, self.found.story.escalated):
            self.wakes_at = next_wake_at(self.found, self.now)

    @rule(minutes=st.integers(0, 2000))
    def time_passes(self, minutes):
        self.now += minutes * MINUTE

    @rule(who=st.sampled_from(SPELLED), yes=st.booleans(), slot=st.integers(0, 4), stage=st.integers(0, 2))
    def anyone_answers_anything(self, who, yes, slot, stage):
        story = self.found.story
        vote = decided(who, yes=yes, after=self.now - NOON, slot=slot, stage=stage, escalated=story.escalated)
        self.hear(vote, slot_key(story, slot))

    @rule(yes=st.booleans(), data=st.data())
    def someone_awaited_answers(self, yes, data):
        story = self.found.story
        slot = data.draw(st.sampled_from(self.found.awaited or [0]))
        who = self.found.holder(slot) or GRACE
        here = {"stage": story.stage, "escalated": story.escalated, "slot": slot}
        self.hear(decided(who, yes=yes, after=self.now - NOON, **here), slot_key(story, slot))

    @rule(
        holder=st.sampled_from(SPELLED),
        to=st.sampled_from([*SPELLED, "new@example.com"]),
        place=st.none() | st.tuples(st.integers(0, 2), st.booleans()),
        seen=st.sampled_from([None, None, 0, -1]),
    )
    def someone_passes_on(self, holder, to, place=None, seen=None):
        if "change" in awaited_events(self.found).values():
            self.change(passed_on(holder, to, after=self.now - NOON, **self.meant(place, seen)))

    @rule(to=st.sampled_from([*SPELLED, "new@example.com"]), data=st.data())
    def what_someone_holds_is_passed_on(self, to, data):
        panel = data.draw(st.sampled_from(self.found.panels_to_come))
        if "change" in awaited_events(self.found).values() and panel.panel.approvers:
            holder = panel.holder(data.draw(st.integers(0, panel.panel.slots - 1)))
            place = (panel.story.stage, panel.story.escalated)
            self.change(passed_on(holder, to, after=self.now - NOON, **self.meant(place, None)))

    def meant(self, place, seen):
        """Give the fields that a request of version 1 does not have: the panel that is meant, the revision known."""
        fields = {} if place is None else {"stage": place[0], "escalated": place[1]}
        fields |= {} if seen is None else {"if_revision": self.found.story.revision + seen}
        return fields if not self.found.request.has_first_rules else {}

    def change(self, change):
        """Hear a change; the service would have judged it as the orchestrator does."""
        judgement, made = judging.judge_change(self.found, change), len(self.found.story.changes)
        self.hear(change, "change")
        if judgement != "recorded":
            assert (judgement == "open") == (len(self.found.story.changes) > made)

    @rule(seen=st.sampled_from([None, None, 0, -1]))
    def the_caller_cancels(self, seen=None):
        wish = cancelled(after=self.now - NOON, **self.meant(None, seen))
        judgement, was_open = judging.judge_cancellation(self.found, wish), self.found.story.is_open
        self.hear(wish, "cancel")
        assert (judgement == "open") == (was_open and not self.found.story.is_open)

    @precondition(lambda self: self.found.story.is_open)
    @rule()
    def the_timer_fires(self):
        self.now = max(self.now, self.wakes_at)
        self.hear(TimerFired(heard_at=self.wakes_at), "")
        self.wakes_at = next_wake_at(self.found, self.now)

    @invariant()
    def the_referee_agrees(self):
        if hasattr(self, "found"):
            agree(self.found, self.referee)

    @invariant()
    def the_early_answer_is_the_orchestrators(self):
        if not hasattr(self, "found") or not self.found.story.is_open:
            return
        for who in (GRACE, EVE, ADA, BOSS, "boss@mass.de"):
            slot = self.found.slot_of(who)
            here = {"stage": self.found.story.stage, "escalated": self.found.story.escalated, "slot": slot or 0}
            vote = decided(who, after=self.now - NOON, decision_id="new", **here)
            judgement = judging.judge_decision(self.found, vote, stage=self.found.story.stage)
            if self.found.request.has_first_rules and judgement in ("recorded", "voted"):
                continue  # it forgot that the panel they answered was another one of the stage: mended in version 2
            after = hearing.apply_event(self.found, vote, slot_key(self.found.story, slot or 0), self.now)
            assert (judgement == "open") == (len(after.story.votes) > len(self.found.story.votes))


def test_who_answered_for_someone_and_is_then_escalated_to_answers_anew_by_naming_the_stage():
    """Mary passes on to Eve, whom the escalation asks in her own name: found by drawing only what the API admits."""
    first = a_panel(GRACE, "mary@example.com", required=2, hours=1, on_timeout="escalate")
    play = AnyPolicy()
    play.ask(policy=a_policy(first, escalation=a_panel(EVE)))
    play.someone_passes_on("mary@example.com", EVE)
    play.anyone_answers_anything(EVE, yes=True, slot=1, stage=0)
    play.the_timer_fires()

    play.the_early_answer_is_the_orchestrators()

    anew = decided(EVE, after=play.now - NOON, escalated=True, decision_id="anew")
    assert judging.judge_decision(play.found, anew) == "unclear"
    assert judging.judge_decision(play.found, anew, stage=0) == "open"


def agree(found, referee):
    story = found.story
    assert story.status == referee.status
    assert story.settled_at == referee.settled_at
    assert (story.decision or story.cancellation) == referee.by
    assert story.revision == referee.revision
    assert [(mark.kind, mark.at, mark.stage) for mark in story.marks] == referee.marks
    if story.is_open:
        assert (story.stage, story.escalated, story.reminded) == (referee.stage, referee.escalated, referee.reminders)
        assert [found.holder(slot) for slot in range(found.panel.slots)] == referee.seats
        assert set(found.awaited) == referee.waiting


AnyPolicy.TestCase.settings = settings(max_examples=size(60, 400), stateful_step_count=40)
TestAnyPolicy = sized(60, 400)(AnyPolicy.TestCase)


# --- behind the gate ------------------------------------------------------------------------------


def events_of(chance, instance, number):
    """Something somebody sends, as the service would send it, or as someone who goes round it would."""
    found, after = instance.found, instance.now - NOON
    story = found.story
    act = chance.random()
    second = not found.request.has_first_rules
    known = {"if_revision": story.revision - (chance.random() < 0.3)} if second and chance.random() < 0.5 else {}
    if act < 0.06:
        return instance.cancellation(cancelled(after=after, **known), number=story.event_number("cancel"))
    panel = chance.choice(found.panels_to_come if second else [found])
    if act < 0.2 and panel.panel.approvers:
        holder = panel.holder(chance.randrange(panel.panel.slots))
        where = {"stage": panel.story.stage, "escalated": panel.story.escalated} if second else {}
        to = chance.choice([*SPELLED, f"new-{number}"])
        change = passed_on(holder, to, after=after, change_id=f"c{number}", **where, **known)
        return instance.change(change, number=story.event_number("change"))
    slot = chance.randrange(found.panel.slots)
    key = slot_key(story, slot)
    if act < 0.26:
        return instance.raised(key, {"nonsense": number}, number=story.event_number(key))
    who = found.holder(slot) if chance.random() < 0.85 else chance.choice(SPELLED)
    vote = decided(
        who or chance.choice(PEOPLE),
        yes=chance.random() < 0.7,
        after=after,
        decision_id=f"d{number}",
        stage=story.stage,
        escalated=story.escalated,
        slot=slot,
    )
    return instance.decision(vote, key=key, number=story.event_number(key))


def random_schedule(seed):
    """Run the orchestrator to its end on a random, unkind day."""
    chance = random.Random(seed)
    policy = a_random_policy(chance)
    tell, rules = chance.random() < 0.5, chance.choice([1, RULES, RULES])
    keyed, retries = chance.random() < 0.2, chance.choice([0, 5])
    wanted = chance.choice([None, "settled", "every_change"]) if rules > 1 else None
    callback = Callback(url="https://hooks.example.com/1?sig=secret", on=wanted) if wanted else None
    instance = Instance(asked(policy=policy, tell=tell, retries=retries, keyed=keyed, rules=rules, callback=callback))
    on_the_way, number = [], 0
    instance.start()
    for _ in range(600):
        if instance.end:
            break
        arriving = []
        if number < 14 and chance.random() < 0.4:
            number += 1
            event = events_of(chance, instance, number)
            on_the_way += [event] * chance.choice([0, 1, 1, 1, 2])  # lost, once, twice
        for running in list(instance.running):
            if chance.random() < 0.5:
                in_part = {"undelivered": [undelivered()]} if tell else {}
                owed = Notice.from_json(json.loads(instance.running[running].input)).owed_callbacks if wanted else ()
                luck = chance.choice([{}, {}, {"failure": "bad luck"}, in_part, {"undelivered": owed}])
                arriving += [instance.result(running, **luck)] * chance.choice([1, 1, 1, 2])
                instance.running.pop(running)
        while on_the_way and chance.random() < 0.5:
            arriving.append(on_the_way.pop(chance.randrange(len(on_the_way))))
        if instance.due() and chance.random() < 0.2:
            instance.now += (instance.due()[0][0] - instance.now) * chance.random()
        if instance.due() and (chance.random() < 0.1 or not (arriving or instance.running or on_the_way)):
            arriving.append(instance.fire(early=0 if rules == 1 else chance.choice(EARLY)))
        chance.shuffle(arriving)
        if arriving:
            instance.deliver(*arriving)
            assert not overlooked(instance), f"schedule {seed} overlooks {overlooked(instance)}"
    return instance


def heard_by(instance, monkeypatch):
    """What the orchestrator heard, in its order, in the last replay."""
    heard = []
    real = hearing.apply_event

    def listening(found, thing, key, now):
        heard.append((thing, key, now))
        return real(found, thing, key, now)

    with monkeypatch.context() as patched:
        patched.setattr(hearing, "apply_event", listening)
        answer(instance.history[: instance.answers[-1][0]], instance.request)
    return heard


@sized(100, 2000)
def test_no_schedule_hangs_loses_doubles_or_differs_from_the_referee(seeds, monkeypatch):
    """Stages, reminders, escalations, changes; events lost, doubled, shuffled, forged; activities that fail."""
    schedules, outcomes, rounds, votes, changes = len(seeds), {}, 0, 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK warns of every second event of a name
        for seed in seeds:
            instance = random_schedule(seed)

            assert isinstance(instance.end, replay.Completed), f"schedule {seed} did not end: {instance.end}"
            found = instance.found
            heard = heard_by(instance, monkeypatch)
            referee = Referee(instance.request)
            for thing, _, now in heard:
                assert not isinstance(thing, TimerFired) or now >= thing.heard_at, f"schedule {seed}: silence too soon"
                referee.hear(thing, now)
            agree(found, referee)
            nothing_was_doubled(seed, instance, heard)
            the_caller_was_told(seed, instance)
            told, *again = instance.activities_of("process_approval")
            assert all(each["occasion"] == "again" for each in again)
            assert told.get("found", told)["story"]["status"] == found.story.status
            outcomes[found.story.status] = outcomes.get(found.story.status, 0) + 1
            rounds += len(instance.activities_of("submit_approval_request"))
            votes += len(found.story.votes)
            changes += len(found.story.changes)

    print(f"{schedules} schedules, {rounds} rounds, {votes} votes, {changes} changes: {outcomes}")
    assert min(outcomes[status] for status in ("Approved", "Rejected", "Cancelled", "Timeout")) >= size(1, 100)
    assert votes > schedules / 2
    assert changes >= size(1, 100)


def nothing_was_doubled(seed, instance, heard):
    """Each answer counts once, and only what was heard counts."""
    ids = [getattr(thing, "decision_id", None) or getattr(thing, "change_id", None) for thing, _, _ in heard]
    ids = [one for one in ids if one]
    counted = [vote.decision_id for vote in instance.found.story.votes]
    assert len(counted) == len(set(counted)), f"schedule {seed} counted a vote twice"
    assert set(counted) <= set(ids)


def the_caller_was_told(seed, instance):
    """Each change that was published is told once, in its order, and the end; or nothing where nobody wants it."""
    wanted, found = instance.request.callback, instance.found
    told = [Notice.from_json(given) for name, given in instance.scheduled if instance.request.rules > 1]
    assert not any("secret" in json.dumps(given) for _, given in instance.scheduled)
    owed = [each for notice in told for each in notice.callbacks if each.channel == CHANNEL]
    events = [delivery_of(each.key, each.occasion) for each in owed]
    if not wanted:
        assert not events
        return
    *changes, end = events
    assert (end.revision, end.kind) == (found.story.revision, ENDS[found.story.status]), f"schedule {seed}"
    published = [Story.from_json(state["customStatus"]) for _, state in instance.answers if state["customStatus"]]
    revisions = {story.revision for story in published if story.is_open} - {1}
    expected = sorted(revisions) if wanted.on == "every_change" else []
    assert [event.revision for event in changes] == expected, f"schedule {seed}"
    left = {each.key for each in found.story.undelivered if each.channel == CHANNEL}
    assert left <= {each.key for each in owed}


def overlooked(instance):
    """Answers that have come and would count, under names the instance still waits for, though it is at rest."""
    if instance.end or any(a.name == "submit_approval_request" for a in instance.running.values()):
        return []
    if {at - dt.timedelta(seconds=1) for at, _ in instance.due()} & {instance.timers[n] for n in instance.fired}:
        return []  # a timer came early, and is waited for once more
    found, first = instance.found, {}
    for event in instance.history:
        if event["EventType"] == 15:
            first.setdefault(event["Name"], json.loads(json.loads(event["Input"])))
    listened = awaited_events(found) if found.story.is_open else {}
    return [data for name, data in first.items() if name in listened and in_time(data, found.due_at)]


def in_time(data, due_at):
    at = data.get("decided_at") or data.get("cancelled_at") or data.get("changed_at")
    return at and dt.datetime.fromisoformat(at) < due_at


# --- quorum ---------------------------------------------------------------------------------------


@sized(300)
def test_a_quorum_cannot_be_faked_in_any_order_of_events_around_the_activities(few):
    """Every order of up to six events of three approvers, cut in every way before, during and after each activity."""
    policy = a_policy(a_panel(GRACE, ALAN, EVE, required=2, reject_when="impossible"))
    kinds = [(GRACE, 0, True), (GRACE, 0, False), (ALAN, 1, True), (ALAN, 1, False), (EVE, 2, True), (EVE, 2, False)]
    plays = [
        (order, first, second)
        for count in range(1, 7)
        for order in itertools.permutations(kinds, count)
        for first, second in itertools.combinations_with_replacement(range(count + 1), 2)
        if count <= 2 or (first, second) in {(0, 0), (0, count), (count, count), (1, count - 1)}
    ]
    assert len(plays) > 7000

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for order, first, second in few(plays):
            play_a_quorum(policy, order, first, second)


def play_a_quorum(policy, order, first, second):
    """Some events before the message is sent, some while it is, the rest after; then the rule of counting by hand."""
    instance = Instance(asked(policy=policy, tell=True))

    def event(index):
        who, slot, yes = order[index]
        key = f"decision-0-{slot}" if slot else "decision"
        after = HOUR + index * MINUTE
        return instance.decision(decided(who, yes=yes, after=after, slot=slot, decision_id=f"d{index}"), key=key)

    instance.start(*map(event, range(first)))
    for index in range(first, second):
        instance.deliver(event(index))
    if not instance.end and any(a.name == "submit_approval_request" for a in instance.running.values()):
        number = next(n for n, a in instance.running.items() if a.name == "submit_approval_request")
        instance.finish(number)
    for index in range(second, len(order)):
        instance.deliver(event(index))

    said = {}
    for who, _, yes in order:
        said.setdefault(who, yes)
        if list(said.values()).count(True) == 2 or list(said.values()).count(False) == 2:
            break
    yes, no = list(said.values()).count(True), list(said.values()).count(False)
    wanted = "Approved" if yes == 2 else "Rejected" if no == 2 else "Pending"
    status = instance.custom_status["status"]
    assert status == wanted, f"{order} cut at {first}, {second}: {status}, not {wanted}"


@pytest.mark.parametrize("round_", range(11))
def test_a_decision_in_every_reminder_round_counts(round_):
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, hours=100, remind_hours=1)))).start()

    for _ in range(round_):
        instance.deliver(instance.fire())
        for number in [n for n, a in instance.running.items() if a.name == "submit_approval_request"]:
            instance.finish(number)
    instance.deliver(instance.decision(decided(GRACE, after=instance.now - NOON)))

    assert instance.custom_status["status"] == "Approved"
    assert instance.custom_status.get("reminded", 0) == round_


# --- previews and runs ----------------------------------------------------------------------------


@sized(60, 400)
def test_what_is_previewed_is_what_happens(seeds):
    """Random policies and answers: the preview's outcome, votes and time are those of the orchestrator's run."""
    for seed in seeds:
        chance = random.Random(seed)
        request = asked(policy=a_random_policy(chance))
        answers = [
            ImaginedAnswer(
                approver=chance.choice(PEOPLE), is_approved=chance.random() < 0.7, after=chance.random() * 40 * HOUR
            )
            for _ in range(chance.randrange(6))
        ]

        seen = play(request, answers)
        ran = run(request, answers)

        assert ran.story.status == seen.found.story.status, seed
        assert [v.approver for v in ran.story.votes] == [v.approver for v in seen.found.story.votes], seed
        assert abs(ran.story.settled_at - seen.found.story.settled_at) < dt.timedelta(seconds=1), seed


def run(request, answers):
    """Play the same answers to a real orchestrator behind the gate."""
    instance = Instance(request).start()
    coming = sorted(answers, key=lambda a: a.after)
    while not instance.end:
        for number in list(instance.running):
            instance.finish(number)
        if instance.end:
            break
        due = instance.due()
        if coming and (not due or NOON + coming[0].after < due[0][0]):
            imagined = coming.pop(0)
            instance.now = NOON + imagined.after
            found = instance.found
            slot = found.slot_of(imagined.approver)
            if slot is None or not found.story.is_open:
                continue
            here = {"stage": found.story.stage, "escalated": found.story.escalated, "slot": slot}
            mine = {"decision_id": f"the one before {len(coming)}", **here}
            vote = decided(imagined.approver, yes=imagined.is_approved, after=imagined.after, **mine)
            if judging.judge_decision(found, vote, stage=found.story.stage) == "open":
                key = slot_key(found.story, slot)
                instance.deliver(instance.decision(vote, key=key, number=found.story.event_number(key)))
        elif due:
            instance.deliver(instance.fire())
    return instance.found


def test_a_change_reaches_the_orchestrator_and_its_new_holder_is_told():
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, ALAN, required=2)), tell=True)).start()
    instance.finish(1)

    instance.deliver(instance.change(passed_on(GRACE, EVE)))

    (told,) = instance.activities_of("submit_approval_request")[1:]
    assert told["occasion"] == "passed_on"
    assert instance.found.holder(0) == EVE
    assert Change.model_validate(told["found"]["story"]["changes"][0]).to == EVE


def test_the_timer_of_a_stage_that_is_over_is_cancelled():
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, hours=50), a_panel(ALAN, hours=1)))).start()

    instance.deliver(instance.decision(decided(GRACE)))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.decision(decided(ALAN, stage=1, after=HOUR / 2), key="decision-2-0"))
    instance.finish(next(iter(instance.running)))

    assert instance.story["status"] == "Approved"
    assert instance.end is not None

"""Forms of requests in flight that are outside the vocabulary: judged as before, and harmless."""

import asyncio
import signal
import time

import pytest

from approvals import old_forms
from approvals.people import languages
from approvals.rules import vocabulary
from tests.unit.rules.test_forms import ATTACKS, TEXT, CpuTime, form

ANSWERS = {
    "a chain of anyOf": {"it": "no number"},
    "a pattern": {"it": "a" * 40 + "!"},
    "patterns of names": {"a" * 40 + "!": "x"},
    "a format that compiles the answer": {"it": "(" * 2000},
    "thousands of errors": {f"p{n}": n for n in range(200)},
    "items that must differ": {"it": [{"a": [n]} for n in range(300)]},
}
"""What makes them work hardest; the others get one property."""


def judged(schema, answer):
    return [(problem.pointer, problem.detail) for problem in old_forms.judge_in_child(schema, answer)]


def test_an_old_form_is_judged_as_it_was_and_what_was_answered_is_not_said_back():
    schema = {
        "$defs": {"days": {"type": "integer", "maximum": 7}},
        "properties": {
            "days": {"$ref": "#/$defs/days"},
            "id": {"format": "uuid"},
            "price": {"multipleOf": 0.01},
            "o": {"required": ["it's", 'a"b']},
        },
        "required": ["days", "why"],
    }

    assert judged(schema, {"days": 8, "id": "s3cret", "price": 19.999, "o": {"it's": 1}}) == [
        ("/days", "does not satisfy the form: maximum 7"),
        ("/id", 'does not satisfy the form: format "uuid"'),
        ("/price", "does not satisfy the form: multipleOf 0.01"),
        ('/o/a"b', "is required"),
        ("/why", "is required"),
    ]


def test_people_are_told_what_does_not_fit_an_old_form_in_their_own_language():
    problems = old_forms.judge_in_child({"required": ["a"], "properties": {"b": {"maximum": 7}}}, {"b": 8})

    with languages.speaking(languages.choose("de")):
        words = {languages.in_words(each.detail) for each in problems}
    assert words == {"wird benötigt", "passt nicht zum Formular: maximum 7"}


async def test_a_form_that_never_ends_meets_a_limit_of_cpu_and_the_event_loop_does_not_notice(monkeypatch):
    monkeypatch.setattr(old_forms, "WALL_SECONDS", 60)
    ticks, ended = [], []
    run = old_forms.subprocess.run
    monkeypatch.setattr(old_forms.subprocess, "run", lambda *a, **kw: ended.append(run(*a, **kw)) or ended[0])

    async def tick():
        while True:
            ticks.append(None)
            await asyncio.sleep(0.02)

    ticking = asyncio.create_task(tick())
    with CpuTime():
        problems = await old_forms.answer_problems(ATTACKS["a chain of anyOf"], ANSWERS["a chain of anyOf"])
    ticking.cancel()

    assert [(problem.pointer, problem.detail) for problem in problems] == [("", old_forms.UNJUDGED)]
    assert ended[0].returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    assert len(ticks) > 10


def test_a_child_that_only_waits_is_ended_as_well(monkeypatch):
    monkeypatch.setattr(old_forms, "WALL_SECONDS", 0.01)

    assert judged(form(a=TEXT), {}) == [("", old_forms.UNJUDGED)]


def test_the_child_knows_no_secret_of_ours(monkeypatch):
    seen = {}
    run = old_forms.subprocess.run
    monkeypatch.setattr(old_forms.subprocess, "run", lambda *args, **more: seen.update(more) or run(*args, **more))
    monkeypatch.setenv("APPROVAL_LINK_KEYS", "s3cret")

    assert judged({"properties": {"a": {"type": "string"}}}, {"a": 1}) == [
        ("/a", 'does not satisfy the form: type "string"')
    ]
    assert set(seen["env"]) == {"PYTHONPATH", "PYTHONIOENCODING"}


@pytest.mark.large
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_flight_is_judged_or_refused_in_limited_time(attack):
    began = time.perf_counter()

    with CpuTime():
        problems = old_forms.judge_in_child(ATTACKS[attack], ANSWERS.get(attack, {"a": "x"}))

    assert len(problems) <= 20
    assert time.perf_counter() - began < old_forms.WALL_SECONDS + 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_page_of_an_attack_in_flight_has_a_hundred_fields_at_most(attack):
    with CpuTime() as cpu:
        read = vocabulary.read_kept_form(ATTACKS[attack])

    assert len(read.fields) <= 100
    assert cpu.spent < 0.1


def test_what_of_an_old_form_is_in_the_vocabulary_keeps_its_field():
    schema = {
        "properties": {"a": TEXT | {"title": "A"}, "b": {"$ref": "#/$defs/b", "title": "B"}, "c": {"const": "v1"}},
        "required": ["b"],
        "$defs": {"b": TEXT},
    }

    a, b, c = vocabulary.read_kept_form(schema).fields

    assert (a.kind.accepted, a.title, a.required) == ([], "A", False)
    assert (b.kind.schema, b.title, b.required) == ('{"$ref":"#/$defs/b","title":"B"}', "B", True)
    assert c.kind.schema == '{"const":"v1"}'

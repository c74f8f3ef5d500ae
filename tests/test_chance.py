"""How far the random tests of a run go, and that a run can be played again and turns no clone red for ever."""

import datetime as dt

from hypothesis import core, settings

from tests import chance
from tests.chance import SEED, sized
from tests.localhost import ROOT

TODAY = dt.datetime(2026, 3, 1, 23, 59, tzinfo=dt.UTC)


def test_the_seed_is_the_one_that_is_wished_in_ci_the_days_and_else_any():
    assert chance.chosen({"SEED": "7"}, TODAY) == chance.chosen({"SEED": "7", "CI": "true"}, TODAY) == 7
    assert chance.chosen({"CI": "true"}, TODAY) == 20260301
    assert len({chance.chosen({}, TODAY) for _ in range(20)}) > 1


def test_hypothesis_goes_by_the_seed_of_the_run_and_keeps_nothing():
    assert core.global_force_seed == SEED
    assert settings().database is None
    assert settings().derandomize is False


def test_no_test_chooses_a_seed_or_a_memory_of_its_own_for_hypothesis():
    words = ("derandomize=" + "True", "database" + "=", "@" + "seed(")
    wrong = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / "tests").rglob("*.py")
        for word in words
        if path.name != "chance.py" and word in path.read_text(encoding="utf-8")
    ]

    assert not wrong, f"{wrong}: random tests go by the seed of the run (tests/chance.py)."


@sized(3, 5)
def test_seeds_name_the_run_they_come_from(seeds):
    assert seeds == [f"{SEED}-{number}" for number in range(chance.size(3, 5))]


@sized(3)
def test_a_few_are_some_every_day_and_all_in_test_all(few):
    chosen = few(range(10))

    assert len(set(chosen)) == chance.size(3, 10)
    assert set(chosen) <= set(range(10))
    assert few(range(10)) == chosen
    assert few("ab") == ["a", "b"]


@sized(3, 5)
def test_something_is_done_as_often_as_the_mark_says(times):
    assert times == chance.size(3, 5)

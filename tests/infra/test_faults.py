"""The checks of this folder are checked: mistakes are planted in copies, and each must be found."""

import os
import subprocess
import sys

import pytest

from tests.chance import sized
from tests.infra import bicep, faults

NO_COMPILER = f"The Bicep compiler is not here, so faults of sources were not planted. Get it: {bicep.HOW_TO_GET_IT}."


def test_there_are_enough_of_them():
    every = [*faults.IN_SNAPSHOTS, *faults.BETWEEN_FILES, *faults.IN_SOURCES]

    assert len(every) >= 20
    assert len({fault.says for fault in every}) == len(every)


def test_a_copy_without_a_fault_is_in_order(a_copy):
    assert faults.found(a_copy) == set()


@sized(20)
def test_each_is_found_by_the_check_it_names(few, a_copy):
    for fault in few([*faults.IN_SNAPSHOTS, *faults.BETWEEN_FILES]):
        path = a_copy / fault.path
        before = path.read_bytes()
        fault.plant(a_copy)

        found = faults.found(a_copy)

        assert fault.found_by in found, f"'{fault.says}' was found by {sorted(found) or 'nothing'}."
        path.write_bytes(before)


@pytest.mark.large
@pytest.mark.skipif(not bicep.found() and not bicep.is_required(), reason=NO_COMPILER)
@pytest.mark.parametrize("fault", faults.IN_SOURCES, ids=faults.words)
def test_it_is_found_when_compiled_that(fault, a_copy):
    fault.plant(a_copy)

    found = faults.found_by_compiling(a_copy, fault)

    assert fault.found_by in found, f"'{fault.says}' was found by {sorted(found) or 'nothing'}."


@pytest.mark.parametrize("kind", ["snapshots", "sources", "workflows", "routes"])
def test_nothing_to_check_is_a_failure(kind, a_copy):
    for path in {
        "snapshots": list(a_copy.glob("infra/shapes/*.json")),
        "sources": list(a_copy.glob("infra/**/*.bicep")),
        "workflows": list(a_copy.glob(".github/workflows/*")),
        "routes": list(a_copy.glob("approvals/*.py")),
    }[kind]:
        path.unlink()

    try:
        found = faults.found(a_copy)
    except AssertionError as error:
        found = {str(error)}
    assert found


def test_every_check_has_a_fault_to_find():
    checks = {*faults.snapshots.FACTS, *faults.agreement.AGREEMENTS, *faults.COMPILED.values()}
    proved = {fault.found_by for fault in [*faults.IN_SNAPSHOTS, *faults.BETWEEN_FILES, *faults.IN_SOURCES]}

    unproved = {check.__name__ for check in checks} - proved
    assert not unproved, f"Who says that {sorted(unproved)} would find anything? Plant a fault in faults.py."


@pytest.mark.large
@pytest.mark.parametrize(("in_ci", "outcome"), [("true", "error"), ("", "skipped")])
def test_without_a_compiler_ci_fails_and_others_are_told_how_to_get_it(in_ci, outcome, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rsE", "--all", "-k", "the_sources_make"),
            "tests/infra/test_compiler.py",
        ],
        cwd=bicep.ROOT,
        env={**os.environ, "PATH": str(tmp_path), "CI": in_ci, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"1 {outcome}" in done.stdout, done.stdout
    assert (done.returncode == 0) == (outcome == "skipped")
    assert bicep.HOW_TO_GET_IT in done.stdout

"""What `make` does for someone who has just cloned this: which Python it takes, and what it installs for whom."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKE = shutil.which("make")

PYTHON = """#!/bin/sh
case "$*" in
  *'< (3, 13)'*) exit {fits} ;;
  *'>= (3, 12)'*) exit {untested} ;;
  --version) echo "Python {version}" ;;
  *venv*) echo "made by {version}" ;;
esac
"""


@pytest.fixture
def make(tmp_path):
    """Run make with an environment of its own, in which only the Pythons that a test has put there are found."""

    def run(*arguments, **pythons):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, version in pythons.items():
            minor = int(version.split(".")[1])
            python = folder / name.replace("_", ".")
            python.write_text(PYTHON.format(version=version, fits=int(minor not in (11, 12)), untested=int(minor > 11)))
            python.chmod(0o755)
        ours = ("MAKE", "PYTHON", "PORT")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        ran = subprocess.run(
            [MAKE, f"VENV={tmp_path}/venv", *arguments],
            cwd=ROOT,
            env={**plain, "PATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    return run


def test_python_3_11_is_taken_before_another(make, tmp_path):
    status, said = make(f"{tmp_path}/venv/bin/pip", python3_11="3.11.7", python3_12="3.12.1", python3="3.12.1")

    assert status == 0
    assert "made by 3.11.7" in said
    assert "unverified" not in said


@pytest.mark.parametrize("name", ["python3_12", "python3"])
def test_python_3_12_is_taken_where_3_11_is_not_and_said_to_be_unverified(make, tmp_path, name):
    status, said = make(f"{tmp_path}/venv/bin/pip", **{name: "3.12.1"})

    assert status == 0
    assert "made by 3.12.1" in said
    assert "unverified" in said


@pytest.mark.parametrize("version", ["3.10.9", "3.13.0"])
def test_another_python_is_not_taken_and_it_is_said_how_to_name_one(make, tmp_path, version):
    status, said = make(f"{tmp_path}/venv/bin/pip", python3=version)

    assert status != 0
    assert "made by" not in said
    assert "Python 3.11 or 3.12 is needed" in said
    assert "PYTHON=" in said


def test_a_python_of_ones_own_choice_is_taken(make, tmp_path):
    _, said = make(f"PYTHON={tmp_path}/bin/mine", f"{tmp_path}/venv/bin/pip", mine="3.11.9", python3_11="3.11.7")

    assert "made by 3.11.9" in said


@pytest.mark.parametrize("target", ["run", "demo"])
def test_running_installs_what_running_needs_and_no_more(make, target):
    _, planned = make("-n", target)

    assert "-r requirements-local.txt" in planned
    assert "requirements-dev.txt" not in planned


def test_checking_installs_everything_at_once_and_running_then_has_what_it_needs(make, tmp_path):
    _, planned = make("-n", "check")

    assert "-r requirements-dev.txt" in planned
    assert "-r requirements-local.txt" not in planned
    assert f"touch {tmp_path}/venv/.runs {tmp_path}/venv/.ready" in planned


def test_uv_installs_where_it_is(make):
    _, planned = make("-n", "run")

    assert "if command -v uv" in planned


def test_another_port_is_a_word_to_make(make):
    assert "-m devhost --port 7071" in make("-n", "run")[1]
    assert "-m devhost --port 7072" in make("-n", "run", "PORT=7072")[1]


def test_the_app_runs_in_a_process_of_its_own_unless_a_debugger_shall_find_it(make):
    assert "--workers 1" in make("-n", "run")[1]
    assert "--workers 0" in make("-n", "run", "WORKERS=0")[1]

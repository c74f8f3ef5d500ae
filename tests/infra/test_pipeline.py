"""What a pipeline deploys: the choices that are deployed, but for those its variables make."""

import json
import os
import subprocess
import sys

import pytest

from tests.infra import agreement, bicep

AZD = """#!{python}
import json, os, sys
from pathlib import Path
home = Path({home!r})
with (home / "calls").open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit(sys.argv[2] in os.environ.get("AZD_FAILS", "").split())
"""
WHERE = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "northeurope",
    "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111",
}


@pytest.fixture
def pipeline(tmp_path):
    """Run the step with an azd that notes what it is told: `pipeline(ALERT_EMAIL="…")` gives what both said."""
    (tmp_path / "azd").write_text(AZD.format(python=sys.executable, home=str(tmp_path)))
    (tmp_path / "azd").chmod(0o755)

    def run(environment=None, **variables):
        done = subprocess.run(
            [sys.executable, "infra/take_choices.py"],
            cwd=bicep.ROOT,
            env={
                "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_ACTIONS": "true",
                "VARIABLES": json.dumps(variables),
                **WHERE,
                **(environment or {}),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls = tmp_path / "calls"
        told = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
        return done, told

    return run


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pipeline's machine is a Linux machine")


def test_what_is_deployed_is_taken_before_what_the_variables_say(pipeline):
    done, told = pipeline(ALERT_EMAIL="operators@example.com", SCHEDULER_SKU="Dedicated")

    assert not done.returncode, done.stderr
    assert [call[:2] for call in told] == [["env", "new"], ["env", "refresh"], ["env", "set"], ["env", "set"]]
    assert told[2:] == [
        ["env", "set", "--", "ALERT_EMAIL", "operators@example.com"],
        ["env", "set", "--", "SCHEDULER_SKU", "Dedicated"],
    ]


def test_what_no_variable_says_is_left_as_it_is_deployed(pipeline):
    _, told = pipeline()

    assert not [call for call in told if call[:2] == ["env", "set"]]


@pytest.mark.parametrize(
    "value",
    [
        "one\ntwo",
        "one\r\nSCHEDULER_SKU=Dedicated",
        "a<<EOF\nSCHEDULER_SKU=Dedicated\nEOF",
        '{"NOTIFY_LOG": "true"}',
        "$(touch here) `touch here` $HOME",
        "--help",
        "'; exit 1; '",
    ],
)
def test_a_value_reaches_azd_as_it_is_and_no_other_with_it(pipeline, value):
    done, told = pipeline(APP_SETTINGS=value)

    assert not done.returncode
    assert [call[2:] for call in told if call[:2] == ["env", "set"]] == [["--", "APP_SETTINGS", value]]
    assert value not in done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(agreement.SECRETS))
def test_a_secret_among_the_variables_is_refused_and_not_repeated(pipeline, name):
    done, told = pipeline(**{name: "mailto://user:s3cret@host"})

    assert done.returncode
    assert f"::error::{name} is a variable" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert not told


def test_without_knowing_what_is_deployed_nothing_is_deployed(pipeline):
    done, told = pipeline({"AZD_FAILS": "refresh"}, ALERT_EMAIL="operators@example.com")

    assert done.returncode
    assert "would undo choices made elsewhere" in done.stderr
    assert told[-1][:2] == ["env", "refresh"]


def test_the_first_time_there_is_nothing_to_know(pipeline):
    done, told = pipeline({"AZD_FAILS": "refresh", "IS_FIRST": "true"}, ALERT_EMAIL="operators@example.com")

    assert not done.returncode
    assert [call[1] for call in told] == ["new", "set"]


@pytest.mark.parametrize("name", WHERE)
def test_where_to_deploy_must_be_said(pipeline, name):
    done, told = pipeline({name: ""})

    assert f"The variable {name} is not set" in done.stderr
    assert not told


def test_variables_that_are_for_something_else_are_let_be(pipeline):
    done, told = pipeline(AZURE_PRINCIPAL_ID="x", PATH="nowhere", NODE_VERSION="20", alert_email="a@example.com")

    assert not done.returncode
    assert [call[2:] for call in told if call[1] == "set"] == [["--", "ALERT_EMAIL", "a@example.com"]]

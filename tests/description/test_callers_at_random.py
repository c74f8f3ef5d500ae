"""Thousands of calls that nobody thought of, each by the description: none is a defect, none is answered otherwise."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import openapi
from tests import chance

SETTINGS = """
request-timeout = 40.0
workers = 1

[phases.coverage]
unexpected-methods = ["DELETE", "PUT", "PATCH"]

[checks]
ignored_auth.enabled = false

[checks.positive_data_acceptance]
expected-statuses = [200, 201, 202, 304, 403, 404, 409, 410, 412, 413, 422, 428]

[checks.negative_data_rejection]
expected-statuses = [400, 403, 404, 405, 409, 410, 412, 413, 415, 422, 428]
"""
"""What no schema can say is refused with 422: who may be asked, what fits together. The keys are the host's."""


def as_it_is_on_this_machine():
    """Give the description without keys, which the local host asks nobody for, and without a wait of 25 seconds.

    A header with a control character is refused by the host itself, before the app sees it.
    """
    described = json.loads(openapi.DESCRIPTION.read_text(encoding="utf-8"))
    for path in described["paths"].values():
        for call in path.values():
            call.pop("security", None)
            for parameter in call.get("parameters", ()):
                if parameter["name"] == "Prefer":
                    parameter["example"] = "wait=0"
                if parameter["in"] == "query":  # an address of more than 8 KB is the host's to refuse
                    call["responses"].setdefault("400", {"description": "the host's own"})
                if parameter["name"] == "Idempotency-Key":
                    parameter["schema"] = {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"}
    described["components"].pop("securitySchemes")
    without_longest(described["components"]["schemas"])
    return described


def without_longest(schema):
    """Take off how long texts may be: blanks at their ends do not count, which no schema can say."""
    if isinstance(schema, dict):
        if isinstance(schema.get("maxLength"), int):
            del schema["maxLength"]
        for each in schema.values():
            without_longest(each)
    elif isinstance(schema, list):
        for each in schema:
            without_longest(each)


def call_at_random(url, folder, examples, phases, seed=chance.SEED):
    """Call as the description says, and give how many calls there were, and the report."""
    (folder / "openapi.json").write_text(json.dumps(as_it_is_on_this_machine()), encoding="utf-8")
    (folder / "schemathesis.toml").write_text(SETTINGS, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", folder / "schemathesis.toml"),
            *("run", folder / "openapi.json", "--url", url, "--no-color"),
            *("--phases", phases),
            *("--max-examples", str(examples), "--seed", str(seed)),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    report = done.stdout + done.stderr
    assert done.returncode == 0, report
    return int(re.search(r"([\d,]+) generated", report)[1].replace(",", "")), report


def test_a_few_hundred_calls_are_answered_as_the_description_says(host, tmp_path):
    calls, report = call_at_random(host.url, tmp_path, 14, "examples,fuzzing,stateful")

    assert calls >= 300, report


@pytest.mark.large
def test_twenty_thousand_calls_are_answered_as_the_description_says(host, tmp_path):
    calls, seed = 0, chance.SEED
    while calls < 20_000:
        calls += call_at_random(host.url, tmp_path, 300, "examples,coverage,fuzzing,stateful", seed)[0]
        seed += 1

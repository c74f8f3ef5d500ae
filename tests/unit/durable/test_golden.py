"""Histories recorded from earlier versions still replay, at every prefix, to the answers of their day."""

import json
from pathlib import Path

import pytest

from approvals.rules.story import Request
from tests.golden.record import PATHS
from tests.simulation import answer

FOLDER = Path(__file__).parents[2] / "golden"
FILES = sorted(FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recorded_history_replays_to_the_same_actions_at_every_prefix(file):
    golden = json.loads(file.read_text())
    request = Request.model_validate(golden["request"])

    for length, state in golden["answers"]:
        again = answer(golden["history"][:length], request)
        assert again["isDone"] == state["isDone"]
        assert scheduled(again) == scheduled(state)
    for name in ("status", "settled_at", "notes"):
        assert again["output"].get(name) == golden["output"].get(name)


def scheduled(state):
    """What must be the same when a history is replayed: kinds, names and order; nobody looks at inputs."""
    return json.loads(json.dumps(state["actions"]), object_hook=lambda a: {k: v for k, v in a.items() if k != "input"})


def test_every_version_has_a_history_of_every_path():
    version = json.loads((FOLDER.parent.parent / "host.json").read_text())["extensions"]["durableTask"][
        "defaultVersion"
    ]

    recorded = {file.stem for file in FILES if file.parent.name == version}

    assert recorded == {path.__name__ for path in PATHS}, f"python -m tests.golden.record {version}"

"""The recorded scenarios, played against the local host. What may differ is named in one file, with the reason."""

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.localhost import ROOT, LocalHost

CONFORMANCE = ROOT / "tests" / "conformance"
DIFFERENCES = json.loads((ROOT / "tests" / "conformance_differences.json").read_text())
RECORDED = {r["scenario"]: r for r in map(json.loads, (CONFORMANCE / "recorded.jsonl").read_text().splitlines())}
HOST_JSON = {"version": "2.0", "extensions": {"durableTask": {"hubName": "conformance", "defaultVersion": "1.5"}}}

sys.path.insert(0, str(CONFORMANCE))
import play  # noqa: E402 - it is a script beside its data, no module of ours


@pytest.fixture(scope="module")
def rpc_url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    shutil.copy(CONFORMANCE / "function_app.py", folder)
    (folder / "host.json").write_text(json.dumps(HOST_JSON))
    host = LocalHost(app=folder).start()
    yield host.rpc_url
    host.stop()


@pytest.fixture(scope="module")
def played(rpc_url):
    with ThreadPoolExecutor(24) as pool:
        return {p["scenario"]: p for p in pool.map(lambda name: play.play(rpc_url, name), play.SCENARIOS)}


def comparable(name, answer):
    """An answer without what the differences name."""
    body = answer["body"]
    if name == "orchestrator_unknown" and "output" in (body or {}):
        known = sorted(re.findall(r"'(\w+)'", body["output"].partition("Additional info")[2]))
        return {**answer, "body": {**body, "output": body["output"].partition(" '")[0], "known": known}}
    return answer


def agree(name, answers):
    pairs = zip(answers, RECORDED[name]["answers"], strict=True)
    return all(play.same(comparable(name, got), comparable(name, recorded)) for got, recorded in pairs)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_local_host_answers_as_the_real_extension_did(played, rpc_url, name):
    answers = played[name]["answers"]
    if not agree(name, answers):  # in a crowd of 24 it is a matter of speed what comes first: once more, alone
        answers = play.play(rpc_url, name)["answers"]
    for got, recorded in zip(answers, RECORDED[name]["answers"], strict=True):
        assert play.same(comparable(name, got), comparable(name, recorded)), (
            f"\n{got['step']}\nrecorded {recorded['status']} {recorded['body']}\ngot      {got['status']} {got['body']}"
        )
        assert got["headers"].get("Location") == recorded["headers"].get("Location")
        assert got["headers"].get("Retry-After") == recorded["headers"].get("Retry-After")
        if recorded["body"]:
            assert got["headers"]["Content-Type"] == recorded["headers"]["Content-Type"]


def test_all_ninety_four_scenarios_were_played(played):
    assert len(played) == len(RECORDED) == 94


def test_the_differences_name_scenarios_that_exist_and_a_reason():
    assert set(DIFFERENCES) <= set(RECORDED)
    assert all(len(reason) > 40 for reason in DIFFERENCES.values())


@pytest.mark.large
def test_the_player_itself_finds_no_difference_beyond_the_named_ones(rpc_url):
    names = [name for name in RECORDED if name not in DIFFERENCES]
    command = [sys.executable, CONFORMANCE / "play.py", rpc_url, *names, "--compare", CONFORMANCE / "recorded.jsonl"]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.strip().endswith(f"{len(names)} passed, 0 failed")

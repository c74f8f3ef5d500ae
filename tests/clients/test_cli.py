"""The command line: tables in a terminal, JSON in a pipe, and an exit code for every end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import ANY

import pytest
from durable_approvals import Approvals
from durable_approvals.cli import main

from tests.builders import ADA, ALAN, GRACE
from tests.localhost import ROOT

COMMAND = [sys.executable, "-c", "from durable_approvals.cli import main; main()"]


@pytest.fixture
def environment(host):
    path = os.pathsep.join([str(ROOT / "clients/python"), str(ROOT)])
    return {
        **os.environ,
        "APPROVALS_URL": host.url,
        "PYTHONPATH": path,
        "COLUMNS": "120",
        "TERM": "xterm",
        "NO_COLOR": "1",
    }


@pytest.fixture
def approvals(environment, monkeypatch, capsys):
    """Run the command in this process, as its script would; its output is no terminal."""
    monkeypatch.setenv("APPROVALS_URL", environment["APPROVALS_URL"])

    def run(*arguments, check=0):
        monkeypatch.setattr(sys, "argv", ["approvals", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        done = capsys.readouterr()
        assert code == check, done.out + done.err
        return SimpleNamespace(stdout=done.out, stderr=done.err)

    return run


@pytest.fixture
def made(host):
    with Approvals(host.url) as client:
        yield lambda **fields: client.create("Deploy 1.4", **{"requester": ADA, "approvers": [GRACE], **fields})


def said(done):
    return json.loads(done.stdout)


def test_a_request_is_made_shown_decided_and_told(approvals):
    request_id = said(approvals("create", "Deploy 1.4", "--requester", ADA, "--approver", GRACE, "--timeout", "PT4H"))[
        "request_id"
    ]

    assert said(approvals("show", request_id))["status"] == "Pending"
    assert said(approvals("approve", request_id, "--approver", GRACE, "--comment", "Go"))["status"] == "Approved"
    assert said(approvals("wait", request_id))["decision"]["comments"] == "Go"
    steps = [json.loads(line)["kind"] for line in approvals("history", request_id).stdout.splitlines()]
    assert steps == ["created", "asked", "answered", "settled"]


ENDS = {
    0: lambda request: request.decide(approver=GRACE, is_approved=True),
    10: lambda request: request.decide(approver=GRACE, is_approved=False),
    12: lambda request: request.cancel(by=ADA),
}


@pytest.mark.parametrize(("code", "end"), ENDS.items())
def test_wait_ends_with_the_code_of_the_outcome(approvals, made, code, end):
    request = made()
    end(request)

    approvals("wait", request.id, check=code)


def test_wait_ends_with_11_when_it_timed_out(approvals, made):
    approvals("wait", made(timeout="PT1S").id, check=11)


def test_wait_ends_with_13_when_nobody_can_know(approvals, made, caller, host):
    request = made()
    caller.http.post(f"{host.rpc_url}instances/{request.id}/terminate")
    caller.purge(request.id)

    approvals("wait", request.id, check=13)


def test_wait_ends_with_14_when_the_time_is_over_first(approvals, made):
    assert "has not ended" in approvals("wait", made().id, "--timeout", "0.1", check=14).stderr


def test_what_is_wrong_is_a_sentence_and_1_and_a_wrong_command_2(approvals, made):
    assert approvals("show", "0" * 32, check=1).stderr == "approvals: not_found: There is no request with this id.\n"
    approvals("approve", made().id, check=2)
    approvals("preview", "{", check=2)


def test_requests_are_listed_cancelled_reassigned_and_rejected(approvals, made):
    one, other = made(), made()

    lines = approvals("inbox", GRACE, "--limit", "100").stdout.splitlines()
    assert {one.id, other.id} <= {json.loads(line)["request_id"] for line in lines}
    assert approvals("list", "--status", "Pending", "--limit", "1").stdout.count("\n") == 1
    passed = said(approvals("reassign", one.id, "--by", ADA, "--from", GRACE, "--to", ALAN))
    assert passed["changes"][0]["to"] == ALAN
    assert said(approvals("reject", one.id, "--approver", ALAN))["status"] == "Rejected"
    assert said(approvals("cancel", other.id, "--by", ADA))["status"] == "Cancelled"
    approvals("export", "2020-01-01")
    assert (
        said(approvals("preview", json.dumps({"item": "x", "requester": ADA})))["if_nobody_answers"]["status"]
        == "Timeout"
    )


def test_in_a_terminal_there_are_tables(environment, made):
    request = made()
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, "show", request.id], env=environment, stdout=theirs, stderr=theirs)
    process.wait(60)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "Status" in shown
    assert "Pending" in shown
    assert "{" not in shown


def test_a_script_goes_on_only_after_a_yes(environment, host):
    """`approvals create … --wait && deploy`, as a shell runs it."""
    command = f"{sys.executable} -c 'from durable_approvals.cli import main; main()'"
    asked = f"{command} create Deploy --requester {ADA} --approver {GRACE} --wait > /dev/null && echo deployed"
    shell = subprocess.Popen(
        ["sh", "-c", asked], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    request_id = shell.stderr.readline().strip()
    with Approvals(host.url) as client:
        client.request(request_id).decide(approver=GRACE, is_approved=True)

    assert shell.communicate(timeout=60)[0] == "deployed\n"


def test_a_receipt_is_verified_and_one_that_was_changed_or_is_anothers_is_not(approvals, made, tmp_path):
    request = made()
    approvals("receipt", "get", request.id, check=1)
    request.decide(approver=GRACE, is_approved=True)
    receipt = approvals("receipt", "get", request.id).stdout
    file, changed = tmp_path / "receipt.jws", tmp_path / "changed.jws"
    file.write_text(receipt)
    changed.write_text(receipt.replace(".", ".e", 1))

    assert said(approvals("receipt", "verify", str(file)))["outcome"] == "Approved"
    assert "changed" in approvals("receipt", "verify", str(changed), check=1).stderr
    assert (
        "issuer" in approvals("receipt", "verify", str(file), "--issuer", "https://other.example.com", check=1).stderr
    )


def test_what_was_not_taken_is_sent_again(approvals, made):
    assert said(approvals("redeliver", made().id, "--by", ADA)) == {
        "request_id": ANY,
        "callbacks": [],
        "messages": 0,
        "messages_failed": 0,
    }

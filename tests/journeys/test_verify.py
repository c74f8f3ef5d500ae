"""`make verify`, tried against the local host: what can be shown of a deployed app, and what is not so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.localhost import ROOT
from verify import __main__ as command
from verify import checks

SLOW = {"long-wait"}


@pytest.fixture
def service(host, monkeypatch):
    monkeypatch.setattr(checks, "TIMER_SECONDS", 1)
    one = checks.Service(host.url, "the-function-key")
    yield one
    one.clean_up()


@pytest.mark.parametrize("name", sorted(checks.CHECKS.keys() - SLOW))
def test_each_check_shows_what_it_is_for(service, name):
    if name in ("function-key", "callback"):
        with pytest.raises(checks.NotFromHere):
            checks.CHECKS[name](service)
    else:
        assert checks.CHECKS[name](service)


def test_every_check_is_a_row_of_the_document_and_every_row_names_one_that_there_is():
    rows = list(command.rows(command.DOCUMENT.read_text(encoding="utf-8")))
    named = [name for _, how in rows for name in command.NAMED.findall(how)]

    assert sorted(named) == sorted(checks.CHECKS)
    assert len(rows) > 40


def test_what_it_makes_it_takes_back(service, caller):
    request_id = service.ask()["request_id"]

    service.clean_up()

    assert caller.outcome(request_id)["status"] == "Cancelled"


def run(service, capsys):
    code = command.verify(service)
    return code, capsys.readouterr().out


def test_what_is_not_so_is_told_and_ends_with_1(service, capsys, monkeypatch):
    def fail(_service):
        raise checks.Failed("it is not so")

    monkeypatch.setattr(command, "CHECKS", dict.fromkeys(checks.CHECKS, fail))
    code, out = run(service, capsys)

    assert code == 1
    assert "it is not so" in out
    assert f"{len(checks.CHECKS)} FAILED" in out
    assert "the-function-key" not in out


def test_an_answer_that_makes_no_sense_is_a_row_that_failed_and_the_others_are_told(service, capsys, monkeypatch):
    def confused(_service):
        raise KeyError("the-function-key")

    monkeypatch.setattr(command, "CHECKS", {**checks.CHECKS, **dict.fromkeys(checks.CHECKS, confused)})
    code, out = run(service, capsys)

    assert code == 1
    assert f"{len(checks.CHECKS)} FAILED" in out
    assert "KeyError" in out
    assert "the-function-key" not in out


def test_a_receipt_that_somebody_else_signed_is_told_and_the_rest_goes_on(service, capsys, monkeypatch):
    real = service.call

    def forged(method, path, *more, **named):
        answer = real(method, path, *more, **named)
        if path.endswith("/receipt"):
            head, _, signature = answer.text.rpartition(".")
            answer._content = f"{head}.{signature[::-1]}".encode()
        return answer

    monkeypatch.setattr(service, "call", forged)
    monkeypatch.setattr(command, "CHECKS", {**checks.CHECKS, "long-wait": checks.grant})
    code, out = run(service, capsys)

    assert code == 1
    assert "1 FAILED" in out


def test_what_cannot_be_taken_back_is_named(host):
    service = checks.Service(host.url, "key")
    request_id = service.ask()["request_id"]
    service.made[:] = ["0" * 32, request_id, "f" * 32]

    assert service.clean_up() == ["0" * 32, "f" * 32]
    assert service.story(request_id)["status"] == "Cancelled"
    assert checks.Service("http://127.0.0.1:9", "key", made=["0" * 32, "1" * 32]).clean_up() == ["0" * 32, "1" * 32]


def test_an_app_that_is_not_there_fails_and_its_keys_are_not_told(capsys):
    away = checks.Service("http://127.0.0.1:9", "the-function-key", "dak_secret")
    code, out = run(away, capsys)

    assert code == 1
    assert "got no answer" in out
    assert "the-function-key" not in out
    assert "dak_secret" not in out


def test_an_app_that_answers_otherwise_fails(service, monkeypatch):
    monkeypatch.setattr(checks, "GRACE", "")

    for name in ("hub-role", "receipts", "grant"):
        with pytest.raises(checks.Failed, match="422"):
            checks.CHECKS[name](service)


def test_the_address_must_be_one():
    done = subprocess.run(
        [sys.executable, "-m", "verify"],
        cwd=ROOT,
        env={**os.environ, "URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "make verify URL=" in done.stderr


@pytest.mark.large
def test_the_whole_command_goes_through_every_row(host):
    done = subprocess.run(
        [sys.executable, "-m", "verify"],
        cwd=ROOT,
        env={**os.environ, "URL": host.url, "KEY": "the-function-key"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "0 FAILED" in done.stdout
    assert "held for 20" in done.stdout
    assert "the-function-key" not in done.stdout

"""The first minute: what someone sees who starts this and pastes what it offers."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from tests.builders import ADA, GRACE
from tests.conftest import Caller
from tests.localhost import ROOT, LocalHost


@pytest.fixture(scope="module")
def running():
    """Give a local host as `make run` starts it: nothing is set, so the mail stays in its outbox."""
    host = LocalHost("--workers", "1")
    for name in ("NOTIFY_URLS", "NOTIFY_LOG"):
        del host.environment[name]
    host.start()
    yield host
    host.stop()


@pytest.fixture(scope="module")
def newcomer(running):
    """Give someone who calls it."""
    one = Caller(running.url)
    yield one
    one.http.close()


def mail_to(newcomer, person, subject):
    """Wait for the mail, and give its page."""
    for _ in range(100):
        listed = newcomer.http.get("/dev/outbox").text
        found = re.findall(r"href='(/dev/outbox/\d+)'>([^<]*)</a><br><span class='soft'>to ([^,]*),", listed)
        for address, what, to in found:
            if to == person and subject in what:
                return newcomer.http.get(address).text
        time.sleep(0.02)
    raise AssertionError(f"no mail to {person} about {subject} in {listed}")


def test_it_says_what_to_paste_which_page_to_open_and_where_the_mail_is(running):
    said = running.output

    assert len(re.findall(rf"^  curl -s {running.url}/api/", said, re.MULTILINE)) == 3
    assert f"A page to open: {running.url}/\n" in said
    assert f"{running.url}/dev/outbox" in said


def test_the_page_to_open_is_a_page(newcomer):
    shown = newcomer.http.get("/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert shown.status_code == 200
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Durable Approvals" in shown.text
    assert newcomer.http.get("/").json()["name"] == "Durable Approvals"


def test_who_is_asked_gets_a_mail_that_opens_the_page_and_the_requester_hears_the_outcome(newcomer):
    request_id = newcomer.asked(item="New laptop", approvers=[GRACE])

    mail = mail_to(newcomer, GRACE, "New laptop")

    link = re.search(r"<a href='(http://[^']+/approve/[^']+)'", mail)[1]
    assert "New laptop" in newcomer.http.get(link).text
    assert "As HTML" in mail
    newcomer.decide(request_id, approver=GRACE)
    assert "Approved" in mail_to(newcomer, ADA, "Approved")


def test_a_request_that_names_nobody_is_seen_in_the_outbox_too(newcomer):
    newcomer.asked(item="A holiday")

    assert "/approve/" in mail_to(newcomer, "team@example.com", "A holiday")


def test_the_log_says_what_happens_with_the_request_and_no_link(newcomer, running):
    """One line for each call, answer, outcome and message."""
    made = newcomer.ask(item="A yacht", approvers=[GRACE]).json()
    request_id = made["request_id"]
    mail_to(newcomer, GRACE, "A yacht")
    newcomer.http.get(made["approvals"][0]["approval_url"])
    newcomer.decide(request_id, approver=GRACE, is_approved=False)
    running.wait_for(rf"mailto-1 took {request_id}-rejected\+[0-9a-f]+\.")

    lines = [line.split(": ", 1)[1].rstrip() for line in running.lines if request_id in line]

    expected = [
        rf"Request {request_id}: created by key",
        rf"call_answered method=POST path=/api/requests status=201 ms=\d+ request={request_id}",
        rf"mailto-1 took {request_id}-asked-1-0-0\+[0-9a-f]+\.",
        rf"call_answered method=GET path=/approve/{{token}} status=200 ms=\d+ request={request_id}",
        rf"Request {request_id}: rejection \(api, key\) recorded",
        rf"call_answered method=POST path=/api/approvals/{request_id} status=200 ms=\d+ request=-",
        rf"Request {request_id}: Rejected",
    ]
    for pattern in expected:
        assert sum(bool(re.fullmatch(pattern, line)) for line in lines) == 1, f"{pattern} is not once in {lines}"
    assert not re.search(r"/approve/[^{]", running.output)
    assert "A yacht" not in running.output


def test_a_port_that_is_taken_is_said_with_how_to_choose_another(running):
    port = int(running.url.rsplit(":", 1)[1])

    ended = devhost("--port", str(port))

    assert ended.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in ended.stderr
    assert f"make run PORT={port + 1}" in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "CALLERS is not set" not in line]
    assert len(lines) == 1


@pytest.mark.parametrize("port", ["70720", "-1", "http"])
def test_a_port_that_is_none_is_said_without_a_traceback(port):
    ended = devhost(f"--port={port}")

    assert ended.returncode == 2
    assert f"invalid port value: '{port}'" in ended.stderr
    assert "Traceback" not in ended.stderr


def devhost(*arguments):
    command = [sys.executable, "-m", "devhost", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

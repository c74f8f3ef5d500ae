"""The demo: what people and systems see, in one terminal, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devhost.reading import Page

ROOT = Path(__file__).parents[2]


def demo(**environment):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NOTIFY")}
    return subprocess.run(
        [sys.executable, "-m", "devhost.demo"],
        cwd=ROOT,
        env={**plain, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def played():
    """Give what the demo prints, on a machine where somebody has set up real mail."""
    ended = demo(
        NOTIFY_URLS="mailto://smtp.invalid/?to={approver}", NOTIFY_LOG="true", PUBLIC_BASE_URL="https://x.test"
    )
    assert ended.returncode == 0, ended.stderr
    return ended


def part(played, number):
    return re.split(r"^\d\. .*\n-+\n", played.stdout, flags=re.MULTILINE)[number]


def test_the_mail_is_shown_as_it_arrives(played):
    mail = part(played, 2)

    assert "| To: grace@example.com" in mail
    assert "| Subject: ada@example.com asks for your approval: New laptop" in mail
    assert "| The old one does not start any more." in mail
    assert re.search(r"\| http://127\.0\.0\.1:\d+/approve/\S+\n", mail)
    assert "/dev/outbox/" in mail


def test_the_page_is_shown_before_and_after(played):
    before, after = part(played, 3), part(played, 4)

    assert "| New laptop" in before
    assert "if nobody" in before
    assert "| [ Approve ]\n   | [ Reject ]" in before
    assert "The request is still Pending." in before
    assert "| Your answer is recorded" in after
    assert "| - grace@example.com approved" in after


def test_the_caller_is_given_three_answers(played):
    answers = [json.loads(text) for text in re.findall(r"^   (\{\n.*?^   \})", played.stdout, re.MULTILINE | re.DOTALL)]

    outcomes = [answer["status"] for answer in answers if answer["status"] != "Pending"]
    assert outcomes == ["Approved", "Rejected", 409, "Timeout"]


def test_it_says_what_to_try_next_and_nothing_stray(played):
    assert "make run" in played.stdout.partition("What to try next")[2]
    assert played.stderr == ""
    assert not re.search(r"^(\d\d:\d\d|INFO|WARNING|ERROR)", played.stdout, re.MULTILINE)


def test_a_setting_that_makes_no_sense_ends_it_with_its_sentence():
    ended = demo(NOTIFY_REQUESTER="true", WEBSITE_SITE_NAME="x", RECORDS_TABLE_ENDPOINT="https://x.example")

    assert ended.returncode == 1
    assert ended.stderr == "Cannot start: APPROVAL_LINK_KEYS is not set: without it no link can be signed.\n"


# --- pages, read ----------------------------------------------------------------------------------


def test_a_page_is_read_as_it_is_seen():
    page = Page("""<!doctype html><html><head><title>T</title><style>p { color: red }</style></head><body>
<h1>New
   laptop</h1><p>A <b>good</b> one.<br>Really.</p><script>alert(1)</script>
<dl><div><dt>Until</dt>
<dd>noon</dd></div><div><dt>Else</dt><dd>no</dd></div></dl>
<table><tr><th>Price</th><td>100</td></tr></table><ul><li>one</li><li>two</li></ul>
<form><input type="hidden" name="page" value="x&amp;y"><button aria-hidden="true">Nothing</button>
<label>Comment</label><textarea></textarea><button>Yes</button> <button>No</button></form></body></html>""")

    assert page.lines == [
        *("New laptop", "A good one.", "Really.", "Until: noon", "Else: no", "Price: 100", "- one", "- two"),
        *("Comment", "____________", "[ Yes ]", "[ No ]"),
    ]
    assert page.values == {"page": "x&y"}

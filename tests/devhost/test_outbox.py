"""The outbox: real mail to its server, its pages, and which settings lead there."""

from __future__ import annotations

import asyncio
import smtplib
import sys
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from devhost import outbox as outboxes
from devhost.host import Host
from devhost.index import Refused, load
from devhost.outbox import KEPT, MAIL_BYTES, Outbox

if TYPE_CHECKING:
    from pathlib import Path

SECTION = """
[tool.devhost.outbox]
MAIL_TO = "smtp://{outbox}/?to={someone}"
MAIL_COLOUR = "red"
"""


@pytest.fixture
async def outbox():
    """Give an outbox that takes mail."""
    one = Outbox()
    await one.start()
    yield one
    await one.stop()


def an_app(folder, monkeypatch):
    """Load an app without any function."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "function_app.py").write_text("import azure.functions as func\napp = func.FunctionApp()")
    return load(folder)


@pytest.fixture
async def shown(outbox, tmp_path, monkeypatch):
    """Give what a host with this outbox answers: status, text and headers of a page."""
    host = Host(an_app(tmp_path, monkeypatch), port=0, rpc_port=0, outbox=outbox)
    await host.start()
    async with ClientSession() as http:

        async def get(path="/dev/outbox", method="GET", **headers):
            async with http.request(method, host.url + path, headers=headers) as answer:
                return answer.status, await answer.text(), answer.headers

        yield get
    await host.stop()


def a_mail(subject="Hello", text="How are you?", html="<p>How <b>are</b> you?</p>"):
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "app@example.com", "grace@example.com"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


async def send(outbox, *mails):
    def speak():
        with smtplib.SMTP(*outbox.address.split(":"), timeout=10) as server:
            for mail in mails:
                server.send_message(mail)

    await asyncio.to_thread(speak)


async def test_mail_is_kept_with_its_subject_its_text_and_its_html(outbox):
    await send(outbox, a_mail("Größe - und mehr"))

    mail = await outbox.wait_for("grace@example.com")

    assert mail.subject == "Größe - und mehr"
    assert mail.sender == "app@example.com"
    assert mail.text == "How are you?\n"
    assert "<b>are</b>" in mail.html


async def test_the_list_shows_the_newest_first_and_a_link_to_each(outbox, shown):
    _, empty, _ = await shown()
    await send(outbox, a_mail("First"), a_mail("Second"))

    status, listed, _ = await shown()

    assert "No mail yet" in empty
    assert status == 200
    assert listed.index("Second") < listed.index("First")
    assert "/dev/outbox/1" in listed
    assert "grace@example.com" in listed


async def test_one_mail_shows_its_head_its_text_with_a_link_and_its_html_in_a_frame(outbox, shown):
    await send(outbox, a_mail(text="Open:\nhttps://example.com/approve/x\nBye"))

    _, one, _ = await shown("/dev/outbox/1")
    _, html, headers = await shown("/dev/outbox/1/html")

    assert "<h1>Hello</h1>" in one
    assert "app@example.com" in one
    assert "<a href='https://example.com/approve/x'" in one
    assert "src='/dev/outbox/1/html'" in one
    assert "How <b>are</b> you?" in html
    assert "<base target='_blank'>" in html  # a page that may not be framed opens beside it
    assert "sandbox allow-popups" in headers["Content-Security-Policy"]
    assert "allow-scripts" not in headers["Content-Security-Policy"]


async def test_what_a_mail_says_is_text_on_the_pages_of_the_outbox(outbox, shown):
    await send(outbox, a_mail("<script>alert(1)</script>", text="<img src=x>"))

    _, listed, headers = await shown()
    _, one, _ = await shown("/dev/outbox/1")

    for page in (listed, one):
        assert "<script" not in page
        assert "<img" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_only_so_many_are_kept_and_the_oldest_go_first(outbox, shown):
    await send(outbox, *[a_mail(f"Mail {number}") for number in range(1, KEPT + 3)])

    status, _, _ = await shown("/dev/outbox/2")

    assert [len(outbox.mails), outbox.mails[0].number] == [KEPT, 3]
    assert status == 404


async def test_a_mail_that_is_too_large_is_not_taken(outbox):
    with pytest.raises(smtplib.SMTPResponseException, match="552"):
        await send(outbox, a_mail(text="x" * 70 + "\n" * MAIL_BYTES))

    assert not outbox.mails


@pytest.mark.parametrize("path", ["/dev/outbox/7", "/dev/outbox/x", "/dev/outbox/1/source", "/dev/outbox/-1"])
async def test_what_is_not_kept_is_404(outbox, shown, path):
    await send(outbox, a_mail())

    assert (await shown(path))[0] == 404


async def test_the_pages_only_show(shown):
    assert (await shown(method="POST"))[0] == 405
    assert (await shown("/dev/outboxes"))[0] == 404


async def test_another_name_for_this_machine_is_not_shown_the_mail(shown):
    """A page on the internet whose name is led here afterwards could read the mail as its own."""
    assert (await shown(Host="evil.example"))[0] == 403
    assert (await shown(Host="localhost:7071"))[0] == 200


async def test_a_host_that_others_can_reach_shows_no_mail(outbox, tmp_path, monkeypatch):
    host = Host(an_app(tmp_path, monkeypatch), "0.0.0.0", 0, 0, outbox=outbox)  # noqa: S104 - what is tested
    await host.start()
    try:
        async with ClientSession() as http, http.get(f"http://127.0.0.1:{host.port}/dev/outbox") as answer:
            assert answer.status == 404
    finally:
        await host.stop()


# --- which settings lead there --------------------------------------------------------------------


async def kept(folder: Path, environment, **how):
    outbox = await outboxes.keep(folder, environment, **how)
    if outbox:
        await outbox.stop()
    return outbox


async def test_the_settings_that_an_app_names_lead_there(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SECTION)
    environment = {"MAIL_COLOUR": "blue"}

    outbox = await kept(tmp_path, environment)

    assert environment == {"MAIL_TO": f"smtp://{outbox.address}/?to={{someone}}", "MAIL_COLOUR": "blue"}
    assert outbox.address.startswith("127.0.0.1:")


@pytest.mark.parametrize("value", ["smtp://mail.example.com", ""])
async def test_mail_goes_where_the_environment_says_if_it_says_anything(tmp_path, value):
    (tmp_path / "pyproject.toml").write_text(SECTION)
    environment = {"MAIL_TO": value}

    assert await kept(tmp_path, environment) is None
    assert environment == {"MAIL_TO": value}


async def test_mail_goes_where_local_settings_say_if_they_say_anything(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SECTION)
    (tmp_path / "local.settings.json").write_text('{"Values": {"MAIL_TO": "smtp://mail.example.com"}}')

    assert await kept(tmp_path, {}) is None


async def test_a_demo_sends_no_mail_to_anybody_whatever_is_set(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SECTION)
    (tmp_path / "local.settings.json").write_text('{"Values": {"MAIL_TO": "smtp://mail.example.com"}}')
    environment = {"MAIL_TO": "smtp://mail.example.com", "MAIL_COLOUR": "blue"}

    outbox = await kept(tmp_path, environment, instead=True)

    assert environment == {"MAIL_TO": f"smtp://{outbox.address}/?to={{someone}}", "MAIL_COLOUR": "red"}


@pytest.mark.parametrize("text", [None, "", "[tool.ruff]", "[tool.devhost.outbox]\nCOLOUR = 'red'"])
async def test_an_app_that_sends_no_mail_gets_no_outbox(tmp_path, text):
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)

    assert await kept(tmp_path, {}) is None


@pytest.mark.parametrize("text", ["[tool.devhost.outbox]\nN = 1", "[tool.devhost]\noutbox = 1", "no toml"])
async def test_a_section_that_makes_no_sense_is_named(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(Refused, match=r"pyproject\.toml"):
        await kept(tmp_path, {})

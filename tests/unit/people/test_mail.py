"""Mail of our own: who can be written to, what a letter is, and what the two transports make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from approvals.people import azure_mail, messages
from approvals.people.azure_mail import AzureTransport
from approvals.people.channels import Undeliverable
from approvals.people.mail import MailChannel, read_mailbox, write_letter
from approvals.people.outlets import configured_channels, parse_mailbox
from approvals.people.smtp import SmtpTransport
from approvals.settings import BadSetting, Settings
from tests.browser.conftest import GET_AXE, not_here
from tests.builders import ALAN, GRACE, a_panel, a_policy, found
from tests.sinks import SmtpSink, WebhookSink

ROOT = Path(__file__).parents[3]
LINK = "https://approvals.example.com/approve/WyIwMDAx_-a.b_c-d_.Zz9"
KEY = "0" * 31 + "1-asked-1-0-0+8f3a9c11"
SENDER = "Acme Approvals <approvals@example.com>"
DETAILS = json.dumps({f"line {n}": f"value {n} <b>*_" for n in range(30)})
LONG = "First <line> of *many* words.\n" + "It goes on and on. " * 400


def a_message(to=GRACE, key=KEY, occasion="asked", **fields):
    asked = found(a_policy(a_panel(GRACE, ALAN)), item="New laptop: *the* <big> one", **fields)
    return messages.compose(asked, occasion, key=key, to=to, link=LINK)


def by_smtp(sink, **settings):
    values = {"smtp_url": f"smtp://127.0.0.1:{sink.port}", "mail_from": SENDER, **settings}
    (channel,) = configured_channels(Settings(**values))
    return channel


# --- who can be written to ------------------------------------------------------------------------

ADDRESSES = {
    # of RFC 5321, RFC 5322, RFC 6531 and RFC 5890: the mailbox, or nothing
    "ada@example.com": "ada@example.com",
    "o'brien@example.org": "o'brien@example.org",
    "ada+travel@example.com": "ada+travel@example.com",
    "a/b=c%d!e@example.com": "a/b=c%d!e@example.com",
    "ADA.Lovelace@Example.COM": "ADA.Lovelace@example.com",
    "ada@bücher.example": "ada@xn--bcher-kva.example",
    "ada@xn--bcher-kva.example": "ada@xn--bcher-kva.example",
    "zoë@example.org": "zoë@example.org",
    "用户@例子.example": "用户@xn--fsqu00a.example",
    f"{'x' * 64}@example.com": f"{'x' * 64}@example.com",
    "ada@sub.domain.example.museum": "ada@sub.domain.example.museum",
    "ada@intranet": "ada@intranet",
    "ada": None,
    "ada@example.com,eve@example.com": None,
    "ada@example.com eve@example.com": None,
    "ada@example.com;eve@example.com": None,
    "Ada <ada@example.com>": None,
    "<ada@example.com>": None,
    "ada(comment)@example.com": None,
    "ada@example.com\r\nBcc: eve@example.com": None,
    "ada..b@example.com": None,
    ".ada@example.com": None,
    "ada@-example.com": None,
    "ada@exa mple.com": None,
    "@example.com": None,
    "ada@": None,
    "ada@[127.0.0.1]": None,
    '"ada eve"@example.com': None,
}


@pytest.mark.parametrize(("name", "mailbox"), ADDRESSES.items())
def test_a_name_is_a_mailbox_or_it_is_not(name, mailbox):
    read = read_mailbox(name)

    assert (read and read.address) == mailbox


@pytest.mark.parametrize("name", [name for name, mailbox in ADDRESSES.items() if mailbox])
def test_a_letter_arrives_at_each_kind_of_address_and_at_no_other(name):
    with SmtpSink() as sink:
        by_smtp(sink).send(a_message(to=name))
        (mail,) = sink.wait_for(1)

    assert mail.recipients == [ADDRESSES[name]]
    assert str(mail.message["To"]).encode(errors="surrogateescape").decode() == ADDRESSES[name]
    assert "Bcc" not in mail.message


@pytest.mark.parametrize("name", [name for name, mailbox in ADDRESSES.items() if not mailbox])
def test_what_is_no_address_is_never_written_to_and_not_tried_again(name):
    with SmtpSink() as sink:
        channel = by_smtp(sink)
        with pytest.raises(Undeliverable) as caught:
            channel.send(a_message(to=name))

        assert sink.received == []
    assert caught.value.permanent
    assert not channel.reaches(name)


# --- what a letter is -----------------------------------------------------------------------------


def the_letter(**fields):
    with SmtpSink() as sink:
        by_smtp(sink, mail_reply_to="help@example.com").send(a_message(**fields))
        (mail,) = sink.wait_for(1)
    return mail


def test_a_letter_has_a_sender_with_a_name_and_says_that_a_machine_wrote_it():
    letter = the_letter().message

    assert str(letter["From"]) == SENDER
    assert str(letter["Reply-To"]) == "help@example.com"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Id"] == "Approvals <approvals.example.com>"
    assert letter["Subject"] == a_message().subject
    assert letter["Date"] is None or letter["Date"].datetime


def test_one_that_is_sent_again_has_the_same_name_and_all_of_a_request_are_one_thread():
    first, again = the_letter().message, the_letter().message
    reminder = the_letter(key=KEY.replace("asked", "reminded"), occasion="reminded").message

    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"] != reminder["Message-ID"]
    assert first["References"] == reminder["References"] == f"<{'0' * 31}1@example.com>"
    assert first["Message-ID"].endswith("@example.com>")


def test_the_text_part_loses_nothing_and_is_as_it_was_written():
    mail = the_letter(description=LONG, details=DETAILS)

    text = mail.text
    assert "New laptop: *the* <big> one" in text
    assert "First <line> of *many* words." in text
    assert text.count("It goes on and on.") == 400
    assert all(f"Line {n}: value {n} <b>*_" in text for n in range(30))
    assert LINK in text.split()
    assert KEY not in text
    assert KEY not in mail.html


def test_the_button_goes_to_the_page_and_nothing_is_fetched():
    mail = the_letter()

    assert f'href="{LINK}"' in mail.html
    assert "src=" not in mail.html


def test_lines_are_short_enough_for_mail_servers():
    letter = write_letter(a_message(description="x" * 8000), read_mailbox(GRACE), parse_mailbox("MAIL_FROM", SENDER))

    assert max(map(len, bytes(letter).split(b"\r\n"))) <= 998  # RFC 5322, 2.1.1


PARSE = """
const { simpleParser } = require("mailparser");
simpleParser(process.stdin).then((mail) => console.log(JSON.stringify({
  from: mail.from.value, to: mail.to.value, subject: mail.subject, text: mail.text, id: mail.messageId,
  references: mail.references, html: mail.html.length,
})));
"""


@pytest.mark.large
@pytest.mark.parametrize("person", ["o'brien@example.org", "ada@bücher.example", GRACE])
def test_another_parser_reads_a_letter_as_it_was_meant(person):
    message = a_message(to=person, description="Überraschung \u2028 日本語", details=DETAILS)
    letter = write_letter(message, read_mailbox(person), parse_mailbox("MAIL_FROM", SENDER))

    if not (ROOT / "node_modules/mailparser").exists():
        not_here("Without mailparser nobody reads letters but Python.", GET_AXE)
    run = subprocess.run(["node", "-e", PARSE], input=bytes(letter), capture_output=True, check=True, cwd=ROOT)
    read = json.loads(run.stdout)

    assert read["from"] == [{"address": "approvals@example.com", "name": "Acme Approvals"}]
    assert [each["address"] for each in read["to"]] == [person]  # which shows a domain as people read it
    assert read["subject"] == message.subject
    assert read["text"].split() == message.letter.split()
    assert read["id"] == letter["Message-ID"]


# --- by SMTP --------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", ["451", "421", "drop"])
def test_a_server_that_does_not_take_it_now_is_asked_again_later(failure):
    with SmtpSink(failure) as sink, pytest.raises(Undeliverable) as caught:
        by_smtp(sink).send(a_message())

    assert not caught.value.permanent


def test_a_server_that_is_away_is_asked_again_later_and_its_password_is_not_said():
    channel = MailChannel(SmtpTransport.at("smtp://ada:hunter2@127.0.0.1:9"), parse_mailbox("MAIL_FROM", SENDER))

    with pytest.raises(Undeliverable) as caught:
        channel.send(a_message())

    assert not caught.value.permanent
    assert "hunter2" not in f"{caught.value!r}{channel!r}"


def test_a_server_elsewhere_must_speak_tls_before_anything_is_said():
    sent = {}

    async def send(_, **options):
        sent.update(options)

    with pytest.MonkeyPatch.context() as patch:
        import aiosmtplib  # noqa: PLC0415

        patch.setattr(aiosmtplib, "send", send)
        for url in ("smtp://smtp.example.com", "smtps://u%40x:p%2Fw@smtp.example.com"):
            SmtpTransport.at(url).send(
                write_letter(a_message(), read_mailbox(GRACE), parse_mailbox("MAIL_FROM", SENDER)), read_mailbox(GRACE)
            )
            assert sent["start_tls"] is not sent["use_tls"]
            assert sent.get("validate_certs", True)

    assert (sent["port"], sent["username"], sent["password"]) == (465, "u@x", "p/w")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"smtp_url": "smtp://h", "mail_endpoint": "https://x", "mail_from": SENDER}, "MAIL_ENDPOINT"),
        ({"smtp_url": "smtp://h"}, "MAIL_FROM"),
        ({"mail_from": SENDER}, "SMTP_URL"),
        ({"mail_reply_to": SENDER}, "SMTP_URL"),
        ({"smtp_url": "http://hunter2@h", "mail_from": SENDER}, "SMTP_URL"),
        ({"smtp_url": "smtp://hunter2@h:99999", "mail_from": SENDER}, "SMTP_URL"),
        ({"smtp_url": "smtp://hunter2@h/x", "mail_from": SENDER}, "SMTP_URL"),
        ({"smtp_url": "smtp://", "mail_from": SENDER}, "SMTP_URL"),
        ({"smtp_url": "smtp://h", "mail_from": "nobody"}, "MAIL_FROM"),
        ({"smtp_url": "smtp://h", "mail_from": "a@example.com, b@example.com"}, "MAIL_FROM"),
        ({"smtp_url": "smtp://h", "mail_from": "A\nBcc: x <a@example.com>"}, "MAIL_FROM"),
        ({"smtp_url": "smtp://h", "mail_from": SENDER, "mail_reply_to": "x"}, "MAIL_REPLY_TO"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_and_not_shown(settings, named):
    with pytest.raises(BadSetting, match=named) as caught:
        configured_channels(Settings(**settings))

    assert "hunter2" not in str(caught.value)


# --- by Azure Communication Services --------------------------------------------------------------


class Credential:
    """The app's identity, as azure-core asks for its token."""

    def get_token(self, *_, **__):
        from azure.core.credentials import AccessToken  # noqa: PLC0415

        return AccessToken("token-of-the-app", 4102444800)


@pytest.fixture
def azure(monkeypatch):
    """Stand for the service: an address of ours that takes what its REST description says it takes."""
    from azure.core.pipeline.policies import _authentication  # noqa: PLC0415

    monkeypatch.setattr(azure_mail, "credential", Credential)
    # over plain HTTP no token would be sent, and TLS is not what is tried here
    monkeypatch.setattr(_authentication, "_enforce_https", lambda _: None)


def by_azure(sink):
    return MailChannel(AzureTransport(f"http://127.0.0.1:{sink.port}"), parse_mailbox("MAIL_FROM", SENDER))


def check_against_rest_description(posted):
    """Hold a call against the description of `POST /emails:send` of version 2023-03-31 and later."""
    assert posted.path.startswith("/emails:send?api-version=20")
    assert posted.headers["authorization"] == "Bearer token-of-the-app"
    assert posted.headers["content-type"] == "application/json"
    assert len(posted.headers["operation-id"]) == 36
    body = posted.json
    assert set(body) <= {
        *("headers", "senderAddress", "content", "recipients", "attachments", "replyTo"),
        "userEngagementTrackingDisabled",
    }
    assert {"senderAddress", "content", "recipients"} <= set(body)
    assert set(body["content"]) == {"subject", "plainText", "html"}
    assert all(isinstance(value, str) and value for value in body["content"].values())
    assert set(body["recipients"]) <= {"to", "cc", "bcc"}
    for each in [*body["recipients"]["to"], *body.get("replyTo", [])]:
        assert set(each) <= {"address", "displayName"}
        assert each["address"].isascii()
    assert all(isinstance(value, str) and "\n" not in value for value in body["headers"].values())


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("person", ["o'brien@example.org", "ada@bücher.example", GRACE])
def test_azure_takes_a_letter_in_its_own_form(person):
    with WebhookSink(202) as sink:
        said = by_azure(sink).send(a_message(to=person, description=LONG))
        (posted,) = sink.wait_for(1)

    check_against_rest_description(posted)
    assert said == f"mail took {KEY}."
    assert posted.json["senderAddress"] == "approvals@example.com"
    assert posted.json["recipients"]["to"] == [{"address": read_mailbox(person).address}]
    assert posted.json["content"]["plainText"].split() == a_message(to=person, description=LONG).letter.split()
    assert posted.json["headers"]["Auto-Submitted"] == "auto-generated"


@pytest.mark.usefixtures("azure")
def test_a_letter_that_is_sent_again_is_the_same_operation_and_was_taken():
    with WebhookSink(202, 409) as sink:
        by_azure(sink).send(a_message())
        by_azure(sink).send(a_message())
        first, again = sink.wait_for(2)

    assert first.headers["operation-id"] == again.headers["operation-id"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a connection that was reset
@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("answers", [(401,), (404,), (429, 429), (500, 500), ("reset", "reset")])
def test_what_azure_does_not_take_is_sent_again_later(answers):
    with WebhookSink(*answers) as sink, pytest.raises(Undeliverable) as caught:
        by_azure(sink).send(a_message())

    assert not caught.value.permanent
    assert LINK not in str(caught.value)


@pytest.mark.usefixtures("azure")
def test_azure_cannot_write_to_letters_beyond_ascii_before_the_at():
    with WebhookSink() as sink:
        assert not by_azure(sink).reaches("zoë@example.org")


# --- rooms ----------------------------------------------------------------------------------------


def in_room(sink, kind):
    (channel,) = configured_channels(Settings(notify_rooms=(f"{kind}+http://127.0.0.1:{sink.port}/hook",)))
    return channel


def test_slack_gets_blocks_of_plain_text_and_a_button():
    with WebhookSink() as sink:
        in_room(sink, "slack").send(a_message(to=None, description="<!channel> *all*"))
        (posted,) = sink.wait_for(1)

    header, section, actions = posted.json["blocks"]
    assert header["text"]["type"] == section["text"]["type"] == "plain_text"
    assert len(header["text"]["text"]) <= 150
    assert len(section["text"]["text"]) <= 3000
    assert actions["elements"][0]["url"] == LINK
    assert LINK not in section["text"]["text"]


def test_teams_gets_an_adaptive_card_with_a_button():
    with WebhookSink(202) as sink:
        in_room(sink, "teams").send(a_message(to=None, description="<at>all</at> [x](https://evil.example)"))
        (posted,) = sink.wait_for(1)

    (attachment,) = posted.json["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["type"] == "AdaptiveCard"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the request", "url": LINK}]
    assert "https://evil" not in json.dumps(card["body"])
    assert LINK not in json.dumps(card["body"])


@pytest.mark.parametrize("kind", ["slack", "teams"])
@pytest.mark.parametrize("answer", [500, 404, "reset", ("redirect", "http://127.0.0.1:9/")])
def test_a_room_that_does_not_take_it_is_told_again_and_no_redirect_is_followed(kind, answer):
    with WebhookSink(answer) as sink, pytest.raises(Undeliverable) as caught:
        in_room(sink, kind).send(a_message(to=None))

    assert "/hook" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/x",
        "slack+http://hooks.slack.com/secret",
        "irc+https://x/secret",
        "slack+https:///secret",
    ],
)
def test_a_room_that_makes_no_sense_is_named_and_not_shown(url):
    with pytest.raises(BadSetting, match="NOTIFY_ROOMS: number 1") as caught:
        configured_channels(Settings(notify_rooms=(url,)))

    assert "secret" not in str(caught.value)

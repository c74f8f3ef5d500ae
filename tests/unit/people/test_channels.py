"""Messages through Apprise to real servers, and what becomes of them when those fail."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from urllib.parse import unquote

import pytest

from approvals.people import messages
from approvals.people.channels import LogChannel, Message, Undeliverable
from approvals.people.outlets import configured_channels
from approvals.people.services import AppriseChannel, fit
from approvals.people.threads import run_in_thread
from approvals.settings import BadSetting, Settings
from tests.builders import ALAN, GRACE, a_panel, a_policy, found
from tests.sinks import PATIENCE, SmtpSink, WebhookSink

# Apprise's mail plugin imports a module that Python 3.13 does not have any more, and knows it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

LINK = "https://approvals.example.com/approve/WyIwMDAx_-a.b_c-d_.Zz9"
KEY = "0" * 31 + "1-asked-1-0-0+8f3a9c11"
PASSWORD = "hunter2secret"  # noqa: S105
SHORT = {"cto": "0.3", "rto": "0.3"}


def a_message(to=GRACE, **fields):
    asked = found(a_policy(a_panel(GRACE, ALAN)), item="New laptop <b>", description="Needed **now**\n[x](y)", **fields)
    return messages.compose(asked, "asked", key=KEY, to=to, link=LINK)


@pytest.fixture
def everything_logged(caplog):
    """Listen to every logger at every level, those that exist and those that come."""
    caplog.set_level(1)
    levels = {}
    for name in ["urllib3", "urllib3.connectionpool", "urllib3.util.retry", "apprise", "requests"]:
        levels[name] = logging.getLogger(name).level
        logging.getLogger(name).setLevel(1)
    yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def the_failure(channel, message):
    with pytest.raises(Undeliverable) as caught:
        channel.send(message)
    return caught.value


def all_that_was_said(error, log, captured):
    shown = [log.text, captured.out, captured.err, repr(error), str(error.args)]
    assert error.__suppress_context__
    return "\n".join(shown + [record.getMessage() for record in log.records])


@pytest.mark.parametrize(
    ("person", "reached"), [(GRACE, True), ("Grace Hopper", False), ("a@b.com:c@d.org", False), ("", False)]
)
def test_a_mail_server_reaches_those_who_have_an_address(person, reached):
    assert AppriseChannel("mailto://u:p@mail.example.com?to={approver}", 1).reaches(person) is reached


# --- an end to what hangs -------------------------------------------------------------------------


@pytest.mark.parametrize("dripping", ["drip", "drip body"])
def test_a_webhook_that_sends_a_byte_at_a_time_holds_no_thread_for_ever(dripping):
    with WebhookSink(dripping) as sink:
        asyncio.run(give_up(AppriseChannel(sink.url(), 1), lambda: sink.wait_for(1)))


# what is stopped twice leaves its socket to be collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_mail_server_that_sends_a_byte_at_a_time_holds_no_thread_for_ever():
    """Stopped once, the library says good-bye to it, and would wait for ever for the answer to that."""
    with SmtpSink("drip") as sink:
        asyncio.run(give_up(AppriseChannel(sink.url(), 1)))


async def give_up(channel, arrived=lambda: None):
    """Send a message, wait no longer than it takes to arrive and be dripped on, and see the thread end."""
    sending = asyncio.ensure_future(run_in_thread(channel.name, lambda: channel.send(a_message())))
    await asyncio.to_thread(arrived)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7):
            await sending
    (thread,) = [one for one in threading.enumerate() if one.name == channel.name]
    await asyncio.to_thread(thread.join, PATIENCE)
    assert not thread.is_alive()


# --- what a name may do to an address -----------------------------------------------------------

NAMES = (
    *(
        "..",
        ".",
        "...",
        "..:..",
        "..@..",
        "~",
        "-",
        "+",
        "@",
        "",
        " ",
        "a b",
        "a\tb",
        "a\x00b",
        "\u2025",
        "\uff0e\uff0e",
    ),
    *(
        "%2e%2e",
        "%2E%2E%2Fadmin",
        "a%2Fb",
        "a/b",
        "../b",
        "a/../b",
        "a\\b",
        "a\uff0fb",
        "a\u2215b",
        "a\uff3cb",
        "a\u2024b",
    ),
    *(
        "a?b",
        "a?b=c",
        "a#b",
        "a;b",
        "a&b=c",
        "a=b",
        "a,b",
        "a|b",
        "a\uff1fb",
        "a\uff03b",
        "//evil.example",
        "http://evil",
    ),
    *(
        "a..b",
        "..a",
        "a@b",
        "a@b.com",
        "a:80",
        "ada:pw",
        "@ada",
        "a!b",
        "a+b",
        "~root",
        "\uff41",
        "\xe9",
        "e\u0301",
        "\xdf",
    ),
)


@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
@pytest.mark.parametrize("path", ["users/{}/notify", "{}", "users/.{}/notify", "users/x{}", "a/?-to={}"])
def test_no_name_changes_the_shape_of_an_address(scheme, path):
    """A name arrives as it is, in the one place it was given, or the message is not sent at all."""
    shape = path.partition("?")[0].split("/")
    with WebhookSink() as sink:
        channel = AppriseChannel(sink.url(scheme, path.format("{approver}")), 1)
        for name in NAMES:
            sent = len(sink.received)
            if not channel.reaches(name):
                assert the_failure(channel, a_message(to=name)).permanent
                assert len(sink.received) == sent, name
            else:
                channel.send(a_message(to=name))
                (arrived,) = sink.received[sent:]
                steps = [unquote(step) for step in arrived.path.partition("?")[0].removeprefix("/").split("/")]
                assert steps == [step.format(name) for step in shape], name
                assert "evil" not in name
        assert len(sink.received) > len(NAMES) / 10


@pytest.mark.parametrize("nobody", ["..", ".", "...", "~", "-", "@", "..:.."])
def test_a_name_without_a_letter_or_digit_is_nobodys(nobody):
    assert not AppriseChannel("json://localhost/users/{approver}/notify", 1).reaches(nobody)
    assert not AppriseChannel("mailto://u:p@localhost?to={approver}", 1).reaches(nobody)


@pytest.mark.parametrize(
    "address",
    [
        "json://{approver}/hook",
        "jsons://{approver}.example.com/hook",
        "json://user:password@x{approver}",
        "xml://{approver}?a=b",
        "workflows://{approver}/a/b",
        "json://localhost/hook?{approver}=x",
        "json://localhost/hook?a=b&-{approver}=x",
        "json://localhost/hook?{approver}",
    ],
)
def test_an_address_in_which_a_name_would_choose_the_host_or_an_option_stops_the_app(address):
    with pytest.raises(BadSetting, match="NOTIFY_URLS: number 3") as caught:
        AppriseChannel(address, 3).check()

    assert "example.com" not in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["bulksms://id:secret@{approver}", "d7sms://token@{approver}", "ntfys://{approver}"]
)
def test_where_a_service_has_its_recipients_in_place_of_a_host_a_name_may_stand(address):
    AppriseChannel(address, 1).check()


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1", "evil.example:80", "ada", "ada@evil.example"])
def test_a_name_in_place_of_a_host_never_becomes_one(name):
    channel = AppriseChannel("ntfys://{approver}", 1)

    assert not channel.reaches(name) or channel.service(name).mode == "cloud"


# --- mail -----------------------------------------------------------------------------------------


def test_mail_reaches_the_person_with_subject_text_html_and_key():
    message = a_message()
    with SmtpSink() as sink:
        AppriseChannel(sink.url(), 1).send(message)
        (mail,) = sink.wait_for(1)

    assert (mail.sender, mail.recipients) == ("approvals@example.com", [GRACE])
    assert mail.message["To"] == GRACE
    assert mail.message["Subject"] == message.subject
    assert mail.message["X-Approval-Message"] == KEY
    assert mail.html.split() == message.html.split()
    assert LINK in mail.text.split()
    assert KEY not in mail.text  # no noise for people: programs have the header


def test_mail_has_our_headers_and_no_other():
    with SmtpSink() as sink:
        AppriseChannel(sink.url(), 1).send(a_message())
        (mail,) = sink.wait_for(1)

    ours = {"X-Application", "X-Approval-Message", "Subject", "From", "To", "Message-ID", "Date"}
    mime = {"Content-Type", "MIME-Version", "Content-Transfer-Encoding"}
    assert set(mail.message.keys()) - {"X-Peer", "X-MailFrom", "X-RcptTo"} - mime == ours
    assert mail.message["X-Application"] == "Durable Approvals"


def test_mail_as_the_operator_wants_it_is_text():
    message = a_message()
    with SmtpSink() as sink:
        AppriseChannel(sink.url(format="text"), 1).send(message)
        (mail,) = sink.wait_for(1)

    assert mail.message.get_content_type() == "text/plain"
    assert mail.text.split() == message.text.split()


def test_mail_is_waited_for_less_long_than_apprise_would_unless_the_operator_says_so():
    assert AppriseChannel("mailto://h/?from=a@example.com&to={approver}", 1).service(GRACE).socket_connect_timeout == 5
    own = AppriseChannel("mailto://h/?from=a@example.com&to={approver}&cto=12", 1)
    assert own.service(GRACE).socket_connect_timeout == 12


@pytest.mark.parametrize(
    "person",
    [
        "grace",
        "",
        None,
        "a@example.com,b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "a@example.com\nb@example.com",
        "a@example.com\u2028b@example.com",
        "a@b.com:c@d.org",
        "a@b.com|c@d.org",
        "eve:ada@example.com",
        "o'brien@example.com",
        '"x"ada@example.com',
        "Ada <ada@example.com>",
        "ada@example.com?bcc=eve@example.com",
        "ada@example.com&bcc=eve@example.com",
        "ada@example.com%26bcc=eve@example.com",
        "ada@example.com/eve@example.com",
        "ada\\@example.com",
        "ada@example.com#x",
        "[a@example.com][b@example.com]",
        "(a@example.com)",
        "ada@example.com\x00",
        "{approver}",
        "ada＠example.com",
    ],
)
@pytest.mark.parametrize("address", ["to", "path"])
def test_who_is_not_surely_one_recipient_is_not_written_to(person, address):
    with SmtpSink() as sink:
        url = sink.url() if address == "to" else f"mailto://127.0.0.1:{sink.port}/{{approver}}?from=a@example.com"

        error = the_failure(AppriseChannel(url, 1), a_message(to=person))

    assert error.permanent
    assert not sink.received


@pytest.mark.parametrize("person", [GRACE, "Ada.Lovelace+test@Sub.Example.COM", "ada_l-x@example.co.uk"])
def test_who_has_an_address_of_their_own_is_written_to(person):
    with SmtpSink() as sink:
        AppriseChannel(sink.url(), 1).send(a_message(to=person))
        (mail,) = sink.wait_for(1)

    assert mail.recipients == [person]


@pytest.mark.parametrize("failure", ["451", "550", "hang", "drop"])
def test_mail_that_fails_is_undeliverable_and_sent_again_arrives(failure, everything_logged, capfd):
    with SmtpSink(failure) as sink:
        channel = AppriseChannel(sink.url(**SHORT), 1)

        error = the_failure(channel, a_message())
        channel.send(a_message())

        assert len(sink.wait_for(1)) == 1
    assert not error.permanent
    assert LINK not in all_that_was_said(error, everything_logged, capfd.readouterr())


def test_a_mail_server_that_is_not_there_is_an_undeliverable_without_secrets(everything_logged, capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        channel = AppriseChannel(f"mailto://me:{PASSWORD}@127.0.0.1:{port}/?from=a@example.com&to={{approver}}", 3)

        error = the_failure(channel, a_message())

    said = all_that_was_said(error, everything_logged, capfd.readouterr())
    assert str(error) == f"mailto-3 did not take {KEY}."
    assert PASSWORD not in said + repr(channel)
    assert LINK not in said


# --- webhooks and chats ---------------------------------------------------------------------------


def test_a_webhook_gets_the_text_and_the_key():
    message = a_message(to=None)
    with WebhookSink() as sink:
        AppriseChannel(sink.url(), 2).send(message)
        (posted,) = sink.wait_for(1)

    assert posted.json["title"] == message.subject
    assert posted.json["message"].strip() == message.text.strip()
    assert posted.headers["x-approval-message"] == KEY


CHATS = {
    "json": "json://127.0.0.1:{port}/hook",
    "xml": "xml://127.0.0.1:{port}/hook",
    "form": "form://127.0.0.1:{port}/hook",
    "mattermost": "mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4",
    "ntfy": "ntfy://127.0.0.1:{port}/topic",
    "gotify": "gotify://127.0.0.1:{port}/ABCDEFGHIJKLMNO",
    "rocket.chat": "rocket://wh/hook@127.0.0.1:{port}/%23chan",
    "matrix": "matrix://token@127.0.0.1:{port}/?mode=slack",
}


@pytest.mark.parametrize("chat", CHATS)
def test_chats_get_a_link_that_works_and_nothing_of_a_callers_that_means_something(chat):
    with WebhookSink() as sink:
        channel = AppriseChannel(CHATS[chat].format(port=sink.port), 1)

        channel.send(a_message(to=None, details='{"x":"<!channel> @everyone https://evil.example"}'))

        posted = sink.wait_for(1)[-1]
    body = posted.body.decode()
    assert LINK in body.replace("%3A", ":").replace("%2F", "/")
    for sign in ("@everyone", "<!channel>", "://evil", "github.com/caronc"):
        assert sign not in body


def sent_by(url, monkeypatch, **fields):
    """Give what a service whose host cannot be chosen would post."""
    import requests  # noqa: PLC0415

    posts = []

    def post(_, **said):
        posts.append(said.get("data") or said.get("json"))
        answer = requests.Response()
        answer.status_code, answer._content = 200, b"ok"
        return answer

    monkeypatch.setattr(requests.Session, "request", post)
    AppriseChannel(url, 1).send(a_message(to=None, **fields))
    return posts[-1] if isinstance(posts[-1], str) else posts[-1].decode()


SERVICES = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "discord-md": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown",
    "teams": "workflows://prod-0.azure.com:443/6e1c2b/Xk0sig",
    "google": "gchat://workspace/key/token",
    "telegram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "webex": "wxteams://" + "a" * 80,
}
HOSTILE = '{"x":"<!channel> <https://evil.example|Approve> [Approve](https://evil.example) <b> @everyone <at>x</at>"}'


@pytest.mark.parametrize("service", SERVICES)
def test_what_services_with_markup_are_sent_has_our_link_and_no_markup_of_callers(service, monkeypatch):
    body = sent_by(SERVICES[service], monkeypatch, details=HOSTILE)

    assert LINK in body
    assert "://evil" not in body
    for sign in ("<!", "<https://evil", "](https://evil", "<b>", "<i>", "@everyone", "<at>", "caronc/apprise/raw"):
        assert sign not in body.replace("<b>ada@example.com asks", "").replace("[" + LINK, "")


@pytest.mark.parametrize("service", ["teams", "webex"])
def test_services_that_take_markdown_alone_get_the_link_as_a_link(service, monkeypatch):
    assert f"[{LINK}]({LINK})" in sent_by(SERVICES[service], monkeypatch)


def test_apprise_makes_nothing_of_smileys_and_backslashes():
    message = Message(key=KEY, subject=":smile: \\n", text=":smile: \\n \\x41", html="", to=None)
    with WebhookSink() as sink:
        AppriseChannel(sink.url(emojis="yes"), 1).send(message)
        (posted,) = sink.wait_for(1)

    assert (posted.json["title"], posted.json["message"]) == (":smile: \\n", ":smile: \\n \\x41")


@pytest.mark.parametrize("answer", [500, 503, 404, 429, "hang", "reset", "redirect"])
def test_a_webhook_that_fails_is_undeliverable_and_says_no_secret(answer, everything_logged, capfd):
    with WebhookSink() as elsewhere, WebhookSink() as sink:
        sink.answers = [("redirect", f"http://127.0.0.1:{elsewhere.port}/") if answer == "redirect" else answer]
        channel = AppriseChannel(sink.url(path=f"hook/{PASSWORD}", **SHORT), 2)

        error = the_failure(channel, a_message(to=None))

        assert not elsewhere.received, "a redirect was followed with a link in hand"
    said = all_that_was_said(error, everything_logged, capfd.readouterr())
    assert not error.permanent
    assert PASSWORD not in said + repr(channel)
    assert LINK not in said


def test_what_succeeds_says_no_secret_either(everything_logged, capfd):
    with WebhookSink() as sink:
        line = AppriseChannel(sink.url(path=f"hook/{PASSWORD}"), 2).send(a_message(to=None))
    captured = capfd.readouterr()

    said = line + everything_logged.text + captured.out + captured.err
    assert line == f"json-2 took {KEY}."
    assert len(sink.received) == 1
    assert PASSWORD not in said
    assert LINK not in said


def test_one_channel_that_fails_does_not_matter_to_another():
    with SmtpSink() as mail, WebhookSink(500) as hook:
        first, second = configured_channels(Settings(notify_urls=(hook.url(), mail.url())))

        the_failure(first, a_message(to=None))
        second.send(a_message())

        assert len(mail.wait_for(1)) == 1


def test_a_plugin_that_raises_its_address_is_undeliverable_without_it(monkeypatch):
    channel = AppriseChannel("json://localhost/hook", 1)

    def broken(self, *_, **__):
        raise RuntimeError(f"could not reach json://{PASSWORD}")

    service = channel.service("")
    monkeypatch.setattr(type(service), "send", broken)

    error = the_failure(channel, a_message(to=None))

    assert PASSWORD not in str(error)


# --- what is configured ---------------------------------------------------------------------------


def test_channels_have_names_without_secrets_and_know_whether_they_are_one_persons():
    urls = (f"mailtos://me:{PASSWORD}@example.com/?to={{approver}}", SERVICES["discord"], "ntfys://{approver}")

    found_channels = configured_channels(Settings(notify_log=True, notify_urls=urls))

    assert [channel.name for channel in found_channels] == ["log", "mailtos-1", "discord-2", "ntfys-3"]
    assert [channel.personal for channel in found_channels] == [False, True, False, True]
    assert PASSWORD not in repr(found_channels)


@pytest.mark.parametrize(
    "url", ["nonsense://x", "mailto://", "slack://", "file:///etc/passwd", "https://example.com/x"]
)
def test_an_address_that_apprise_does_not_understand_is_named_by_its_number(url):
    with pytest.raises(BadSetting) as caught:
        configured_channels(Settings(notify_urls=("json://localhost", url)))

    assert "number 2" in str(caught.value)
    assert url not in str(caught.value)


def test_without_addresses_apprise_is_not_even_imported():
    code = (
        "import sys; from approvals.people import outlets; from approvals.settings import Settings;"
        "outlets.configured_channels(Settings(notify_log=True)); sys.exit('apprise' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_log_says_to_whom_and_what_about_and_never_the_link():
    line = LogChannel().send(a_message())

    assert GRACE in line
    assert KEY in line
    assert "New laptop" in line
    assert LINK not in line
    assert "Needed" not in line


def test_every_service_is_sent_one_of_three_forms():
    """Whatever Apprise adds later, something is chosen for it."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415
    from apprise.plugins.base import NotifyBase  # noqa: PLC0415

    class Standing(NotifyBase):
        """Has a plugin's formats, and none of its memory: some log out of a network when they are forgotten."""

    chosen = {}
    for plugin in {plugin for plugin in NotificationManager().plugins() if plugin.enabled}:
        service = Standing()
        service.notify_format = plugin.notify_format
        service.title_maxlen = 0 if isinstance(plugin.title_maxlen, property) else plugin.title_maxlen
        chosen[plugin.__name__] = fit(service, a_message())[1]

    assert set(chosen.values()) == {"html", "text", "markdown"}
    assert [chosen[f"Notify{name}"] for name in ("Email", "Telegram", "Slack", "Workflows")] == [
        "html",
        "text",
        "text",
        "markdown",
    ]
    assert len(chosen) > 100


def test_what_would_speak_is_silent_where_it_is_listened_to_directly(caplog):
    AppriseChannel("json://localhost", 1).service("")

    for name in ("apprise", "urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).critical("heard")

    assert "heard" not in caplog.text

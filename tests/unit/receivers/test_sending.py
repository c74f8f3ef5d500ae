"""What is sent, and what an answer means. Both libraries' own readers read it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from cloudevents.http import from_http
from standardwebhooks import Webhook, WebhookVerificationError

from approvals.receivers import sending
from approvals.receivers.addresses import Reach
from approvals.receivers.allowed import Rule
from approvals.receivers.events import CallbackEvent, event_type
from approvals.rules.callbacks import read_target
from tests.builders import NOON
from tests.sinks import WebhookSink

NEWEST, OLDER, OTHERS = ("whsec_" + each * 8 for each in ("bmV3", "b2xk", "b3Ro"))
HERE = Reach(loopback=True)
EVENT = CallbackEvent(
    "1f0c-callback-2",
    event_type("org.example.approvals", "approved"),
    "https://approvals.example.com",
    "1f0c",
    NOON,
    {"item": "Gr\u00fc\u00dfe \u2603", "amount": 1250.5, "nothing": None},
)


def sent(sink, form="structured", auth="standard-webhooks", tokens=None, path="/hook", **more):
    """Send the event to a receiver; give what became of it, and what it got."""
    target = read_target(f"http://127.0.0.1:{sink.port}{path}")
    rule = Rule(target.authority, target, auth, reach=HERE, **more)
    kept = {} if tokens is None else {"tokens": tokens}
    return asyncio.run(sending.send_event(EVENT, form, target, rule, **kept))


def got(sink):
    return sink.received[-1]


@pytest.mark.parametrize("form", ["structured", "binary"])
def test_the_libraries_of_both_standards_take_what_is_sent(form):
    with WebhookSink() as sink:
        said = sent(sink, form, secrets=(NEWEST, OLDER))
        posted = got(sink)

    assert (said.outcome, said.status) == ("delivered", 200)
    Webhook(NEWEST).verify(posted.body, posted.headers)
    event = from_http(posted.headers, posted.body)
    assert event.data == EVENT.data
    assert dict(event.get_attributes()) == {
        "specversion": "1.0",
        "id": posted.headers["webhook-id"],
        "source": "https://approvals.example.com",
        "type": "org.example.approvals.request.approved",
        "subject": "1f0c",
        "time": "2026-03-01T12:00:00.000Z",
        "datacontenttype": "application/json",
    }


def test_the_lines_of_the_document_take_what_is_sent(monkeypatch, capsys):
    """As they stand, with a web framework of four lines in place of Flask."""
    page = (Path(__file__).parents[3] / "docs/callbacks.md").read_text(encoding="utf-8")
    (lines,) = [each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Webhook(" in each]
    with WebhookSink() as sink:
        sent(sink, secrets=(NEWEST,))
    arrived = SimpleNamespace(get_data=lambda: got(sink).body, headers=got(sink).headers)
    framework = SimpleNamespace(post=lambda _path: lambda function: function)
    flask = SimpleNamespace(Flask=lambda _name: framework, request=arrived)
    monkeypatch.setitem(sys.modules, "flask", flask)
    known = {"__name__": "receiver"}

    exec(lines.replace("whsec_…", NEWEST), known)  # noqa: S102 - the document's own lines
    monkeypatch.setitem(EVENT.data, "created_by", {"name": "deploy-bot"})
    with WebhookSink() as sink:
        sent(sink, secrets=(NEWEST,))
        arrived.get_data, arrived.headers = lambda: got(sink).body, got(sink).headers
        assert known["approvals"]() == ("", 204)

    assert capsys.readouterr().out == "go 1f0c\n"
    arrived.get_data = lambda: got(sink).body.replace(b"approved", b"rejected")
    with pytest.raises(WebhookVerificationError):
        known["approvals"]()


@pytest.mark.parametrize("secret", [OLDER, OTHERS])
def test_the_newest_secret_signs_and_no_other_rule_s(secret):
    with WebhookSink() as sink:
        sent(sink, secrets=(NEWEST, OLDER))

        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(got(sink).body, got(sink).headers)


def test_one_changed_byte_is_noticed():
    with WebhookSink() as sink:
        sent(sink, secrets=(NEWEST,))
        posted = got(sink)

    with pytest.raises(WebhookVerificationError):
        Webhook(NEWEST).verify(posted.body.replace(b"approved", b"rejected"), posted.headers)


def test_where_the_address_is_the_secret_nothing_is_signed():
    with WebhookSink() as sink:
        sent(sink, auth="url", path="/hook?sig=abc")

    assert got(sink).path == "/hook?sig=abc"
    assert not {"webhook-signature", "authorization"} & got(sink).headers.keys()


def test_the_app_s_identity_brings_a_token_for_the_receiver_alone():
    async def tokens(audience):
        return f"token-for-{audience}"

    with WebhookSink() as sink:
        sent(sink, auth="entra", audience="api://receiver", tokens=tokens)

    assert got(sink).headers["authorization"] == "Bearer token-for-api://receiver"


def test_without_a_token_nothing_is_sent():
    async def tokens(_audience):
        raise sending.NoToken

    with WebhookSink() as sink:
        said = sent(sink, auth="entra", audience="api://receiver", tokens=tokens)

    assert (said.outcome, said.reason, sink.received) == ("failed", "no_token", [])


def test_a_token_is_kept_until_shortly_before_its_end(monkeypatch):
    asked = []

    class Credential:
        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            pass

        async def get_token(self, scope):
            asked.append(scope)
            return type("Token", (), {"token": f"t{len(asked)}", "expires_on": int(time.time()) + lives})()

    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", Credential)
    identity = sending.IdentityTokens()

    lives = 3600
    first = [asyncio.run(identity("api://a")) for _ in range(2)]
    lives = 60
    second = [asyncio.run(identity("api://b/")) for _ in range(2)]

    assert (first, second) == (["t1", "t1"], ["t2", "t3"])
    assert asked == ["api://a/.default", "api://b/.default", "api://b/.default"]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (200, "delivered", ""),
        (202, "delivered", ""),
        (204, "delivered", ""),
        (410, "gone", "gone"),
        (300, "failed", "refused"),
        (400, "failed", "refused"),
        (429, "failed", "refused"),
        (503, "failed", "refused"),
        ("reset", "failed", None),
    ],
)
def test_only_2xx_is_success(answer, outcome, reason):
    with WebhookSink(answer) as sink:
        said = sent(sink, auth="url")

    assert said.outcome == outcome
    assert reason is None or said.reason == reason


def test_a_redirect_is_not_followed():
    with WebhookSink() as sink:
        sink.answers[:] = [("redirect", f"http://127.0.0.1:{sink.port}/elsewhere")]
        said = sent(sink, auth="url")

        assert (said.outcome, said.status) == ("failed", 307)
        assert [each.path for each in sink.received] == ["/hook"]


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_receiver_that_takes_its_time_is_not_waited_for(monkeypatch, answer):
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    with WebhookSink(answer) as sink:
        said = sent(sink, auth="url")

    assert (said.outcome, said.reason) == ("failed", "late")


def test_of_an_endless_answer_little_is_read():
    with WebhookSink("drip body") as sink:
        said = sent(sink, auth="url")

    assert said.outcome == "delivered"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("99999999999999999999", 24 * 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("\u0663", 0),
    ],
)
def test_a_receiver_says_how_long_it_wants_to_be_left_alone(text, seconds):
    assert sending.read_retry_after(text, NOON) == seconds


def test_receivers_that_hang_take_only_their_share():
    async def many():
        target = read_target(f"http://127.0.0.1:{sink.port}/hook")
        rules = [Rule(f"rule-{number}", target, "url", reach=HERE) for number in range(20)]
        wanted = [sending.send_event(EVENT, "binary", target, rule) for rule in rules for _ in range(10)]
        return await asyncio.gather(*wanted)

    with WebhookSink(*["hang"] * 200) as sink, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "SECONDS", 0.5)
        said = asyncio.run(many())

    assert [each.outcome for each in said].count("busy") == 200 - sending.AT_ONCE
    assert sending.UNDER_WAY.by_rule.total() == 0


def test_receivers_that_hang_leave_activities_for_approvals():
    chosen = json.loads((Path(__file__).parents[3] / "host.json").read_text(encoding="utf-8"))

    assert chosen["extensions"]["durableTask"]["maxConcurrentActivityFunctions"] / 2 >= sending.AT_ONCE


def test_what_went_wrong_is_a_word_without_the_address():
    said = asyncio.run(
        sending.send_event(
            EVENT,
            "structured",
            read_target("http://127.0.0.1:9/secret-path?sig=secret"),
            Rule("r", read_target("http://127.0.0.1:9/"), "url", reach=HERE),
        )
    )

    assert (said.outcome, said.reason) == ("failed", "not_reached")
    assert "secret" not in said.model_dump_json()


def test_the_data_is_sent_as_it_is_told():
    body = json.loads(EVENT.body("structured"))

    assert body["data"] == EVENT.data
    assert dt.datetime.fromisoformat(body["time"]) == NOON

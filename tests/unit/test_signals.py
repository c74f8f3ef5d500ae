"""What somebody is to hear of: each situation is brought about, and the alerts' own queries find its line."""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path

import azure.functions as func
import pytest

from approvals import signals
from approvals.durable import activities, callbacks, workflow
from approvals.durable.instances import Instances
from approvals.people import delivery
from approvals.people.channels import Undeliverable
from approvals.people.links import Signer
from approvals.records.sqlite import SqliteStore
from approvals.rules.callbacks import Attempt, Callback, Delivery
from approvals.rules.story import Status
from approvals.settings import Settings
from approvals.web import api, calls, page
from tests.builders import GRACE, NOON, a_panel, a_policy, asked, found
from tests.simulation import Instance

QUERIES = {
    each["name"]: each["query"]
    for each in json.loads((Path(__file__).parents[2] / "infra/alerts.json").read_text(encoding="utf-8"))
}
SIGNER = Signer(("k" * 40,))
ACTIVITY = activities.process_approval._function._func.client_function


@pytest.fixture
def heard(caplog):
    """Name the alerts whose query finds a line of what was logged since."""
    caplog.set_level(logging.DEBUG, "approvals")

    def alerts():
        lines = caplog.messages
        return {
            name
            for name, query in QUERIES.items()
            for beginning in re.findall(r'Message startswith_cs "([^"]+)"', query)
            if any(line.startswith(beginning) for line in lines)
        }

    return alerts


def outcome(status):
    one = found(a_policy(a_panel(GRACE)))
    story = one.story.model_copy(update={"status": status, "settled_at": NOON})
    return one.with_story(story)


@pytest.fixture
def settled(monkeypatch):
    """Let the instance be read as it has ended."""

    def end(one):
        async def read(_, __):
            return one

        monkeypatch.setattr(Instances, "read", read)
        return one.model_dump_json(exclude_defaults=True)

    return end


async def test_a_request_that_timed_out_is_heard_of(heard, caplog, settled):
    one = outcome(Status.TIMEOUT)

    await ACTIVITY(settled(one), None)

    assert heard() == {"timed-out-approvals"}
    assert f"request_timed_out request={one.request.request_id}" in caplog.messages


@pytest.mark.parametrize("status", [Status.APPROVED, Status.REJECTED, Status.CANCELLED])
async def test_another_outcome_is_nothing_to_worry_about(status, heard, settled):
    await ACTIVITY(settled(outcome(status)), None)

    assert heard() == set()


class Post:
    """A channel that fails with an error, or hangs until it is let go."""

    name, personal = "mailtos-1", True

    def __init__(self, error=None):
        self.error, self.open = error, threading.Event()
        self.open.set()

    def reaches(self, _person):
        return True

    def send(self, _message):
        self.open.wait(30)
        if self.error:
            raise self.error
        return "mailtos-1 took it."


def announce(channel, **fields):
    dispatch = delivery.Dispatch(channels=(channel,), signer=SIGNER, **fields)
    return dispatch.announce(found(a_policy(a_panel(GRACE)), tell=True, retries=5), "asked")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Undeliverable("It is full."), "refused"),
        (Undeliverable("No such address.", permanent=True), "permanent"),
        (RuntimeError("s3cret"), "RuntimeError"),
    ],
)
async def test_a_delivery_that_failed_is_heard_of_though_the_activity_succeeds(error, reason, heard, caplog):
    (failed,) = await announce(Post(error))

    assert heard() == {"failed-deliveries"}
    assert f"delivery_failed channel=mailtos-1 key={failed.key} reason={reason}" in caplog.messages
    assert "s3cret" not in caplog.text


async def test_a_delivery_that_hangs_is_heard_of(heard, caplog):
    post = Post()
    post.open.clear()
    try:
        (failed,) = await announce(post, seconds=0.01)
    finally:
        post.open.set()

    assert heard() == {"failed-deliveries"}
    assert f"delivery_failed channel=mailtos-1 key={failed.key} reason=late" in caplog.messages


SEND = callbacks.send_callback._function._func.client_function
SIGNED = "sig=c2VjcmV0"


@pytest.fixture
def sending(monkeypatch):
    """Send a callback of an approved request to an address that is allowed."""

    async def send(outcome, **more):
        one = outcome_of(f"https://hooks.example.com/1?{SIGNED}")
        store = SqliteStore(":memory:")
        chosen = Settings(callbacks=json.dumps({"hooks.example.com": {"auth": "url"}}))

        async def read_at(_, __, ___):
            return one

        async def answer(*_):
            return Attempt(outcome=outcome, **more)

        monkeypatch.setattr(Instances, "read_at", read_at)
        monkeypatch.setattr(callbacks, "send_event", answer)
        monkeypatch.setattr(callbacks, "store_of", lambda _: store)
        monkeypatch.setattr(callbacks.settings, "current", lambda: chosen)
        delivery = Delivery(request_id=one.request.request_id, revision=2, kind="approved")
        return Attempt.from_json(await SEND(delivery.model_dump_json(), None))

    return send


def outcome_of(url):
    one = outcome(Status.APPROVED)
    return one.model_copy(update={"request": one.request.model_copy(update={"callback": Callback(url=url)})})


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"outcome": "failed", "reason": "late"}, "reason=late status=- attempt=1 gives_up=false"),
        (
            {"outcome": "failed", "reason": "refused", "status": 503},
            "reason=refused status=503 attempt=1 gives_up=false",
        ),
        ({"outcome": "gone", "reason": "gone", "status": 410}, "reason=gone status=410 attempt=1 gives_up=true"),
    ],
)
async def test_a_callback_that_was_not_taken_is_heard_of_without_its_secret(sending, heard, caplog, said, line):
    await sending(**said)

    assert heard() == {"failed-deliveries"}
    assert f"kind=approved receiver=https://hooks.example.com/1 {line}" in caplog.text
    assert SIGNED not in caplog.text


@pytest.mark.parametrize("said", [{"outcome": "delivered", "status": 204}, {"outcome": "busy", "reason": "busy"}])
async def test_a_callback_that_was_taken_or_waits_its_turn_is_nothing_to_worry_about(sending, heard, said):
    await sending(**said)

    assert heard() == set()


async def test_a_delivery_that_was_made_is_nothing_to_worry_about(heard):
    assert await announce(Post()) == ()

    assert heard() == set()


class Away:
    """A scheduler that cannot be reached."""

    def __getattr__(self, _name):
        async def fail(*_arguments, **_named):
            raise ConnectionError("refused")

        return fail


def a_call(path, **route_params):
    return func.HttpRequest(
        "GET", f"http://localhost{path}", body=b"", headers={}, params={}, route_params=route_params
    )


ONE = "api/requests/{request_id}"


async def test_a_scheduler_that_is_away_is_heard_of_though_the_call_was_answered(heard, caplog):
    request_id = found(a_policy(a_panel(GRACE))).request.request_id

    answer = await api.handle(
        a_call(f"/api/requests/{request_id}", request_id=request_id), Away(), ONE, {"GET": api.read}
    )

    assert answer.status_code == 503
    assert heard() == {"server-errors"}
    assert any(
        line.startswith(f"call_failed method=GET path=/api/requests/{request_id} status=503 ")
        for line in caplog.messages
    )


async def test_a_defect_behind_a_call_is_heard_of(heard):
    async def fail(_req, _approvals):
        raise RuntimeError

    assert (await api.handle(a_call("/api/health"), Away(), "api/health", {"GET": fail})).status_code == 500

    assert heard() == {"server-errors"}


@pytest.mark.parametrize("status", [200, 201, 202, 304, 400, 404, 409, 422, 499])
async def test_an_answer_below_500_is_nothing_to_worry_about(status, heard):
    async def answer():
        return func.HttpResponse(status_code=status)

    await calls.log_call(a_call("/api/requests"), answer())

    assert heard() == set()


async def test_the_page_is_no_exception_and_its_link_stays_out(heard, caplog, monkeypatch):
    async def fail(*_arguments):
        raise RuntimeError

    monkeypatch.setattr(page, "show", fail)
    token = "WyI" + "x" * 200
    visit = a_call(f"/approve/{token}", token=token)

    answer = await calls.log_call(visit, page.respond(visit, Away()))

    assert answer.status_code == 500
    assert heard() == {"server-errors"}
    assert "path=/approve/{token} status=500" in caplog.text
    assert token not in caplog.text


def test_an_orchestration_that_fails_is_heard_of(heard, caplog, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError("a defect")

    monkeypatch.setattr(workflow.hearing, "apply_events", fail)
    one = Instance(asked())
    one.start()
    fired = one.fire()

    with pytest.raises(Exception, match="a defect"):
        one.deliver(fired)

    assert heard() == {"failed-orchestrations"}
    assert f"request_failed request={one.request.request_id}" in caplog.messages


# --- the table ------------------------------------------------------------------------------------


def test_codes_are_words_of_their_own_and_never_change():
    """Who made a query of their own relies on them: add, and never rename."""
    counted = {measure.signal for measure in signals.MEASURES}
    assert {signal.code: signal.fields for signal in {*signals.SIGNALS, *counted}} == {
        "request_settled": ("request", "status", "by", "seconds"),
        "request_reminded": ("request", "stage"),
        "request_escalated": ("request", "stage"),
        "open_requests": ("hour", "day", "week", "older"),
        "event_raised_again": ("request", "kind", "seconds"),
        "call_answered": ("method", "path", "status", "ms", "request"),
        "request_failed": ("request",),
        "request_timed_out": ("request",),
        "delivery_failed": ("channel", "key", "reason"),
        "callback_failed": ("request", "kind", "receiver", "reason", "status", "attempt", "gives_up"),
        "call_failed": ("method", "path", "status", "request"),
        "record_late": ("request", "reason"),
    }


def test_every_signal_is_of_an_alert_and_grave_enough_to_be_kept():
    assert {signal for alert in signals.ALERTS for signal in alert.signals} == set(signals.SIGNALS)
    assert all(signal.level >= logging.WARNING for signal in signals.SIGNALS)


@pytest.mark.parametrize("values", [{}, {"request": "1", "other": "2"}, {"other": "2"}])
def test_a_line_has_the_fields_of_the_table(values):
    with pytest.raises(TypeError, match="request_failed has the fields request"):
        signals.REQUEST_FAILED.write(**values)


@pytest.mark.parametrize("value", ["a\nrequest_failed request=1", "a b", 'a"b', "", "a\rb", "a\u2028b"])
def test_whatever_a_value_holds_a_line_stays_one_line(value, caplog):
    with caplog.at_level(logging.WARNING, "approvals"):
        signals.REQUEST_FAILED.write(request=value)

    (line,) = caplog.messages
    assert len(line.splitlines()) == 1
    assert json.loads(line.removeprefix("request_failed request=")) == value

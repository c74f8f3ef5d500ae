"""The client against the app itself: from nothing to a decided request, and through a host that fails."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading

import durable_approvals
import httpx
import pytest
from durable_approvals import (
    Approvals,
    AsyncApprovals,
    Problem,
    Refused,
    Unreachable,
    WaitedTooLong,
    needs_approval,
    protocol,
    verify_receipt,
)

from tests.azurite import free_port
from tests.builders import ADA, EVE, GRACE
from tests.chance import sized
from tests.localhost import ROOT, LocalHost, LocalTaskHub

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# a connection whose answer was lost, or that a thread had, is closed by whoever collects it

PEOPLE = {"requester": ADA, "approvers": [GRACE]}
README = (ROOT / "clients/python/README.md").read_text()


@pytest.fixture
def approvals(host):
    with Approvals(host.url, patience=10) as client:
        yield client


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(protocol, "FIRST_PAUSE", 0.01)


def soon(work, *arguments, **named):
    """Do something beside what is waited for."""
    thread = threading.Thread(target=work, args=arguments, kwargs=named)
    thread.start()
    return thread


def test_the_lines_of_the_readme_are_all_it_takes(host, capsys):
    """As they stand, but for the address."""
    (code, *_) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    exec(compile(code.replace("http://localhost:7071", host.url), "README.md", "exec"), {})  # noqa: S102

    assert capsys.readouterr().out == "Deploy 1.4: grace@example.com said yes\n"
    assert len(code.strip().splitlines()) <= 10


def test_a_request_is_made_waited_for_and_decided(approvals):
    request = approvals.create("Deploy 1.4", **PEOPLE, timeout="PT4H", tags=["it"])

    deciding = soon(request.decide, approver=GRACE, is_approved=False, comments="Not on a Friday")
    story = request.wait()
    deciding.join()

    assert request.made.approvals[0]["approver"] == GRACE
    assert not story.approved
    assert (story.status, story.reason) == ("Rejected", "Not on a Friday")
    assert [each.kind for each in request.history()] == ["created", "asked", "answered", "settled"]


def test_the_same_key_is_the_same_request_and_another_call_another(approvals):
    ids = [approvals.create("x", **PEOPLE, key=key).id for key in ("client-1", "client-1", None, None)]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_who_waits_too_long_may_wait_again_by_the_id(approvals):
    request = approvals.create("x", **PEOPLE)

    with pytest.raises(WaitedTooLong) as caught:
        request.wait(timeout=0.05)
    request.decide(approver=GRACE, is_approved=True)

    assert approvals.request(caught.value.request_id).wait().approved


def test_a_problem_has_its_code_and_evidence(approvals):
    request = approvals.create("x", **PEOPLE)
    request.decide(approver=GRACE, is_approved=True)

    with pytest.raises(Problem) as decided:
        request.decide(approver=GRACE, is_approved=False)
    with pytest.raises(Problem) as missing:
        approvals.request("0" * 32).story()
    with pytest.raises(Problem) as wrong:
        approvals.create("", requester="")

    assert (decided.value.status, decided.value.code) == (409, "already_decided")
    assert decided.value.evidence["decision"]["approver"] == GRACE
    assert missing.value.code == "not_found"
    assert {each["pointer"] for each in wrong.value.evidence["errors"]} == {"/item", "/requester"}


def test_lists_are_read_page_by_page(approvals):
    who = f"ada-{random.random()}@example.com"
    made = [approvals.create(f"Item {n}", requester=who, approvers=[GRACE]).id for n in range(5)]

    assert [each.request_id for each in approvals.list(requester=who, limit=2)] == made[::-1]
    assert made[0] in [each.request_id for each in approvals.inbox(GRACE, limit=100)]


def test_slots_are_passed_on_and_requests_taken_back(approvals):
    request = approvals.create("x", **PEOPLE)

    request.delegate(approver=GRACE, to=EVE)
    request.reassign(by=ADA, holder=EVE, to=GRACE)
    story = request.cancel(by=ADA, reason="Not needed")

    assert story.status == "Cancelled"


def test_many_are_decided_at_once_and_a_preview_decides_nothing(approvals):
    ids = [approvals.create("x", **PEOPLE).id for _ in range(3)]

    results = approvals.decide_all([{"request_id": each, "is_approved": True, "approver": GRACE} for each in ids])
    seen = approvals.preview({"item": "x", **PEOPLE, "on_timeout": "reject"})

    assert [each.status for each in results] == [200] * 3
    assert seen.if_nobody_answers.status == "Rejected"


def test_a_page_that_leads_to_another_host_gets_no_key():
    def answer(request):
        assert request.url.host == "approvals.example.com"
        assert request.headers["x-approvals-key"] == "dak_1"
        last = request.url.params.get("cursor") == "c"
        return httpx.Response(
            200, json={"requests": [], "next": None if last else "https://evil.example/api/requests?cursor=c"}
        )

    with Approvals("https://approvals.example.com", key="dak_1", transport=httpx.MockTransport(answer)) as client:
        assert list(client.list()) == []


async def test_the_same_for_asyncio(host):
    async with AsyncApprovals(host.url, patience=10) as client:
        request = await client.create("Deploy 1.4", **PEOPLE)
        story, _ = await asyncio.gather(request.wait(), request.decide(approver=GRACE, is_approved=True))

        assert story.approved
        assert [each.kind for each in await request.history()][-1] == "settled"
        assert request.id in [each.request_id async for each in client.list(status="Approved")]
        said = verify_receipt(await request.receipt(), await client.receipt_keys(), host.url)
        assert (said["sub"], said["outcome"]) == (request.id, "Approved")
        assert (await request.redeliver(by=ADA)).callbacks == ()


async def test_waiting_can_be_cancelled(host):
    async with AsyncApprovals(host.url) as client:
        request = await client.create("x", **PEOPLE)
        waiting = asyncio.create_task(request.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting

        assert (await request.story()).is_open


# --- a yes for one thing, once --------------------------------------------------------------------


def decide_next(approvals, item, *, yes):
    """Decide the request with this title as soon as there is one."""
    while True:
        for each in approvals.inbox(GRACE, limit=100):
            if each.item == item:
                approvals.request(each.request_id).decide(approver=GRACE, is_approved=yes, comments="Said so")
                return


def test_a_function_runs_after_a_yes_for_exactly_its_arguments(approvals):
    ran = []
    title = f"Deploy {random.random()}"

    @needs_approval(approvals, **PEOPLE, item=lambda *_, **__: title)
    def deploy(version, *, to="shop"):
        ran.append((version, to))
        return "done"

    deciding = soon(decide_next, approvals, title, yes=True)
    assert deploy("1.4") == "done"
    deciding.join()
    (summary,) = [each for each in approvals.list(status="Approved", limit=100) if each.item == title]
    action = approvals.request(summary.request_id).story().action
    assert action["arguments"] == {"version": "1.4", "to": "shop"}
    assert ran == [("1.4", "shop")]


def test_a_no_raises_and_nothing_runs(approvals):
    title = f"Deploy {random.random()}"

    @needs_approval(approvals, **PEOPLE, item=lambda: title)
    def deploy():
        raise AssertionError("ran")

    deciding = soon(decide_next, approvals, title, yes=False)
    with pytest.raises(Refused, match="Said so"):
        deploy()
    deciding.join()


def test_one_that_fails_after_its_yes_was_used_is_not_run_again(approvals):
    title, runs = f"Deploy {random.random()}", []

    @needs_approval(approvals, **PEOPLE, item=lambda: title, key=lambda: title.replace(" ", "-"))
    def deploy():
        runs.append(1)
        raise OSError("disk full")

    deciding = soon(decide_next, approvals, title, yes=True)
    with pytest.raises(OSError, match="disk full"):
        deploy()
    deciding.join()
    with pytest.raises(Problem) as caught:
        deploy()

    assert caught.value.code == "grant_used"
    assert len(runs) == 1


async def test_a_coroutine_waits_for_its_yes_too(host):
    async with AsyncApprovals(host.url) as client:
        title = f"Deploy {random.random()}"

        @needs_approval(client, **PEOPLE, item=lambda: title)
        async def deploy():
            return "done"

        with Approvals(host.url) as other:
            deciding = soon(decide_next, other, title, yes=True)
            assert await deploy() == "done"
            await asyncio.to_thread(deciding.join)


# --- a host that fails ----------------------------------------------------------------------------


class Failing(httpx.HTTPTransport):
    """A way to the service that loses one answer in three, and answers 503 or an empty 500 now and then."""

    def __init__(self, seed):
        super().__init__()
        self.chance, self.lock = random.Random(seed), threading.Lock()

    def handle_request(self, request):
        with self.lock:
            fate = self.chance.random()
        if fate < 0.1:
            return httpx.Response(503, headers={"Retry-After": "0"}, json={"code": "scheduler_unavailable"})
        if fate < 0.2:
            return httpx.Response(500)
        if fate < 0.25:
            raise httpx.ConnectError("refused")
        answer = super().handle_request(request)
        if fate < 0.55:
            answer.read()
            raise httpx.ReadError("the answer was lost")
        return answer


@sized(30, 500)
def test_through_a_host_that_loses_answers_each_request_is_made_once_and_decided(host, times):
    who = f"ada-{random.random()}@example.com"
    with Approvals(host.url, transport=Failing(7)) as client:

        def one(n):
            request = client.create(f"Item {n}", requester=who, approvers=[GRACE], action={"n": n})
            request.decide(approver=GRACE, is_approved=True)
            request.consume({"n": n})

        threads = [soon(lambda some: [one(n) for n in some], range(start, times, 6)) for start in range(6)]
        for thread in threads:
            thread.join()

    with Approvals(host.url) as sure:
        listed = list(sure.list(requester=who, limit=100))
    assert sorted(each.item for each in listed) == sorted(f"Item {n}" for n in range(times))
    assert {each.status for each in listed} == {"Approved"}


@pytest.mark.large
def test_through_an_app_that_crashes_and_is_started_again_no_request_is_lost_or_made_twice(started):
    """The task hub and the records stay, as in Azure; the app is killed twice in the middle of it all."""
    hub, port = started(LocalTaskHub()), free_port()
    settings = hub.environment_of_a_host
    app = started(LocalHost(port=port, **settings))
    count, done = 500, []

    def work(numbers):
        with Approvals(f"http://127.0.0.1:{port}", transport=Failing(numbers[0]), patience=120) as client:
            for n in numbers:
                request = client.create(f"Item {n}", **PEOPLE, action={"n": n})
                request.decide(approver=GRACE, is_approved=True)
                request.consume({"n": n})
                done.append(n)

    threads = [soon(work, range(start, count, 6)) for start in range(6)]
    for share in (0.3, 0.6):
        while len(done) < count * share:
            threads[0].join(0.05)
        app.kill()
        app = started(LocalHost(port=port, **settings))
    for thread in threads:
        thread.join()

    with Approvals(f"http://127.0.0.1:{port}") as sure:
        listed = [each.item for each in sure.list(limit=100)]
    assert sorted(listed) == sorted(f"Item {n}" for n in range(count))
    assert sorted(done) == list(range(count))


def test_a_service_that_is_away_is_said_to_be_after_a_while():
    def refuse(_):
        raise httpx.ConnectError("refused")

    with (
        Approvals("http://localhost:1", patience=0.05, transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(Unreachable, match="ConnectError"),
    ):
        client.create("x", requester=ADA)


def test_what_is_offered_is_what_the_package_says():
    assert sorted(durable_approvals.__all__) == durable_approvals.__all__
    assert all(hasattr(durable_approvals, name) for name in durable_approvals.__all__)

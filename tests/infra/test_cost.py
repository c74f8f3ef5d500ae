"""The page about costs says what is counted: on a task hub of its own, with the real app before it."""

import contextlib
import json
import re
import signal
import time

import pytest

from approvals.records.requests import Requests
from approvals.records.sqlite import SqliteStore
from approvals.rules import hearing
from tests.builders import GRACE, NOON, a_panel, a_policy, asked, decided, found, undelivered
from tests.conftest import Caller
from tests.infra import bicep
from tests.localhost import LocalHost, LocalTaskHub
from tests.simulation import Instance
from tests.stores import CountingStore

TIMES = "\N{MULTIPLICATION SIGN}"
PAGE = (bicep.ROOT / "docs/cost.md").read_text()
PATIENCE = 20
KINDS = {0: "start", 4: "activity", 5: "result", 6: "result", 11: "timer", 15: "event"}


def rows():
    """Read the table of counts."""
    table = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    columns = ("actions", "turns", "activities", "calls", "executions")
    return {row[0]: dict(zip(columns, map(int, row[1:]), strict=True)) for row in table}


class Counted:
    """An app on a task hub that counts."""

    def __init__(self, starting, folder, **settings):
        self.file = folder / "stats.json"
        self.hub = starting.enter_context(running(LocalTaskHub("--stats", str(self.file))))
        host = starting.enter_context(running(LocalHost(**self.hub.environment_of_a_host, **settings)))
        self.caller = Caller(host.url)
        starting.callback(self.caller.http.close)
        self.caller.http.event_hooks["request"].append(self._called)
        self.before, self.calls = {}, 0

    def _called(self, _request):
        self.calls += 1

    def anew(self):
        """Count from here."""
        self.before, self.calls = {}, 0
        self.before = self.statistics()
        return self

    def statistics(self):
        self.file.unlink(missing_ok=True)
        self.hub.process.send_signal(signal.SIGUSR1)
        counts = json.loads(eventually(lambda: self.file.exists() and self.file.read_text()))
        return {name: number - self.before.get(name, 0) for name, number in counts.items()}

    def wait_for(self, **counts):
        """Wait until the hub has counted so much."""
        eventually(lambda: all(self.statistics().get(name, 0) >= number for name, number in counts.items()))

    def so_far(self, later=0):
        """Give the counts, and with them the timers of which it is known that they will fire: an action and a turn."""
        time.sleep(0.3)  # whatever else might come would be counted, too
        found = self.statistics()
        turns, activities = found["turns"] + later, found["activities"]
        return {
            "actions": found["actions"] + later,
            "turns": turns,
            "activities": activities,
            "calls": self.calls,
            "executions": self.calls + turns + activities,
        }


def eventually(look):
    until = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < until, "The hub did not come to it."
        time.sleep(0.02)
    return seen


@contextlib.contextmanager
def running(process):
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Give an app that tells nobody, for one test after another: each counts `anew`."""
    with contextlib.ExitStack() as starting:
        yield Counted(starting, tmp_path_factory.mktemp("bare"))


@pytest.fixture
def telling(tmp_path):
    """Give an app that tells people."""
    with contextlib.ExitStack() as starting:
        yield Counted(starting, tmp_path, NOTIFY_LOG="true")


def test_the_page_has_a_table():
    assert len(rows()) == 4


@pytest.mark.parametrize("yes", [True, False])
def test_a_request_that_is_decided_costs_what_the_page_says(bare, yes):
    one = bare.anew()
    request_id = one.caller.asked()
    one.wait_for(turns=1)
    one.caller.decide(request_id, is_approved=yes)
    one.wait_for(activity_results=1, turns=3)

    assert one.so_far() == rows()["is approved or rejected"]


def test_a_request_that_is_cancelled_costs_what_the_page_says(bare):
    one = bare.anew()
    request_id = one.caller.asked()
    one.wait_for(turns=1)
    one.caller.cancel(request_id)
    one.wait_for(activity_results=1, turns=3)

    assert one.so_far() == rows()["is cancelled"]


def test_a_request_that_nobody_answers_costs_what_the_page_says(bare):
    one = bare.anew()
    one.caller.asked(timeout_hours=1 / 3600)
    one.wait_for(activity_results=1, turns=3)

    assert one.so_far() == rows()["nobody answers"]


def test_telling_people_costs_what_the_page_says(telling):
    one = telling.anew()
    request_id = one.caller.asked()
    one.wait_for(activity_results=1, turns=2)
    one.caller.decide(request_id)
    one.wait_for(activity_results=2, turns=4)

    assert one.so_far() == rows()["is approved, and people are told (`NOTIFY_URLS`, `NOTIFY_LOG`)"]


def test_looking_and_answers_that_are_refused_cost_no_action(bare):
    one = bare.anew()
    request_id = one.caller.asked()
    one.wait_for(turns=1)
    one.caller.decide(request_id)
    one.wait_for(activity_results=1, turns=3)
    before = one.so_far()

    for _ in range(20):
        assert one.caller.look(request_id).status_code == 200
        assert one.caller.decide(request_id, is_approved=False).status_code == 409
        assert one.caller.decide(request_id, approver="").status_code == 422

    assert one.so_far()["actions"] == before["actions"]
    assert one.so_far()["executions"] == before["executions"] + 60


def actions(instance):
    """Count the actions in a history, as the scheduler would bill them."""
    return sum(event["EventType"] in KINDS for event in instance.history)


def unanswered(hours):
    """Play a request that nobody answers to its end."""
    instance = Instance(asked(hours=hours)).start()
    while not instance.end:
        while instance.running:
            instance.finish(min(instance.running))
        if not instance.end:
            instance.deliver(instance.fire())
    return instance


def test_five_days_more_cost_what_the_page_says():
    more = int(re.search(r"Each full five days of an unanswered deadline add (\d+) actions", PAGE)[1])

    counts = [actions(unanswered(hours=24 * days)) for days in (1, 6, 11, 16)]

    assert counts == [rows()["nobody answers"]["actions"] + more * periods for periods in range(4)]


def test_a_message_that_is_sent_again_costs_what_the_page_says():
    more = int(re.search(r"each attempt adds (\d+) actions", PAGE)[1])

    def told(failures):
        instance = Instance(asked(tell=True, retries=5)).start()
        for _ in range(failures):
            instance.finish(min(instance.running), undelivered=[undelivered()])
            instance.finish(min(instance.running))
            instance.deliver(instance.fire())
        instance.finish(min(instance.running))
        instance.deliver(instance.decision(decided()))
        instance.finish(min(instance.running))
        assert instance.end
        return actions(instance)

    assert [told(failures) - told(0) for failures in range(4)] == [more * failures for failures in range(4)]


def test_the_simulation_and_the_hub_count_alike():
    instance = Instance(asked()).start()
    instance.deliver(instance.decision(decided()))
    instance.finish(min(instance.running))

    wanted = rows()["is approved or rejected"]
    assert (actions(instance), len(instance.answers)) == (wanted["actions"], wanted["turns"])


def test_what_the_page_derives_follows_from_what_it_counts():
    bare = rows()["is approved or rejected"]

    assert f"*requests* {TIMES} {bare['actions']} {TIMES} *price of an action*" in PAGE
    assert f"500 actions a second, which is {500 // bare['actions']} bare approvals a second" in PAGE
    assert f"2,000 actions a second, which is {2000 // bare['actions']} bare approvals a second" in PAGE
    assert f"*price of a unit a month* ÷ ({bare['actions']} {TIMES} *price of an action*)" in PAGE
    assert f"an approval is {bare['executions']} executions" in PAGE
    for name, row in rows().items():
        assert row["executions"] == row["turns"] + row["activities"] + row["calls"], name


async def test_an_approval_costs_as_many_operations_of_the_storage_as_the_page_says():
    store = CountingStore(SqliteStore(":memory:"))
    requests, one = Requests(store), found(a_policy(a_panel(GRACE)))

    await requests.insert(one, NOON)
    await requests.keep(one, NOON)
    made = store.count()
    settled = hearing.apply_event(one, decided(GRACE), "decision", NOON)
    await requests.keep(settled, NOON)
    answered = store.count() - made
    await requests.keep(settled, NOON)
    ended = store.count() - made - answered

    (said,) = re.findall(r"(\d+) operations when it is made, (\d+) when it is answered, (\d+) when it ends", PAGE)
    assert (made, answered, ended) == tuple(map(int, said))
    rows = await store.inner.call(lambda db: db.execute("SELECT partition, key, body FROM rows").fetchall())
    bytes_kept = sum(len("".join(row)) for row in rows)
    assert bytes_kept < int(re.search(r"less than (\d+) bytes", PAGE)[1])
    await store.close()


def test_no_price_is_repeated():
    assert not re.search(r"[$€£]\s?\d|\d\s?(USD|EUR|dollars?|cents?)", PAGE), "A price here would be wrong tomorrow."

"""Keys change under links that people have: a rotation is a restart with another list, and the requests stay."""

import concurrent.futures
import itertools
import threading

import pytest

from tests.builders import ALAN, EVE, GRACE, an_answer
from tests.chance import sized
from tests.localhost import LocalHost, LocalTaskHub

KEYS = [f"key-{n}-" + "k" * 40 for n in range(5)]


@pytest.fixture
def hub(started):
    """Give a task hub that outlives its hosts."""
    return started(LocalTaskHub())


@pytest.fixture
def hosting(hub, calling):
    """Run a host of the hub with these keys, the newest first, one after another: `hosting(keys)` gives a caller."""
    running = []

    def host(keys):
        for before in running:
            before.stop()
        # links begin with the address the caller used, and that stays the same through all restarts
        port = running[0].url.rpartition(":")[2] if running else 0
        here = LocalHost(port=port, **hub.environment_of_a_host, APPROVAL_LINK_KEYS=",".join(keys)).start()
        running.append(here)
        return calling(here)

    yield host
    running[-1].stop()


def link(caller):
    return caller.ask(approvers=[GRACE]).raise_for_status().json()["approvals"][0]["approval_url"]


@sized(2, 4)
def test_links_outlive_the_keys_that_follow_and_end_with_their_own(hosting, times):
    """A restart for each key; two keys are kept at a time."""
    links, pages = {}, {}
    for at in range(times):
        kept = KEYS[max(0, at - 1) : at + 1]
        caller = hosting(list(reversed(kept)))
        links[KEYS[at]] = [link(caller) for _ in range(3)]
        pages[KEYS[at]] = [caller.http.get(each).text for each in links[KEYS[at]]]

        for key, of_key in links.items():
            wanted = 200 if key in kept else 404
            assert [caller.http.get(each).status_code for each in of_key] == [wanted] * 3, (key, kept)

    caller = hosting([KEYS[times], KEYS[times - 1]])
    kept, dropped = KEYS[times - 1], KEYS[times - 2]
    # a form that was shown before the restart, under a link of before the restart, is as good as ever
    old = [caller.http.post(u, data=an_answer(p)) for u, p in zip(links[kept], pages[kept], strict=True)]
    gone = [caller.http.post(u, data=an_answer(p)) for u, p in zip(links[dropped], pages[dropped], strict=True)]
    assert [each.status_code for each in old] == [303] * 3
    assert [each.status_code for each in gone] == [404] * 3
    assert [caller.http.get(each).status_code for each in links[kept]] == [200] * 3
    assert [caller.http.get(each).status_code for each in links[dropped]] == [404] * 3


def test_a_repeated_request_has_links_of_the_newest_key_and_the_old_ones_stay_good(hosting):
    first = hosting(KEYS[:1]).ask(key="rotation", approvers=[GRACE, ALAN]).json()

    caller = hosting([KEYS[1], KEYS[0]])
    again = caller.ask(key="rotation", approvers=[GRACE, ALAN]).json()

    both = [each["approval_url"] for answer in (first, again) for each in answer["approvals"]]
    assert again["request_id"] == first["request_id"]
    assert len(set(both)) == 4
    assert [caller.http.get(each).status_code for each in both] == [200] * 4


@sized(1)
def test_no_good_link_is_refused_while_keys_change_between_two_hosts(started, calling, hub, few):
    """A deployed app has many instances: while a key is rolled out, some have it and some do not yet.

    First it is added behind the old one everywhere, then put in front: every instance knows every link at every time.
    """
    steps = [KEYS[:1], [KEYS[0], KEYS[1]], [KEYS[1], KEYS[0]], [KEYS[1]]]
    hosts = {}

    def caller_with(keys):
        if tuple(keys) not in hosts:
            hosts[tuple(keys)] = calling(
                started(LocalHost(**hub.environment_of_a_host, APPROVAL_LINK_KEYS=",".join(keys)))
            )
        return hosts[tuple(keys)]

    def path(url):
        return "/approve/" + url.rpartition("/")[2]

    for before, after in few(itertools.pairwise(steps)):
        old, new = caller_with(before), caller_with(after)
        # in the last step only links of the new key are still out
        made_by = [one for one in (old, new) if after != [KEYS[1]] or one is new]
        links = [path(link(one)) for one in made_by for _ in range(5)]
        go = threading.Event()

        def visits(one, go=go, links=links):
            go.wait()
            return [one.http.get(each).status_code for each in links * 4]

        with concurrent.futures.ThreadPoolExecutor(6) as people:
            running = [people.submit(visits, one) for one in (old, new, old, new, old, new)]
            go.set()
            seen = [each.result() for each in running]
        assert {status for each in seen for status in each} == {200}


def test_a_link_of_another_deployment_with_other_keys_is_not_genuine(hosting, started, calling):
    caller = hosting(KEYS[:1])
    stranger = calling(started(LocalHost(APPROVAL_LINK_KEYS=KEYS[1])))

    token = link(stranger).rpartition("/")[2]

    assert caller.http.get(f"/approve/{token}").status_code == 404


def test_a_new_link_is_for_whoever_it_was_passed_on_to_also_under_a_new_key(hosting):
    caller = hosting(KEYS[:1])
    made = caller.ask(approvers=[GRACE]).json()
    url = made["approvals"][0]["approval_url"]
    body = {"approver": GRACE, "to": EVE}
    caller.http.post(f"/api/approvals/{made['request_id']}/delegate", json=body).raise_for_status()

    caller = hosting([KEYS[1], KEYS[0]])

    assert caller.http.get(url).status_code == 403

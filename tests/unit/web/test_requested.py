"""The page of whoever asked, where a journey does not come to it: what is erased, expired, or not theirs."""

import re

import pytest

from approvals.people.links import NotGenuine
from approvals.rules.erasing import without_content
from approvals.rules.story import Status
from approvals.service.approvals import Approvals
from approvals.web import requested
from approvals.web.showing import Visit
from tests.builders import EVE, GRACE, HOUR, NOON, a_panel, a_policy, decided, found
from tests.unit.web.test_page import SETTINGS, SIGNER, FixedClock, Kept


def visit(one, token=None):
    token = token or SIGNER.requester_address(one.request).rpartition("/")[2]
    return Visit(Approvals(Kept(one), SETTINGS, FixedClock()), token, None)


async def looked(one):
    answer = await requested.show(visit(one))
    return answer.status_code, answer.get_body().decode()


async def test_what_was_erased_has_a_heading_still_and_says_how_it_ended():
    one = found(a_policy(a_panel(GRACE)), item="A secret")
    vote = decided(comments="Hush")
    story = one.story.model_copy(
        update={"status": Status.APPROVED, "decision": vote, "votes": (vote,), "settled_at": NOON + HOUR}
    )

    status, html = await looked(without_content(one.with_story(story), NOON + 2 * HOUR))

    assert status == 200
    assert re.search(r"<h1>\S.*</h1>", html)[0] == "<h1>Approval request</h1>"
    assert "Now: approved." in html
    assert "A secret" not in html
    assert "Hush" not in html


async def test_an_expired_link_shows_nothing():
    one = found(a_policy(a_panel(GRACE)), links_expire_at=NOON)

    status, html = await looked(one)

    assert status == 410
    assert one.request.item not in html


async def test_a_link_of_somebody_else_of_this_request_is_not_genuine():
    one = found(a_policy(a_panel(GRACE)))
    other = one.request.model_copy(update={"requester": EVE})

    with pytest.raises(NotGenuine):
        await requested.show(visit(one, SIGNER.requester_address(other).rpartition("/")[2]))

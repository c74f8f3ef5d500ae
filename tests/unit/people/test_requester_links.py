"""The requester's link: whose it is, for what, until when; and in which messages it stands."""

import datetime as dt

import pytest

from approvals.people.delivery import Dispatch
from approvals.people.links import NotGenuine, Signer, fingerprint, link_to
from approvals.people.messages import TEXT_CHARACTERS
from approvals.rules.notices import OUTCOME
from approvals.rules.story import Status
from tests.builders import ADA, ALAN, EVE, GRACE, HOUR, NOON, REQUEST_ID, a_panel, a_policy, cancelled, decided, found
from tests.unit.people.test_delivery import Mailbox

SIGNER = Signer(["k" * 40])
WEEK = dt.timedelta(days=7)


def own_token(one, signer=SIGNER):
    return signer.requester_address(one.request).rpartition("/")[2]


def test_it_is_the_requesters_and_ends_a_week_after_the_latest_end():
    one = found(a_policy(a_panel(GRACE, hours=24), a_panel(ALAN, hours=2)))

    link = SIGNER.verify_requester(own_token(one))

    end = NOON + 26 * HOUR + WEEK
    assert SIGNER.requester_address(one.request).startswith("http://localhost:7071/requested/")
    assert link.request_id == REQUEST_ID
    assert link.holder == fingerprint(one.request, ADA)
    assert link.holder != fingerprint(one.request, EVE)
    assert (link.is_expired(end - dt.timedelta(seconds=1)), link.is_expired(end)) == (False, True)


def test_it_never_decides_and_an_approvers_never_takes_back():
    one = found(a_policy(a_panel(GRACE)))
    approvers = SIGNER.sign(link_to(one.request, stage=0, escalated=False, slot=0, generation=0, holder=GRACE))

    for verify, token in ((SIGNER.verify, own_token(one)), (SIGNER.verify_requester, approvers)):
        with pytest.raises(NotGenuine):
            verify(token)


def test_no_letter_of_it_can_be_changed_and_another_key_does_not_make_it():
    token = own_token(found())

    changed = [token[:i] + ("B" if token[i] == "A" else "A") + token[i + 1 :] for i in range(len(token))]
    for each in [*changed, token[:-1], f"{token}A", "", own_token(found(), Signer(["x" * 40]))]:
        with pytest.raises(NotGenuine):
            SIGNER.verify_requester(each)


def test_a_name_written_otherwise_is_the_same_person():
    assert own_token(found(requester="ADA@example.com")) == own_token(found())


async def test_who_asked_is_told_the_end_with_their_own_link_and_nobody_else_has_it():
    box, room = Mailbox(), Mailbox("slack-1", personal=False)
    one = found(a_policy(a_panel(GRACE, ALAN)), tell=True)
    over = one.model_copy(
        update={"story": one.story.model_copy(update={"status": Status.CANCELLED, "cancellation": cancelled()})}
    )

    await Dispatch((box, room), SIGNER, tells_requester=True).announce(over, OUTCOME)

    sent = {message.to: message for message in [*box.sent, *room.sent]}
    address = SIGNER.requester_address(one.request)
    assert sent.keys() == {ADA, GRACE, ALAN, None}
    for message in sent.values():
        for text in (message.text, message.html, message.letter):
            assert (address in text) is (message.to == ADA)
            assert "/approve/" not in text


async def test_the_end_of_a_long_request_fits_into_a_chat_message_with_the_link():
    box = Mailbox()
    votes = tuple(decided(by=f"{'a' * 240}{i}@x.example", comments="c" * 2000, decision_id=f"{i}") for i in range(19))
    one = found(a_policy(a_panel(GRACE, ALAN)), tell=True, requester="r" * 254, item="i" * 200, description="d" * 8000)
    ended = one.story.model_copy(update={"status": Status.APPROVED, "decision": votes[-1], "votes": votes})

    await Dispatch((box,), SIGNER, tells_requester=True).announce(one.with_story(ended), OUTCOME)

    (message,) = (each for each in box.sent if each.to == one.request.requester)
    assert len(message.text) <= TEXT_CHARACTERS
    assert SIGNER.requester_address(one.request) in message.text


async def test_who_hears_that_somebody_should_not_have_been_asked_can_take_it_back_from_there():
    box = Mailbox()
    one = found(a_policy(a_panel(GRACE)), tell=True)

    await Dispatch((box,), SIGNER, tells_requester=True).tell_requester(one, "misdirected", "k", GRACE)

    (message,) = box.sent
    for text in (message.text, message.html, message.letter):
        assert SIGNER.requester_address(one.request) in text
        assert "whoever has it can take the request back" in text
        assert "answer for you" not in text

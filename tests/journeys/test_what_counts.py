"""What is answered is what counts: panels, revisions, repetitions, spellings, and links that were passed on."""

import concurrent.futures

import pytest

from tests.builders import ADA, ALAN, EVE, GRACE, an_answer
from tests.journeys.test_page import Asked, shown

MARY = "mary@example.com"
MINUTE = 1 / 60


def reassign(caller, request_id, if_match, holder=GRACE, to=EVE, **fields):
    body = {"by": ADA, "from": holder, "to": to, **fields}
    return caller.http.post(f"/api/requests/{request_id}/reassign", json=body, headers={"If-Match": if_match})


def withdraw(caller, request_id, if_match):
    return caller.http.post(f"/api/requests/{request_id}/cancel", json={"by": ADA}, headers={"If-Match": if_match})


def at_once(*calls):
    """Make calls at the same time; give the answers in the order of the calls."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as people:
        return [each.result() for each in [people.submit(call) for call in calls]]


# --- whoever holds a slot of the panel asked now answers it, once, by every way --------------------


@pytest.fixture
def escalated(caller, host):
    """A request whose Alan was replaced by Mary, who approved; nobody else did, and now Mary is asked instead."""
    escalation = {"approvers": [MARY], "timeout_hours": 10 * MINUTE, "on_timeout": "reject"}
    one = Asked(
        caller,
        approvers=[GRACE, ALAN],
        required="all",
        timeout_hours=MINUTE,
        on_timeout="escalate",
        escalate_to=escalation,
    )
    reassign(caller, one.id, "*", ALAN, MARY).raise_for_status()
    caller.decide(one.id, approver=MARY).raise_for_status()
    host.move(seconds=60)
    caller.until(one.id, lambda story: story["stage"]["escalated"])
    return one


@pytest.mark.parametrize(("yes", "status"), [(True, "Approved"), (False, "Rejected")])
def test_who_answered_for_someone_answers_the_escalation_by_naming_the_stage(caller, escalated, yes, status):
    unclear = caller.decide(escalated.id, approver=MARY, is_approved=yes)
    anew = caller.decide(escalated.id, approver=MARY, is_approved=yes, stage=1)

    assert (unclear.status_code, unclear.json()["code"]) == (409, "stage_unclear")
    assert (anew.status_code, anew.json()["status"]) == (200, status)
    assert [vote["escalated"] for vote in anew.json()["votes"]] == [False, True]
    assert caller.decide(escalated.id, approver=MARY, is_approved=yes, stage=1).status_code == 200
    assert caller.decide(escalated.id, approver=MARY, is_approved=not yes, stage=1).status_code == 409
    assert len(escalated.story()["votes"]) == 2


@pytest.mark.parametrize(("answer", "status"), [("approve", "Approved"), ("reject", "Rejected")])
def test_who_answered_for_someone_answers_the_escalation_on_its_page(escalated, answer, status):
    sent = escalated.press(MARY, answer=answer)
    after = escalated.look(MARY)

    assert sent.status_code == 303
    assert "Your answer is recorded" in shown(after)
    assert "<form" not in after.text
    assert escalated.story()["status"] == status


def test_only_the_same_answer_is_a_repetition_and_any_other_is_told_what_stands(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    caller.decide(request_id, comments="First words").raise_for_status()

    same, other = caller.decide(request_id, comments="First words"), caller.decide(request_id, comments="Other words")

    assert same.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "already_voted")
    assert other.json()["decision"]["comments"] == "First words"
    caller.decide(request_id, approver=ALAN, comments="Last").raise_for_status()
    settled = caller.decide(request_id, approver=ALAN, comments="Not these")
    assert (settled.status_code, settled.json()["decision"]["comments"]) == (409, "Last")


# --- what was seen is what is changed --------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_reassignments_with_one_etag_one_counts(caller, attempt):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all", item=f"No. {attempt}")
    etag = caller.look(request_id).headers["ETag"]

    answers = at_once(
        lambda: reassign(caller, request_id, etag, GRACE, EVE),
        lambda: reassign(caller, request_id, etag, ALAN, MARY),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    refused = next(answer for answer in answers if answer.status_code == 412)
    story = caller.look(request_id).json()
    assert len(story["changes"]) == 1
    assert refused.json()["revision"] == story["revision"] == 2


def test_nothing_is_changed_or_taken_back_by_an_etag_from_before_a_vote(caller):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    etag = caller.look(request_id).headers["ETag"]
    caller.decide(request_id, approver=ALAN).raise_for_status()

    answers = [withdraw(caller, request_id, etag), reassign(caller, request_id, etag)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(412, "stale")] * 2
    story = caller.look(request_id).json()
    assert (story["status"], story["changes"], story["revision"]) == ("Pending", [], 2)
    assert withdraw(caller, request_id, answers[0].json()["etag"]).json()["status"] == "Cancelled"


@pytest.mark.parametrize(
    "spelled", ["{}", "W/{}", '{cut}-gzip"', 'W/{cut}--gzip"', '"{revision}"', "{revision}", '"9", {}']
)
def test_a_tag_that_a_proxy_spelled_anew_and_the_bare_revision_name_what_was_seen(caller, spelled):
    request_id = caller.asked(approvers=[GRACE, ALAN], required="all")
    seen = caller.look(request_id)
    etag, revision = seen.headers["ETag"], seen.json()["revision"]
    tag = spelled.format(etag, cut=etag[:-1], revision=revision)

    assert reassign(caller, request_id, tag).status_code == 200
    assert reassign(caller, request_id, tag, ALAN, MARY).status_code == 412


def test_a_change_that_is_sent_again_is_recorded_once(caller):
    request_id = caller.asked(stages=[{"approvers": [GRACE]}, {"approvers": [GRACE, ALAN]}])
    etag = caller.look(request_id).headers["ETag"]

    first, again = reassign(caller, request_id, etag), reassign(caller, request_id, etag)
    whatever = reassign(caller, request_id, "*")

    assert [each.status_code for each in (first, again, whatever)] == [200, 200, 200]
    assert len(caller.look(request_id).json()["changes"]) == 1
    assert reassign(caller, request_id, "*", stage=2).status_code == 200
    assert len(caller.look(request_id).json()["changes"]) == 2


# --- passing on ------------------------------------------------------------------------------------


def test_what_was_passed_on_can_be_given_back(caller):
    request_id = caller.asked(approvers=[GRACE])

    away = reassign(caller, request_id, "*", GRACE, EVE)
    back = reassign(caller, request_id, "*", EVE, GRACE)

    assert (away.status_code, back.status_code) == (200, 200)
    assert caller.decide(request_id, approver=EVE).json()["passed_on_to"] == GRACE
    assert caller.decide(request_id, approver=GRACE).json()["status"] == "Approved"


def test_someone_of_a_later_stage_is_replaced_before_it_begins(caller):
    request_id = caller.asked(stages=[{"approvers": [GRACE]}, {"name": "Board", "approvers": [ALAN]}])

    replaced = reassign(caller, request_id, "*", ALAN, EVE)

    assert replaced.status_code == 200
    assert replaced.json()["awaited"]["from"] == [GRACE]
    assert caller.decide(request_id).json()["awaited"]["from"] == [EVE]
    assert caller.decide(request_id, approver=ALAN).status_code == 403
    assert caller.decide(request_id, approver=EVE).json()["status"] == "Approved"
    over = reassign(
        caller, caller.asked(stages=[{"approvers": [GRACE]}, {"approvers": [ALAN]}]), "*", ALAN, EVE, stage=1
    )
    assert (over.status_code, over.json()["errors"][0]["pointer"]) == (422, "/from")


def test_a_link_that_was_passed_on_shows_nothing_for_good(caller):
    one = Asked(caller, item="A secret thing", stages=[{"approvers": [EVE, MARY, GRACE]}, {"approvers": [ALAN]}])
    reassign(caller, one.id, "*", GRACE, "new@example.com").raise_for_status()

    while_asked = one.look()
    caller.decide(one.id, approver="new@example.com", comments="Secret words").raise_for_status()
    when_over = one.look()
    caller.decide(one.id, approver=ALAN, comments="Secret, too").raise_for_status()
    when_decided = one.look()

    for answer in (while_asked, when_over, when_decided):
        assert answer.status_code == 403
        assert "new@example.com was asked instead" in shown(answer)
        assert "secret" not in answer.text.lower()
        assert ADA not in answer.text


# --- silence ---------------------------------------------------------------------------------------


def test_silence_never_overrules_a_rejection(caller, host):
    agreed = {"required": 2, "reject_when": "impossible", "timeout_hours": MINUTE, "on_timeout": "approve"}
    against, nobody = (caller.asked(approvers=[GRACE, ALAN, EVE], **agreed) for _ in range(2))
    caller.decide(against, is_approved=False, comments="No!").raise_for_status()
    imagined = [{"approver": GRACE, "is_approved": False, "after_hours": MINUTE / 2}]
    request = {"requester": ADA, "item": "x", "approvers": [GRACE, ALAN, EVE], **agreed}
    body = {"request": request, "answers": imagined}

    host.move(seconds=60)

    story = caller.outcome(against)
    assert (story["status"], story["decision"]["comments"]) == ("Rejected", "No!")
    assert caller.outcome(nobody)["status"] == "Approved"
    preview = caller.http.post("/api/policies/preview", json=body).json()
    assert preview["with_these_answers"]["status"] == "Rejected"
    assert preview["if_nobody_answers"]["status"] == "Approved"


def test_words_follow_the_answers_there_were(caller, host):
    one = Asked(caller, approvers=[GRACE, ALAN], required="all", timeout_hours=MINUTE)
    one.press(comments="Fine")
    host.move(seconds=60)
    assert caller.outcome(one.id)["status"] == "Timeout"

    page, called = one.look(ALAN), caller.decide(one.id, approver=ALAN)

    for words in (shown(page), called.json()["detail"]):
        assert "Not enough people answered in time: 1 of 2 approved. The request was closed without approval." in words
        assert "Nobody answered" not in words
    assert (page.status_code, called.status_code) == (410, 410)


# --- what pages offer and when they go stale -------------------------------------------------------


def test_the_page_offers_what_the_api_takes(caller):
    options = [{"name": "For a week", "approves": True}, {"name": "Never", "approves": False}]
    free, bound = (Asked(caller, approvers=[GRACE], options=options, options_only=only) for only in (False, True))

    plain = [one.caller.decide(one.id, is_approved=False) for one in (bound, free)]

    assert [answer.status_code for answer in plain] == [422, 200]
    assert plain[0].json()["errors"][0]["pointer"] == "/option"
    offered = Asked(caller, approvers=[GRACE], options=options)
    assert 'value="approve"' in offered.look().text
    assert 'value="reject"' in offered.look().text
    assert offered.press(answer="approve").status_code == 303
    assert 'value="approve"' not in bound.look().text
    assert bound.press(answer="approve").status_code == 422
    assert bound.press(answer="option-0").status_code == 303
    one_sided = caller.ask(approvers=[GRACE], options=options[:1], options_only=True)
    assert one_sided.json()["errors"][0]["pointer"] == "/options_only"


def test_a_page_is_not_stale_because_a_colleague_answered(caller):
    one = Asked(caller, approvers=[GRACE, ALAN, EVE], required="all")
    page = one.look().text
    one.press(ALAN)

    assert one.send(an_answer(page)).status_code == 303
    late = one.look(EVE).text
    reassign(caller, one.id, "*", EVE, MARY).raise_for_status()
    assert one.send(an_answer(late), EVE).status_code == 403


# --- who is who ------------------------------------------------------------------------------------

SPELLINGS = [
    "ada@example.com.",
    "Ada <ada@example.com>",
    "mailto:ada@example.com",
    "\uff41da@example.com",
    "ada@example\u3002com",
    "'ada@example.com'",
]


def test_no_spelling_lets_somebody_decide_on_their_own_request(caller):
    bare = caller.asked()

    for name in SPELLINGS:
        answer = caller.decide(bare, approver=name)
        assert (answer.status_code, answer.json()["code"]) == (403, "self_approval"), name
        assert caller.ask(approvers=[name]).status_code == 422, name
    assert reassign(caller, caller.asked(approvers=[GRACE]), "*", GRACE, SPELLINGS[0]).status_code == 403
    hidden = caller.decide(bare, approver="ada\u200d@example.com")
    assert (hidden.status_code, hidden.json()["errors"][0]["pointer"]) == (422, "/approver")
    assert "U+200D" in hidden.json()["detail"]


def test_one_mailbox_does_not_fill_three_slots(caller):
    answer = caller.ask(approvers=[GRACE, "Grace <grace@example.com>", "grace@example.com."], required="all")

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/approvers/1", "/approvers/2"]


def test_a_name_that_looks_alike_answers_nothing(caller):
    request_id = caller.asked(approvers=["boss@maß.de"])

    other, same = caller.decide(request_id, approver="boss@mass.de"), caller.decide(request_id, approver="BOSS@maß.DE")

    assert (other.status_code, other.json()["code"]) == (403, "not_yours")
    assert same.status_code == 200


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"approvers": []}, "/approvers"),
        ({"approvers": [], "required": "all"}, "/approvers"),
        ({"required": "all"}, "/required"),
        ({"required": 2}, "/required"),
        ({"stages": [{"approvers": [GRACE]}, {"approvers": []}]}, "/stages/1/approvers"),
        ({"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": []}, "/escalate_to/approvers"),
        ({"approvers": [GRACE], "on_timeout": "escalate", "escalate_to": {}}, "/escalate_to/approvers"),
    ],
    ids=str,
)
def test_nobody_opens_a_request_to_strangers_by_naming_nobody(caller, fields, pointer):
    answer = caller.ask(**fields)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_what_nobody_sees_is_no_comment_and_no_part_of_a_title(caller):
    request_id = caller.asked(approvers=[GRACE], comment_required="always", item="New lap\u00adtop\u200e")

    unseen = caller.decide(request_id, comments="\u200b\u3164")

    assert (unseen.status_code, unseen.json()["errors"][0]["pointer"]) == (422, "/comments")
    assert caller.look(request_id).json()["item"] == "New laptop"

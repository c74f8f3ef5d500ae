"""The approver's page over HTTP: looking decides nothing, a button decides once, and everyone is told the truth."""

import base64
import concurrent.futures
import hashlib
import html
import json
import re
from urllib.parse import urlencode

import pytest

from tests.builders import ADA, ALAN, EVE, GRACE, a_principal, a_request, an_answer
from tests.localhost import LocalHost

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGNED_IN_HOST = {"TRUST_EASY_AUTH": "true", "WEBSITE_AUTH_ENABLED": "True"}


class Asked:
    """A request and everyone's link."""

    def __init__(self, caller, **fields):
        said = {name: value for name, value in fields.items() if value is not None}  # approvers=None: the open slot
        self.caller, answer = caller, caller.ask(**said)
        self.body = answer.raise_for_status().json()
        self.id = self.body["request_id"]
        self.links = {each["approver"]: each["approval_url"] for each in self.body["approvals"]}

    def look(self, person=GRACE, **headers):
        return self.caller.http.get(self.links[person], headers=headers)

    def send(self, fields, person=GRACE, **headers):
        """Send a form: pairs, a mapping, text or bytes."""
        content = fields if isinstance(fields, str | bytes) else urlencode(fields)
        return self.caller.http.post(self.links[person], content=content, headers={**FORM, **headers})

    def press(self, person=GRACE, headers=None, **fields):
        """Open the page and press a button."""
        return self.send(an_answer(self.look(person, **(headers or {})).text, **fields), person, **(headers or {}))

    def story(self):
        return self.caller.look(self.id).raise_for_status().json()


@pytest.fixture
def asks(caller):
    """Give requests with everyone's links: `asks(approvers=[...])`; Grace is asked unless it says otherwise."""
    return lambda **fields: Asked(caller, **({} if "stages" in fields else {"approvers": [GRACE]}) | fields)


@pytest.fixture(scope="module")
def platform():
    """Give a host where the platform signs people in."""
    running = LocalHost(**SIGNED_IN_HOST).start()
    yield running
    running.stop()


def shown(answer):
    """Give a page's text as it is read."""
    body = answer.text.partition("<body>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


# --- looking --------------------------------------------------------------------------------------


def test_the_page_shows_what_is_asked_by_whom_until_when_and_what_silence_means(asks):
    one = asks(
        approvers=[GRACE, ALAN],
        required="all",
        description="Mine broke.\nToday.",
        details={"price": {"net": 1200}, "colours": ["grey", "blue"], "urgent": True},
        on_timeout="reject",
        timeout_hours=48,
    )

    answer = one.look()

    text = shown(answer)
    assert answer.status_code == 200
    assert "ada@example.com asks for your approval" in text
    assert "New laptop" in text
    assert "Mine broke. Today." in text
    assert "the name comes from a connected system" in text
    assert "2 of 2 have to approve" in text
    assert "Price \u203a Net 1200" in text
    assert "grey, blue" in text
    assert "Urgent yes" in text
    assert f'<time datetime="{one.body["deadline"]}">' in answer.text
    assert "in 47 hours" in text
    assert "if too few answer: the request is rejected" in text
    assert 'value="approve"' in answer.text
    assert 'value="reject"' in answer.text
    assert "checked" not in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"on_timeout": "timeout"}, "if nobody answers: the request ends without approval"),
        ({"on_timeout": "approve"}, "if nobody answers: the request is approved"),
        ({"on_timeout": "reject"}, "if nobody answers: the request is rejected"),
        ({"on_timeout": "escalate", "escalate_to": [EVE]}, "if nobody answers: other people are asked"),
    ],
    ids=["timeout", "approve", "reject", "escalate"],
)
def test_the_page_says_what_silence_means(asks, fields, words):
    assert words in shown(asks(**fields).look())


def test_the_page_shows_who_has_answered_and_how_sure_that_is(asks):
    one = asks(approvers=[GRACE, ALAN], required="all")
    one.press(ALAN, comments="Fine with me")

    text = shown(one.look())

    assert f"{ALAN} approved" in text
    assert "by the link sent to them" in text
    assert "Fine with me" in text


def test_looking_changes_nothing_and_head_is_get_without_a_body(asks):
    one = asks()
    before = one.story()

    page, again = one.look(), one.look()
    head = one.caller.http.head(one.links[GRACE])
    options = one.caller.http.options(one.links[GRACE])

    assert (page.status_code, head.status_code, options.status_code) == (200, 200, 204)
    assert page.text == again.text or left_out(page.text) == left_out(again.text)
    assert not head.content
    assert options.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert one.story() == before


def left_out(text):
    """Give a page without how long is left."""
    return re.sub(r"\(in [^)]*\)", "", text)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_another_method_is_a_page_that_says_so(asks, method):
    one = asks()

    answer = one.caller.http.request(method, one.links[GRACE], content=urlencode(an_answer(one.look().text)))

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert "This address does not take that" in answer.text
    assert one.story()["status"] == "Pending"


def test_the_script_of_the_page_is_where_the_page_says_and_is_the_only_one(asks):
    one = asks()

    scripts = re.findall(r'<script src="([^"]*)"', one.look().text)
    script = one.caller.http.get(str(one.look().url.join(scripts[0])))

    assert scripts == ["../assets/time.js"]
    assert script.status_code == 200
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "submit" not in script.text
    assert "fetch" not in script.text


# --- deciding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("button", "status"), [("approve", "Approved"), ("reject", "Rejected")])
def test_a_button_decides_and_what_is_recorded_says_how(asks, button, status):
    one = asks()

    answer = one.press(answer=button, comments="So be\r\nit")

    after = one.caller.http.get(str(answer.next_request.url))
    decision = one.story()["decision"]
    assert answer.status_code == 303
    assert str(answer.next_request.url) == one.links[GRACE]
    assert "Your answer is recorded" in after.text
    assert one.story()["status"] == status
    assert (decision["approver"], decision["comments"]) == (GRACE, "So be\nit")
    assert (decision["channel"], decision["assurance"], decision["signed_in_as"]) == ("page", "link", None)


def test_the_same_form_twice_is_one_decision(asks):
    one = asks()
    form = an_answer(one.look().text, comments="Yes")

    first, again = one.send(form), one.send(form)

    assert (first.status_code, again.status_code) == (303, 200)
    assert "Your answer is recorded" in again.text
    assert len(one.story()["votes"]) == 1


def test_a_contrary_form_afterwards_is_told_what_stands(asks):
    one = asks()
    html_before = one.look().text
    one.send(an_answer(html_before, comments="Enjoy"))

    answer = one.send(an_answer(html_before, answer="reject"))

    assert answer.status_code == 409
    assert "An answer is recorded already" in answer.text
    assert "Nothing was changed" in shown(answer)
    assert "Enjoy" in answer.text
    assert one.story()["status"] == "Approved"


def test_an_option_is_a_button(asks):
    one = asks(options=[{"name": "for this week", "approves": True}, {"name": "for good", "approves": True}])

    values = re.findall(r'name="answer" value="([^"]*)"', one.look().text)
    answer = one.press(answer=values[1])

    assert values == ["option-0", "option-1", "approve", "reject"], "the page offers what the API takes"
    assert answer.status_code == 303
    assert one.story()["decision"]["option"] == "for good"


def test_on_the_open_slot_a_person_gives_their_name(asks):
    one = asks(approvers=None)
    assert one.body["approval_url"] == one.links[None]

    nameless = one.press(None)
    own = one.press(None, approver=ADA)
    answer = one.press(None, approver=EVE)

    assert nameless.status_code == 422
    assert "must not be empty" in html.unescape(nameless.text)
    assert own.status_code == 403
    assert answer.status_code == 303
    assert one.story()["decision"]["approver"] == EVE


def test_a_typed_name_is_passed_over_where_the_link_is_somebodys(asks):
    one = asks()

    one.press(approver=EVE)

    assert one.story()["decision"]["approver"] == GRACE


def test_what_is_owed_is_said_beside_the_field_and_what_was_typed_is_kept(asks):
    form = {"type": "object", "properties": {"cost_center": {"type": "string"}}, "required": ["cost_center"]}
    one = asks(form=form, comment_required="on_reject")

    owing = one.press(answer="reject", **{"form/cost_center": "4711"})
    wrong = one.press(comments="My words")
    answer = one.press(**{"form/cost_center": "4711"})

    assert owing.status_code == 422
    assert 'value="4711"' in owing.text
    assert wrong.status_code == 422
    assert ": an answer is needed." in wrong.text
    assert "My words" in wrong.text
    assert answer.status_code == 303
    assert one.story()["decision"]["form"] == {"cost_center": "4711"}


# --- forms that decide nothing --------------------------------------------------------------------


def test_a_form_that_the_page_did_not_make_decides_nothing(asks):
    one, two = asks(approvers=[GRACE, ALAN], required="all"), asks()
    one.press(ALAN)
    tokens = {
        "none": "",
        "nonsense": "nonsense",
        "the link itself": one.links[GRACE].rpartition("/")[2],
        "of another request": an_answer(two.look().text)["page"],
        "of a larger one": an_answer(one.look().text)["page"] + "A",
    }
    other_link = asks(approvers=[GRACE, ALAN], required="all")
    before = one.story()

    for token in tokens.values():
        answer = one.send({"page": token, "answer": "approve", "comments": "Kept <words>"})
        assert answer.status_code == 409
        assert "Nothing was decided." in answer.text
        assert "Kept &lt;words&gt;" in answer.text
    without = one.send({"answer": "approve"})
    foreign = other_link.send(an_answer(other_link.look(ALAN).text), GRACE)

    assert (without.status_code, foreign.status_code) == (409, 409)
    assert one.story() == before
    assert other_link.story()["votes"] == []
    assert one.press().status_code == 303


def test_the_page_that_says_it_was_stale_can_be_sent(asks):
    one = asks(approvers=[GRACE, ALAN], required="all")
    old = an_answer(one.look().text) | {"page": "of another day"}

    stale = one.send(old)
    answer = one.send(an_answer(stale.text))

    assert (stale.status_code, answer.status_code) == (409, 303)


def test_a_page_is_not_stale_because_a_colleague_answered_meanwhile(asks):
    one = asks(approvers=[GRACE, ALAN], required="all")
    old = an_answer(one.look().text)
    one.press(ALAN)

    answer = one.send(old)

    assert answer.status_code == 303
    assert one.story()["status"] == "Approved"


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [""],
        ["approve", "reject"],
        ["approve", "approve"],
        ["Approve"],
        ["yes"],
        ["option-0"],
        ["true"],
        ["approve "],
    ],
    ids=str,
)
def test_without_one_button_of_the_page_nothing_is_decided(asks, answers):
    one = asks()
    page = an_answer(one.look().text)["page"]

    answer = one.send([("page", page), *(("answer", each) for each in answers)])

    assert answer.status_code == 422
    assert "Choose an answer." in answer.text
    assert one.story()["status"] == "Pending"


def test_of_a_form_token_that_is_doubled_the_first_counts(asks):
    one = asks()
    page = an_answer(one.look().text)["page"]

    wrong = one.send([("page", "x"), ("page", page), ("answer", "approve")])

    assert wrong.status_code == 409
    assert one.story()["status"] == "Pending"


@pytest.mark.parametrize(
    "media",
    ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/x-www-form-urlencoded-not"],
)
def test_another_kind_of_body_is_refused(asks, media):
    one = asks()
    form = an_answer(one.look().text)

    for content in (urlencode(form), json.dumps(form)):
        answer = one.send(content, **{"Content-Type": media})
        assert answer.status_code == 415
        assert "not sent by the page" in answer.text
    assert one.story()["status"] == "Pending"


@pytest.mark.parametrize(
    "media", ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded; charset=utf-8"]
)
def test_a_form_is_known_in_every_spelling(asks, media):
    one = asks()

    assert one.press(headers={"Content-Type": media}).status_code == 303


def test_too_much_is_refused_before_it_is_read(asks):
    one = asks()
    form = an_answer(one.look().text)
    exactly = urlencode({**form, "comments": ""})

    large = one.send(exactly + "x" * (256 * 1024 + 1 - len(exactly)))
    fits = one.send(exactly + "x" * (256 * 1024 - len(exactly)))
    fields = one.send([*form.items(), *((f"form/{n}", "x") for n in range(600))])
    separators = one.send(urlencode(form) + "&" * 600)

    assert [each.status_code for each in (large, fits, fields, separators)] == [413, 422, 413, 413]
    assert one.story()["status"] == "Pending"


def test_500_fields_are_read(asks):
    one = asks()
    form = an_answer(one.look().text)

    answer = one.send([*form.items(), *((f"x{n}", "") for n in range(498))])

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)]
)
def test_a_form_from_another_site_is_refused(asks, site, status):
    one = asks()

    answer = one.press(headers={"Sec-Fetch-Site": site})

    assert answer.status_code == status
    assert one.story()["status"] == ("Approved" if status == 303 else "Pending")


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        (b"%FF%FEabc", "\ufffd\ufffdabc"),
        (b"\xff\xfeabc", "\ufffd\ufffdabc"),
        (b"%ED%A0%80", "\ufffd\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"%F0%9F%91%8D", "👍"),
        (b"a+b%2Bc", "a b+c"),
        (b"%26amp%3B%3Cb%3E", "&amp;<b>"),
        (b"%zz%", "%zz%"),
        ("Zoe\u0308".encode(), "Zo\u00eb"),
    ],
    ids=ascii,
)
def test_what_is_no_utf8_is_recorded_as_replacements(asks, typed, recorded):
    one = asks()

    answer = one.send(urlencode(an_answer(one.look().text)).encode() + b"&comments=" + typed)

    assert answer.status_code == 303
    assert one.story()["decision"]["comments"] == recorded


@pytest.mark.parametrize("typed", ["%00", "a%00b", "%1B%5B31m", "a%C2%85b", "a%E2%80%A8b"])
def test_controls_are_refused_with_the_form(asks, typed):
    one = asks()

    answer = one.send(urlencode(an_answer(one.look().text)) + "&comments=" + typed)

    assert answer.status_code == 422
    assert "control character" in answer.text
    assert one.story()["status"] == "Pending"


def test_controls_in_a_name_or_a_form_do_not_break_the_page(asks):
    form = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "number"}}}
    one = asks(approvers=None, form=form)
    sent = urlencode({**an_answer(one.look(None).text), "form/n": "x"})

    answer = one.send(sent + "&approver=a%00b&form/a=%00%ED%A0%80%FF%F4%90%80%80", None)

    assert answer.status_code == 422
    assert one.story()["status"] == "Pending"


@pytest.mark.parametrize("size", [0, 1])
def test_a_body_of_nothing_decides_nothing(asks, size):
    one = asks()

    assert one.send(b"&" * size).status_code == 409
    assert one.story()["status"] == "Pending"


def test_the_longest_answer_the_api_takes_can_be_sent_by_the_page(asks):
    """In the heaviest letters there are: twelve bytes each, where a form is sent."""
    cat = "\N{CAT FACE}"
    form = {"properties": {"why": {"type": "string"}}, "required": ["why"]}
    one = asks(approvers=[GRACE], form=form)
    why = cat * (4096 - len('{"why":""}'))

    answer = one.press(comments=cat * 2000, **{"form/why": why})

    assert answer.status_code == 303, answer.text[:2000]
    assert one.story()["decision"]["comments"] == cat * 2000
    assert one.story()["decision"]["form"] == {"why": why}


# --- at once --------------------------------------------------------------------------------------


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as people:
        return [running.result() for running in [people.submit(*call) for call in calls]]


def test_twenty_of_the_same_form_at_once_are_one_decision(asks):
    one = asks()
    form = an_answer(one.look().text, comments="Once")

    answers = at_once([(one.send, form)] * 20)

    story = one.story()
    assert {each.status_code for each in answers} <= {200, 303}
    assert 303 in [each.status_code for each in answers]
    assert len(story["votes"]) == 1
    assert story["decision"]["comments"] == "Once"


def test_of_twenty_contrary_forms_at_once_one_counts_and_everyone_is_told_which(asks):
    one = asks()
    page = one.look().text

    answers = at_once([(one.send, an_answer(page, answer=("approve", "reject")[n % 2])) for n in range(20)])

    story = one.story()
    stands = 0 if story["decision"]["is_approved"] else 1
    word = ("approved", "rejected")[stands]
    assert len(story["votes"]) == 1
    for n, answer in enumerate(answers):
        assert answer.status_code in ((303, 200) if n % 2 == stands else (409,)), shown(answer)
        if answer.status_code != 303:
            assert f"{GRACE} {word}" in shown(answer)


def test_of_twenty_people_on_one_open_link_at_once_one_is_recorded_and_everyone_sees_who(asks):
    one = asks(approvers=None)
    page = one.look(None).text

    answers = at_once(
        [
            (one.send, an_answer(page, answer=("approve", "reject")[n % 2], approver=f"person-{n}@example.com"), None)
            for n in range(20)
        ]
    )

    decision = one.story()["decision"]
    assert [each.status_code for each in answers].count(303) == 1
    for n, answer in enumerate(answers):
        if answer.status_code == 303:
            assert decision["approver"] == f"person-{n}@example.com"
        else:
            assert answer.status_code in (200, 409)
            assert f"{decision['approver']} {'approved' if decision['is_approved'] else 'rejected'}" in shown(answer)


# --- what every page has --------------------------------------------------------------------------

CSP = re.compile(
    r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; script-src 'self'; form-action 'self'; "
    r"base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def test_every_answer_of_every_status_has_the_headers_that_keep_a_page_safe(asks, host):
    one, over, open_slot = (
        asks(approvers=[GRACE, ALAN], required="all"),
        asks(timeout_hours=1 / 60),
        asks(approvers=None),
    )
    later = asks(stages=[{"approvers": [GRACE]}, {"approvers": [ALAN]}])
    passed = asks()
    passed.caller.http.post(f"/api/approvals/{passed.id}/delegate", json={"approver": GRACE, "to": EVE})
    gone = asks()
    gone.caller.http.post(
        f"/api/requests/{gone.id}/cancel", json={"by": ADA, "reason": "Not needed"}, headers={"If-Match": "*"}
    )
    host.move(seconds=60)
    over.caller.outcome(over.id)
    form = an_answer(one.look().text)

    answers = [
        one.look(),
        one.caller.http.head(one.links[GRACE]),
        one.caller.http.options(one.links[GRACE]),
        one.caller.http.get("/approve/nonsense"),
        one.caller.http.post("/approve/nonsense"),
        one.caller.http.put(one.links[GRACE]),
        one.send("{}", **{"Content-Type": "application/json"}),
        one.send("x" * 300_000),
        one.send(form, **{"Sec-Fetch-Site": "cross-site"}),
        one.send({"answer": "approve"}),
        one.send({**form, "answer": ""}),
        one.send(form),
        one.look(),
        one.send({**form, "answer": "reject"}),
        later.look(ALAN),
        passed.look(),
        gone.look(),
        over.look(),
        open_slot.press(None, approver=ADA),
    ]

    statuses = [200, 200, 204, 404, 404, 405, 415, 413, 403, 409, 422, 303, 200, 409, 409, 403, 410, 410, 403]
    assert [each.status_code for each in answers] == statuses
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert CSP.fullmatch(policy), policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "*" not in policy
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "Set-Cookie" not in answer.headers
        if answer.content:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert answer.text.startswith("<!doctype html>")


def test_the_style_of_the_page_is_the_one_its_policy_allows(asks):
    answer = asks().look()

    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text
    assert not re.search(r"\son[a-z]+=", answer.text)


# --- links that are not good ----------------------------------------------------------------------


def test_whatever_is_wrong_with_a_link_the_answer_is_the_same_bytes(asks):
    one, two = asks(), asks()
    token, other = (each.links[GRACE].rpartition("/")[2] for each in (one, two))
    payload, _, signature = token.rpartition(".")
    wrong = [
        "x",
        "nonsense",
        token[:-1],
        token + "A",
        token[:-1] + ("A" if token[-1] != "A" else "E"),
        f"{payload}.{other.rpartition('.')[2]}",
        f"{other.rpartition('.')[0]}.{signature}",
        an_answer(one.look().text)["page"],
        token.upper(),
        token + "%20",
        token + "%00",
        "%F0%9F%91%8D",
        "%ff",
        "%3Cscript%3E",
        one.id,
        "A" * 5000,
    ]

    answers = [one.caller.http.request(m, f"/approve/{each}") for each in wrong for m in ("GET", "POST")]

    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    assert len({tuple(sorted(set(each.headers.items()) - {("date", each.headers["date"])})) for each in answers}) == 1
    assert "This link is not genuine" in answers[0].text


def test_a_link_without_a_token_is_nothing(caller):
    assert caller.http.get("/approve/").status_code == 404
    assert caller.http.get("/approve").status_code == 404


def test_the_link_of_someone_who_passed_on_names_who_was_asked_and_nothing_of_the_request(asks):
    one = asks(item="Secret item", description="Secret words", details={"secret": 1})
    old_page = one.look().text
    one.caller.http.post(f"/api/approvals/{one.id}/delegate", json={"approver": GRACE, "to": EVE}).raise_for_status()

    looked, sent = one.look(), one.send(an_answer(old_page))

    for answer in (looked, sent):
        assert answer.status_code == 403
        assert f"{EVE} was asked instead" in shown(answer)
        assert "secret" not in answer.text.lower()
        assert ADA not in answer.text
        assert one.id not in answer.text
    assert one.story()["votes"] == []
    one.caller.decide(one.id, approver=EVE, comments="Secret answer").raise_for_status()
    afterwards = one.look()
    assert afterwards.status_code == 403
    assert "secret" not in afterwards.text.lower()


def test_a_link_of_a_later_stage_says_whose_turn_it_is_and_decides_nothing(asks):
    one = asks(stages=[{"name": "Team", "approvers": [GRACE]}, {"name": "Board", "approvers": [ALAN]}])

    before = one.look(ALAN)
    sent = one.send({"answer": "approve"}, ALAN)
    one.press()
    after = one.press(ALAN)

    assert (before.status_code, sent.status_code, after.status_code) == (409, 409, 303)
    assert "step 1 of 2: Team" in shown(before)
    assert 'name="answer"' not in before.text
    assert one.story()["status"] == "Approved"


def test_a_page_of_a_stage_that_is_over_decides_nothing(asks):
    one = asks(stages=[{"approvers": [GRACE, EVE]}, {"approvers": [ALAN, GRACE]}])
    old = one.look(EVE).text
    link_of_grace = one.body["approvals"][0]["approval_url"]
    one.caller.decide(one.id, approver=GRACE).raise_for_status()

    answer = one.send(an_answer(old), EVE)
    own = one.caller.http.get(link_of_grace)

    assert answer.status_code == 403
    assert "This step is over" in answer.text
    assert len(one.story()["votes"]) == 1
    assert own.status_code == 200
    assert "The request goes on: step 2 of 2" in own.text


def test_nobody_decides_after_the_end(asks, host):
    late, gone = asks(timeout_hours=1 / 60), asks()
    pages = [late.look().text, gone.look().text]
    host.move(seconds=60)
    late.caller.outcome(late.id)
    gone.caller.http.post(
        f"/api/requests/{gone.id}/cancel", json={"by": ADA, "reason": "Not needed"}, headers={"If-Match": "*"}
    ).raise_for_status()

    answers = [one.send(an_answer(page)) for one, page in zip((late, gone), pages, strict=True)]

    assert [each.status_code for each in answers] == [410, 410]
    assert "Nobody answered in time" in answers[0].text
    assert "Not needed" in answers[1].text
    assert [one.story()["votes"] for one in (late, gone)] == [[], []]


def test_a_slash_after_a_link_leads_to_the_page(asks):
    one = asks()

    answer = one.caller.http.get(f"{one.links[GRACE]}/", follow_redirects=True)

    assert str(answer.url) == one.links[GRACE]
    assert answer.text.count('name="comments"') == 1


# --- signed in ------------------------------------------------------------------------------------

GRACE_SIGNED_IN = a_principal(GRACE)


def test_a_header_that_anybody_can_send_is_nobodys_word(asks):
    one = asks(approvers=[GRACE, ALAN], required="all")

    sent = one.press(headers=GRACE_SIGNED_IN)
    called = one.caller.http.post(
        f"/api/approvals/{one.id}", json={"is_approved": True, "approver": ALAN}, headers=a_principal(ALAN)
    )

    assert (sent.status_code, called.status_code) == (303, 200)
    assert [(vote["assurance"], vote["signed_in_as"]) for vote in one.story()["votes"]] == [
        ("link", None),
        ("key", None),
    ]


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"approvers": [GRACE], "assurance": "signed-in"}, "/assurance"),
        ({"stages": [{"approvers": [GRACE]}, {"approvers": [ALAN], "assurance": "signed-in"}]}, "/stages/1/assurance"),
        (
            {
                "approvers": [GRACE],
                "on_timeout": "escalate",
                "escalate_to": {"approvers": [ALAN], "assurance": "signed-in"},
            },
            "/escalate_to/assurance",
        ),
    ],
    ids=["of one stage", "of a later stage", "of an escalation"],
)
def test_a_demand_that_people_be_signed_in_is_refused_where_nobody_ever_is(caller, policy, pointer):
    answer = caller.ask(**policy)
    preview = caller.http.post("/api/policies/preview", json={"request": a_request(**policy)})

    for refused, at in ((answer, pointer), (preview, f"/request{pointer}")):
        assert refused.status_code == 422
        assert [each["pointer"] for each in refused.json()["errors"]] == [at]
        assert "TRUST_EASY_AUTH" in refused.json()["detail"]


@pytest.mark.parametrize("settings", [{"TRUST_EASY_AUTH": "true"}, {"WEBSITE_AUTH_ENABLED": "True"}], ids=str)
def test_one_setting_alone_trusts_nobody(started, calling, settings):
    one = Asked(calling(started(LocalHost(**settings))), approvers=[GRACE])

    answer = one.press(headers=GRACE_SIGNED_IN)

    decision = one.story()["decision"]
    assert answer.status_code == 303
    assert (decision["assurance"], decision["signed_in_as"]) == ("link", None)


@pytest.fixture
def asks_signed_in(platform, calling):
    """Give requests on a host where the platform signs people in."""
    caller = calling(platform)
    return lambda **fields: Asked(caller, **{"approvers": [GRACE], "assurance": "signed-in", **fields})


def test_a_decision_of_someone_signed_in_says_so(asks_signed_in):
    one = asks_signed_in()

    without = one.look()
    answer = one.press(headers=GRACE_SIGNED_IN)

    decision = one.story()["decision"]
    assert without.status_code == 403
    assert "only from grace@example.com , signed in" in shown(without)
    assert answer.status_code == 303
    assert (decision["approver"], decision["channel"]) == (GRACE, "page")
    assert (decision["assurance"], decision["signed_in_as"]) == ("signed-in", "t/o")


def test_a_decision_of_someone_signed_in_says_so_through_the_api_too(asks_signed_in):
    one = asks_signed_in()
    body = {"is_approved": True, "approver": GRACE}

    by_key = one.caller.http.post(f"/api/approvals/{one.id}", json=body)
    by_other = one.caller.http.post(f"/api/approvals/{one.id}", json=body, headers=a_principal(ALAN))
    by_grace = one.caller.http.post(f"/api/approvals/{one.id}", json=body, headers=GRACE_SIGNED_IN)

    assert (by_key.status_code, by_other.status_code, by_grace.status_code) == (403, 403, 200)
    assert by_key.json()["code"] == by_other.json()["code"] == "sign_in_required"
    decision = one.story()["decision"]
    assert (decision["channel"], decision["assurance"], decision["signed_in_as"]) == ("api", "signed-in", "t/o")


def test_a_name_of_tenant_and_object_is_matched_with_both(asks_signed_in):
    one = asks_signed_in(approvers=["tenant-1/object-1"])
    person = "tenant-1/object-1"

    others = [
        one.look(person, **a_principal(None, tenant, subject)).status_code
        for tenant, subject in (("tenant-2", "object-1"), ("tenant-1", "object-2"), ("object-1", "tenant-1"))
    ]
    answer = one.press(person, headers=a_principal(None, "tenant-1", "object-1"))

    assert others == [403, 403, 403]
    assert answer.status_code == 303
    assert one.story()["decision"]["assurance"] == "signed-in"


@pytest.mark.parametrize(
    "principal",
    [
        a_principal(GRACE, idtyp="app"),
        a_principal(GRACE, sub="o"),
        a_principal(GRACE, xms_edov="0"),
        a_principal(GRACE, xms_edov=None),
        a_principal(GRACE, tid=None),
        a_principal(ALAN),
        {"X-MS-CLIENT-PRINCIPAL": "nonsense"},
        {"X-MS-CLIENT-PRINCIPAL-NAME": GRACE, "X-MS-CLIENT-PRINCIPAL-ID": "o"},
    ],
    ids=["app", "app by subject", "unverified", "not said", "no tenant", "someone else", "nonsense", "other headers"],
)
def test_who_is_not_signed_in_as_the_approver_does_not_decide_where_that_is_wanted(asks_signed_in, principal):
    one = asks_signed_in()
    form = an_answer(one.look(**GRACE_SIGNED_IN).text)

    looked, sent = one.look(**principal), one.send(form, **principal)

    assert (looked.status_code, sent.status_code) == (403, 403)
    assert "Sign in to answer" in sent.text
    assert one.story()["votes"] == []


def test_the_form_of_one_person_is_not_sent_by_another(asks_signed_in):
    one = asks_signed_in(assurance="any")
    of_grace, of_nobody = one.look(**GRACE_SIGNED_IN).text, one.look().text

    answers = [
        one.send(an_answer(of_grace)),
        one.send(an_answer(of_grace), **a_principal(GRACE, subject="another")),
        one.send(an_answer(of_nobody), **GRACE_SIGNED_IN),
    ]

    assert [each.status_code for each in answers] == [409, 409, 409]
    assert one.story()["votes"] == []
    assert one.send(an_answer(of_nobody)).status_code == 303


def test_a_requester_who_is_signed_in_does_not_decide_with_anothers_link(asks_signed_in):
    one, free = asks_signed_in(assurance="any"), asks_signed_in(assurance="any", allow_self_approval=True)
    unsigned = one.look().text

    looked = one.look(**a_principal(ADA))
    sent = one.send(an_answer(unsigned), **a_principal(ADA))
    called = one.caller.http.post(
        f"/api/approvals/{one.id}", json={"is_approved": True, "approver": GRACE}, headers=a_principal(ADA)
    )
    allowed = free.press(headers=a_principal(ADA))

    assert (looked.status_code, sent.status_code, called.status_code) == (403, 403, 403)
    assert "Your own request" in looked.text
    assert called.json()["code"] == "self_approval"
    assert one.story()["votes"] == []
    assert allowed.status_code == 303
    assert free.story()["decision"]["assurance"] == "link"
    assert free.story()["decision"]["signed_in_as"] == "t/o"


def test_on_the_open_slot_whoever_is_signed_in_answers_as_themselves(asks_signed_in):
    one = asks_signed_in(approvers=None)

    looked = one.look(None, **a_principal(EVE))
    answer = one.press(None, headers=a_principal(EVE), approver=ALAN)

    decision = one.story()["decision"]
    assert f"recorded as that of {EVE}" in shown(looked)
    assert 'name="approver"' not in looked.text
    assert answer.status_code == 303
    assert (decision["approver"], decision["assurance"]) == (EVE, "signed-in")


def test_someone_with_a_very_long_name_can_decide(asks_signed_in):
    one = asks_signed_in(approvers=None)

    answer = one.press(None, headers=a_principal(None, "tenant-" * 15, "object" * 20))

    assert answer.status_code == 303
    assert one.story()["decision"]["assurance"] == "signed-in"


def test_a_requester_who_was_signed_in_is_shown_as_such(asks_signed_in):
    one = asks_signed_in()
    answer = one.caller.http.post("/api/requests", json=a_request(approvers=[GRACE]), headers=a_principal(ADA))

    page = one.caller.http.get(answer.json()["approvals"][0]["approval_url"])

    assert one.caller.look(answer.json()["request_id"]).json()["requester_assurance"] == "signed-in"
    assert "ada@example.com (signed in)" in shown(page)


def test_a_stage_that_wants_people_signed_in_takes_no_systems_word(asks_signed_in):
    one = asks_signed_in()

    answer = one.caller.decide(one.id)

    assert answer.status_code == 403
    assert answer.json()["code"] == "sign_in_required"
    assert one.story()["votes"] == []


def test_a_stage_that_wants_people_signed_in_is_passed_on_only_by_them(asks_signed_in):
    one = asks_signed_in()
    url, body = f"/api/approvals/{one.id}/delegate", {"approver": GRACE, "to": EVE}

    by_key = one.caller.http.post(url, json=body)
    by_grace = one.caller.http.post(url, json=body, headers=GRACE_SIGNED_IN)

    assert (by_key.status_code, by_grace.status_code) == (403, 200)
    assert by_key.json()["code"] == "sign_in_required"


# --- the JSON routes ------------------------------------------------------------------------------


def test_a_systems_word_is_recorded_as_such(asks):
    one = asks()

    answer = one.caller.decide(one.id)

    decision = answer.json()["decision"]
    assert (decision["channel"], decision["assurance"], decision["signed_in_as"]) == ("api", "key", None)


def test_links_are_in_the_answer_to_whoever_asks_and_the_same_when_it_is_repeated(caller):
    body = {"approvers": [GRACE, ALAN], "on_timeout": "escalate", "escalate_to": [EVE]}

    first, again = caller.ask(key="page-links", **body), caller.ask(key="page-links", **body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert [(e["approver"], e["stage"], e["escalated"]) for e in first.json()["approvals"]] == [
        (GRACE, 1, False),
        (ALAN, 1, False),
        (EVE, 1, True),
    ]
    assert len({each["approval_url"] for each in first.json()["approvals"]}) == 3
    assert first.json()["approval_url"] is None


def test_links_are_in_no_other_answer(asks):
    one = asks(approvers=[GRACE, ALAN], required="all")
    http, request = one.caller.http, f"/api/requests/{one.id}"
    body = a_request(approvers=[GRACE])

    others = [
        one.caller.look(one.id),
        http.get("/api/requests"),
        http.post("/api/policies/preview", json={"request": body}),
        http.post("/api/requests", json={**body, "approvers": 1}),
        http.post("/api/requests", json=a_request(approvers=[ADA])),
        one.caller.decide(one.id, approver=EVE),
        http.post(f"/api/approvals/{one.id}/delegate", json={"approver": GRACE, "to": EVE}),
        http.post(
            f"{request}/reassign", json={"by": ADA, "from": ALAN, "to": "b@example.com"}, headers={"If-Match": "*"}
        ),
        http.post(f"{request}/cancel", json={"by": ADA}),
        http.post(f"{request}/cancel", json={"by": ADA}, headers={"If-Match": '"stale"'}),
        one.caller.decide(one.id, approver=EVE),
        one.caller.decide(one.id, approver=EVE, is_approved=False),
        one.caller.look(one.id),
        http.get("/api/health"),
        http.options("/api/requests"),
    ]

    assert [each.status_code for each in others[2:]] == [
        200,
        422,
        422,
        403,
        200,
        200,
        428,
        412,
        200,
        409,
        200,
        200,
        204,
    ]
    secrets = {link.rpartition("/")[2] for link in one.links.values()}
    for answer in others:
        assert "/approve/" not in answer.text
        assert "approvals" not in (answer.json() if answer.content and answer.status_code < 300 else {})
        assert not any(secret in answer.text for secret in secrets)

"""What people are told, and that nothing a caller writes becomes anything but words."""

# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import html.parser
import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.people import messages
from approvals.people.languages import OFFERED
from approvals.people.messages import SUBJECT_CHARACTERS, TEXT_CHARACTERS, compose, inert
from approvals.rules.policy import Option
from approvals.rules.presentation import Presentation
from approvals.rules.story import Status, Story
from approvals.rules.text import one_line
from tests.builders import ADA, ALAN, EVE, GRACE, NOON, a_panel, a_policy, asked, cancelled, decided, found, passed_on
from tests.chance import examples, sized
from tests.sentences import read_catalogue
from tests.unit.rules.test_text import IGNORABLE

LINK = "https://approvals.example.com/approve/WyIwMDAx_-a.b_c-d_.Zz9"
KEY = "0" * 31 + "1-asked-1-0-0+8f3a9c11"
ASKING = ("asked", "escalated", "passed_on", "reminded")
OCCASIONS = (*ASKING, *messages.OUTCOMES)

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</bdi></p></div><h1>Approved</h1>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" style="position:fixed;inset:0',
    "<svg/onload=alert(1)>",
    "<svg><script href=data:,alert(1) />",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>Approve</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<!-- ",
    "--><b>",
    "<![CDATA[ x ]]>",
    "<!doctype html>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&#x202e;",
    "{{7*7}}",
    "{% raw %}{{ found }}{% endraw %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "{approver}",
    "Hello\r\nBcc: eve@example.com\r\n\r\nbody",
    "Hello\nX-Approval-Message: forged",
    "Hello\rSubject: Approved",
    "Hello\x0bthere\x0cand\x85there\u2028and\u2029there",
    "%0d%0aBcc:%20eve@example.com",
    "=?utf-8?q?Approved?=",
    "\x00NUL\x00",
    "\x1b[31mred\x1b[0m",
    "\u202eevil\u202c",
    "\u2066isolate\u2069\u200f\u200e\u061c",
    "pay\u200bpal\u2060\ufeff\u00ad",
    "\U000e0041\U000e0042hidden",
    "e\u0301\u0302\u0303" * 20,
    "Z\u0351\u036b\u0343\u036a\u0302\u036b",
    "👩‍👩‍👧‍👦 and 🏳️‍🌈",
    "שלום עולם",
    "مرحبا بالعالم",
    "\ud800 half",
    "\udfff",
    "x" * 9000,
    "<" * 9000,
    "- " * 3000,
    "a\n" * 3000,
    "@everyone @here @channel @all @room",
    "mail@everyone x@here!",
    "@**all** and @_**x**",
    "<!channel> <!here|here> <@U123> <#C1> <@&1>",
    "<https://evil.example|Approve>",
    "[Approve](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "[Approve][x]\n\n[x]: https://evil.example",
    "]\u200b(https://evil.example)",
    "https://evil.example/approve",
    "HTTPS://evil.example ftp://evil.example",
    "<at>Grace</at>",
    "```\ncode",
    "~~~\nall that follows",
    "~\u200b~~",
    "||hidden||",
    "**bold _and_ __under__",
    ">>> quote",
    "│ ours",
    "Open the request:\nhttps://evil.example\nReference: forged",
    "\n\n\nReference: forged",
    "# Heading\n===\n---",
    ":smile: \\n \\x41 $x^2$",
]


def a_story(text, occasion):
    """Tell a story in which everything that somebody can write is this."""
    statuses = {"decided": Status.REJECTED, "timed_out": Status.TIMEOUT, "cancelled": Status.CANCELLED}
    name, words = text[:254], text[:2000]
    vote = decided(by=name, yes=False, comments=words, option=name, decision_id="d")
    return Story(
        status=statuses.get(occasion, Status.PENDING),
        votes=(vote, vote.model_copy(update={"stage": 1})),
        decision=vote if occasion == "decided" else None,
        cancellation=cancelled(by=name, reason=words) if occasion == "cancelled" else None,
        settled_at=NOON if occasion in messages.OUTCOMES else None,
        changes=(passed_on(by=name, holder=name, to=name, reason=words, change_id="c"),),
        stage=1,
    )


def a_request_full_of(text, occasion="asked"):
    """Give a request in which everything that somebody can write is this.

    Half a surrogate pair is no text to a value; within details, which are JSON, it can come.
    """
    details = {text[:300]: text, "a": {text[:300]: [text]}, "n": None, "t": True, "f": 1.5}
    text = text.encode(errors="replace").decode()
    policy = a_policy(
        a_panel(GRACE), a_panel(text[:254], text[:254] + "x", required=2), options=(Option(name="x", approves=True),)
    )
    stages = tuple(stage.model_copy(update={"name": text[:60]}) for stage in policy.stages)
    written = json.dumps(details)
    return found(
        policy.model_copy(update={"stages": stages}), requester=text[:254], item=text, description=text, details=written
    ).with_story(a_story(text, occasion))


def told(text, occasion, to=GRACE):
    link = LINK if occasion in ASKING else None
    return compose(a_request_full_of(text, occasion), occasion, key=KEY, to=to, link=link)


class Skeleton(html.parser.HTMLParser):
    """The elements and attributes of a document; its text, and whole runs of lines, apart."""

    def __init__(self, document):
        super().__init__()
        self.parts, self.words, self.links = [], [], []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.parts.append((tag, *attrs))
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag):
        self.parts.append(("/" + tag,))

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.parts.append(("comment", data))

    def handle_decl(self, decl):
        self.parts.append(("declaration", decl))

    def handle_pi(self, data):
        self.parts.append(("instruction", data))

    def unknown_decl(self, data):
        self.parts.append(("unknown", data))


# --- HTML -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("to", [GRACE, None])
def test_whatever_a_caller_writes_the_document_has_the_same_elements_and_attributes(occasion, to):
    harmless = Skeleton(told("harmless", occasion, to).html)

    for text in HOSTILE:
        document = Skeleton(told(text, occasion, to).html)
        assert document.parts == harmless.parts, text[:80]
        assert set(document.links) <= {LINK}


@pytest.mark.parametrize("text", ["<b>&amp;", "שלום", "👩‍👩‍👧‍👦", "{{7*7}}", "https://x.example", "a_b*c`d|e@f"])
def test_in_html_what_a_caller_writes_is_read_as_it_was_written(text):
    words = "".join(Skeleton(told(text, "asked").html).words)

    assert words.count(text) >= 4


def test_html_loads_nothing_and_says_its_language():
    for occasion in OCCASIONS:
        document = told("harmless", occasion).html
        assert '<html lang="en"' in document
        assert not re.search(r"<(img|script|link|iframe|style)\b|url\(|@import", document)


def test_no_button_says_approve_since_the_link_decides_nothing():
    document = told("harmless", "asked").html

    assert re.findall(r"<a [^>]*>([^<]*)</a>", document) == ["Open the request", LINK]
    assert "Opening the link decides nothing." in document


# --- plain text -----------------------------------------------------------------------------------

FORBIDDEN = re.compile(
    r"[<>`|*\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|://|\]\(|\]\[|\n\[[^\]]*\]:|~~",
    re.NOFLAG,
)
CALLS = re.compile(r"@(everyone|here|channel|all|room)\b|(?:^|\s)@", re.IGNORECASE)


@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("to", [GRACE, None])
def test_plain_text_has_nothing_in_it_that_a_service_takes_for_more_than_words(occasion, to):
    for text in HOSTILE:
        message = told(text, occasion, to)
        lines = message.text.split("\n")
        rest = "\n".join(line for line in lines if line != LINK)
        assert lines.count(LINK) == (occasion in ASKING)
        for words in (rest, message.subject):
            assert not FORBIDDEN.search(words), (text[:80], FORBIDDEN.search(words))
            assert not CALLS.search(words), (text[:80], CALLS.search(words))


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_caller_cannot_write_a_line_that_looks_like_ours(occasion):
    for text in HOSTILE:
        lines = told(text, occasion).text.rstrip().split("\n")
        assert lines[-1] == f"Reference: {KEY}"
        assert [line for line in lines if re.fullmatch(r"Reference: \S+", line)] == lines[-1:]
        assert lines.count("Open the request:") == (occasion in ASKING)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_text_fits_into_a_chat_message_with_link_and_key_whatever_callers_write(occasion):
    people = [f"{'a' * 240}{i}@x.example" for i in range(20)]
    votes = tuple(decided(by=person, comments="c" * 2000, decision_id=person) for person in people[:19])
    long = found(a_policy(a_panel(*people, required=20)), requester="r" * 254, item="i" * 200, description="d" * 8000)
    story = a_story("x" * 2000, occasion).model_copy(update={"stage": 0, "votes": votes})

    message = compose(long.with_story(story), occasion, key=KEY, to=people[19], link=LINK)

    assert len(message.text) <= TEXT_CHARACTERS
    assert message.text.rstrip().endswith(KEY)
    assert LINK in message.text
    if occasion in ASKING:
        assert "d" * 8000 in message.html


# --- subjects -------------------------------------------------------------------------------------


@examples(30, 150)
@given(st.text(st.characters(codec=None), max_size=400), st.sampled_from(OCCASIONS), st.sampled_from([GRACE, None]))
def test_a_subject_is_one_short_line(text, occasion, to):
    subject = told(text, occasion, to).subject

    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", subject)
    assert 0 < len(subject) <= SUBJECT_CHARACTERS


def test_a_long_item_is_cut_with_an_ellipsis():
    subject = compose(found(item="x" * 200), "asked", key=KEY, to=GRACE, link=LINK).subject

    assert len(subject) == SUBJECT_CHARACTERS
    assert subject.endswith("x…")


# --- words ----------------------------------------------------------------------------------------


def both(message):
    return message.text, " ".join("".join(Skeleton(message.html).words).split())


def test_who_is_asked_reads_who_asks_what_until_when_and_what_silence_means():
    details = '{"price":1200,"for":{"team":["x","y"]},"urgent":true,"cost centre":null}'
    panel = a_panel(GRACE, ALAN, required=2, on_timeout="reject")
    one = found(a_policy(a_panel(EVE), panel), description="It broke.\nTwice.", details=details)

    message = compose(one.with_story(Story(stage=1, asked_at=NOON)), "asked", key=KEY, to=GRACE, link=LINK)

    assert message.subject == f"{ADA} asks for your approval: New laptop"
    for words in both(message):
        for said in (
            *(f"{ADA} asks for your approval.", "New laptop", "It broke.", "Price: 1200", "For \u203a Team: x, y"),
            *("Urgent: yes", "Cost centre: none", f"Who is asked: {GRACE}, {ALAN}", "2 of 2 have to approve"),
            *("Due: Mon, 2 Mar 2026, 12:00 UTC", "silence counts as rejection", "Step: 2 of 2", LINK),
            "Opening the link decides nothing.",
        ):
            assert said in words


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        ("timeout", "the request ends without approval"),
        ("approve", "silence counts as approval"),
        ("reject", "silence counts as rejection"),
        ("escalate", "other people are asked instead"),
    ],
)
def test_what_silence_means_is_said(silence, words):
    one = found(a_policy(a_panel(GRACE, on_timeout=silence), escalation=a_panel(ALAN)))

    for said in both(compose(one, "asked", key=KEY, to=GRACE, link=LINK)):
        assert words in said


def test_after_a_rejection_nobody_is_told_that_silence_approves():
    panel = a_panel(GRACE, ALAN, EVE, required=2, reject_when="impossible", on_timeout="approve")
    one = found(a_policy(panel)).with_story(Story(votes=(decided(yes=False),)))

    for said in both(compose(one, "reminded", key=KEY, to=ALAN, link=LINK)):
        assert "silence counts as rejection" in said
        assert "silence counts as approval" not in said


def test_who_is_asked_alone_is_not_told_how_many_must_approve():
    message = compose(found(a_policy(a_panel(GRACE))), "asked", key=KEY, to=GRACE, link=LINK)

    assert "must approve" not in message.text + message.html
    assert "Stage" not in message.text + message.html


def test_who_got_it_passed_on_reads_by_whom_and_why():
    story = Story(changes=(passed_on(GRACE, EVE, by=ADA, reason="on leave"),), holders={"0-0": EVE})

    message = compose(found(a_policy()).with_story(story), "passed_on", key=KEY, to=EVE, link=LINK)

    assert message.subject == "Passed on to you: New laptop"
    for said in both(message):
        assert f"{ADA} passed this on from {GRACE} to you." in said
        assert "on leave" in said
        assert f"Who is asked: {EVE}, {ALAN}" in said


def test_who_is_asked_instead_of_others_is_told_so():
    one = found(a_policy(a_panel(GRACE, on_timeout="escalate"), escalation=a_panel(ALAN)))

    message = compose(one.with_story(Story(escalated=True)), "escalated", key=KEY, to=ALAN, link=LINK)

    for said in both(message):
        assert "Those who were asked first have not answered." in said


def test_a_reminder_is_one():
    message = compose(found(a_policy()), "reminded", key=KEY, to=GRACE, link=LINK)

    assert message.subject.startswith("Reminder: ")
    for said in both(message):
        assert "You have not answered yet." in said


def test_answers_so_far_are_told_to_who_is_asked():
    story = Story(votes=(decided(ALAN, comments="Fine."),))

    for said in both(compose(found(a_policy()).with_story(story), "reminded", key=KEY, to=GRACE, link=LINK)):
        assert f"{ALAN} approved, Sun, 1 Mar 2026, 13:00 UTC" in said
        assert "Fine." in said


@pytest.mark.parametrize("yes", [True, False])
def test_the_outcome_says_what_by_whom_when_and_why(yes):
    vote = decided(GRACE, yes=yes, comments="Because.", option="For a week")
    status = Status.APPROVED if yes else Status.REJECTED
    story = Story(status=status, votes=(vote,), decision=vote, settled_at=NOON)

    message = compose(found(a_policy()).with_story(story), "decided", key=KEY, to=ADA, link=None)

    assert message.subject == f"{status}: New laptop"
    for said in both(message):
        assert f"It was {status.lower()}." in said
        assert f"{GRACE} {status.lower()} (For a week), Sun, 1 Mar 2026, 13:00 UTC" in said
        assert "Because." in said
        assert "Ended: Sun, 1 Mar 2026, 12:00 UTC" in said
        assert "Nothing is left for you to do." not in said


@pytest.mark.parametrize(("status", "word"), [(Status.APPROVED, "approval"), (Status.REJECTED, "rejection")])
def test_silence_that_decided_is_told(status, word):
    story = Story(status=status, settled_at=NOON)

    for said in both(compose(found(a_policy()).with_story(story), "decided", key=KEY, to=ADA, link=None)):
        assert f"Nobody answered in time. As agreed, that counts as {word}." in said


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ((decided(),), "Not enough people answered in time: 1 of 2 approved"),
        ((decided(yes=False),), "Not enough people answered in time: 0 of 2 approved, 1 rejected"),
        (
            (decided(), decided(ALAN, yes=False, slot=1)),
            "Not enough people answered in time: 1 of 2 approved, 1 rejected",
        ),
        ((), "Nobody answered in time"),
        ((decided(escalated=True),), "Nobody who was asked last answered in time"),
        ((decided(stage=1),), "Nobody who was asked last answered in time"),
    ],
    ids=["one yes", "one no", "one each", "none", "another panel's", "another stage's"],
)
@pytest.mark.parametrize(
    ("status", "occasion", "became"),
    [
        (Status.TIMEOUT, "timed_out", "The request was closed without approval"),
        (Status.APPROVED, "decided", "As agreed, that counts as approval"),
        (Status.REJECTED, "decided", "As agreed, that counts as rejection"),
    ],
)
def test_what_silence_came_to_follows_the_answers_that_there_were(votes, words, status, occasion, became):
    policy = a_policy(a_panel(GRACE, ALAN, EVE, required=2, reject_when="impossible"))
    one = found(policy).with_story(Story(status=status, settled_at=NOON, votes=votes))

    for said in both(compose(one, occasion, key=KEY, to=ADA, link=None)):
        assert f"{words}. {became}." in said
        assert words.startswith("Nobody") or "Nobody" not in said


def test_a_time_out_and_a_cancellation_are_told():
    late = compose(
        found(a_policy()).with_story(Story(status=Status.TIMEOUT, settled_at=NOON)),
        "timed_out",
        key=KEY,
        to=ADA,
        link=None,
    )
    back = Story(status=Status.CANCELLED, settled_at=NOON, cancellation=cancelled(reason="Found one."))
    taken = compose(found(a_policy()).with_story(back), "cancelled", key=KEY, to=GRACE, link=None)

    for said in both(late):
        assert "Nobody answered in time. The request was closed without approval." in said
    for said in both(taken):
        assert f"{ADA} took this request back." in said
        assert "Found one." in said
        assert "Nothing is left for you to do." in said


def test_a_story_that_lost_its_texts_can_still_be_told():
    story = Story(status=Status.CANCELLED, settled_at=NOON)

    for said in both(compose(found(a_policy()).with_story(story), "cancelled", key=KEY, to=GRACE, link=None)):
        assert f"{ADA} took this request back." in said
    assert compose(found(a_policy()), "passed_on", key=KEY, to=GRACE, link=LINK).text


def test_a_shared_channel_gets_no_link_of_anyone_named():
    message = compose(found(a_policy()), "asked", key=KEY, to=None, link=None)

    assert message.subject == f"{ADA} asks for approval: New laptop"
    for said in both(message):
        assert "Each of them has a link of their own." in said
        assert "://" not in said


def test_a_shared_channel_gets_the_link_that_anyone_may_use():
    for said in both(compose(found(), "asked", key=KEY, to=None, link=LINK)):
        assert LINK in said
        assert "Whoever has it can answer." in said


def test_a_request_of_the_first_version_can_be_told():
    message = compose(found().model_copy(update={"request": asked()}), "asked", key=KEY, to=None, link=LINK)

    assert LINK in message.text


# --- inert ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ada@example.com, Ada.L+x@example.com", "ada@example.com, Ada.L+x@example.com"),
        ("@everyone a@here. hello", "＠everyone a＠here. hello"),
        ("ada@here.example.com", "ada@here.example.com"),
        ("see https://x.example", "see https:⁄⁄x.example"),
        ("[a](b) [a][b] [a]: b", "[a] (b) [a] [b] [a] : b"),
        ("snake_case_name and _this_", "snake_case_name and ＿this＿"),
        ("a < b > c `d` e|f 2*3", "a ‹ b › c ˋdˋ e¦f 2∗3"),
        ("one\r\ntwo\rthree\tfour\u2028five", "one\ntwo\nthree\tfour\nfive"),
        ("\u202eevil\u200b \x00\x1b[0m \ud800", "evil [0m \ufffd"),
        ("1,200.50 € – naïve Ünïcode 漢字 👩‍👩‍👧‍👦!", "1,200.50 € – naïve Ünïcode 漢字 👩‍👩‍👧‍👦!"),
    ],
)
def test_a_text_is_made_inert_and_stays_readable(written, read):
    assert inert(written) == read


@examples(100, 500)
@given(st.text(st.sampled_from("@[]()~_:/<>`|* \n\u200baeverhy.")))
def test_however_signs_are_put_together_what_comes_out_is_inert_and_stays_so(text):
    once = inert(text)

    assert not FORBIDDEN.search("\n" + once)
    assert not CALLS.search(once)
    assert inert(once) == once


@sized(5_000)
def test_every_character_there_is_comes_out_of_inert_and_of_the_api_without_control_or_direction(few):
    """All 1,114,112 code points (every day the first and some of the rest).

    Letters and numbers survive, and what could command or turn text does not.
    """
    forbidden = {"\n", "\t"}
    turning = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    ordinary, accept = [], one_line(10)
    for code in sorted([*range(0x3100), *few(range(0x3100, sys.maxunicode + 1))]):
        character = chr(code)
        category = unicodedata.category(character)
        through = inert(character)
        if category[0] in "LN" and code not in IGNORABLE:  # fillers are letters that nobody sees
            ordinary.append(character)
        assert through in forbidden or not any(unicodedata.category(each) in ("Cc", "Cs") for each in through), code
        assert turning.isdisjoint(through), code
        try:
            taken = accept(f"a{character}a")
        except ValueError:
            assert category[0] not in "LN" or code in IGNORABLE, code
            continue
        assert not any(unicodedata.category(each) == "Cc" for each in taken), code
        assert turning.isdisjoint(taken), code
        spaced = " " if category == "Zs" else character
        assert taken == unicodedata.normalize("NFC", f"a{spaced}a"), code

    assert inert("".join(ordinary)) == "".join(ordinary)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_a_message_says_which_system_asks_for_whom(occasion):
    one = found(a_policy(a_panel(GRACE)), created_by="deploy-bot", created_by_title="Deploy *bot*")
    status = {"decided": Status.APPROVED, "timed_out": Status.TIMEOUT, "cancelled": Status.CANCELLED}.get(occasion)
    over = {
        "status": status,
        "settled_at": NOON,
        "decision": decided(ALAN) if occasion == "decided" else None,
        "cancellation": cancelled() if occasion == "cancelled" else None,
    }
    changes = (passed_on(),) if occasion == "passed_on" else ()
    one = one.with_story(one.story.model_copy(update=over if status else {"changes": changes}))

    said = compose(one, occasion, key=KEY, to=GRACE, link=None if occasion in messages.OUTCOMES else LINK)

    whole = said.subject + said.text
    assert ("ada@example.com, through Deploy" in whole) == (occasion != "cancelled"), whole
    assert ("Deploy" in said.text) == ("Deploy" in said.html)
    assert "*bot*" not in said.text, "it is made inert, as everything that is not ours"
    if occasion in ("asked", "reminded"):
        assert re.match(r"(Reminder: )?ada@example\.com, through Deploy .*bot.* asks for your approval: ", said.subject)


@pytest.mark.parametrize("fields", [{}, {"created_by": "key"}])
def test_a_message_names_no_system_where_systems_have_no_names(fields):
    said = compose(found(a_policy(a_panel(GRACE)), **fields), "asked", key=KEY, to=GRACE, link=LINK)

    assert said.subject.startswith("ada@example.com asks for your approval: ")
    assert "key" not in said.text.partition("Reference:")[0]


# --- the reader's language and zone ---------------------------------------------------------------


def spoken(occasion, presentation):
    """Write a message about a request that says in which language, and by which clock, people are asked."""
    decision = decided(ALAN, slot=1, comments="Ja.")
    request = found(a_policy(a_panel(GRACE, ALAN)), presentation=presentation)
    story = Story(changes=(passed_on(GRACE, ALAN),), votes=(decision,))
    if occasion == "decided":
        story = Story(status=Status.APPROVED, settled_at=NOON, decision=decision, votes=(decision,))
    elif occasion == "timed_out":
        story = Story(status=Status.TIMEOUT, settled_at=NOON)
    elif occasion == "cancelled":
        story = Story(status=Status.CANCELLED, settled_at=NOON, cancellation=cancelled())
    return compose(request.with_story(story), occasion, key=KEY, to=GRACE, link=LINK, about=EVE)


@pytest.mark.parametrize(
    ("tag", "zone", "due", "button"),
    [
        ("en", "", "Mon, 2 Mar 2026, 12:00 UTC", "Open the request"),
        ("en-US", "America/New_York", "Mon, Mar 2, 2026, 7:00 AM EST", "Open the request"),
        ("de-CH", "Europe/Zurich", "Mo., 2. März 2026, 13:00 MEZ", "Anfrage öffnen"),
        ("fr", "Europe/Paris", "lun. 2 mars 2026, 13:00", "Ouvrir la demande"),
        ("es", "Europe/Madrid", "lun, 2 mar 2026, 13:00 CET", "Abrir la solicitud"),
        ("ja", "Asia/Tokyo", "2026年3月2日(月) 21:00", "依頼を開く"),
        ("ar", "Africa/Cairo", "الاثنين، 2 مارس 2026، 2:00 م", "فتح الطلب"),
    ],
)
def test_mails_and_cards_are_in_the_language_and_by_the_clock_of_the_request(tag, zone, due, button):
    message = spoken("asked", Presentation(locale=tag, time_zone=zone))

    assert message.button == button
    for words in (message.text, message.letter, message.card, message.html):
        assert due in words.replace("\u202f", " ")
    assert f'<html lang="{tag}"' in message.html
    assert button in message.html


@pytest.mark.parametrize("code", OFFERED[1:])
@pytest.mark.parametrize("occasion", [*OCCASIONS, "misdirected"])
def test_nothing_of_a_message_is_left_in_english(code, occasion):
    message = spoken(occasion, Presentation(locale=code))

    english = [(each.id, each.string) for each in read_catalogue(code) if isinstance(each.id, str) and len(each.id) > 9]
    said = f"{message.subject} {message.text} {message.letter} {message.card} {message.html} {message.button}"
    assert len(english) > 200
    assert [one for one, other in english if one in said and other != one] == []

"""Pages: whatever people and callers write is text, on every page and in every field, and nothing but text."""

import asyncio
import base64
import dataclasses
import datetime as dt
import hashlib
import json
import logging
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlencode

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import errors, settings
from approvals.people.identity import Person
from approvals.people.links import Signer, link_to, state_of
from approvals.rules.policy import Option, Panel, Policy, Stage
from approvals.rules.story import RULES, Found, Status, Story
from approvals.rules.text import visible
from approvals.rules.value import compact
from approvals.service.approvals import Approvals
from approvals.web import brand, page, rendering
from approvals.web.showing import Visit, reason_of
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    NOON,
    a_panel,
    a_policy,
    an_answer,
    asked,
    cancelled,
    decided,
    found,
    passed_on,
)
from tests.chance import examples, sized
from tests.corpora import UNICODE, XSS
from tests.unit.people.test_wording import WORST
from tests.unit.rules.test_forms import ATTACKS

NOW = NOON + dt.timedelta(hours=2)
SETTINGS = settings.Settings(link_keys=("k" * 40,))
SIGNER = Signer(SETTINGS.link_keys)


# --- a world in which every text can be chosen ----------------------------------------------------

TEXTS = {
    name: f"harmless {name.replace('_', ' ')}"
    for name in (
        "requester",
        "system_title",
        "item",
        "description",
        "detail_key",
        "nested_key",
        "nested_value",
        "list_value",
        "stage_name",
        "later_stage_name",
        "approver",
        "voter",
        "vote_comments",
        "on_behalf_of",
        "option",
        "other_option",
        "title",
        "about",
        "enum_value",
        "other_enum_value",
        "default",
        "constant",
        "alternative",
        "group_title",
        "property",
        "typed_text",
        "typed_paragraph",
        "typed_json",
        "typed_name",
        "typed_comments",
        "passed_on_to",
        "canceller",
        "reason",
        "signed_in",
    )
}


class FixedClock:
    """Two hours after noon, and time passes only while somebody sleeps."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return NOW

    def elapsed(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds


class Kept:
    """Instances that have one request, and take events without ever recording one."""

    def __init__(self, one):
        self.one, self.raised = one, []

    async def read(self, _request_id):
        if isinstance(self.one, Exception):
            raise self.one
        return self.one

    async def raise_event(self, request_id, name, data):
        self.raised.append((request_id, name, data))


def done(coroutine):
    """Run it to its end."""
    return asyncio.run(coroutine)


def visit(one, link, person=None, kept=None):
    approvals = Approvals(kept or Kept(one), SETTINGS, FixedClock())
    return Visit(approvals, SIGNER.sign(link), person)


def a_link(one, holder, stage=0, slot=0, **fields):
    values = {"stage": stage, "escalated": False, "slot": slot, "generation": 0, "holder": holder, **fields}
    return link_to(one.request, **values)


def posted(body, **headers):
    fields = {"content-type": "application/x-www-form-urlencoded", **headers}
    content = body if isinstance(body, bytes) else urlencode(body).encode()
    return func.HttpRequest("POST", "http://localhost/approve/x", headers=fields, body=content)


def a_schema(t):
    return {
        "type": "object",
        "properties": {
            "text": {"type": "string", "title": t["title"], "description": t["about"], "default": t["default"]},
            "prose": {"type": "string", "maxLength": 5000},
            "choice": {"enum": [t["enum_value"], t["other_enum_value"]]},
            "choices": {"type": "array", "items": {"enum": [t["enum_value"], t["other_enum_value"]]}},
            "fixed": {"const": [t["title"]], "title": t["constant"]},
            "alternatives": {"oneOf": [{"const": 1, "title": t["alternative"]}, {"const": 2, "title": "two"}]},
            "group": {"type": "object", "title": t["group_title"], "properties": {"number": {"type": "number"}}},
            "anything": {},
            "p:" + t["property"]: {"type": "integer", "minimum": 3},
        },
        "required": ["text", "p:" + t["property"]],
    }


def a_world(t, *, open_slot=False, **story):
    details = {t["detail_key"]: {t["nested_key"]: t["nested_value"]}, "list of": [t["list_value"], "b"]}
    policy = Policy(
        stages=(
            Stage(
                name=t["stage_name"],
                panel=a_panel(
                    *(() if open_slot else (t["approver"], t["on_behalf_of"])), required=1 if open_slot else 2
                ),
            ),
            Stage(name=t["later_stage_name"], panel=a_panel(GRACE)),
        ),
        options=(Option(name=t["option"], approves=True), Option(name=t["other_option"], approves=False)),
        form=json.dumps(a_schema(t)),
    )
    request = asked(
        policy=policy,
        requester=t["requester"],
        created_by="deploy-bot",
        created_by_title=t["system_title"],
        item=t["item"],
        description=t["description"],
        details=json.dumps(details),
    )
    return Found(request=request, story=Story(**story))


def a_vote(t, **fields):
    values = {"slot": 1, "comments": t["vote_comments"], "on_behalf_of": t["on_behalf_of"], "option": t["option"]}
    return decided(t["voter"], decision_id="d", assurance="link", **{**values, **fields})


def typed(t, **more):
    return {
        "approver": t["typed_name"],
        "comments": t["typed_comments"],
        "form/text": t["typed_text"],
        "form/prose": t["typed_paragraph"],
        "form/anything": t["typed_json"],
        f"form/p:{t['property'].replace('~', '~0').replace('/', '~1')}": t["typed_text"],
        **more,
    }


def looks(one, link, person=None):
    return done(page.show(visit(one, link, person)))


def sends(one, link, fields, person=None):
    return done(page.submit(visit(one, link, person), posted(fields)))


def mine(t, one, **fields):
    return a_link(one, t["approver"], **fields)


def settled(t, status, **story):
    return a_world(t, status=status, settled_at=NOW, **story)


def after_cancelling(t):
    one = settled(t, Status.CANCELLED, cancellation=cancelled(t["canceller"], reason=t["reason"]))
    return looks(one, mine(t, one))


def asked_of_a_person(t):
    one = a_world(t, votes=(a_vote(t),))
    return looks(one, mine(t, one))


def asked_in_the_later_stage(t):
    one = a_world(t, stage=1, asked_at=NOW, votes=(a_vote(t),))
    return looks(one, a_link(one, GRACE, stage=1))


def asked_of_whoever_comes(t):
    one = a_world(t, open_slot=True)
    return looks(one, a_link(one, None))


def stale(t):
    one = a_world(t, open_slot=True)
    return sends(one, a_link(one, None), typed(t, page="x", answer="option-0"))


def wrong(t):
    one = a_world(t, open_slot=True)
    fields = an_answer(looks(one, a_link(one, None)).get_body().decode(), **typed(t, answer="option-0"))
    return sends(one, a_link(one, None), fields)


def without_a_button(t):
    one = a_world(t)
    fields = an_answer(looks(one, mine(t, one)).get_body().decode(), **typed(t, answer=""))
    return sends(one, mine(t, one), fields)


def recorded(t):
    one = a_world(t, votes=(a_vote(t, slot=1),))
    return looks(one, a_link(one, t["voter"], slot=1))


def recorded_otherwise(t):
    one = a_world(t, votes=(a_vote(t, slot=1),))
    return sends(one, a_link(one, t["voter"], slot=1), {"answer": "option-1"})


def recorded_and_decided_by_another(t):
    other = decided(t["approver"], decision_id="e", stage=1, comments=t["reason"], assurance="signed-in")
    one = settled(t, Status.APPROVED, votes=(a_vote(t, slot=1), other), decision=other)
    return looks(one, a_link(one, t["voter"], slot=1))


def decided_by_another(t):
    vote = a_vote(t, slot=1)
    one = settled(t, Status.REJECTED, votes=(vote,), decision=vote)
    return looks(one, mine(t, one))


def decided_by_silence(t):
    one = settled(t, Status.APPROVED)
    return looks(one, mine(t, one))


def timed_out(t):
    one = settled(t, Status.TIMEOUT)
    return looks(one, mine(t, one))


def failed(t):
    one = settled(t, Status.FAILED)
    return looks(one, mine(t, one))


def too_late(t):
    one = a_world(t, asked_at=NOW - dt.timedelta(hours=24))
    return looks(one, mine(t, one))


def was_passed_on(t):
    change = passed_on(t["approver"], t["passed_on_to"], change_id="c")
    one = a_world(t, holders={"0-0": t["passed_on_to"]}, generations={"0-0": 1}, changes=(change,))
    return looks(one, mine(t, one))


def step_is_over(t):
    one = a_world(t, stage=1, asked_at=NOW)
    return looks(one, mine(t, one))


def not_yet(t):
    one = a_world(t)
    return looks(one, a_link(one, GRACE, stage=1))


def own(t):
    one = a_world(t)
    return looks(one, mine(t, one), Person("t", "o", t["requester"]))


def demanding(t):
    one = a_world(t)
    first = one.policy.stages[0]
    panel = first.panel.model_copy(update={"assurance": "signed-in"})
    stages = (first.model_copy(update={"panel": panel}), one.policy.stages[1])
    policy = one.policy.model_copy(update={"stages": stages})
    return one.model_copy(update={"request": one.request.model_copy(update={"policy": policy})})


def sign_in(t):
    one = demanding(t)
    return looks(one, mine(t, one))


def sign_in_as_yourself(t):
    one = demanding(t)
    return looks(one, mine(t, one), Person("t", "o", t["signed_in"]))


def refused_with_a_sentence(t):
    return page.html_response(403, "end", kind="refused", reason=reason_of(errors.OwnRequest(t["requester"])))


def suspended(t):
    one = a_world(t, votes=(a_vote(t, slot=1),))
    return looks(one.model_copy(update={"suspended": True}), a_link(one, t["voter"], slot=1))


def unconfirmed(t):
    return page.html_response(202, "end", kind="unconfirmed", found=a_world(t))


PAGES = {
    each.__name__: each
    for each in (
        asked_of_a_person,
        asked_in_the_later_stage,
        asked_of_whoever_comes,
        stale,
        wrong,
        without_a_button,
        recorded,
        recorded_otherwise,
        recorded_and_decided_by_another,
        decided_by_another,
        decided_by_silence,
        timed_out,
        failed,
        too_late,
        after_cancelling,
        was_passed_on,
        step_is_over,
        not_yet,
        own,
        sign_in,
        sign_in_as_yourself,
        refused_with_a_sentence,
        suspended,
        unconfirmed,
    )
}
STATUS = {
    "asked_of_a_person": 200,
    "asked_in_the_later_stage": 200,
    "asked_of_whoever_comes": 200,
    "stale": 409,
    "wrong": 422,
    "without_a_button": 422,
    "recorded": 200,
    "recorded_otherwise": 409,
    "recorded_and_decided_by_another": 200,
    "decided_by_another": 200,
    "decided_by_silence": 200,
    "timed_out": 410,
    "failed": 410,
    "too_late": 410,
    "after_cancelling": 410,
    "was_passed_on": 403,
    "step_is_over": 403,
    "not_yet": 409,
    "own": 403,
    "sign_in": 403,
    "sign_in_as_yourself": 403,
    "refused_with_a_sentence": 403,
    "suspended": 200,
    "unconfirmed": 202,
}


# --- reading a page as a browser does -------------------------------------------------------------


class Read(HTMLParser):
    """What a page consists of: elements, attributes, and pieces of text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.skeleton, self.values, self.texts, self.odd = [], [], [], []
        self.described = None  # what a description makes of itself: safe Markdown, looked at in test_evidence.py
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        if self.described is not None:
            self.described += tag == "div"
            return
        if ("class", "described") in attrs:
            self.described = 1
        self.skeleton.append((tag, *(name for name, _ in attrs)))
        self.values += [(tag, name, value) for name, value in attrs]
        self.texts.append("")

    def handle_endtag(self, tag):
        if self.described is not None:
            self.described -= tag == "div"
            if self.described:
                return
            self.described = None
        self.skeleton.append((f"/{tag}",))
        self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data

    def handle_comment(self, data):
        self.odd.append(data)

    def handle_decl(self, decl):
        if decl != "doctype html":
            self.odd.append(decl)

    unknown_decl = handle_pi = handle_comment

    def says(self, text):
        """Tell whether a text is there as it was written, in one piece, but for what nobody may be shown."""
        wanted = plain(visible(text)).strip()
        return any(wanted in plain(each) for each in self.texts) or any(
            wanted in plain(value) for _, name, value in self.values if name == "value" and value
        )


def plain(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(answer):
    return Read(answer.get_body().decode())


OURS = {
    ("script", "src"): re.compile(r"\.\./assets/time\.js"),
    ("form", "action"): re.compile(""),
    ("a", "href"): re.compile(r"|/\.auth/login/aad|#(f[0-9-]+|approver|comments|answer)"),
}
MADE_READABLE = {"property", "detail_key", "nested_key", "description"}
"""What is made readable on the page, and so is not there as it was written."""
HARMLESS = {kind: read(make(TEXTS)) for kind, make in PAGES.items()}
SHOWN = {
    kind: [name for name in TEXTS if name not in MADE_READABLE and HARMLESS[kind].says(TEXTS[name])] for kind in PAGES
}


def look_through(kind, now):
    """See that a page has the same bones as with harmless text, and only our addresses."""
    before = HARMLESS[kind]
    assert now.skeleton == before.skeleton
    assert now.odd == before.odd == []
    for (tag, name, value), (_, _, old) in zip(now.values, before.values, strict=True):
        if (tag, name) == ("div", "class"):
            assert value in ("long", "short") or value == old
        elif name in ("href", "src", "action", "formaction", "srcset", "style", "http-equiv", "content", "target"):
            assert value == old or (tag, name) == ("a", "href")
            assert name not in ("href", "src", "action") or OURS[tag, name].fullmatch(value)
        elif value != old:
            # only what was typed, what a field is called, and the signature of the page may differ
            assert (tag, name) in {("input", "value"), ("input", "name"), ("textarea", "name")}
            assert name != "name" or (value.startswith("form/p:") and old.startswith("form/p:"))
        assert not name.startswith("on")


# --- what is looked at ----------------------------------------------------------------------------


def test_there_is_a_page_of_every_kind_and_every_text_is_on_one():
    template = (rendering.TEMPLATES / "end.html").read_text(encoding="utf-8")
    kinds = set(re.findall(r'^  "(\w+)": _\("', template, re.MULTILINE))

    of_nothing = {"not_genuine", "expired", "method", "away", "defect", "not_a_form", "too_large", "elsewhere"}
    assert kinds - {"unknown", "not_mine", *of_nothing} == {
        "recorded", "decided", "timed_out", "too_late", "cancelled", "passed_on", "over", "not_yet", "own", "sign_in",
        "unconfirmed", "failed", "refused",
    }  # fmt: skip
    assert set(TEXTS) - {name for shown in SHOWN.values() for name in shown} == MADE_READABLE
    assert len(XSS) >= 70
    assert len(UNICODE) >= 50


@pytest.mark.parametrize("kind", PAGES)
def test_every_kind_of_page_has_its_status_and_the_headers_that_keep_it_safe(kind):
    answer = PAGES[kind](TEXTS)

    assert answer.status_code == STATUS[kind]
    assert answer.mimetype == "text/html"
    assert {name: answer.headers[name] for name in brand.HEADERS} == brand.HEADERS


@pytest.mark.parametrize(
    "kind", ["not_genuine", "expired", "method", "away", "defect", "not_a_form", "too_large", "elsewhere"]
)
def test_pages_that_show_nothing_of_a_request_are_as_safe(kind):
    answer = page.html_response(400, "end", kind=kind)

    assert {name: answer.headers[name] for name in brand.HEADERS} == brand.HEADERS
    assert read(answer).odd == []


def test_the_policy_of_the_pages_allows_one_style_one_script_of_ours_and_nothing_else():
    style = base64.b64encode(hashlib.sha256(brand.STYLE.encode()).digest()).decode()

    assert brand.HEADERS["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "script-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    for answer in (make(TEXTS) for make in PAGES.values()):
        html = answer.get_body().decode()
        assert html.count(f"<style>{brand.STYLE}</style>") == html.count("<style") == 1
        assert html.count("<script") == 1


@sized(8)
@pytest.mark.parametrize("kind", PAGES)
def test_hostile_text_is_text_in_every_field_of_every_page(kind, few):
    """Every text in every field: the same elements, the same attributes, and the text as it was written."""
    tried, hostile = 0, few((*XSS, *UNICODE))
    for text in hostile:
        texts = {name: f"{text} {number}" for number, name in enumerate(TEXTS)}

        now = read(PAGES[kind](texts))

        look_through(kind, now)
        for name in SHOWN[kind]:
            assert now.says(texts[name]), (kind, name, text)
            tried += 1

    assert tried == len(SHOWN[kind]) * len(hostile)
    assert tried >= 8 or kind == "refused_with_a_sentence"


HIDDEN = "\x00\x1b\u202e\u2066\u200b\u00ad\ufeff\x85"


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_that_hides_or_turns_text_is_on_any_page(kind):
    texts = {name: f"a{HIDDEN}b{number}" for number, name in enumerate(TEXTS)}

    answer = PAGES[kind](texts)

    html = re.sub(
        r' name="form/p:[^"]*"', "", answer.get_body().decode()
    )  # what a field is called is sent back as it is
    assert not set(HIDDEN) & set(html)
    now = read(answer)
    for name in SHOWN[kind]:
        assert now.says(texts[name]), name


def test_half_a_surrogate_pair_does_not_break_a_page():
    one = found(a_policy(a_panel(GRACE)), item="a\ud800b")

    assert "a\ufffdb" in looks(one, a_link(one, GRACE)).get_body().decode()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (None, 200),
        ({"answer": "option-0", "comments": "Words"}, 202),
        ({"answer": "option-1", "comments": "Words"}, 409),
        ({"answer": "option-0", "comments": "Other words"}, 409),
    ],
    ids=str,
)
def test_who_answered_while_an_operator_holds_the_request_is_told_that_it_is_not_recorded_yet(fields, status):
    one = with_an_answer(option="For a week").model_copy(update={"suspended": True})
    link = a_link(one, GRACE)

    shown = sends(one, link, fields) if fields else looks(one, link)

    html = shown.get_body().decode()
    assert shown.status_code == status
    assert "operator" in html
    assert "not recorded yet" in html
    assert "<h1>On its way</h1>" in html
    assert ("Nothing was changed" in html) is (status == 409)


def with_an_answer(**fields):
    """A request that has Grace's answer, and waits for Alan's."""
    options = (Option(name="For a week", approves=True), Option(name="Never", approves=False))
    one = found(a_policy(a_panel(GRACE, ALAN, required=2, reject_when="impossible"), options=options))
    vote = decided(GRACE, comments="Words", **fields)
    return one.with_story(one.story.model_copy(update={"votes": (vote,)}))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"answer": "approve", "comments": "Words"}, 200),
        ({"answer": "approve", "comments": " Words\r\n"}, 200),
        ({"answer": "approve", "comments": "Other words"}, 409),
        ({"answer": "approve"}, 409),
        ({"answer": "reject", "comments": "Words"}, 409),
        ({"answer": "option-0", "comments": "Words"}, 409),
        ({"answer": "approve", "comments": "Words" * 1000}, 409),
    ],
    ids=lambda value: str(value)[:60],
)
def test_only_the_answer_that_stands_is_recorded_and_any_other_is_told_what_does(fields, status):
    one = with_an_answer()

    shown = sends(one, a_link(one, GRACE), fields)

    html = shown.get_body().decode()
    assert shown.status_code == status
    assert ("An answer was given with this link before" in html) is (status == 409)
    assert "Words" in html


def test_another_person_on_the_open_slot_is_not_told_that_their_answer_is_recorded():
    one = found()
    one = one.with_story(one.story.model_copy(update={"votes": (decided(GRACE),)}))
    link = a_link(one, None)

    assert sends(one, link, {"answer": "approve", "approver": GRACE.upper()}).status_code == 200
    assert sends(one, link, {"answer": "approve", "approver": ALAN}).status_code == 409


@pytest.mark.parametrize("rules", [1, RULES])
def test_a_link_that_was_passed_on_shows_nothing_for_good(rules):
    """Not when its stage is over, either; and where the next stage asks fewer people than the first."""
    slot = "0-2" if rules > 1 else "2"
    one = found(a_policy(a_panel(EVE, ADA, GRACE), a_panel(EVE)), rules=rules, item="A secret thing")
    moved = {"changes": (passed_on(GRACE, ALAN),), "holders": {slot: ALAN}, "generations": {slot: 1}}
    asked_now = one.with_story(one.story.model_copy(update=moved))
    forgotten = moved if rules > 1 else {**moved, "holders": {}, "generations": {}}
    over = one.with_story(one.story.model_copy(update={**forgotten, "stage": 1, "asked_at": NOON}))
    done_with = {"status": Status.APPROVED, "settled_at": NOON, "decision": decided(EVE, stage=1, comments="Secret")}
    settled = over.with_story(over.story.model_copy(update=done_with))

    for story in (asked_now, over, settled):
        link = a_link(one, GRACE, slot=2)
        for shown in (looks(story, link), sends(story, link, {"answer": "approve"})):
            html = shown.get_body().decode()
            assert shown.status_code == 403
            assert f"{ALAN}</bdi> was asked instead" in html
            assert "secret" not in html.lower()
            assert ADA not in html


def test_who_has_not_answered_a_suspended_request_may():
    one = a_world(TEXTS).model_copy(update={"suspended": True})

    assert looks(one, mine(TEXTS, one)).status_code == 200


@sized(1)
@pytest.mark.parametrize("kind", PAGES)
def test_hostile_text_in_one_field_alone_is_text(kind, few):
    for name in [*SHOWN[kind], *sorted(MADE_READABLE)]:
        for text in few((*XSS, *UNICODE)[len(name) % 12 :: 12]):
            now = read(PAGES[kind]({**TEXTS, name: text}))

            look_through(kind, now)
            assert name in MADE_READABLE or now.says(text), (kind, name, text)


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% if 1 %}49{% endif %}", "${7*7}", "{{ item.__class__ }}", "{#x#}49"]
)
def test_no_template_in_a_text_is_ever_filled_in(text):
    for kind, make in PAGES.items():
        read_now = read(make({**TEXTS, **dict.fromkeys(SHOWN[kind], "x"), "item": text}))
        assert "item" not in SHOWN[kind] or read_now.says(text)
        assert "49" not in "".join(read_now.texts).replace(text, "")
        assert "&lt;class" not in make({**TEXTS, "item": text}).get_body().decode()


@examples(100, 2000)
@given(
    st.sampled_from(sorted(PAGES)),
    st.dictionaries(
        st.sampled_from(sorted(TEXTS)),
        st.text(
            st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>\"'&/=`{}%#;-! \n"), min_size=1, max_size=60
        ),
        min_size=1,
    ),
)
def test_any_text_is_text(kind, chosen):
    # what tells people and properties apart stays told apart
    texts = {**TEXTS, **{name: f"{text}{number}" for number, (name, text) in enumerate(chosen.items())}}

    now = read(PAGES[kind](texts))

    look_through(kind, now)
    assert all(now.says(texts[name]) for name in SHOWN[kind])


def test_a_page_is_made_of_one_request_and_nothing_of_another_remains():
    first = PAGES["asked_of_a_person"](TEXTS).get_body()
    PAGES["asked_of_a_person"](dict.fromkeys(TEXTS, "another"))

    assert PAGES["asked_of_a_person"](TEXTS).get_body() == first


def test_a_caller_cannot_choose_what_a_button_says_it_does_by_an_options_name():
    """An option that is called Reject and approves has the looks of an approval."""
    one = found(a_policy(a_panel(GRACE), options=(Option(name="Reject", approves=True),)))

    html = looks(one, a_link(one, GRACE)).get_body().decode()

    buttons = re.findall(r'<button type="submit" name="answer" value="([^"]*)" class="([^"]*)">', html)
    assert buttons == [("option-0", "yes"), ("approve", "yes"), ("reject", "no")]


def buttons_shown(**fields):
    one = found(a_policy(a_panel(GRACE), **fields))
    html = looks(one, a_link(one, GRACE)).get_body().decode()
    return re.findall(r'<button type="submit" name="answer" value="([^"]*)"', html)


def test_the_page_offers_what_the_api_takes():
    week, never = Option(name="For a week", approves=True), Option(name="Never", approves=False)

    assert buttons_shown() == ["approve", "reject"]
    assert buttons_shown(options=(week,)) == ["option-0", "approve", "reject"]
    assert buttons_shown(options=(week, never)) == ["option-0", "approve", "option-1", "reject"]
    assert buttons_shown(options=(week, never), options_only=True) == ["option-0", "option-1"]


# --- forms, and who owes them ---------------------------------------------------------------------

PLAN = {
    "properties": {
        "read": {"const": True, "title": "I have read the rollback plan"},
        "cost": {"type": "number", "default": 5},
        "why": {"type": "string", "maxLength": 40},
    },
    "required": ["read"],
}


async def answered_with(policy, **typed):
    """Send the page with what is typed; give its status, its HTML and the form that was raised with the decision."""
    one = found(policy)
    kept = Kept(one)
    here = visit(one, a_link(one, GRACE), kept=kept)
    sent = an_answer((await page.show(here)).get_body().decode(), **typed)
    answer = await page.submit(here, posted(sent))
    forms = [data["form"] for _, _, data in kept.raised][:1]
    return answer.status_code, answer.get_body().decode(), forms[0] if forms else "nothing was raised"


def with_form(schema=PLAN, **policy):
    return a_policy(a_panel(GRACE), form=json.dumps(schema), **policy)


async def test_whoever_rejects_need_not_tick_that_they_have_read_the_plan():
    status, _, form = await answered_with(with_form(form_required="on_approve"), answer="reject")

    assert (status, form) == (202, None)


async def test_an_approval_owes_the_form():
    status, html, form = await answered_with(with_form(form_required="on_approve"), answer="approve")

    assert (status, form) == (422, "nothing was raised")
    assert ": an answer is needed." in html


@pytest.mark.parametrize("required", [{}, {"form_required": "always"}])
async def test_a_form_that_is_always_required_is_owed_by_a_rejection_too_as_it_was_before_there_was_a_choice(required):
    status, _, form = await answered_with(with_form(**required), answer="reject")

    assert (status, form) == (422, "nothing was raised")


async def test_what_fits_is_kept_with_a_rejection_and_what_is_half_filled_in_holds_nobody_up():
    policy = with_form(form_required="on_approve")

    whole = await answered_with(
        policy, answer="reject", **{"form/read": "yes", "form/why": "Too late", "form/cost": "1,50"}
    )
    half = await answered_with(policy, answer="reject", **{"form/why": "Too late", "form/cost": "much"})

    assert (whole[0], whole[2]) == (202, '{"read":true,"cost":1.50,"why":"Too late"}')
    assert (half[0], half[2]) == (202, None)


async def test_what_was_left_empty_is_filled_in_with_its_default():
    policy = with_form(form_required="on_approve")

    _, _, form = await answered_with(policy, answer="approve", **{"form/read": "yes", "form/cost": ""})

    assert form == '{"read":true,"cost":5}'


@pytest.mark.parametrize("required", ["on_approve", "always"])
def test_the_page_says_what_the_form_is_needed_for(required):
    one = found(with_form(form_required=required))

    html = looks(one, a_link(one, GRACE)).get_body().decode()

    assert ("Needed if you approve." in html) is (required == "on_approve")
    assert 'value="5"' in html
    assert re.search(r'<input type="checkbox" id="f1" name="form/read" value="yes"[^>]*>', html)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_page_of_an_attack_in_flight_is_soon_there_and_small(attack):
    one = found(with_form(ATTACKS[attack]))
    began = time.thread_time()

    html = looks(one, a_link(one, GRACE)).get_body()

    assert len(html) < 300_000
    assert time.thread_time() - began < 1


LARGEST = {
    "properties": {f"{n:02}{'<&' * 49}": {"type": "array", "items": {"enum": [2 * n, 2 * n + 1]}} for n in range(100)}
}


def test_the_page_of_the_largest_form_is_soon_there_and_small():
    assert len(compact(LARGEST)) < 16 * 1024
    one = found(with_form(LARGEST))
    looks(one, a_link(one, GRACE))
    began = time.thread_time()

    html = looks(one, a_link(one, GRACE)).get_body()

    assert html.count(b'type="checkbox"') == 200
    assert len(html) < 300_000
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("worst", WORST)
def test_the_page_of_the_hardest_details_is_soon_there_and_small(worst):
    one = found(a_policy(a_panel(GRACE)), details=compact(WORST[worst]))
    began = time.thread_time()

    html = looks(one, a_link(one, GRACE)).get_body()

    assert len(html) < 500_000
    assert time.thread_time() - began < 1


def test_the_page_says_how_many_details_more_there_are_and_numbers_as_they_were_sent():
    one = found(
        a_policy(a_panel(GRACE)),
        details=f'{{"cost":1250.00,{",".join(f"{chr(34)}n{n}{chr(34)}:{n}" for n in range(150))}}}',
    )

    html = looks(one, a_link(one, GRACE)).get_body().decode()

    assert "1250.00" in html
    assert "and 51 more" in html


# --- when an answer counts ------------------------------------------------------------------------


class Slow(Kept):
    """Instances that take four seconds to be read."""

    def __init__(self, one, clock):
        super().__init__(one)
        self.clock = clock

    async def read(self, request_id):
        self.clock.at += dt.timedelta(seconds=4)
        return await super().read(request_id)


class MovingClock(FixedClock):
    """A clock that reading moves."""

    at = NOW

    def now(self):
        return self.at


@pytest.mark.parametrize(("before", "status"), [(3, 202), (0, 410)])
async def test_an_answer_counts_when_it_arrives_and_not_when_it_has_been_looked_up(before, status):
    one = found(a_policy(a_panel(GRACE, hours=2)))
    clock = MovingClock()
    clock.at = one.due_at - dt.timedelta(seconds=before)
    kept, link = Slow(one, clock), a_link(one, GRACE)
    here = Visit(Approvals(kept, SETTINGS, clock), SIGNER.sign(link), None)
    token = SIGNER.sign_form(here.token, state_of(one, link), "")

    answer = await page.submit(here, posted({"page": token, "answer": "approve"}))

    assert answer.status_code == status
    assert {data["decided_at"] for _, _, data in kept.raised} == ({"2026-03-01T13:59:57.000Z"} if before else set())


# --- what becomes of an answer that is not seen recorded ------------------------------------------


async def test_an_answer_that_is_not_seen_recorded_is_on_its_way():
    one = found(a_policy(a_panel(GRACE)))
    kept = Kept(one)
    here = visit(one, a_link(one, GRACE), kept=kept)
    form = an_answer((await page.show(here)).get_body().decode(), comments="Enjoy")

    answer = await page.submit(here, posted(form))

    assert answer.status_code == 202
    assert "On its way" in answer.get_body().decode()
    assert {data["comments"] for _, _, data in kept.raised} == {"Enjoy"}
    assert {data["decision_id"] for _, _, data in kept.raised} == {kept.raised[0][2]["decision_id"]}


async def test_what_is_refused_raises_no_event():
    one = found(a_policy(a_panel(GRACE)))
    kept = Kept(one)
    here = visit(one, a_link(one, GRACE), kept=kept)
    form = an_answer((await page.show(here)).get_body().decode())

    refused = [
        await page.submit(here, posted({**form, "page": ""})),
        await page.submit(here, posted({**form, "answer": ""})),
        await page.submit(here, posted(form, **{"content-type": "application/json"})),
        await page.submit(here, posted(form, **{"sec-fetch-site": "cross-site"})),
        await page.submit(here, posted(b"a" * (256 * 1024 + 1))),
        await page.submit(here, posted(b"&" * 600)),
        await page.submit(here, posted({**form, "comments": "x" * 2001})),
        await page.submit(dataclasses.replace(here, person=Person("t", "o", EVE)), posted(form)),
    ]

    assert [each.status_code for each in refused] == [409, 422, 415, 403, 413, 413, 422, 409]
    assert kept.raised == []


async def test_a_request_that_is_not_kept_any_more_has_expired():
    one = found(a_policy(a_panel(GRACE)))
    here = visit(one, a_link(one, GRACE), kept=Kept(None))

    answers = [await page.show(here), await page.submit(here, posted({"answer": "approve"}))]

    assert [each.status_code for each in answers] == [410, 410]
    assert answers[0].get_body() == answers[1].get_body()
    assert "This link has expired" in answers[0].get_body().decode()


async def test_a_link_that_has_expired_shows_nothing_of_its_request():
    one = found(a_policy(a_panel(GRACE, hours=1)))
    expired = replace(a_link(one, GRACE), expires_at=int(NOW.timestamp()))

    answer = await page.show(visit(one, expired))

    html = answer.get_body().decode()
    assert answer.status_code == 410
    assert one.request.item not in html
    assert one.request.requester not in html


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.fixture
def visiting(monkeypatch):
    """Ask the route itself, with instances of ours: `visiting(kept, method, token)`."""
    monkeypatch.setattr(settings, "current", lambda: SETTINGS)

    def ask(kept, method, token):
        monkeypatch.setattr(page, "Instances", lambda _client: kept)
        handler = page.approval_page._function.get_user_function().client_function
        req = func.HttpRequest(method, f"http://localhost/approve/{token}", route_params={"token": token}, body=b"")
        return handler(req, None)

    return ask


async def test_an_answer_that_the_scheduler_may_not_have_heard_is_asked_for_again_with_all_that_was_typed():
    class Away(Kept):
        async def raise_event(self, *_):
            raise errors.SchedulerUnavailable

    one = found(a_policy(a_panel(GRACE)))
    here = visit(one, a_link(one, GRACE), kept=Away(one))
    token = SIGNER.sign_form(here.token, state_of(one, here.link()), "")

    answer = await page.submit(here, posted({"page": token, "answer": "approve", "comments": "Typed <once>"}))

    html = answer.get_body().decode()
    assert answer.status_code == 503
    assert "Please send it again." in html
    assert "Typed &lt;once&gt;" in html
    assert "Retry-After" in answer.headers


async def test_a_scheduler_that_is_away_is_a_page_that_says_to_try_again(visiting):
    one = found(a_policy(a_panel(GRACE)))
    token = SIGNER.sign(a_link(one, GRACE))

    for method in ("GET", "HEAD", "POST"):
        answer = await visiting(Kept(errors.SchedulerUnavailable()), method, token)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert {name: answer.headers[name] for name in brand.HEADERS} == brand.HEADERS
        assert "Nothing is lost" in answer.get_body().decode()


async def test_a_defect_of_ours_is_a_page_and_neither_it_nor_the_log_has_the_link(visiting, caplog):
    one = found(a_policy(a_panel(GRACE)))
    token = SIGNER.sign(a_link(one, GRACE))

    with caplog.at_level(logging.DEBUG):
        answer = await visiting(Kept(RuntimeError("secret words")), "GET", token)

    html = answer.get_body().decode()
    assert answer.status_code == 500
    assert {name: answer.headers[name] for name in brand.HEADERS} == brand.HEADERS
    assert "secret words" not in html
    assert token not in html
    assert "secret words" in caplog.text
    assert token not in caplog.text
    line = rf"call_answered method=GET path=/approve/{{token}} status=500 ms=\d+ request={one.request.request_id}"
    assert re.search(line, caplog.text)


async def test_a_link_that_is_not_ours_asks_the_scheduler_nothing(visiting):
    for method in ("GET", "HEAD", "POST"):
        answer = await visiting(Kept(AssertionError("asked")), method, "nonsense")
        assert answer.status_code == 404


async def test_a_panel_of_one_is_not_counted_out_loud_and_several_are():
    alone, several = found(a_policy(a_panel(GRACE))), found(a_policy(a_panel(GRACE, EVE, required=2)))

    pages = [(await page.show(visit(one, a_link(one, GRACE)))).get_body().decode() for one in (alone, several)]

    assert "to approve" not in pages[0]
    assert "2 of 2 have to approve" in pages[1]
    assert isinstance(several.panel, Panel)


# --- which system asks ----------------------------------------------------------------------------


def words_of(answer):
    """Give what a person reads on a page, in one line."""
    text = re.sub(r"<(style|script)\b.*?</\1>", "", answer.get_body().decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", text).split())


@pytest.mark.parametrize(
    ("fields", "asks", "named"),
    [
        (
            {"created_by": "deploy-bot", "created_by_title": "Deploy bot"},
            f"{ADA}, through Deploy bot asks for your approval",
            f"Asked by{ADA} (the name comes from Deploy bot)",
        ),
        (
            {"created_by": "key"},
            f"{ADA} asks for your approval",
            f"Asked by{ADA} (the name comes from a connected system)",
        ),
        ({}, f"{ADA} asks for your approval", f"Asked by{ADA} (the name comes from a connected system)"),
        (
            {"created_by": "bot", "created_by_title": "Deploy bot", "requester_assurance": "signed-in"},
            f"{ADA}, through Deploy bot asks for your approval",
            f"Asked by{ADA} (signed in)",
        ),
    ],
    ids=["a named system", "any key", "before there were names", "a person who is signed in"],
)
def test_a_page_says_which_system_asks_for_whom(fields, asks, named):
    one = found(a_policy(a_panel(GRACE)), **fields)

    words = words_of(looks(one, a_link(one, GRACE)))

    assert asks in words
    assert named in words


def test_a_page_of_what_is_over_says_it_too():
    one = found(a_policy(a_panel(GRACE)), created_by="deploy-bot", created_by_title="Deploy bot")
    over = one.with_story(one.story.model_copy(update={"status": Status.TIMEOUT, "settled_at": NOW}))

    assert f"asked by {ADA}, through Deploy bot" in words_of(looks(over, a_link(over, GRACE)))


def test_whoever_comes_to_an_open_slot_is_not_the_system_that_asked():
    one = found(a_policy(a_panel()), created_by="deploy-bot", created_by_title="Deploy bot")
    link, kept = a_link(one, None), Kept(one)
    page_shown = looks(one, link).get_body().decode()

    answers = [
        done(page.submit(visit(one, link, kept=kept), posted(an_answer(page_shown, approver=name))))
        for name in ("Deploy bot", "DEPLOY BOT", "deploy-bot", "deploy-bot.", "Deploy\u00a0bot", ADA)
    ]

    assert {each.status_code for each in answers} == {403}
    assert not kept.raised

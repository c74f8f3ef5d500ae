"""Every kind of page there is, at a fixed hour: what axe, narrow screens and the screenshots look at.

The pages are the product's own, its headers too; only the scheduler behind them and the clock are not there.
"""

from __future__ import annotations

import asyncio
import contextvars
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import azure.functions as func

from approvals.errors import OwnRequest
from approvals.people import languages, links, messages
from approvals.people.identity import Person
from approvals.people.links import Signer, link_to
from approvals.rules.policy import Option
from approvals.rules.presentation import EvidenceLink, Presentation
from approvals.rules.story import Found, Status, Story
from approvals.service.approvals import Approvals
from approvals.settings import Settings
from approvals.web import bodies, home, page, requested
from approvals.web.showing import reason_of
from tests.browser import chromium
from tests.builders import (
    ADA,
    ALAN,
    EVE,
    GRACE,
    NOON,
    REQUEST_ID,
    a_panel,
    a_policy,
    cancelled,
    decided,
    found,
    passed_on,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = "https://approvals.example"
BARBARA, CFO = "barbara@example.com", "cfo@example.com"
NOW = NOON + dt.timedelta(hours=2)
SETTINGS = Settings(link_keys=("a key for pages that are only looked at",))
SIGNER = Signer(SETTINGS.link_keys)
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 4
ADDRESS = "https://example.com/" + "a-long-path-without-blanks/" * 12


class FixedClock:
    """Two hours after noon."""

    def __init__(self, now):
        self.time = now

    def now(self):
        return self.time

    def elapsed(self):
        return 0.0

    async def sleep(self, seconds):
        """Not a moment passes here."""


@dataclass
class OnlyLooking:
    """A scheduler that has one request, and records nothing."""

    found: Found | None

    async def read(self, _):
        return self.found


def at_once(coroutine):
    """Run a page to its end, beside an event loop that may be running already."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()


def link_of(request: Found, slot=0, *, stage=0, escalated=False, generation=0, holder=None):
    """Make the link of a slot: of who was asked first, unless someone else holds it."""
    people = request.policy.panel(stage, escalated=escalated).approvers
    holder = holder or (people[slot] if people else None)
    return link_to(request.request, stage=stage, escalated=escalated, slot=slot, generation=generation, holder=holder)


def visit(request, link, person=None, now=NOW):
    return page.Visit(Approvals(OnlyLooking(request), SETTINGS, FixedClock(now)), SIGNER.sign(link), person)


def shown(request, slot=0, *, person=None, now=NOW, **place):
    """Open a link."""
    return at_once(page.show(visit(request, link_of(request, slot, **place), person, now)))


def sent(request, fields: Mapping[str, Any], slot=0, *, stale=False, **place):
    """Open a link and press a button."""
    visited = visit(request, link_of(request, slot, **place))
    token = SIGNER.sign_form(
        visited.token, "stale" if stale else links.state_of(request, visited.link()), visited.viewer
    )
    return at_once(
        page.submit(
            visited,
            func.HttpRequest(
                method="POST",
                url=f"{ORIGIN}/approve/{visited.token}",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode({"page": token, **fields}, doseq=True).encode(),
            ),
        )
    )


def requested_by(request):
    """Open the link of whoever asked."""
    token = SIGNER.requester_address(request.request).rpartition("/")[2]
    return at_once(requested.show(page.Visit(Approvals(OnlyLooking(request), SETTINGS, FixedClock(NOW)), token, None)))


def become(request, **story):
    """Give a request with something in its story."""
    return request.with_story(request.story.model_copy(update=story))


# --- requests -------------------------------------------------------------------------------------

DETAILS = {
    "supplier": "Umbrella Ltd",
    "amount": {"net": 1200, "currency": "EUR"},
    "items": ["Laptop 14″", "Dock", "Two screens"],
    "in the budget": True,
}
FORM = {
    "type": "object",
    "required": ["cost_center", "budget"],
    "properties": {
        "cost_center": {"type": "string", "maxLength": 20, "description": "Where the money comes from."},
        "budget": {"enum": ["this year", "next year"], "title": "Out of which budget?"},
    },
}
EVERY_FIELD = {
    "type": "object",
    "required": ["line", "day", "one", "agreed"],
    "properties": {
        "line": {"type": "string", "maxLength": 40, "description": "A line."},
        "paragraph": {"type": "string", "maxLength": 1000},
        "day": {"type": "string", "format": "date"},
        "mail": {"type": "string", "format": "email"},
        "amount": {"type": "number", "minimum": 1, "maximum": 2000, "default": 100},
        "one": {"enum": ["this", "that"], "title": "One of"},
        "many": {"type": "array", "items": {"enum": ["it", "hardware", LONG_WORD]}},
        "lines": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "agreed": {"type": "boolean", "title": "Agreed"},
        "read": {"const": True, "title": "I have read the rollback plan", "description": "It is in the ticket."},
        "price": {"type": "string", "money": "EUR", "default": "1250.00"},
        "link": {"type": "string", "format": "uri"},
        "fixed": {"const": "always the same"},
        "group": {"type": "object", "required": ["inner"], "properties": {"inner": {"type": "string"}}},
        "anything": {"title": "Anything", "description": LONG_WORD},
    },
}
HARD_TO_SET = {
    LONG_WORD: ADDRESS,
    "deep": {"deeper": {"deepest": {LONG_WORD: [ADDRESS, LONG_WORD]}}},
    "empty": {},
    "table": [{"name": f"{n}" * 40, "count": n, "why": "because " * 20} for n in range(3)],
}
OPTIONS = (
    Option(name="For this week only", approves=True),
    Option(name="Until it is taken back", approves=True),
)
MANY_OPTIONS = tuple(Option(name=f"{n}. {LONG_WORD}"[:60], approves=n % 2 == 0) for n in range(10))


def rich(**policy):
    """Ask for a laptop, with everything a request can have; one of three has answered."""
    panel = a_panel(GRACE, ALAN, BARBARA, required=2, hours=48, on_timeout="reject")
    asked = found(
        a_policy(panel, a_panel(CFO), **{"form": json.dumps(FORM), "comment_required": "on_reject", **policy}),
        item="A new laptop for the design team",
        description="The old one does not survive another render.\nThe quote is attached to ticket 4711.",
        details=json.dumps(DETAILS),
    )
    return become(asked, votes=(decided(ALAN, slot=1, comments="It is in the plan.", assurance="link"),))


def plain(**policy):
    """Ask Grace for a laptop."""
    return found(a_policy(a_panel(GRACE), **policy))


def evidence():
    """Ask with everything that can be read before an answer."""
    schema = {
        "properties": {
            "amount": {"type": "string", "money": "EUR", "title": "Amount"},
            "bought_on": {"type": "string", "format": "date"},
            "paid_by": {"oneOf": [{"const": "card", "title": "Company card"}, {"const": "cash"}]},
        }
    }
    links = (
        EvidenceLink(title="The quote", url="https://files.example.com/quotes/4711.pdf", sha256="5f" * 32),
        EvidenceLink(title="Policy for hardware", url="https://wiki.example.com/hardware"),
    )
    details = {"amount": "4180.00", "bought_on": "2026-02-27", "paid_by": "card", "verantwortlichkeitsbereich": "R&D"}
    return found(
        a_policy(a_panel(GRACE)),
        description="Three quotes were asked for:\n\n- **Umbrella**, the cheapest\n- [Initech](https://initech.example/q)",
        details=json.dumps(details),
        presentation=Presentation(links=links, details_schema=json.dumps(schema)),
    )


USE_CASES = ("access-request", "change-management", "content-moderation", "expense")


def use_case(name):
    """Give a shipped example as it is asked, at its first step."""
    body = json.loads((chromium.ROOT / f"docs/use-cases/{name}.json").read_text(encoding="utf-8"))
    proposal = bodies.validate(bodies.RequestBody, body).proposal()
    request = Approvals(OnlyLooking(None), SETTINGS, FixedClock(NOON)).build_request(
        proposal, REQUEST_ID, base_url=ORIGIN
    )
    return Found(request=request, story=Story())


def hard():
    """Ask for what fits on no line."""
    asked = found(
        a_policy(
            a_panel(f"{'grace' * 40}@example.com", *(f"{n}@example.com" for n in range(19))),
            form=json.dumps(EVERY_FIELD),
            options=MANY_OPTIONS,
            comment_required="always",
        ),
        item=LONG_WORD[:200],
        requester=f"{'ada' * 70}@example.com",
        description=f"{ADDRESS}\n{LONG_WORD}",
        details=json.dumps(HARD_TO_SET),
    )
    return become(
        asked, votes=(decided("1@example.com", slot=2, comments=ADDRESS, assurance="key", option=MANY_OPTIONS[0].name),)
    )


def right_to_left():
    """Ask in Arabic."""
    return found(
        a_policy(a_panel(GRACE)),
        item="طلب حاسوب محمول جديد ABC 123!",
        requester="دانا@example.com",
        description="مرحبا (hello) 123.",
        details=json.dumps({"المورد": "شركة (Umbrella)", "amount": 5}),
    )


def settled(*, yes=True, request=None):
    """Ask Grace or Alan; Alan has decided."""
    decision = decided(ALAN, yes=yes, slot=1, comments="It is in the plan.", assurance="link")
    status = Status.APPROVED if yes else Status.REJECTED
    return become(request or found(), status=status, settled_at=NOW, decision=decision, votes=(decision,))


# --- pages ----------------------------------------------------------------------------------------


def forms():
    """Give the pages that ask."""
    open_slot = found(a_policy(a_panel()), item="Lunch for the team")
    options = found(a_policy(a_panel(GRACE), options=OPTIONS), item="Access to the production database")
    everything = {"group": "", "answer": "approve", "form/day": "tomorrow", "form/amount": "1e9", "form/anything": "{"}
    return {
        "form": shown(rich()),
        "form-plain": shown(plain()),
        "form-of-a-system": shown(found(created_by="deploy-bot", created_by_title="Deploy bot")),
        "form-of-a-system-hard": shown(found(created_by="deploy-bot", created_by_title=LONG_WORD[:254])),
        "form-open-slot": shown(open_slot),
        "form-options": shown(options),
        "form-every-field": shown(plain(form=json.dumps(EVERY_FIELD), comment_required="always")),
        "form-hard": shown(hard()),
        "form-right-to-left": shown(right_to_left()),
        "form-escalation": shown(found(a_policy(a_panel(GRACE, on_timeout="escalate"), escalation=a_panel(ALAN)))),
        "problem": sent(
            rich(), {"answer": "reject", "form/cost_center": "A cost center that is far too long", "comments": ""}
        ),
        "problem-open-slot": sent(open_slot, {"answer": "approve", "approver": " "}),
        "problem-no-answer": sent(plain(), {"comments": "Yes, please"}),
        "problem-every-field": sent(plain(form=json.dumps(EVERY_FIELD), comment_required="always"), everything),
        "problem-marked": sent(
            plain(form=json.dumps(EVERY_FIELD), comment_required="always"),
            {
                "answer": "approve",
                "form/mail": "grace",
                "form/amount": "5000",
                "form/lines": "a\nb\nc\nd",
                "form/one": "0",
            },
        ),
        "problem-hard": sent(hard(), {**everything, "answer": "option-0"}),
        "problem-passing-on": sent(rich(), {"do": "pass_on", "to": " ", "reason": ""}),
        "form-evidence": shown(evidence()),
        **{f"form-{name}": shown(use_case(name)) for name in USE_CASES},
        "stale": sent(rich(), {"answer": "approve", "comments": "Enjoy"}, stale=True),
    }


def ends():
    """Give the pages of links that have nothing to ask."""
    voted = become(rich(), votes=(decided(GRACE, comments="Enjoy it.\nMind the dock.", assurance="signed-in"),))
    done = settled(request=plain())
    mine = become(
        plain(),
        status=Status.APPROVED,
        settled_at=NOW,
        decision=(yes := decided(GRACE, assurance="link")),
        votes=(yes,),
    )
    no = decided(GRACE, yes=False, comments="Too dear", assurance="link")
    my_no = become(plain(), status=Status.REJECTED, settled_at=NOW, decision=no, votes=(no,))
    signed = found(a_policy(a_panel(GRACE, assurance="signed-in")))
    moved = become(plain(), changes=(passed_on(GRACE, ALAN),), holders={"0-0": ALAN}, generations={"0-0": 1})
    two = found(a_policy(a_panel(GRACE), a_panel(CFO)))
    eve = Person("t", "o", EVE)
    return {
        "recorded": shown(mine),
        "recorded-no": shown(my_no),
        "recorded-and-open": shown(voted),
        "recorded-otherwise": sent(mine, {"answer": "reject"}),
        "recorded-and-others-decided": shown(
            become(
                done,
                votes=(*done.story.votes, decided(GRACE, slot=0, assurance="link")),
            )
        ),
        "decided": shown(settled()),
        "decided-no": shown(settled(yes=False)),
        "decided-by-silence": shown(become(plain(), status=Status.APPROVED, settled_at=NOW)),
        "timed_out": shown(become(plain(), status=Status.TIMEOUT, settled_at=NOW)),
        "too_late": shown(plain(), now=NOON + dt.timedelta(hours=24)),
        "cancelled": shown(
            become(plain(), status=Status.CANCELLED, settled_at=NOW, cancellation=cancelled(reason="Not\nneeded"))
        ),
        "failed": shown(become(plain(), status=Status.FAILED, settled_at=NOW)),
        "unknown": shown(become(plain(), status=Status.UNKNOWN, settled_at=NOW)),
        "not_mine": page.html_response(200, "end", kind="not_mine", found=plain(), name=GRACE, told=True),
        "not_mine-untold": page.html_response(200, "end", kind="not_mine", found=plain(), name=GRACE, told=False),
        "passed_on": shown(moved),
        "over": shown(become(two, stage=1)),
        "not_yet": shown(two, stage=1),
        "own": shown(found(a_policy(a_panel()), requester=EVE), person=eve),
        "sign_in": shown(signed),
        "sign_in-as-another": shown(signed, person=eve),
        "sign_in-open-slot": shown(found(a_policy(a_panel(assurance="signed-in")))),
        "expired": shown(plain(), now=NOON + dt.timedelta(days=40)),
        "decided-hard": shown(settled(request=hard())),
        "cancelled-hard": shown(
            become(
                hard(), status=Status.CANCELLED, settled_at=NOW, cancellation=cancelled(by=LONG_WORD, reason=ADDRESS)
            )
        ),
        "requested": requested_by(voted),
        "requested-approved": requested_by(mine),
        "requested-cancelled": requested_by(
            become(plain(), status=Status.CANCELLED, settled_at=NOW, cancellation=cancelled(reason="Not\nneeded"))
        ),
        "requested-hard": requested_by(hard()),
        # these want a scheduler that is away, or a browser that is none
        "not_genuine": page.html_response(404, "end", kind="not_genuine"),
        "unconfirmed": page.html_response(202, "end", kind="unconfirmed", found=plain()),
        "refused": page.html_response(403, "end", kind="refused", reason=reason_of(OwnRequest(ADA))),
        "away": page.html_response(503, "end", kind="away"),
        "defect": page.html_response(500, "end", kind="defect"),
        "method": page.html_response(405, "end", kind="method"),
        "not_a_form": page.html_response(415, "end", kind="not_a_form"),
        "too_large": page.html_response(413, "end", kind="too_large"),
        "elsewhere": page.html_response(403, "end", kind="elsewhere"),
    }


def mails(tag: str = "en") -> dict[str, str]:
    """Give mails as HTML, by their occasion, in a language."""

    def mail(request, occasion, to, link):
        spoken = request.request.model_copy(update={"presentation": Presentation(locale=tag)})
        told = request.model_copy(update={"request": spoken})
        return messages.compose(told, occasion, key=f"{REQUEST_ID}-{occasion}", to=to, link=link).html

    link, own = f"{ORIGIN}/approve/{'WyI0' * 40}", f"{ORIGIN}/requested/{'WyI0' * 40}"
    return {
        "asked": mail(rich(), "asked", GRACE, link),
        "reminded": mail(use_case("expense"), "reminded", GRACE, link),
        "decided": mail(settled(), "decided", ADA, own),
        "asked-hard": mail(hard(), "asked", GRACE, link),
    }


@cache
def pages(tag: str = "en") -> dict[str, func.HttpResponse]:
    """Give every page in a language by its name; that of an end begins with its kind."""
    with languages.speaking(languages.choose(tag)):
        found = {**forms(), **ends()}
    return {**found, "home": front()}


def front():
    """Give the page at the root."""
    accept = {"accept": "text/html"}
    return at_once(
        home.introduce(func.HttpRequest("GET", ORIGIN, body=b"", headers=accept, params={}, route_params={}))
    )


def serve(context):
    """Have a browser find the pages at ORIGIN, and nothing else anywhere."""

    def fulfil(route):
        name = route.request.url.removeprefix(f"{ORIGIN}/approve/")
        tag, _, within = name.partition("/")
        if route.request.url in (f"{ORIGIN}/assets/time.js", f"{ORIGIN}/approve/assets/time.js"):
            route.fulfill(body=page.SCRIPT, content_type="text/javascript")
        elif answer := pages(tag).get(within) if within else pages().get(name):
            headers = {**answer.headers, "Content-Type": "text/html; charset=utf-8"}
            route.fulfill(status=answer.status_code, headers=headers, body=answer.get_body().decode())
        else:
            route.abort()

    context.route("**/*", fulfil)


EVERYWHERE = ("form-expense", "form-evidence", "problem", "stale", "recorded-and-open", "not_genuine")
"""Pages that are looked at in every language; in German and Arabic every page is, but those of hard texts."""


def names():
    """Name every page; those of other languages begin with the language."""
    most = [name for name in pages() if not name.endswith(("-hard", "home"))]
    return [
        *pages(),
        *(f"{tag}/{name}" for tag in ("de", "ar") for name in most),
        *(f"{tag}/{name}" for tag in ("fr", "es", "ja") for name in EVERYWHERE),
    ]


def page_named(name):
    """Give a page by its name."""
    tag, _, within = name.rpartition("/")
    return pages(tag or "en")[within]

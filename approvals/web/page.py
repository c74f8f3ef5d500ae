"""The approver's page: GET shows, POST decides, and nothing else does.

Mail scanners open links, run scripts, and some press buttons; so no address of ours decides, nothing is chosen
beforehand, and no script submits. The page is plain HTML that works without its one script, which only adds the
reader's own time. A link tells whose answer it is; what becomes of the answer is the service's to say.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import azure.durable_functions as df
import azure.functions as func

from approvals import errors, settings
from approvals.durable.instances import Instances
from approvals.people import links
from approvals.people.identity import Evidence, authorize, holder_of, passed_on_to, was_passed_on
from approvals.people.links import Link, NotGenuine, Signer
from approvals.people.wording import detail_rows
from approvals.rules import forms, vocabulary
from approvals.rules.digest import content_digest
from approvals.rules.intake import Answer
from approvals.rules.story import Found, Status
from approvals.rules.text import UNSEEN
from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS, Problem, load_json
from approvals.service.approvals import Approvals
from approvals.web import bodies, calls, fields
from approvals.web.rendering import render
from approvals.web.responses import COMMON, METHODS, RETRY_SECONDS, status_of
from approvals.web.rights import route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from approvals.people.identity import Person
    from approvals.rules.story import Decision

logger = logging.getLogger("approvals.web.page")

blueprint = df.Blueprint()

STATIC = Path(__file__).parent / "static"
STYLE = (STATIC / "page.css").read_text(encoding="utf-8")
SCRIPT = (STATIC / "time.js").read_text(encoding="utf-8")
ALLOWED = "GET, POST, HEAD, OPTIONS"
FORM_BYTES = 256 * 1024
"""What a form that is sent may weigh: the page takes what the API takes in characters, of up to twelve bytes each."""
FIELDS = 500
"""How many fields a form that is sent may have."""


def csp_hash(text: str) -> str:
    """Write a hash as a Content-Security-Policy has it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    **COMMON,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {csp_hash(STYLE)}; script-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


# --- routes ---------------------------------------------------------------------------------------


@blueprint.route(route=route("approve/{token}"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
@blueprint.durable_client_input(client_name="client")
async def approval_page(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """`/approve/{token}`: show, and on POST decide."""
    return await calls.log_call(req, respond(req, client))


async def respond(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Answer a visit. Every answer is a page, also when something goes wrong."""
    token = req.route_params["token"]
    try:
        if req.method == "OPTIONS":
            return func.HttpResponse(status_code=204, headers={**HEADERS, "Allow": ALLOWED})
        if urlsplit(req.url).path.endswith("/"):  # some programs add one; what the page refers to would be elsewhere
            return func.HttpResponse(status_code=308, headers={**HEADERS, "Location": f"../{quote(token)}"})
        approvals = Approvals(Instances(client), settings.current())
        visit = Visit(approvals, token, approvals.signed_in(req.headers))
        match req.method:
            case "GET" | "HEAD":
                return await show(visit)
            case "POST":
                return await submit(visit, req)
        return html_response(405, "end", kind="method", headers={"Allow": ALLOWED})
    except NotGenuine:
        return html_response(404, "end", kind="not_genuine")
    except errors.SchedulerUnavailable:
        return html_response(503, "end", kind="away", headers={"Retry-After": RETRY_SECONDS})
    except Exception:
        # the path has the link in it: it stays out of the log
        logger.exception("%s approve/{token} failed", req.method)
        return html_response(500, "end", kind="defect")


@blueprint.route(route=route("assets/time.js"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def page_script(req: func.HttpRequest) -> func.HttpResponse:
    """`/assets/time.js`: the page's one script; it adds the reader's own time and does nothing else."""
    return await calls.log_call(req, serve_script(req))


async def serve_script(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the script."""
    allowed = "GET, HEAD, OPTIONS"
    if req.method == "OPTIONS":
        return func.HttpResponse(status_code=204, headers={"Allow": allowed})
    if req.method not in ("GET", "HEAD"):
        return func.HttpResponse(status_code=405, headers={"Allow": allowed})
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(SCRIPT, mimetype="text/javascript", headers=headers)


# --- a visit --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """Someone with a link. Nothing is known of them but that, and the sign-in if there is one."""

    approvals: Approvals
    token: str
    person: Person | None

    @property
    def signer(self) -> Signer:
        """What signs our links and pages."""
        return Signer(self.approvals.settings.link_keys)

    @property
    def viewer(self) -> str:
        """What a form is bound to besides the link: who is signed in, so that nobody sends another's form."""
        return self.person.subject if self.person else ""

    def link(self) -> Link:
        """Read the link. Raises NotGenuine."""
        link = self.signer.verify(self.token)
        calls.about.set(link.request_id)
        return link

    def was_shown(self, form: str, found: Found) -> bool:
        """Tell whether a form is of a page of ours that this visitor was shown, and nothing has changed since."""
        try:
            return self.signer.verify_form(form, self.token, self.viewer) == links.state_of(found, self.link())
        except NotGenuine:
            return False

    def evidence(self, link: Link) -> Evidence:
        """Say what speaks for whoever answers."""
        return Evidence("page", link, self.person)

    async def find(self, link: Link) -> Found | None:
        """Read the request; nothing when it is not kept any more."""
        try:
            return await self.approvals.find(link.request_id)
        except errors.NotFound:
            return None


@dataclass(frozen=True)
class Submission:
    """What was sent with a form, to be shown again beside what is wrong with it."""

    values: Mapping[str, list[str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    stale: bool = False
    away: bool = False
    """Whether the scheduler did not answer: nobody knows whether it heard."""

    def first(self, name: str) -> str:
        """Give a value that is sent once; line ends as they are everywhere else."""
        return self.values.get(name, [""])[0].replace("\r\n", "\n").replace("\r", "\n")

    def problems_at(self, *pointers: str) -> list[str]:
        """Give what is wrong with a field."""
        return [problem.detail for problem in self.problems if problem.pointer in pointers]


NOTHING_SENT = Submission()


async def show(visit: Visit) -> func.HttpResponse:
    """Show what is asked, or what has become of it."""
    link = visit.link()
    found = await visit.find(link)
    if not found:
        return html_response(410, "end", kind="expired")
    return end_page(visit, link, found) or form_page(visit, link, found, 200)


async def submit(visit: Visit, req: func.HttpRequest) -> func.HttpResponse:
    """Take an answer. A page that has gone stale says so, and decides nothing."""
    link = visit.link()
    found = await visit.find(link)
    if sent_wrongly := refuse_foreign_body(req):
        return sent_wrongly
    if not found:
        return html_response(410, "end", kind="expired")
    typed = Submission(
        parse_qs(req.get_body().decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    )
    choice = read_choice(typed, found)
    if ended := end_page(visit, link, found, choice, typed):
        return ended
    if not visit.was_shown(typed.first("page"), found):
        return form_page(visit, link, found, 409, Submission(typed.values, stale=True))
    if choice is None:
        return form_page(visit, link, found, 422, Submission(typed.values, (Problem("/answer", "Choose an answer."),)))
    try:
        body = read_decision(visit, link, found, typed, choice)
        answer = await visit.approvals.decide(link.request_id, body, visit.evidence(link))
    except errors.Invalid as error:
        return form_page(visit, link, found, 422, Submission(typed.values, error.problems))
    except errors.SchedulerUnavailable:
        return form_page(visit, link, found, 503, Submission(typed.values, away=True))
    except (errors.Forbidden, errors.Conflict, errors.Closed) as error:
        again = await visit.find(link)
        return end_page(visit, link, again or found, choice, typed) or html_response(
            status_of(error), "end", kind="refused", error=error
        )
    if not answer.confirmed:
        return html_response(202, "end", kind="unconfirmed", found=answer.found)
    # back to the link by GET, so that loading the page again sends nothing again
    return func.HttpResponse(status_code=303, headers={**HEADERS, "Location": visit.token})


def refuse_foreign_body(req: func.HttpRequest) -> func.HttpResponse | None:
    """Refuse what no page of ours sends: another kind of body, too long a one, or from another site."""
    media = req.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        return html_response(415, "end", kind="not_a_form")
    if len(req.get_body()) > FORM_BYTES:
        return html_response(413, "end", kind="too_large")
    if req.get_body().count(b"&") >= FIELDS:
        return html_response(413, "end", kind="too_large")
    if req.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return html_response(403, "end", kind="elsewhere")
    return None


@dataclass(frozen=True)
class Choice:
    """The button that was pressed."""

    is_approved: bool
    option: str | None = None


def read_choice(typed: Submission, found: Found) -> Choice | None:
    """Read which button was pressed; nothing when none of this request was, or more than one."""
    answers = typed.values.get("answer", [])
    buttons = {value: choice for value, choice, _ in buttons_of(found)}
    return buttons.get(answers[0]) if len(answers) == 1 else None


def buttons_of(found: Found) -> Iterator[tuple[str, Choice, str]]:
    """Give the buttons, those that approve first: value, meaning and words; what the API takes, and nothing else."""
    policy = found.policy
    for approves, value, words in ((True, "approve", "Approve"), (False, "reject", "Reject")):
        for i, option in enumerate(policy.options):
            if option.approves is approves:
                yield f"option-{i}", Choice(approves, option.name), option.name
        if not policy.options_only:
            yield value, Choice(approves), words


def read_decision(visit: Visit, link: Link, found: Found, typed: Submission, choice: Choice) -> Answer:
    """Read a decision. Raises errors.Invalid."""
    content: dict[str, Any] = {
        "is_approved": choice.is_approved,
        "approver": name_of(visit, link, found) or typed.first("approver"),
        "comments": typed.first("comments"),
        "stage": link.stage + 1,
        "option": choice.option,
        "content_digest": content_digest(found.request),
    }
    if (form := form_of(found)) is not None:
        answer, unread = fields.read_answer(form, typed.values)
        if found.policy.owes_form(is_approved=choice.is_approved):
            if unread:
                raise errors.Invalid(tuple(Problem(f"/form{each.pointer}", each.detail) for each in unread))
            content["form"] = answer
        elif answer != forms.fill_in(form, {}) and not unread and not forms.answer_problems(form, answer):
            # a rejection owes nothing of it: what fits is kept, what is half filled in holds nobody up
            content["form"] = answer
    return bodies.validate(Answer, content)


def shown_action(action: str | None) -> str:
    """Write an action as JSON that a person can read, whole: what nobody would see is written as its code."""
    if action is None:
        return ""
    text = json.dumps(load_json(action), indent=2, ensure_ascii=False)
    return UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def form_of(found: Found) -> forms.Group | None:
    """Read the form of a request, if it has one."""
    return None if found.policy.form is None else vocabulary.read_kept_form(load_json(found.policy.form))


def name_of(visit: Visit, link: Link, found: Found) -> str | None:
    """Name whose answer it is: the link's person; on the open slot who is signed in, if anybody."""
    return holder_of(link, found) or (visit.person.name if visit.person else None)


# --- what is shown --------------------------------------------------------------------------------


def end_page(
    visit: Visit, link: Link, found: Found, choice: Choice | None = None, typed: Submission = NOTHING_SENT
) -> func.HttpResponse | None:
    """Give the page of a link that has nothing to ask any more; nothing while there is something."""
    if link.is_expired(visit.approvals.received_at):
        return html_response(410, "end", kind="expired")
    if was_passed_on(link, found):
        # perhaps because it is in the wrong hands: it shows nothing of the request any more
        return html_response(403, "end", kind="passed_on", to=passed_on_to(link, found))
    vote, name = vote_of(link, found), holder_of(link, found)
    seen: dict[str, Any] = {"found": found, "name": name, "vote": vote}
    if vote and link.holder in ("", links.fingerprint(found.request, vote.approver)):
        differs = choice is not None and not is_repeated(visit, link, found, typed, choice, vote)
        if found.suspended:  # as the API has it: what the orchestration says of itself may not have happened yet
            status = 409 if differs else 202 if choice else 200
            return html_response(status, "end", kind="unconfirmed", differs=differs, **seen)
        return html_response(409 if differs else 200, "end", kind="recorded", differs=differs, **seen)
    if kind := CLOSED.get(found.story.status):
        return html_response(410, "end", kind=kind, **seen)
    if not found.story.is_open:
        return html_response(409 if choice else 200, "end", kind="decided", **seen)
    if found.due_at <= visit.approvals.received_at:
        return html_response(410, "end", kind="too_late", **seen)
    return refusal_page(visit, link, found, seen)


CLOSED = {Status.TIMEOUT: "timed_out", Status.CANCELLED: "cancelled", Status.FAILED: "failed"}


def refusal_page(visit: Visit, link: Link, found: Found, seen: dict[str, Any]) -> func.HttpResponse | None:
    """Give the page for someone who may not answer, or not now; nothing for those who may."""
    try:
        # on the open slot whoever is signed in answers as themselves
        authorize(found, name_of(visit, link, found) or "", visit.evidence(link))
    except errors.NotAskedYet:
        return html_response(409, "end", kind="not_yet", **seen)
    except errors.LinkVoid:
        return html_response(403, "end", kind="over", **seen)
    except errors.OwnRequest:
        return html_response(403, "end", kind="own", **seen)
    except errors.SignInRequired:
        return html_response(403, "end", kind="sign_in", person=visit.person, **seen)
    return None


def is_repeated(visit: Visit, link: Link, found: Found, typed: Submission, choice: Choice, vote: Decision) -> bool:
    """Tell whether what was sent is the answer that stands, word for word and by the same person."""
    try:
        said = read_decision(visit, link, found, typed, choice)
    except errors.Invalid:
        return False
    words = (said.is_approved, said.option, said.comments, said.form)
    is_theirs = found.request.is_same(said.approver, vote.approver)
    return is_theirs and words == (vote.is_approved, vote.option, vote.comments, load_json(vote.form))


def vote_of(link: Link, found: Found) -> Decision | None:
    """Give the answer of a link's slot."""
    place = (link.stage, link.escalated, link.slot)
    return next((vote for vote in found.story.votes if (vote.stage, vote.escalated, vote.slot) == place), None)


def form_page(
    visit: Visit, link: Link, found: Found, status: int, typed: Submission = NOTHING_SENT
) -> func.HttpResponse:
    """Show the request with the form to answer it."""
    form = form_of(found)
    about_form = [
        Problem(problem.pointer.removeprefix("/form"), problem.detail)
        for problem in typed.problems
        if problem.pointer == "/form" or problem.pointer.startswith("/form/")
    ]
    shown = fields.form_inputs(form, typed.values or None, about_form) if form is not None else ()
    details, more_details = detail_rows(load_json(found.request.details))
    now = visit.approvals.clock.now()
    return html_response(
        status,
        "form",
        headers={"Retry-After": RETRY_SECONDS} if typed.away else None,
        found=found,
        name=name_of(visit, link, found),
        typed=typed,
        fields=shown,
        problems_of_form=fields.problems_without_input(shown, about_form) if form is not None else (),
        details=details,
        more_details=more_details,
        action=shown_action(found.request.action),
        left=found.due_at - now,
        buttons=[(value, choice.is_approved, words) for value, choice, words in buttons_of(found)],
        page_token=visit.signer.sign_form(visit.token, links.state_of(found, link), visit.viewer),
        limits={"name": NAME_CHARACTERS, "comments": COMMENTS_CHARACTERS},
    )


def html_response(
    status: int, template: str, headers: Mapping[str, str] | None = None, **seen: Any
) -> func.HttpResponse:
    """Answer with a page."""
    html = render(f"{template}.html", style=STYLE, **seen)
    return func.HttpResponse(html, status_code=status, mimetype="text/html", headers={**HEADERS, **(headers or {})})

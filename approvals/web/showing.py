"""What the approver's page shows: the request with its form, or what has become of it; and what was sent, read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.functions as func

from approvals import errors, settings
from approvals.people import languages, links
from approvals.people.evidence import evidence_rows
from approvals.people.identity import Evidence, authorize, holder_of, passed_on_to, was_passed_on
from approvals.people.links import Link, NotGenuine, Signer
from approvals.people.wording import consequence, silence_outlook
from approvals.rules import forms, preview, vocabulary
from approvals.rules.digest import content_digest
from approvals.rules.intake import Answer
from approvals.rules.story import Found, Status
from approvals.rules.text import UNSEEN
from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS, Problem, load_json
from approvals.web import bodies, calls, fields
from approvals.web.brand import HEADERS, dress_of
from approvals.web.rendering import render
from approvals.web.responses import RETRY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from approvals.people.identity import Person
    from approvals.people.languages import Language
    from approvals.rules.story import Decision
    from approvals.service.approvals import Approvals


FORM_BYTES = 256 * 1024
"""What a form that is sent may weigh: the page takes what the API takes in characters, of up to twelve bytes each."""
FIELDS = 500
"""How many fields a form that is sent may have."""


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

    @property
    def is_about_passing_on(self) -> bool:
        """Whether it was wished that somebody else is asked."""
        return self.first("do") == "pass_on"

    def sentences_at(self, pointer: str, label: str) -> list[str]:
        """Say what is wrong with a field, in full sentences."""
        return [fields.full_sentence(label, each.detail) for each in self.problems if each.pointer == pointer]


NOTHING_SENT = Submission()


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
    both = ((True, "approve", languages.gettext("Approve")), (False, "reject", languages.gettext("Reject")))
    for approves, value, words in both:
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


CLOSED = {
    Status.TIMEOUT: "timed_out",
    Status.CANCELLED: "cancelled",
    Status.FAILED: "failed",
    Status.UNKNOWN: "unknown",
}


def reason_of(error: errors.ApprovalError) -> str:
    """Say why an answer does not count, where no page of its own says it."""
    if isinstance(error, errors.OwnRequest):
        return languages.gettext("Nobody decides on a request of their own.")
    if isinstance(error, errors.NotYours | errors.LinkVoid):
        return languages.gettext("You are not asked now.")
    return languages.gettext("Something has changed meanwhile, and your answer does not count. Look again to see what.")


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
    """Show the request with the form to answer it, in the language of the request."""
    with languages.speaking(language_of(found)):
        return fill_in_form(visit, link, found, status, typed)


def fill_in_form(visit: Visit, link: Link, found: Found, status: int, typed: Submission) -> func.HttpResponse:
    """Show the form in the language that is spoken."""
    form = form_of(found)
    about_form = [
        Problem(problem.pointer.removeprefix("/form"), problem.detail)
        for problem in typed.problems
        if problem.pointer == "/form" or problem.pointer.startswith("/form/")
    ]
    shown = fields.form_inputs(form, typed.values or None, about_form) if form is not None else ()
    details, more_details = evidence_rows(found.request)
    ahead = preview.look_ahead(found, link.slot)
    return html_response(
        status,
        "form",
        headers={"Retry-After": RETRY_SECONDS} if typed.away else None,
        found=found,
        name=name_of(visit, link, found),
        typed=typed,
        fields=shown,
        problems_at={
            "approver": typed.sentences_at("/approver", languages.gettext("Your name")),
            "comments": typed.sentences_at("/comments", languages.gettext("The comment")),
            "to": typed.sentences_at("/to", languages.gettext("To whom")),
            "reason": typed.sentences_at("/reason", languages.gettext("The reason")),
        },
        general_problems=[
            *(languages.gettext("Choose an answer.") for each in typed.problems if each.pointer == "/answer"),
            *typed.sentences_at("/option", languages.gettext("The answer")),
            *typed.sentences_at("/stage", languages.gettext("The step")),
            *typed.sentences_at("", languages.gettext("Passing it on")),
            *(
                fields.full_sentence(languages.gettext("The form"), problem.detail)
                for problem in (fields.problems_without_input(shown, about_form) if form is not None else ())
            ),
        ],
        details=details,
        more_details=more_details,
        action=shown_action(found.request.action),
        left=found.due_at - visit.approvals.clock.now(),
        outlook={
            "approved": consequence(found, ahead.if_approved) if ahead.if_approved else "",
            "rejected": consequence(found, ahead.if_rejected) if ahead.if_rejected else "",
            "silent": silence_outlook(found, ahead.if_silent),
        },
        buttons=[(value, choice.is_approved, words) for value, choice, words in buttons_of(found)],
        page_token=visit.signer.sign_form(visit.token, links.state_of(found, link), visit.viewer),
        limits={"name": NAME_CHARACTERS, "comments": COMMENTS_CHARACTERS},
    )


def language_of(found: Found) -> Language:
    """Give the language a page about a request is in: what the request says, else what the browser wishes."""
    return languages.language_of(found.request, languages.current().tag)


def html_response(
    status: int, template: str, headers: Mapping[str, str] | None = None, **seen: Any
) -> func.HttpResponse:
    """Answer with a page."""
    dress = dress_of(settings.current().brand)
    found = seen.get("found")
    with languages.speaking(language_of(found) if found else languages.current()):
        html = render(f"{template}.html", style=dress.style, brand=dress.brand, **seen)
    safe = {**HEADERS, "Content-Security-Policy": dress.policy, "Vary": "Accept-Language"}
    return func.HttpResponse(html, status_code=status, mimetype="text/html", headers={**safe, **(headers or {})})


def back_to(visit: Visit) -> func.HttpResponse:
    """Lead back to the link's page."""
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

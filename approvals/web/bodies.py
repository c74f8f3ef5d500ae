"""JSON as it comes in: the spelling of every body, read strictly."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema

from approvals.errors import BodyMissing, BodyTooLarge, Invalid, NotJsonMedia, Unreadable
from approvals.people.wording import detail_rows
from approvals.rules import policy
from approvals.rules.callbacks import Callback, CallbackUrl, Format, On
from approvals.rules.durations import Duration, InstantText, read_duration
from approvals.rules.intake import STAGES, TAGS, Action, Details, Intake, LinkBody, Proposal, Reassignment, Stage
from approvals.rules.presentation import LINKS, EvidenceLink, Locale, Presentation, Zone
from approvals.rules.preview import ImaginedAnswer
from approvals.rules.text import Comments, Description, Item, Name, Reference, StageName, Tag
from approvals.rules.value import Problem, canonical, compact
from approvals.web import jsontext
from approvals.web.complaints import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_BYTES = 64 * 1024
TIMEOUT_SECONDS = (1, 30 * 24 * 3600)
DEFAULT_TIMEOUT_HOURS = 24.0
PROBLEMS_TOLD = 20
APPROVERS = 20
OPTIONS = 10
ANSWERS = 100
GRANT_SECONDS = 3600.0
YEAR_HOURS = 365 * 24
SPELLINGS = ("timeout", "timeout_hours", "deadline")
"""How it is said until when a panel is waited for: one of these."""
REMINDERS = ("remind_every", "remind_every_hours")


def hours_to_seconds(hours: float) -> float:
    """Give seconds for hours, to the millisecond."""
    return round(hours * 3600, 3)


def check_hours(hours: float) -> float:
    """Accept a time between one second and thirty days, given in hours."""
    least, most = TIMEOUT_SECONDS
    if not least <= hours_to_seconds(hours) <= most:
        raise ValueError(f"must be between one second (1/3600) and 30 days ({most // 3600})")
    return hours


def check_span(text: str) -> str:
    """Accept a duration between one second and thirty days."""
    least, most = TIMEOUT_SECONDS
    if not least <= read_duration(text).total_seconds() <= most:
        raise ValueError("must be between one second (PT1S) and 30 days (P30D)")
    return text


def check_after(text: str) -> str:
    """Accept a duration of a year at most."""
    if read_duration(text) > dt.timedelta(hours=YEAR_HOURS):
        raise ValueError("must be at most 365 days (P365D)")
    return text


def in_hours(text: str) -> float:
    """Give a duration in hours."""
    return read_duration(text).total_seconds() / 3600


def check_number(value: Any) -> Any:
    """Refuse true and false where a number is meant, and integers no float can hold."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reports ValueErrors
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError("is out of range")
    return value


def check_required(value: Any) -> Any:
    """Accept how many must approve."""
    if value in ("any", "all") or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= APPROVERS):
        return value
    raise ValueError(f'must be "any", "all" or a number from 1 to {APPROVERS}')


REQUIRED_SCHEMA = {"anyOf": [{"enum": ["any", "all"]}, {"type": "integer", "minimum": 1, "maximum": APPROVERS}]}
Required = Annotated[Any, AfterValidator(check_required), WithJsonSchema(REQUIRED_SCHEMA)]
Hours = Annotated[
    float,
    BeforeValidator(check_number),
    Field(allow_inf_nan=False),
    AfterValidator(check_hours),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": TIMEOUT_SECONDS[1] // 3600}),
]
AfterHours = Annotated[
    float,
    BeforeValidator(check_number),
    Field(ge=0, le=YEAR_HOURS, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": YEAR_HOURS}),
]
People = Annotated[list[Name], Field(max_length=APPROVERS)]
Span = Annotated[Duration, AfterValidator(check_span)]


def panel_of_people(given: Any) -> Any:
    """Accept a bare list of people where a panel is meant."""
    return {"approvers": given} if isinstance(given, list) else given


class PanelBody(Intake):
    """The people asked at once, until when, and what silence means."""

    NOBODY: ClassVar[str] = "names nobody; leave it out to let anyone answer"

    approvers: Annotated[People, Field(default_factory=list)]
    """Whoever is named here is asked; with nobody, the first answer of anyone settles it."""
    required: Required = "any"
    """How many must approve: `any` (one), `all`, or a number."""
    reject_when: policy.RejectWhen = "any"
    """`any`: one rejection rejects; `impossible`: only when the required number cannot be reached any more."""
    timeout: Span | None = None
    """How long is waited, from one second to 30 days; a day where nothing is said. Excludes `timeout_hours`."""
    timeout_hours: Hours = DEFAULT_TIMEOUT_HOURS
    """The same in hours; one second is the least."""
    on_timeout: Literal["timeout", "approve", "reject"] = "timeout"
    """What silence means."""
    remind_every: Span | None = None
    """How often those who are awaited are reminded. Excludes `remind_every_hours`."""
    remind_every_hours: Hours | None = None
    """The same in hours."""
    assurance: policy.Demand = "any"
    """`signed-in`: takes an answer only of people whom the platform has signed in as themselves."""

    def panel(self) -> policy.Panel:
        """Give the panel these words mean."""
        required = {"any": 1, "all": len(self.approvers) or 1}.get(self.required, self.required)
        plain = self.in_hours()
        every = plain.remind_every_hours
        return policy.Panel(
            approvers=tuple(self.approvers),
            required=required,
            reject_when=self.reject_when,
            timeout_seconds=hours_to_seconds(plain.timeout_hours),
            on_timeout=self.on_timeout,
            remind_every_seconds=None if every is None else hours_to_seconds(every),
            assurance=self.assurance,
        )

    def in_hours(self) -> Self:
        """Give the same in the one spelling that is compared: bodies that differ in spelling alone mean the same."""
        told: dict[str, Any] = {}
        if self.timeout is not None:
            told |= {"timeout": None, "timeout_hours": in_hours(self.timeout)}
        if self.remind_every is not None:
            told |= {"remind_every": None, "remind_every_hours": in_hours(self.remind_every)}
        return self.model_copy(update=told)

    def said(self, *names: str) -> list[str]:
        """Name those of these fields that say something."""
        return [name for name in names if name in self.model_fields_set and getattr(self, name) is not None]

    def doubles(self, at: str) -> list[Problem]:
        """Find what is said twice, in two spellings."""
        twice = [given for given in (self.said(*SPELLINGS), self.said(*REMINDERS)) if len(given) > 1]
        return [
            Problem(f"{at}/{name}", f"does not go with {' and '.join(other for other in given if other != name)}")
            for given in twice
            for name in given
        ]

    def spelling(self, at: str) -> dict[str, str]:
        """Give, for the pointers of the fields in hours, those of the fields that were sent."""
        chosen = ((SPELLINGS, "timeout_hours"), (REMINDERS, "remind_every_hours"))
        return {f"{at}/{plain}": f"{at}/{name}" for names, plain in chosen for name in self.said(*names)}

    def open_ends(self, at: str) -> list[Problem]:
        """Find what is said about people where nobody is named: an open slot is asked for by leaving them out."""
        if self.approvers:
            return []
        if "approvers" in self.model_fields_set:
            return [Problem(f"{at}/approvers", self.NOBODY)]
        if self.required not in ("any", 1):
            return [Problem(f"{at}/required", "needs approvers to be named")]
        return []


class EscalationBody(PanelBody):
    """The people asked instead; there is no letting anyone answer here."""

    NOBODY = "names nobody"


class AskingBody(PanelBody):
    """A panel that may escalate."""

    on_timeout: policy.Silence = "timeout"  # type: ignore[assignment] # one more word than the panel it escalates to
    escalate_to: Annotated[
        EscalationBody | None,
        BeforeValidator(panel_of_people, json_schema_input_type=People | EscalationBody | None),
    ] = None
    """Who is asked instead when nobody has answered; goes with `on_timeout` `escalate`."""

    def stage(self, name: str = "") -> policy.Stage:
        """Give the stage these words mean."""
        escalation = self.escalate_to.panel() if self.escalate_to else None
        return policy.Stage(name=name, panel=self.panel(), escalation=escalation)

    def loose_ends(self, at: str) -> list[Problem]:
        """Find what does not fit together within the stage."""
        found = []
        if self.on_timeout == "escalate" and not self.escalate_to:
            found.append(Problem(f"{at}/escalate_to", 'is required: who is asked when on_timeout is "escalate"?'))
        if self.escalate_to and self.on_timeout != "escalate":
            found.append(Problem(f"{at}/escalate_to", 'goes with on_timeout "escalate" only'))
        if self.escalate_to and "approvers" not in self.escalate_to.model_fields_set:
            found.append(Problem(f"{at}/escalate_to/approvers", "is required"))
        for where, panel in self.panels(at).items():
            found += panel.open_ends(where)
            found += panel.doubles(where)
        return found

    def panels(self, at: str) -> dict[str, PanelBody]:
        """Give the panels of the stage, by where they are written."""
        return {at: self} | ({f"{at}/escalate_to": self.escalate_to} if self.escalate_to else {})

    def in_hours(self) -> Self:
        """Give the same in the one spelling that is compared."""
        escalation = self.escalate_to.in_hours() if self.escalate_to else None
        return super().in_hours().model_copy(update={"escalate_to": escalation})


class StageBody(AskingBody):
    """One stage of several."""

    name: StageName = ""


class OptionBody(Intake):
    """A named answer beyond yes and no."""

    name: StageName
    approves: bool
    """Whether it is a yes."""


class RequestBody(AskingBody):
    """`POST /api/requests`: one stage in the short form, or `stages`."""

    requester: Name
    """Who asks."""
    item: Item
    """What is asked for."""
    description: Description = ""
    details: Details | None = None
    """What the approver is shown beside it; at most 16 KiB of JSON."""
    action: Action = None
    """What exactly is to be done after a yes: any JSON; at most 16 KiB. The page shows it whole."""
    grant_ttl: Duration | None = None
    """How long after the approval it may be done, once: `PT1H` where it is not said."""
    reference: Reference | None = None
    """The caller's own number for it, to find it by."""
    tags: Annotated[list[Tag], Field(default_factory=list, max_length=TAGS)]
    """Words to find it by."""
    links: Annotated[list[LinkBody], Field(default_factory=list, max_length=LINKS)]
    """What there is to read beside it."""
    details_schema: Details | None = None
    """Labels and formats of `details`, in the words of `form`."""
    locale: Locale | None = None
    """The language of those who are asked (BCP 47), where it is known; else their browser's."""
    time_zone: Zone | None = None
    """Their time zone (IANA), where it is known."""
    callback_url: CallbackUrl | None = None
    """Where the caller is told what becomes of it, if the operator allows that address. Its query is kept secret."""
    callback_on: On = "settled"
    """Whether of its end alone, or of every change."""
    callback_format: Format = "structured"
    """`structured`: a CloudEvent as one JSON document; `binary`: the story, with the event in headers."""
    deadline: InstantText | None = None
    """Until when is waited, as an instant; for a request without `stages`. Excludes `timeout`."""
    stages: Annotated[list[StageBody], Field(min_length=1, max_length=STAGES)] | None = None
    """Asked one after another; what is said of one stage then stands within."""
    allow_self_approval: bool = False
    """Whether the requester may decide, too."""
    comment_required: policy.CommentRequired = "never"
    options: Annotated[list[OptionBody], Field(default_factory=list, max_length=OPTIONS)]
    """Named answers beyond yes and no."""
    options_only: bool = False
    """Whether a plain yes or no is not enough."""
    form: Details | None = None
    """What an approver must fill in: a small part of JSON Schema."""
    form_required: policy.FormRequired = "on_approve"
    """Who owes the form."""

    def proposal(self) -> Proposal:
        """Give the proposal these words mean."""
        return Proposal(
            requester=self.requester,
            item=self.item,
            policy=self.to_policy(),
            description=self.description,
            details=self.details,
            action=self.action,
            grant_ttl_seconds=GRANT_SECONDS if self.grant_ttl is None else in_hours(self.grant_ttl) * 3600,
            reference=self.reference or "",
            tags=tuple(dict.fromkeys(self.tags)),
            presentation=self.to_presentation(),
            callback=self.to_callback(),
            fingerprint=hashlib.sha256(self.canonical().encode()).hexdigest(),
            fingerprint_before=hashlib.sha256(self.canonical_before().encode()).hexdigest(),
            pointer="/stages" if self.stages else "",
            spelling=self.spelling(""),
            deadline=None if self.deadline is None else dt.datetime.fromisoformat(self.deadline),
        )

    def to_presentation(self) -> Presentation:
        """Give how it is shown."""
        return Presentation(
            locale=self.locale or "",
            time_zone=self.time_zone or "",
            links=tuple(EvidenceLink(title=it.title, url=it.url, sha256=it.sha256 or "") for it in self.links),
            details_schema=None if self.details_schema is None else compact(self.details_schema),
        )

    def to_callback(self) -> Callback | None:
        """Give where the caller is told, if anywhere."""
        url = self.callback_url
        return None if url is None else Callback(url=url, on=self.callback_on, format=self.callback_format)

    def to_policy(self) -> policy.Policy:
        """Give the policy these words mean."""
        stages = [stage.stage(stage.name) for stage in self.stages] if self.stages else [self.stage()]
        return policy.Policy(
            stages=tuple(stages),
            allow_self_approval=self.allow_self_approval,
            comment_required=self.comment_required,
            options=tuple(policy.Option(name=option.name, approves=option.approves) for option in self.options),
            options_only=self.options_only,
            form=None if self.form is None else compact(self.form),
            form_required=self.form_required,
        )

    def problems(self) -> list[Problem]:
        """Find nonsense: what cannot be meant, or cannot be kept."""
        if self.action is not None and self.details is not None and detail_rows(self.details)[1]:
            rows = "has more rows than the page shows, and with an action all must be shown: send less"
            return [Problem("/details", rows)]
        if self.callback_url is None and (alone := self.said("callback_on", "callback_format")):
            return [Problem(f"/{name}", "goes with callback_url only") for name in alone]
        if self.stages:
            short = sorted(self.model_fields_set & {*AskingBody.model_fields, "deadline"})
            if short:
                return [Problem(f"/{name}", "belongs into a stage when stages are given") for name in short]
            found = [end for i, stage in enumerate(self.stages) for end in stage.loose_ends(f"/stages/{i}")]
        else:
            found = self.loose_ends("")
        agreed, where = self.to_policy(), "/stages" if self.stages else ""
        found += policy.policy_problems(agreed, self.requester, where)
        if self.deadline is None:  # otherwise it depends on the time
            spelling = self.spelling("")
            late = policy.time_problems(agreed, where)
            found += [Problem(spelling.get(each.pointer, each.pointer), each.detail) for each in late]
        return found

    def spelling(self, at: str) -> dict[str, str]:
        """Give, for the pointers of the fields in hours, those of the fields that were sent, in every stage."""
        stages: dict[str, AskingBody] = {f"{at}/stages/{i}": stage for i, stage in enumerate(self.stages or ())}
        stages = stages or {at: self}
        panels = [pair for where, stage in stages.items() for pair in stage.panels(where).items()]
        return {plain: sent for where, panel in panels for plain, sent in PanelBody.spelling(panel, where).items()}

    def in_hours(self) -> Self:
        """Give the same in the one spelling that is compared."""
        stages = [stage.in_hours() for stage in self.stages] if self.stages else self.stages
        return super().in_hours().model_copy(update={"stages": stages})

    def canonical(self) -> str:
        """Write the body so that bodies that mean the same are the same text: numbers by their value alone."""
        return f"2:{canonical(self.content())}"

    def canonical_before(self) -> str:
        """Write the body as it was before numbers were compared by their value: keys of that time still find theirs."""
        return json.dumps(self.content(), sort_keys=True, ensure_ascii=False)

    def content(self) -> dict[str, Any]:
        """Give what is compared: what the first version did not have is there only where it is not the default."""
        first = {"requester", "item", "timeout_hours", "description", "details"}
        plain = self.in_hours()
        return plain.model_dump(include=first) | plain.model_dump(exclude=first, exclude_defaults=True)


class ReassignmentBody(Intake):
    """`POST /api/requests/{request_id}/reassign`."""

    by: Name
    """Who wishes it."""
    holder: Annotated[Name, Field(alias="from")]
    """Who is asked now."""
    to: Name
    """Who is asked from now on."""
    reason: Comments = ""
    stage: Stage = None

    def reassignment(self) -> Reassignment:
        """Give the reassignment these words mean."""
        return Reassignment(**self.model_dump())


class ImaginedBody(Intake):
    """An answer that somebody might give."""

    approver: Name
    is_approved: bool
    after: Annotated[Duration, AfterValidator(check_after)] | None = None
    """How long after the request is made; a year at most. Either this or `after_hours` is required."""
    after_hours: AfterHours | None = None
    """The same in hours."""
    comments: Comments = ""
    option: StageName | None = None

    def answer(self) -> ImaginedAnswer:
        """Give the imagined answer these words mean."""
        after = dt.timedelta(hours=self.after_hours or 0) if self.after is None else read_duration(self.after)
        return ImaginedAnswer(after=after, **self.model_dump(exclude={"after", "after_hours"}))

    def loose_ends(self, at: str) -> list[Problem]:
        """Find when the answer is given: in one of two spellings."""
        if self.after is None and self.after_hours is None:
            return [Problem(f"{at}/after", "is required")]
        if self.after is not None and self.after_hours is not None:
            return [
                Problem(f"{at}/after", "does not go with after_hours"),
                Problem(f"{at}/after_hours", "does not go with after"),
            ]
        return []


class PreviewBody(Intake):
    """`POST /api/policies/preview`."""

    request: RequestBody
    answers: Annotated[list[ImaginedBody], Field(default_factory=list, max_length=ANSWERS)]

    def problems(self) -> list[Problem]:
        """Find the nonsense of the request."""
        ends = [end for i, answer in enumerate(self.answers) for end in answer.loose_ends(f"/answers/{i}")]
        return [Problem(f"/request{found.pointer}", found.detail) for found in self.request.problems()] + ends


B = TypeVar("B", bound=Intake)


def parse_body(kind: type[B], headers: Mapping[str, str], body: bytes) -> B:
    """Read a body.

    Raises BodyMissing, BodyTooLarge, NotJsonMedia or Unreadable when it is no JSON to us, Invalid with a pointer
    to every field that is wrong otherwise.
    """
    if not body:
        raise BodyMissing
    if len(body) > BODY_BYTES:
        raise BodyTooLarge(BODY_BYTES)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJsonMedia
    content = read_json(body)
    if not isinstance(content, dict):
        raise Invalid((Problem("", "must be a JSON object"),))
    return validate(kind, content)


def validate(kind: type[B], content: dict[str, Any]) -> B:
    """Read a body whose content has been read. Raises Invalid."""
    try:
        body_read = kind.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:PROBLEMS_TOLD]
        raise Invalid(tuple(describe_error(kind, dict(each)) for each in found)) from None
    if problems := body_read.problems():
        raise Invalid(tuple(problems[:PROBLEMS_TOLD]))
    return body_read


def read_json(body: bytes) -> Any:
    """Read JSON strictly (see `jsontext`). Raises Unreadable."""
    try:
        text = body.decode("utf-8")
        if text.startswith("\ufeff"):
            raise Unreadable("The body begins with a byte order mark. Send UTF-8 without one.")
        return jsontext.read(text)
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except jsontext.Refused as error:
        raise Unreadable(str(error)) from None

"""JSON as it comes in: the spelling of every body, read strictly."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from approvals.errors import BodyMissing, BodyTooLarge, Invalid, NotJsonMedia, Unreadable
from approvals.rules import policy
from approvals.rules.intake import STAGES, Details, Intake, Proposal, Reassignment, Stage
from approvals.rules.preview import ImaginedAnswer
from approvals.rules.text import Comments, Description, Item, Name, StageName
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


def hours_to_seconds(hours: float) -> float:
    """Give seconds for hours, to the millisecond."""
    return round(hours * 3600, 3)


def check_duration(hours: float) -> float:
    """Accept a duration between one second and thirty days, given in hours."""
    least, most = TIMEOUT_SECONDS
    if not least <= hours_to_seconds(hours) <= most:
        raise ValueError(f"must be between one second (1/3600) and 30 days ({most // 3600})")
    return hours


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


Required = Annotated[Any, AfterValidator(check_required)]
Hours = Annotated[float, BeforeValidator(check_number), Field(allow_inf_nan=False), AfterValidator(check_duration)]


def panel_of_people(given: Any) -> Any:
    """Accept a bare list of people where a panel is meant."""
    return {"approvers": given} if isinstance(given, list) else given


class PanelBody(Intake):
    """The people asked at once, until when, and what silence means."""

    NOBODY: ClassVar[str] = "names nobody; leave it out to let anyone answer"

    approvers: Annotated[list[Name], Field(default_factory=list, max_length=APPROVERS)]
    required: Required = "any"
    reject_when: policy.RejectWhen = "any"
    timeout_hours: Hours = DEFAULT_TIMEOUT_HOURS
    on_timeout: Literal["timeout", "approve", "reject"] = "timeout"
    remind_every_hours: Hours | None = None
    assurance: policy.Demand = "any"

    def panel(self) -> policy.Panel:
        """Give the panel these words mean."""
        required = {"any": 1, "all": len(self.approvers) or 1}.get(self.required, self.required)
        return policy.Panel(
            approvers=tuple(self.approvers),
            required=required,
            reject_when=self.reject_when,
            timeout_seconds=hours_to_seconds(self.timeout_hours),
            on_timeout=self.on_timeout,
            remind_every_seconds=None if self.remind_every_hours is None else hours_to_seconds(self.remind_every_hours),
            assurance=self.assurance,
        )

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
    escalate_to: Annotated[EscalationBody | None, BeforeValidator(panel_of_people)] = None

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
        panels = {at: self} | ({f"{at}/escalate_to": self.escalate_to} if self.escalate_to else {})
        for where, panel in panels.items():
            found += panel.open_ends(where)
        return found


class StageBody(AskingBody):
    """One stage of several."""

    name: StageName = ""


class OptionBody(Intake):
    """A named answer beyond yes and no."""

    name: StageName
    approves: bool


class RequestBody(AskingBody):
    """`POST /api/requests`: one stage in the short form, or `stages`."""

    requester: Name
    item: Item
    description: Description = ""
    details: Details | None = None
    stages: Annotated[list[StageBody], Field(min_length=1, max_length=STAGES)] | None = None
    allow_self_approval: bool = False
    comment_required: policy.CommentRequired = "never"
    options: Annotated[list[OptionBody], Field(default_factory=list, max_length=OPTIONS)]
    options_only: bool = False
    form: Details | None = None
    form_required: policy.FormRequired = "on_approve"

    def proposal(self) -> Proposal:
        """Give the proposal these words mean."""
        return Proposal(
            requester=self.requester,
            item=self.item,
            policy=self.to_policy(),
            description=self.description,
            details=self.details,
            fingerprint=hashlib.sha256(self.canonical().encode()).hexdigest(),
            fingerprint_before=hashlib.sha256(self.canonical_before().encode()).hexdigest(),
            pointer="/stages" if self.stages else "",
        )

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
        if self.stages:
            short = sorted(self.model_fields_set & set(AskingBody.model_fields))
            if short:
                return [Problem(f"/{name}", "belongs into a stage when stages are given") for name in short]
            found = [end for i, stage in enumerate(self.stages) for end in stage.loose_ends(f"/stages/{i}")]
        else:
            found = self.loose_ends("")
        found += policy.policy_problems(self.to_policy(), self.requester, "/stages" if self.stages else "")
        return found

    def canonical(self) -> str:
        """Write the body so that bodies that mean the same are the same text: numbers by their value alone."""
        return f"2:{canonical(self.content())}"

    def canonical_before(self) -> str:
        """Write the body as it was before numbers were compared by their value: keys of that time still find theirs."""
        return json.dumps(self.content(), sort_keys=True, ensure_ascii=False)

    def content(self) -> dict[str, Any]:
        """Give what is compared: what the first version did not have is there only where it is not the default."""
        first = {"requester", "item", "timeout_hours", "description", "details"}
        return self.model_dump(include=first) | self.model_dump(exclude=first, exclude_defaults=True)


class ReassignmentBody(Intake):
    """`POST /api/requests/{request_id}/reassign`."""

    by: Name
    holder: Annotated[Name, Field(alias="from")]
    to: Name
    reason: Comments = ""
    stage: Stage = None

    def reassignment(self) -> Reassignment:
        """Give the reassignment these words mean."""
        return Reassignment(**self.model_dump())


class ImaginedBody(Intake):
    """An answer that somebody might give."""

    approver: Name
    is_approved: bool
    after_hours: Annotated[float, BeforeValidator(check_number), Field(ge=0, le=24 * 365, allow_inf_nan=False)]
    comments: Comments = ""
    option: StageName | None = None

    def answer(self) -> ImaginedAnswer:
        """Give the imagined answer these words mean."""
        after = dt.timedelta(hours=self.after_hours)
        return ImaginedAnswer(after=after, **self.model_dump(exclude={"after_hours"}))


class PreviewBody(Intake):
    """`POST /api/policies/preview`."""

    request: RequestBody
    answers: Annotated[list[ImaginedBody], Field(default_factory=list, max_length=ANSWERS)]

    def problems(self) -> list[Problem]:
        """Find the nonsense of the request."""
        return [Problem(f"/request{found.pointer}", found.detail) for found in self.request.problems()]


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

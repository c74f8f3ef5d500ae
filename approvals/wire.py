"""JSON and text as they come in, and JSON as it goes out: limits, hygiene, and the spelling of every field.

Behind this module values are trusted. Limits are stated once, here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from approvals import forms, jsontext, policy
from approvals.errors import BadHeader, BodyMissing, BodyTooLarge, Invalid, NotJsonMedia, Unreadable
from approvals.value import COMMENTS_CHARACTERS, NAME_CHARACTERS, TEXT_CHARACTERS, Problem, compact, pointer_to, rfc3339

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from approvals import model
    from approvals.links import Invitation
    from approvals.preview import Preview

BODY_BYTES = 64 * 1024
ITEM_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 8000
DETAILS_BYTES = 16 * 1024
TIMEOUT_SECONDS = (1, 30 * 24 * 3600)
DEFAULT_TIMEOUT_HOURS = 24.0
KEY_CHARACTERS = 255
PROBLEMS_TOLD = 20
APPROVERS = 20
STAGES = 5
OPTIONS = 10
ANSWERS = 100
STAGE_NAME_CHARACTERS = 60
WAIT_SECONDS = 25

# C0 and C1 controls, the two separators that end a line, and what turns the direction of text around
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROLS_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
# what is not seen, but for the two joiners that scripts and emoji need
INVISIBLE = re.compile(r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]")
DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
WAIT = re.compile(r'\s*wait\s*=\s*("?)([0-9]{1,9})\1\s*(;.*)?', re.IGNORECASE)
PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')


# --- text -----------------------------------------------------------------------------------------


def one_line(most: int, *, least: int = 1) -> Callable[[str], str]:
    """Accept one line for people: NFC, trimmed, no controls, nothing that turns the direction of text."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS.search(text):
            raise ValueError("must be one line without control characters")
        if DIRECTION.search(text):
            raise ValueError("must not contain characters that change the direction of text")
        if INVISIBLE.search(text):
            raise ValueError("must not contain characters that cannot be seen")
        return check_length(text, least, most)

    return check


def prose(most: int) -> Callable[[str], str]:
    """Accept text of several lines: NFC, trimmed, line ends and tabs allowed, other controls not."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS_IN_PROSE.search(text):
            raise ValueError("must not contain control characters other than line ends and tabs")
        return check_length(text, 0, most)

    return check


def check_length(text: str, least: int, most: int) -> str:
    """Give the text back if its length fits. Lengths are in characters (code points)."""
    if len(text) < least:
        raise ValueError("must not be empty")
    if len(text) > most:
        raise ValueError(f"must have at most {most:,} characters, not {len(text):,}")
    return text


def check_details(details: dict[str, Any]) -> dict[str, Any]:
    """Accept a JSON object of limited size."""
    size = len(compact(details).encode())
    if size > DETAILS_BYTES:
        raise ValueError(f"must have at most {DETAILS_BYTES:,} bytes of JSON, not {size:,}")
    return details


def check_form_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """Accept the answer to a form, of limited size."""
    size = len(compact(answer))
    if size > TEXT_CHARACTERS:
        raise ValueError(f"must have at most {TEXT_CHARACTERS:,} characters of JSON, not {size:,}")
    return answer


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


def check_stage(value: Any) -> Any:
    """Accept a stage's name, or its number from one."""
    if isinstance(value, str):
        return one_line(STAGE_NAME_CHARACTERS)(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= STAGES):
        return value
    raise ValueError(f"must be a stage's name, or its number from 1 to {STAGES}")


Name = Annotated[str, AfterValidator(one_line(NAME_CHARACTERS))]
Item = Annotated[str, AfterValidator(one_line(ITEM_CHARACTERS))]
Description = Annotated[str, AfterValidator(prose(DESCRIPTION_CHARACTERS))]
Comments = Annotated[str, AfterValidator(prose(COMMENTS_CHARACTERS))]
StageName = Annotated[str, AfterValidator(one_line(STAGE_NAME_CHARACTERS))]
People = Annotated[list[Name], Field(max_length=APPROVERS)]
Required = Annotated[Any, AfterValidator(check_required)]
Answer = Annotated[dict[str, Any], AfterValidator(check_form_answer)]
Details = Annotated[dict[str, Any], AfterValidator(check_details)]
Hours = Annotated[float, BeforeValidator(check_number), Field(allow_inf_nan=False), AfterValidator(check_duration)]


# --- bodies ---------------------------------------------------------------------------------------


class Body(BaseModel):
    """A body: strict types, no field that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def problems(self) -> list[Problem]:
        """Find what no single field shows."""
        return []


def panel_of_people(given: Any) -> Any:
    """Accept a bare list of people where a panel is meant."""
    return {"approvers": given} if isinstance(given, list) else given


class PanelBody(Body):
    """The people asked at once, until when, and what silence means."""

    approvers: People = []
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


class AskingBody(PanelBody):
    """A panel that may escalate."""

    on_timeout: policy.Silence = "timeout"  # type: ignore[assignment] # one more word than the panel it escalates to
    escalate_to: Annotated[PanelBody | None, BeforeValidator(panel_of_people)] = None

    def stage(self, name: str = "") -> policy.Stage:
        """Give the stage these words mean."""
        escalation = self.escalate_to.panel() if self.escalate_to else None
        return policy.Stage(name=name, panel=self.panel(), escalation=escalation)

    def panels(self, at: str) -> dict[str, PanelBody]:
        """Give the panels, by the pointers to them."""
        return {at: self} | ({f"{at}/escalate_to": self.escalate_to} if self.escalate_to else {})

    def loose_ends(self, at: str) -> list[Problem]:
        """Find what does not fit together within the stage."""
        found = []
        if (self.on_timeout == "escalate") != bool(self.escalate_to):
            found.append(Problem(f"{at}/escalate_to", 'goes with on_timeout "escalate", and only with it'))
        if self.escalate_to and not self.escalate_to.approvers:
            found.append(Problem(f"{at}/escalate_to/approvers", "is required"))
        if not self.approvers and self.panel().required > 1:
            found.append(Problem(f"{at}/required", "needs approvers to be named"))
        return found


class StageBody(AskingBody):
    """One stage of several."""

    name: StageName = ""


class OptionBody(Body):
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
    options: Annotated[list[OptionBody], Field(max_length=OPTIONS)] = []
    form: Details | None = None

    @property
    def effective_policy(self) -> policy.Policy:
        """What is agreed with this body."""
        stages = [stage.stage(stage.name) for stage in self.stages] if self.stages else [self.stage()]
        return policy.Policy(
            stages=tuple(stages),
            allow_self_approval=self.allow_self_approval,
            comment_required=self.comment_required,
            options=tuple(policy.Option(name=option.name, approves=option.approves) for option in self.options),
            form=None if self.form is None else compact(self.form),
        )

    def wanting_sign_in(self) -> list[str]:
        """Point to where people are wanted to be signed in."""
        stages = {f"/stages/{i}": stage for i, stage in enumerate(self.stages)} if self.stages else {"": self}
        panels = {at: each for start, stage in stages.items() for at, each in stage.panels(start).items()}
        return [f"{at}/assurance" for at, each in panels.items() if each.assurance == "signed-in"]

    def problems(self) -> list[Problem]:
        """Find nonsense: what cannot be meant, or cannot be kept."""
        if self.stages:
            short = sorted(self.model_fields_set & set(AskingBody.model_fields))
            if short:
                return [Problem(f"/{name}", "belongs into a stage when stages are given") for name in short]
            found = [end for i, stage in enumerate(self.stages) for end in stage.loose_ends(f"/stages/{i}")]
        else:
            found = self.loose_ends("")
        found += policy.policy_problems(self.effective_policy, self.requester, "/stages" if self.stages else "")
        if self.form is not None and (problem := forms.schema_problem(self.form)):
            found.append(Problem(f"/form{problem.pointer}", problem.detail))
        return found

    def canonical(self) -> str:
        """Write the body so that bodies that mean the same are the same text.

        What the first version did not have is written only where it is not the default, so that a key of its time
        still finds its request.
        """
        first = {"requester", "item", "timeout_hours", "description", "details"}
        later = self.model_dump(exclude=first, exclude_defaults=True)
        return json.dumps(self.model_dump(include=first) | later, sort_keys=True, ensure_ascii=False)


class DecisionBody(Body):
    """`POST /api/approvals/{request_id}`."""

    is_approved: bool
    approver: Name
    comments: Comments = ""
    stage: Annotated[Any, AfterValidator(check_stage)] = None
    option: StageName | None = None
    form: Answer | None = None


class DelegationBody(Body):
    """`POST /api/approvals/{request_id}/delegate`."""

    approver: Name
    to: Name
    comments: Comments = ""


class ReassignmentBody(Body):
    """`POST /api/requests/{request_id}/reassign`."""

    by: Name
    holder: Annotated[Name, Field(alias="from")]
    to: Name
    reason: Comments = ""


class ImaginedBody(Body):
    """An answer that somebody might give."""

    approver: Name
    is_approved: bool
    after_hours: Annotated[float, BeforeValidator(check_number), Field(ge=0, le=24 * 365, allow_inf_nan=False)]
    comments: Comments = ""
    option: StageName | None = None


class PreviewBody(Body):
    """`POST /api/policies/preview`."""

    request: RequestBody
    answers: Annotated[list[ImaginedBody], Field(max_length=ANSWERS)] = []

    def problems(self) -> list[Problem]:
        """Find the nonsense of the request."""
        return [Problem(f"/request{found.pointer}", found.detail) for found in self.request.problems()]


class CancellationBody(Body):
    """`POST /api/requests/{request_id}/cancel`."""

    by: Name
    reason: Comments = ""


B = TypeVar("B", bound=Body)


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
        raise Invalid(tuple(describe_error(dict(each)) for each in found)) from None
    if problems := body_read.problems():
        raise Invalid(tuple(problems[:PROBLEMS_TOLD]))
    return body_read


def describe_error(error: dict[str, Any]) -> Problem:
    """Say what pydantic found, with a JSON pointer and in our words where its own are technical."""
    pointer = pointer_to(*error["loc"])
    said = {"missing": "is required", "extra_forbidden": "is not a field here"}.get(error["type"])
    return Problem(pointer, said or error["msg"].removeprefix("Value error, "))


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


# --- headers --------------------------------------------------------------------------------------


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Read `Idempotency-Key`. Raises BadHeader for one that is empty, too long or not visible ASCII."""
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not VISIBLE_ASCII.fullmatch(key) or len(key) > KEY_CHARACTERS:
        raise BadHeader(f"Idempotency-Key must be 1 to {KEY_CHARACTERS} visible ASCII characters.")
    return key


def preferred_wait(headers: Mapping[str, str]) -> int:
    """Read `Prefer: wait=N` (RFC 7240), at most 25 seconds; a preference that cannot be read is not one."""
    for preference in PREFERENCE.findall(headers.get("prefer", "")):
        if found := WAIT.fullmatch(preference):
            return min(int(found[2]), WAIT_SECONDS)
    return 0


def matches_if_none_match(etag: str, headers: Mapping[str, str]) -> bool:
    """Tell whether `If-None-Match` names this ETag; compared weakly, as RFC 9110 has it for this header."""
    named = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in named or named == ["*"]


def matches_if_match(etag: str, headers: Mapping[str, str]) -> bool | None:
    """Tell whether `If-Match` names this ETag or any; nothing when there is no such header."""
    given = headers.get("if-match")
    if given is None:
        return None
    named = [tag.strip() for tag in given.split(",")]
    return etag in named or named == ["*"]


# --- answers --------------------------------------------------------------------------------------


def creation_json(request: model.Request, story: model.Story, invitations: list[Invitation]) -> dict[str, Any]:
    """Write what the caller who creates a request is told: this is the one answer with links in it."""
    first = invitations[0]
    return {
        "request_id": request.request_id,
        "status": story.status,
        "approval_url": None if first.approver else first.url,
        "approvals": [
            {
                "approver": invitation.approver,
                "stage": invitation.stage + 1,
                "escalated": invitation.escalated,
                "approval_url": invitation.url,
            }
            for invitation in invitations
        ],
        "decision_url": request.decision_url,
        "status_url": request.status_url,
        "deadline": rfc3339(request.deadline),
    }


def story_json(found: model.Found) -> dict[str, Any]:
    """Write the whole story of a request."""
    request, story = found.request, found.story
    return {
        "request_id": request.request_id,
        "status": story.status,
        "requester": request.requester,
        "requester_assurance": request.requester_assurance,
        "item": request.item,
        "description": request.description,
        "details": load_json(request.details),
        "created_at": rfc3339(request.created_at),
        "deadline": rfc3339(found.due_at),
        "settled_at": instant_json(story.settled_at),
        "decision": story.decision.to_json() if story.decision else None,
        "cancellation": story.cancellation.model_dump(mode="json") if story.cancellation else None,
        "stage": stage_json(found),
        "awaited": awaited_json(found) if story.is_open else None,
        "votes": [vote.to_json() for vote in story.votes],
        "changes": [
            {
                "kind": change.kind,
                "by": change.by,
                "from": change.holder,
                "to": change.to,
                "reason": change.reason,
                "changed_at": rfc3339(change.changed_at),
            }
            for change in story.changes
        ],
        "options": [option.model_dump() for option in found.policy.options],
        "form": load_json(found.policy.form),
        "undelivered": [undelivered_json(story, each) for each in story.undelivered],
        "notes": story.notes,
    }


def stage_json(found: model.Found) -> dict[str, Any]:
    """Write which stage is or was asked last."""
    story, panel = found.story, found.panel
    return {
        "number": story.stage + 1,
        "of": len(found.policy.stages),
        "name": found.policy.stages[story.stage].name,
        "escalated": story.escalated,
        "approvers": list(panel.approvers),
        "required": panel.required,
        "reject_when": panel.reject_when,
        "assurance": panel.assurance,
    }


def undelivered_json(story: model.Story, each: model.Undelivered) -> dict[str, Any]:
    """Write what a channel did not take, and when it is tried again."""
    return {
        "to": each.to,
        "channel": each.channel,
        "occasion": each.occasion,
        "tried_again": story.attempts,
        "next_attempt_at": None if each.permanent else instant_json(story.deliver_at),
    }


def awaited_json(found: model.Found) -> dict[str, Any]:
    """Write what is still needed, from whom, and what happens when nobody answers."""
    return {
        "from": [found.holder(slot) for slot in found.awaited if found.holder(slot)],
        "approvals_needed": found.panel.required - found.votes(yes=True),
        "next_reminder_at": instant_json(found.next_reminder_at),
        "if_nobody_answers": found.panel.on_timeout,
    }


def preview_json(seen: Preview) -> dict[str, Any]:
    """Write what would happen."""
    return {
        "status": seen.found.story.status,
        "settled_at": instant_json(seen.found.story.settled_at),
        "events": list(seen.timeline),
        "notes": seen.found.story.notes,
    }


def instant_json(at: dt.datetime | None) -> str | None:
    """Write an instant, or nothing."""
    return rfc3339(at) if at else None


def load_json(text: str | None) -> Any:
    """Read JSON that was carried as text."""
    return None if text is None else json.loads(text)

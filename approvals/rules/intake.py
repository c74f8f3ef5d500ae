"""What comes in: values of the use cases, whose limits hold by construction. Pure.

Every way in (JSON, a page, a command line, a queue) makes these, and nothing behind them checks a length again. They
raise pydantic's ValidationError.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

from approvals.rules.digest import inexact_numbers
from approvals.rules.policy import LONGEST_REQUEST, Policy, time_problems
from approvals.rules.presentation import Presentation, Sha256, Url
from approvals.rules.text import STAGE_NAME_CHARACTERS, Comments, Item, Name, StageName, one_line
from approvals.rules.value import TEXT_CHARACTERS, Problem, compact

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from approvals.rules.callbacks import Callback
    from approvals.rules.story import Request

DETAILS_BYTES = ACTION_BYTES = 16 * 1024
DIGEST_CHARACTERS = 64
STAGES = 5
TAGS = 10


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


def check_digest(text: str) -> str:
    """Accept a digest as a story has it."""
    if len(text) != DIGEST_CHARACTERS or set(text) - set("0123456789abcdef"):
        raise ValueError("must be the content_digest of the request: 64 hexadecimal digits")
    return text


def check_action(action: Any) -> Any:
    """Accept JSON of limited size, whose numbers every reader keeps."""
    size = len(compact(action).encode())
    if size > ACTION_BYTES:
        raise ValueError(f"must have at most {ACTION_BYTES:,} bytes of JSON, not {size:,}")
    if found := next(inexact_numbers(action), None):
        raise ValueError(f"has a number at '{found.pointer}' that {found.detail}")
    return action


def check_stage(value: Any) -> Any:
    """Accept a stage's name, or its number from one."""
    if isinstance(value, str):
        return one_line(STAGE_NAME_CHARACTERS)(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= STAGES):
        return value
    raise ValueError(f"must be a stage's name, or its number from 1 to {STAGES}")


Details = Annotated[dict[str, Any], AfterValidator(check_details)]
STAGE_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": STAGE_NAME_CHARACTERS},
        {"type": "integer", "minimum": 1, "maximum": STAGES},
        {"type": "null"},
    ]
}
Stage = Annotated[Any, AfterValidator(check_stage), WithJsonSchema(STAGE_SCHEMA)]
Digest = Annotated[str, AfterValidator(check_digest), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$"})]
Action = Annotated[Any, AfterValidator(check_action)]
FormAnswer = Annotated[dict[str, Any], AfterValidator(check_form_answer)]


class Intake(BaseModel):
    """What comes in: strict types, and no field that is not named."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def problems(self) -> list[Problem]:
        """Find what no single field shows."""
        return []


class LinkBody(Intake):
    """Something to read before deciding."""

    title: Item
    url: Url
    """An https address; the page shows its host."""
    sha256: Sha256 | None = None
    """The SHA-256 of what stands there, in hexadecimal: shown, and part of what is agreed to."""


class Untimely(ValueError):
    """What is proposed makes no sense at this time; `problems` says where and why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.detail for problem in self.problems))


@dataclass(frozen=True)
class Proposal:
    """What somebody wants approved, before it is a request."""

    requester: str
    item: str
    policy: Policy
    description: str = ""
    details: dict[str, Any] | None = None
    action: Any = None
    grant_ttl_seconds: float = 3600
    reference: str = ""
    tags: tuple[str, ...] = ()
    presentation: Presentation = Presentation()
    """How it is shown."""
    callback: Callback | None = None
    """Where the caller wants to be told what becomes of it."""
    fingerprint: str = ""
    """What tells it from another one that is sent with the same Idempotency-Key."""
    fingerprint_before: str = ""
    """The same, as requests have it that were made before numbers were compared by their value."""
    pointer: str = "/stages"
    """Where its stages are written, for errors: a JSON pointer, empty for the short form of one stage."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """For the pointers of the fields in hours, those of the fields that say the same and were sent."""
    deadline: dt.datetime | None = None
    """Until when its one stage is waited for; the policy has no more than a default in its place."""

    def timed(self, now: dt.datetime) -> Proposal:
        """Give the same with its deadline worked out from now. Raises Untimely."""
        if self.deadline is None:
            return self
        seconds = (self.deadline - now).total_seconds()
        if not 1 <= seconds <= LONGEST_REQUEST.total_seconds():
            raise Untimely((Problem("/deadline", "must be between one second and 30 days from now"),))
        (stage,) = self.policy.stages
        panel = stage.panel.model_copy(update={"timeout_seconds": round(seconds, 3)})
        agreed = self.policy.model_copy(update={"stages": (stage.model_copy(update={"panel": panel}),)})
        if found := time_problems(agreed, self.pointer):
            raise Untimely(Problem(self.spelling.get(each.pointer, each.pointer), each.detail) for each in found)
        return replace(self, policy=agreed)

    def is_origin_of(self, request: Request) -> bool:
        """Tell whether a request was made from this proposal, or from one that says the same."""
        return request.fingerprint in (self.fingerprint, self.fingerprint_before)

    @property
    def sign_in_demands(self) -> list[str]:
        """Pointers to where people are wanted to be signed in."""
        found = []
        for number, stage in enumerate(self.policy.stages):
            at = f"{self.pointer}/{number}" if self.pointer else ""
            panels = ((at, stage.panel), (f"{at}/escalate_to", stage.escalation))
            found += [f"{where}/assurance" for where, panel in panels if panel and panel.assurance == "signed-in"]
        return found


@dataclass(frozen=True)
class ListWish:
    """The wish to see a page of a list."""

    kind: Literal["", "status", "requester", "approver", "tag", "reference", "inbox"]
    """Which list: all, of one status, requester, approver, tag or reference, or what awaits a person."""
    value: str
    created_after: dt.datetime | None
    created_before: dt.datetime | None
    limit: int
    cursor: str | None
    """Where it goes on, as it was given with the page before."""


class Answer(Intake):
    """A person's yes or no, before it is a decision."""

    is_approved: bool
    approver: Name
    comments: Comments = ""
    stage: Stage = None
    """The stage that is meant: its name, or its number from one; None: whichever is asked."""
    option: StageName | None = None
    form: FormAnswer | None = None
    content_digest: Digest | None = None
    """The digest of what the person was shown, as the story has it; an answer to anything else is refused."""


class Withdrawal(Intake):
    """The wish to take a request back."""

    by: Name
    reason: Comments = ""


class Delegation(Intake):
    """The wish of a slot's holder that someone else decides."""

    approver: Name
    to: Name
    comments: Comments = ""
    stage: Stage = None


class Reassignment(Intake):
    """The wish of someone in charge that someone else decides."""

    by: Name
    holder: Name
    to: Name
    reason: Comments = ""
    stage: Stage = None

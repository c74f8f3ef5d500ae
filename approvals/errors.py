"""What can go wrong that a caller should understand. The model of HTTP is `api`'s, not ours.

    ApprovalError
    ├── Unreadable          the body cannot be taken as JSON at all
    │   ├── BodyMissing     nothing arrived
    │   ├── BodyTooLarge    more arrived than is read
    │   └── NotJsonMedia    something else was announced
    ├── BadHeader           a header does not make sense
    ├── BadQuery            a parameter of the address does not make sense
    ├── Invalid             the JSON says what may not be said; `problems` points to the fields
    ├── KeyReused           an Idempotency-Key came with another body
    ├── MethodNotOffered    the route exists, the method does not
    ├── NotFound            there is no such request
    ├── KeyRequired         it is not known who calls
    ├── Forbidden           this person, or this caller, may not do this
    │   ├── RightMissing    the caller lacks a right
    │   ├── OwnRequest      it is their own request
    │   ├── NotYours        they are not asked, or not any more
    │   ├── LinkVoid        their link answers nothing any more
    │   └── SignInRequired  the stage wants to be surer that it is them
    ├── PreconditionMissing If-Match is wanted
    ├── Stale               If-Match names an earlier revision
    ├── Closed              the request takes no decision any more; `found` is what stands
    │   ├── AlreadyDecided  someone decided: who, what and when
    │   └── NoLongerOpen    timed out, cancelled or failed
    │       └── TooLate     the deadline has passed, the outcome is not recorded yet
    ├── Conflict            it does not fit what stands, though the request is open
    │   ├── AlreadyVoted    this slot has answered
    │   ├── OtherStage      another stage is being asked
    │   ├── NotAskedYet     their stage has not begun
    │   ├── StageUnclear    they answered an earlier stage and are asked again
    │   ├── PassedOnTooOften
    │   └── StillOpen       it has not ended
    └── Unavailable           something this service needs did not answer, or is not there yet
        ├── SchedulerUnavailable
        ├── RecordsUnavailable
        └── StillStarting     another caller is making it

Each class has a stable `code`; the text of an error is a sentence for people and never an exception's of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from approvals.rules.value import Problem, rfc3339
from approvals.rules.written import (
    ClosedEvidence,
    InvalidEvidence,
    KeyReusedEvidence,
    PassedOnEvidence,
    QueryEvidence,
    RightMissingEvidence,
    StaleEvidence,
    VotedEvidence,
    cancellation_json,
    decision_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from approvals.rules.story import Decision, Found


class ApprovalError(Exception):
    """The root: a caller catches as widely as it cares."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something is wrong"

    def evidence(self) -> Mapping[str, object]:
        """Give what a machine may want to know beyond the sentence."""
        return {}


class Unreadable(ApprovalError):
    """The body cannot be taken as JSON."""

    code = "invalid_json"
    title = "The body is not usable JSON"


class BodyMissing(Unreadable):
    """No body arrived."""

    code = "body_missing"
    title = "No body received"

    def __init__(self) -> None:
        # The Functions host hands on a body only with a Content-Length: a chunked one arrives empty.
        super().__init__("No body was received. Send a JSON object, with a Content-Length header.")


class BodyTooLarge(Unreadable):
    """The body is larger than is read."""

    code = "body_too_large"
    title = "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes.")


class NotJsonMedia(Unreadable):
    """The body is announced as something else than JSON."""

    code = "unsupported_media_type"
    title = "The body must be JSON"

    def __init__(self) -> None:
        super().__init__("Send the body as Content-Type: application/json.")


class BadHeader(ApprovalError):
    """A header does not make sense."""

    code = "bad_header"
    title = "A header is not usable"


class BadQuery(ApprovalError):
    """A parameter of the address does not make sense."""

    code = "invalid_query"
    title = "A parameter of the address is wrong"

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        self.problems = problems
        super().__init__(f"Not acceptable: {'; '.join(f'{name} {detail}' for name, detail in problems)}.")

    def evidence(self) -> QueryEvidence:
        """Name each parameter."""
        return {"errors": [{"parameter": name, "detail": detail} for name, detail in self.problems]}


class Invalid(ApprovalError):
    """The JSON is well formed and says what may not be said."""

    code = "invalid"
    title = "The body is not valid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.pointer or 'the body'}: {p.detail}" for p in problems))

    def evidence(self) -> InvalidEvidence:
        """Point to each field."""
        return {"errors": [{"pointer": p.pointer, "detail": p.detail} for p in self.problems]}


class KeyReused(ApprovalError):
    """An Idempotency-Key came with another body than before."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__("This Idempotency-Key was used with another body. Send the same body, or another key.")

    def evidence(self) -> KeyReusedEvidence:
        """Name the request the key belongs to."""
        return {"request_id": self.request_id}


class MethodNotOffered(ApprovalError):
    """The route exists, the method does not."""

    code = "method_not_allowed"
    title = "The method is not offered here"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(f"This address answers to {', '.join(allowed)}.")


class NotFound(ApprovalError):
    """There is no such request."""

    code = "not_found"
    title = "No such request"

    def __init__(self) -> None:
        super().__init__("There is no request with this id.")


class NoSubscription(NotFound):
    """There is no such subscription."""

    code = "no_subscription"
    title = "No such subscription"

    def __init__(self) -> None:
        ApprovalError.__init__(self, "There is no subscription with this id.")


class KeyRequired(ApprovalError):
    """It is not known who calls."""

    code = "key_required"
    title = "A caller's key is required"

    def __init__(self, why: str = "No key of a caller was sent, or it is not taken (any more).") -> None:
        super().__init__(f"{why} Send it as Authorization: Bearer dak_... or as x-approvals-key.")


class Forbidden(ApprovalError):
    """This person may not do this."""

    code = "forbidden"
    title = "Not allowed"


class RightMissing(Forbidden):
    """The caller may not do this; `right` would let it."""

    code = "right_missing"
    title = "The caller lacks a right"

    def __init__(self, right: str, sentence: str = "", pointer: str = "") -> None:
        self.right, self.pointer = right, pointer
        super().__init__(sentence or f"This needs the right '{right}', which this caller does not have.")

    def evidence(self) -> RightMissingEvidence:
        """Name the right, and the field it is about."""
        return {"right": self.right, "pointer": self.pointer} if self.pointer else {"right": self.right}


class OwnRequest(Forbidden):
    """It is their own request."""

    code = "self_approval"
    title = "Nobody decides on a request of their own"

    def __init__(self, person: str, sentence: str = "") -> None:
        usual = f"{person} made this request and cannot decide on it, nor have it passed on to them."
        super().__init__(sentence or usual)


class NotYours(Forbidden):
    """They are not asked, or not any more."""

    code = "not_yours"
    title = "Somebody else is asked"

    def __init__(self, person: str, passed_on_to: str | None = None) -> None:
        self.passed_on_to = passed_on_to
        more = f" It was passed on to {passed_on_to}." if passed_on_to else ""
        super().__init__(f"{person} is not asked to decide now.{more}")

    def evidence(self) -> PassedOnEvidence:
        """Tell who is asked instead."""
        return {"passed_on_to": self.passed_on_to} if self.passed_on_to else {}


class LinkVoid(Forbidden):
    """A link that was good is not any more: the answer was passed on, or the stage is over."""

    code = "link_void"
    title = "This link is no longer good"

    def __init__(self, passed_on_to: str | None) -> None:
        self.passed_on_to = passed_on_to
        more = f" It was passed on to {passed_on_to}." if passed_on_to else ""
        super().__init__(f"This link does not answer what is asked now.{more}")

    def evidence(self) -> PassedOnEvidence:
        """Tell who is asked instead."""
        return {"passed_on_to": self.passed_on_to} if self.passed_on_to else {}


class SignInRequired(Forbidden):
    """The stage takes answers of people who are signed in only."""

    code = "sign_in_required"
    title = "Sign in to answer"

    def __init__(self, person: str) -> None:
        super().__init__(f"This stage takes an answer of {person} only when they are signed in as themselves.")


class PreconditionMissing(ApprovalError):
    """`If-Match` is wanted."""

    code = "if_match_missing"
    title = "If-Match is required"

    def __init__(self) -> None:
        super().__init__("Send the ETag of the story you know in If-Match, or If-Match: * to act whatever it is.")


class Stale(ApprovalError):
    """`If-Match` names an earlier revision of the story."""

    code = "stale"
    title = "The request has changed"

    def __init__(self, revision: int) -> None:
        self.revision = revision
        super().__init__("The request has changed since. Look again, and decide whether you still mean it.")

    def evidence(self) -> StaleEvidence:
        """Give the revision of now, and an ETag that stands for it."""
        return {"revision": self.revision, "etag": f'"{self.revision}"'}


class Conflict(ApprovalError):
    """It does not fit what stands, though the request is open."""

    code = "conflict"
    title = "It does not fit what stands"


class AlreadyVoted(Conflict):
    """This slot has answered, and an answer stands."""

    code = "already_voted"
    title = "The answer has been given"

    def __init__(self, vote: Decision | None, person: str) -> None:
        self.vote = vote
        super().__init__(f"{person} has answered already, and an answer stands.")

    def evidence(self) -> VotedEvidence:
        """Tell the answer that stands."""
        return {"decision": decision_json(self.vote)} if self.vote else {}


class OtherStage(Conflict):
    """Another stage is being asked."""

    code = "another_stage"
    title = "Another stage is being asked"

    def __init__(self, now: str) -> None:
        super().__init__(f"This stage is not being asked; {now} is.")


class NotAskedYet(Conflict):
    """Their stage has not begun."""

    code = "not_asked_yet"
    title = "Not asked yet"

    def __init__(self, person: str) -> None:
        super().__init__(f"{person} is not asked yet: an earlier stage is.")


class StageUnclear(Conflict):
    """They answered an earlier stage and are asked again: this may be a repetition, or meant for now."""

    code = "stage_unclear"
    title = "Which stage is answered?"

    def __init__(self, person: str, now: str) -> None:
        super().__init__(f"{person} has answered an earlier stage, and {now} asks again. Name the stage that is meant.")


class PassedOnTooOften(Conflict):
    """The request's answers were passed on as often as they may be."""

    code = "passed_on_too_often"
    title = "Passed on too often"

    def __init__(self, most: int) -> None:
        super().__init__(f"A request's answers can be passed on {most} times at most.")


class StillOpen(Conflict):
    """The request has not ended."""

    code = "still_open"
    title = "The request is still open"

    def __init__(self, sentence: str = "The request has not ended. Cancel it first, or wait.") -> None:
        super().__init__(sentence)


class Closed(ApprovalError):
    """The request takes no decision any more; `found` is what stands."""

    code = "closed"
    title = "The request is closed"

    def __init__(self, found: Found, sentence: str) -> None:
        self.found = found
        super().__init__(sentence)

    def evidence(self) -> ClosedEvidence:
        """Tell what stands."""
        request, story = self.found.request, self.found.story
        told: ClosedEvidence = {
            "request_id": request.request_id,
            "request_status": story.status,
            "deadline": rfc3339(self.found.due_at),
        }
        if story.settled_at:
            told["settled_at"] = rfc3339(story.settled_at)
        if story.decision:
            told["decision"] = decision_json(story.decision)
        if story.cancellation:
            told["cancellation"] = cancellation_json(story.cancellation)
        return told


class AlreadyDecided(Closed):
    """Someone has decided otherwise."""

    code = "already_decided"
    title = "The request has been decided"


class NoLongerOpen(Closed):
    """The request timed out, was cancelled, or failed."""

    code = "no_longer_open"
    title = "The request is no longer open"


class TooLate(NoLongerOpen):
    """The deadline has passed."""

    code = "too_late"
    title = "The deadline has passed"


class Unavailable(ApprovalError):
    """Something this service needs did not answer, or is not there yet: the same may be sent again."""


class SchedulerUnavailable(Unavailable):
    """The scheduler did not answer; whether it heard is not known."""

    code = "scheduler_unavailable"
    title = "The scheduler is not reachable"

    def __init__(self) -> None:
        super().__init__("The scheduler did not answer. Nothing is lost; send the same again in a moment.")


class RecordsUnavailable(Unavailable):
    """The store of the records did not answer."""

    code = "records_unavailable"
    title = "The records are not reachable"

    def __init__(self) -> None:
        super().__init__("The records did not answer. Nothing was started; send the same again in a moment.")


class StillStarting(Unavailable):
    """Another call is making this request, or has stopped doing so and its time is not over."""

    code = "still_starting"
    title = "The request is being made"

    def __init__(self) -> None:
        super().__init__("Another call is making this request. Send the same again in a moment.")

"""What can go wrong that a caller should understand. The model of HTTP is `api`'s, not ours.

    ApprovalError
    ├── Unreadable          the body cannot be taken as JSON at all
    │   ├── BodyMissing     nothing arrived
    │   ├── BodyTooLarge    more arrived than is read
    │   └── NotJsonMedia    something else was announced
    ├── BadHeader           a header does not make sense
    ├── Invalid             the JSON says what may not be said; `problems` points to the fields
    ├── KeyReused           an Idempotency-Key came with another body
    ├── MethodNotOffered    the route exists, the method does not
    ├── NotFound            there is no such request
    ├── Closed              the request takes no decision any more; `found` is what stands
    │   ├── AlreadyDecided  someone decided: who, what and when
    │   └── NoLongerOpen    timed out, cancelled or failed
    │       └── TooLate     the deadline has passed, the outcome is not recorded yet
    └── SchedulerUnavailable  the scheduler did not answer

Each class has a stable `code`; the text of an error is a sentence for people and never an exception's of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from approvals.model import Found


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a body: a JSON pointer (RFC 6901) and what is wrong there."""

    pointer: str
    detail: str


class ApprovalError(Exception):
    """The root: a caller catches as widely as it cares."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something is wrong"

    def evidence(self) -> dict[str, Any]:
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


class Invalid(ApprovalError):
    """The JSON is well formed and says what may not be said."""

    code = "invalid"
    title = "The body is not valid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.pointer or 'the body'}: {p.detail}" for p in problems))

    def evidence(self) -> dict[str, Any]:
        """Point to each field."""
        return {"errors": [{"pointer": p.pointer, "detail": p.detail} for p in self.problems]}


class KeyReused(ApprovalError):
    """An Idempotency-Key came with another body than before."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__("This Idempotency-Key was used with another body. Send the same body, or another key.")

    def evidence(self) -> dict[str, Any]:
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


class Closed(ApprovalError):
    """The request takes no decision any more; `found` is what stands."""

    code = "closed"
    title = "The request is closed"

    def __init__(self, found: Found, sentence: str) -> None:
        self.found = found
        super().__init__(sentence)

    def evidence(self) -> dict[str, Any]:
        """Tell what stands."""
        story = self.found.story.model_dump(mode="json", include={"decision", "cancellation", "settled_at"})
        request = self.found.request
        return {
            "request_id": request.request_id,
            "request_status": self.found.story.status,
            "deadline": request.model_dump(mode="json", include={"deadline"})["deadline"],
            **{name: value for name, value in story.items() if value is not None},
        }


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


class SchedulerUnavailable(ApprovalError):
    """The scheduler did not answer; whether it heard is not known."""

    code = "scheduler_unavailable"
    title = "The scheduler is not reachable"

    def __init__(self) -> None:
        super().__init__("The scheduler did not answer. Nothing is lost; send the same again in a moment.")

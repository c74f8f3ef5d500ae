"""What an error is in HTTP, and the headers of every answer. Every error becomes a status here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import azure.functions as func
from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from approvals import errors, grant_errors
from approvals.rules.value import compact

if TYPE_CHECKING:
    from collections.abc import Mapping

# The host answers a method that a route does not name with an empty 404; to say 405 a route names them all.
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

STATUSES: dict[type[errors.ApprovalError], int] = {
    errors.BodyMissing: 400,
    errors.BodyTooLarge: 413,
    errors.NotJsonMedia: 415,
    errors.Unreadable: 400,
    errors.BadHeader: 400,
    grant_errors.OtherAction: 412,
    grant_errors.GrantExpired: 410,
    grant_errors.GrantRevoked: 410,
    errors.BadQuery: 422,
    errors.Invalid: 422,
    errors.KeyReused: 422,
    errors.MethodNotOffered: 405,
    errors.KeyRequired: 401,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.PreconditionMissing: 428,
    errors.Stale: 412,
    errors.Conflict: 409,
    errors.AlreadyDecided: 409,
    errors.NoLongerOpen: 410,
    errors.SchedulerUnavailable: 503,
    errors.RecordsUnavailable: 503,
    errors.StillStarting: 503,
}
EXPLAINED_AT = "/api/docs#overview--"
"""Where a problem is explained: what follows is its code, which is the anchor that the page's viewer makes of it."""
RETRY_SECONDS = "2"
COMMON = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Unexpected(errors.ApprovalError):
    """A defect of ours: what it was is in the log, not in the answer."""

    code = "internal"
    title = "Something went wrong here"

    def __init__(self) -> None:
        super().__init__("This is our defect, and it was logged. Sending the same again is safe.")


class ProblemJson(TypedDict):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]
    """A page that explains it, relative to the address that was called."""
    title: str
    status: int
    detail: str
    """A sentence for people."""
    code: str
    """Stable: for programs."""


def status_of(error: errors.ApprovalError) -> int:
    """Give the status of an error: its own, or its nearest ancestor's."""
    return status_of_kind(type(error))


def status_of_kind(kind: type[errors.ApprovalError]) -> int:
    """Give the status of a kind of error."""
    return next((STATUSES[each] for each in kind.__mro__ if each in STATUSES), 500)


def problem_response(error: errors.ApprovalError) -> func.HttpResponse:
    """Write an error as `application/problem+json` (RFC 9457)."""
    status = status_of(error)
    problem: ProblemJson = {
        "type": f"{EXPLAINED_AT}{error.code}",
        "title": error.title,
        "status": status,
        "detail": str(error),
        "code": error.code,
    }
    headers = {}
    if isinstance(error, errors.MethodNotOffered):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.KeyRequired):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = RETRY_SECONDS
    return json_response(status, {**problem, **error.evidence()}, headers, media="application/problem+json")


def json_response(
    status: int,
    body: Mapping[str, object] | str,
    headers: dict[str, str] | None = None,
    media: str = "application/json",
) -> func.HttpResponse:
    """Answer with JSON that nobody keeps and nobody guesses the type of."""
    text = body if isinstance(body, str) else compact(body)
    return func.HttpResponse(text, status_code=status, mimetype=media, headers={**COMMON, **(headers or {})})

"""What can go wrong, as exceptions: the service's problems with their code, and a service that is away."""

from __future__ import annotations

from typing import Any


class ApprovalsError(Exception):
    """Anything that this client raises."""


class Unreachable(ApprovalsError):
    """The service did not answer, or not sensibly, for as long as was tried. What was sent may have been heard."""


class WaitedTooLong(ApprovalsError):
    """The request had not ended when the time to wait was over. It goes on; wait again by its id."""

    def __init__(self, request_id: str, seconds: float) -> None:
        self.request_id = request_id
        super().__init__(f"The request {request_id} has not ended after {seconds:g} seconds.")


class Problem(ApprovalsError):
    """The service refused: `code` is stable and for programs, `evidence` is what came with it (RFC 9457)."""

    def __init__(self, status: int, code: str, detail: str, evidence: dict[str, Any]) -> None:
        self.status = status
        """The status of HTTP."""
        self.code = code
        """Such as `not_found` or `already_decided`; docs/api.md lists them."""
        self.detail = detail
        self.evidence = evidence
        """What the service says beside it, such as `errors` with pointers, or the decision that stands."""
        super().__init__(f"{code}: {detail}")

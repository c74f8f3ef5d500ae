"""What can go wrong with a yes that is bound to what was asked, and good for once.

Forbidden
└── NotApproved     there is no yes to use
Conflict
├── OtherContent    the answer is for something else than what is asked
└── GrantUsed       the yes was used
GrantGone           the yes is good for nothing any more
├── GrantExpired    its time is over
└── GrantRevoked    it was taken back
OtherAction         the yes was for something else
"""

# ruff: noqa: TC001 - the description of the API reads at run time what `evidence` gives
from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.errors import ApprovalError, Conflict, Forbidden
from approvals.rules.value import rfc3339
from approvals.rules.written import ActionEvidence, ContentEvidence, GrantEvidence, StatusEvidence

if TYPE_CHECKING:
    import datetime as dt

    from approvals.rules.story import Found


class OtherContent(Conflict):
    """The answer names another content than the request has."""

    code = "content_changed"
    title = "That is not what is asked"

    def __init__(self, asked: str | None) -> None:
        self.asked = asked
        super().__init__("The answer is for another content than this request has. Show the person what it has.")

    def evidence(self) -> ContentEvidence:
        """Name the digest of what is asked."""
        return {"content_digest": self.asked}


class NotApproved(Forbidden):
    """There is no yes to use."""

    code = "not_approved"
    title = "The request is not approved"

    def __init__(self, found: Found) -> None:
        self.found = found
        super().__init__(f"The request is {found.story.status}: there is no yes to use.")

    def evidence(self) -> StatusEvidence:
        """Say where the request stands."""
        return {"request_status": self.found.story.status}


class OtherAction(ApprovalError):
    """The yes was for another action."""

    code = "other_action"
    title = "That is not what was approved"

    def __init__(self, agreed: str, sent: str) -> None:
        self.agreed, self.sent = agreed, sent
        super().__init__("The action is not the one that was approved.")

    def evidence(self) -> ActionEvidence:
        """Give both digests."""
        return {"approved": self.agreed, "sent": self.sent}


class GrantUsed(Conflict):
    """The yes was used."""

    code = "grant_used"
    title = "The approval was used already"

    def __init__(self, at: str, by: str) -> None:
        self.at, self.by = at, by
        super().__init__(f"It was used at {at} by {by}, and is good for once.")

    def evidence(self) -> GrantEvidence:
        """Say when, and by whom."""
        return {"at": self.at, "by": self.by}


class GrantGone(ApprovalError):
    """The yes is good for nothing any more."""


class GrantExpired(GrantGone):
    """The time to use it is over."""

    code = "grant_expired"
    title = "The approval has expired"

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(f"It could be used until {rfc3339(until)}.")


class GrantRevoked(GrantGone):
    """The yes was taken back."""

    code = "grant_revoked"
    title = "The approval was taken back"

    def __init__(self, at: str, by: str) -> None:
        self.at, self.by = at, by
        super().__init__(f"It was taken back at {at} by {by}.")

    def evidence(self) -> GrantEvidence:
        """Say when, and by whom."""
        return {"at": self.at, "by": self.by}

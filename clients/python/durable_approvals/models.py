"""What the service answers, as values. A field that this version does not know is kept, and can be read."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["Pending", "Approved", "Rejected", "Timeout", "Cancelled", "Failed", "Unknown"]


class Answer(BaseModel):
    """A value that the service wrote."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Decision(Answer):
    """A person's answer."""

    decision_id: str
    is_approved: bool
    approver: str
    comments: str
    decided_at: dt.datetime
    option: str | None = None
    form: dict[str, Any] | None = None
    on_behalf_of: str | None = None
    assurance: str = "key"


class Story(Answer):
    """A request, and all that has become of it."""

    request_id: str
    status: Status
    revision: int
    requester: str
    item: str
    deadline: dt.datetime
    created_at: dt.datetime
    settled_at: dt.datetime | None = None
    decision: Decision | None = None
    votes: tuple[Decision, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def approved(self) -> bool:
        """Whether it was approved."""
        return self.status == "Approved"

    @property
    def is_open(self) -> bool:
        """Whether an answer can still count."""
        return self.status == "Pending"

    @property
    def reason(self) -> str:
        """Why it ended so, in words: the decision's comments, or the status."""
        said = self.decision.comments if self.decision else ""
        return said or self.status


class Created(Answer):
    """A request that was made, or was there already."""

    request_id: str
    status: Status
    deadline: dt.datetime
    status_url: str
    undeliverable: tuple[str, ...] = ()
    approvals: tuple[dict[str, Any], ...] = ()


class Summary(Answer):
    """What a list says of a request."""

    request_id: str
    status: Status
    requester: str
    item: str
    created_at: dt.datetime
    due_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    reference: str | None = None
    tags: tuple[str, ...] = ()


class Page(Answer):
    """Some of a list."""

    requests: tuple[Summary, ...]
    next: str | None = None


class TrailEntry(Answer):
    """One step of a request."""

    at: dt.datetime
    kind: str
    by: str | None = None
    to: str | None = None
    outcome: str | None = None
    reason: str | None = None
    people: tuple[str, ...] = ()


class History(Answer):
    """Every step of a request."""

    request_id: str
    status: Status
    entries: tuple[TrailEntry, ...]


class Consumption(Answer):
    """A yes that was used."""

    request_id: str
    decision: Decision | None = None
    content_digest: str | None = None
    consumed_at: dt.datetime
    consumed_by: str


class Redelivery(Answer):
    """What was sent again."""

    request_id: str
    callbacks: tuple[dict[str, str], ...] = ()
    messages: int
    messages_failed: int


class Outcome(Answer):
    """What a request would come to."""

    status: Status
    settled_at: dt.datetime | None = None
    events: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


class Preview(Answer):
    """What would happen with the imagined answers, and in silence."""

    with_these_answers: Outcome
    if_nobody_answers: Outcome


class BatchResult(Answer):
    """What became of one decision of a batch."""

    request_id: str
    status: int
    body: dict[str, Any]


class Batch(Answer):
    """What became of each decision, in their order."""

    results: tuple[BatchResult, ...] = Field(default=())

"""Bodies of calls about many requests, or about what a yes is good for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from approvals.rules.callbacks import CallbackUrl, Format
from approvals.rules.intake import Action, Answer, Intake
from approvals.rules.text import Name

BATCH, BATCH_AT_ONCE = 100, 10
"""How many decisions a batch has, and how many are taken at once."""


class BatchDecision(Answer):
    """One decision of a batch."""

    request_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

    def answer(self) -> Answer:
        """Give the answer these words mean."""
        return Answer.model_construct(**{name: getattr(self, name) for name in Answer.model_fields})


class BatchBody(Intake):
    """`POST /api/approvals/batch`."""

    decisions: Annotated[list[BatchDecision], Field(min_length=1, max_length=BATCH)]
    """Each is taken as if it had come alone."""


class ConsumptionBody(Intake):
    """`POST /api/requests/{request_id}/consume`."""

    action: Action = None
    """What is going to be done: exactly what was agreed to."""


class RedeliveryBody(Intake):
    """`POST /api/requests/{request_id}/redeliver`."""

    by: Name
    """Who wishes it."""
    everything: bool = False
    """Whether callbacks that were taken are sent, too: their receiver has lost them."""


class SubscriptionBody(Intake):
    """`POST /api/subscriptions`."""

    callback_url: CallbackUrl
    """Where the caller is told of the end of each of its requests, if the operator allows that address."""
    callback_format: Format = "structured"


class PingBody(Intake):
    """`POST /api/callbacks/ping`."""

    callback_url: CallbackUrl
    callback_format: Format = "structured"

"""The orchestration of a callback: one of its own, so that no receiver holds up an approval.

It is started by an activity of the approval's, and its history holds ids alone. The laws of `workflow` are easily kept:
it waits for no event, and for one thing at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.durable_functions as df

from approvals.durable import callbacks
from approvals.durable.workflow import now
from approvals.rules.callbacks import MAX_BUSY, Attempt, Delivery, next_attempt_at

if TYPE_CHECKING:
    from collections.abc import Generator

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context")
def callback_workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Send an event until it is taken, or for a day. Gives what became of it, in a word."""
    delivery, started, busy = Delivery.from_json(context.get_input()), now(context), 0
    while True:
        try:
            given = delivery.model_dump_json(exclude_defaults=True)
            said = Attempt.from_json((yield context.call_activity(callbacks.send_callback, given)))
        except Exception:  # noqa: BLE001 - a worker died, or the activity has a defect: like a receiver's
            said = Attempt(outcome="failed", reason="activity_failed")
        at = next_attempt_at(delivery.started or started, now(context), said, delivery.attempt)
        context.set_custom_status({"attempt": delivery.attempt, "outcome": said.outcome})
        if not at:
            return said.outcome
        yield context.create_timer(at)
        busy += said.outcome == "busy"
        counts = said.outcome != "busy" or busy > MAX_BUSY
        delivery = delivery.model_copy(update={"attempt": delivery.attempt + counts, "started": started})


@blueprint.orchestration_trigger(context_name="context")
def subscription_workflow(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    """Keep an address until somebody ends it: its input holds the secret, which stands nowhere else."""
    context.set_custom_status({"kept": True})
    yield context.wait_for_external_event(f"end-1-{context.instance_id}".lower())

"""What the app does by itself, every minute: what calls and orchestrations have left undone.

Bounded in rows and in time, and harmless where several instances of the app do it at once.
"""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

from approvals import settings
from approvals.durable.instances import Instances
from approvals.service.sweep import Sweep

blueprint = df.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="15 * * * * *")
@blueprint.durable_client_input(client_name="client")
async def sweep(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Start what was abandoned, and write what was missed."""
    await Sweep.of(settings.current(), Instances(client)).run()

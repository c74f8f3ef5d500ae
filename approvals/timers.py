"""What the app does by itself: every minute what was left undone, and once a day what is due for a day.

Bounded in rows and in time, and harmless where several instances of the app do it at once.
"""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

from approvals import settings
from approvals.durable.instances import Instances
from approvals.service.housekeeping import Housekeeping
from approvals.service.sweep import Sweep

blueprint = df.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="15 * * * * *")
@blueprint.durable_client_input(client_name="client")
async def sweep(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Start what was abandoned, and write what was missed."""
    await Sweep.of(settings.current(), Instances(client)).run()


@blueprint.timer_trigger(arg_name="timer", schedule="0 20 * * * *")
@blueprint.durable_client_input(client_name="client")
async def keep_house(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Put yesterday's file into its container, and erase what was kept long enough; in an hour what failed."""
    chosen = settings.current()
    house = Housekeeping.of(chosen, Instances(client))
    if chosen.export_container:
        from approvals.records.archive import Container  # noqa: PLC0415 - only who keeps files should pay

        await house.export(Container(chosen.export_container))
    await house.erase()
    await house.count_open()

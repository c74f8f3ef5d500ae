"""`python -m approvals.records rebuild`: make the lists anew, from the scheduler and from the records.

For operators, when lists and records do not agree with what the scheduler says: after a restore, or when the storage
was away for long. It reads requests of the scheduler in pages, writes what the records lack, and then sees of every
record that its rows of lists are there. It prints what differed, and changes nothing that agrees; it may run while the
app does. Its packages are those of requirements-tools.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from approvals import settings
from approvals.durable import NAME
from approvals.durable.instances import Instances
from approvals.records.indexes import index_rows
from approvals.records.opening import store_of
from approvals.records.requests import STATE, Requests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from approvals.records.store import Store

PAGE = 200
DAYS = 90
"""How long the scheduler keeps a finished request at most."""


class Scheduler:
    """The task hub, as `durabletask-azuremanaged` reads it; with the client's words that `Instances` asks for."""

    def __init__(self, endpoint: str, hub: str) -> None:
        from durabletask.azuremanaged.client import DurableTaskSchedulerClient  # noqa: PLC0415 - a tool's own package

        quiet = logging.getLogger("approvals.rebuilding.scheduler")
        quiet.setLevel(logging.WARNING)
        is_local = endpoint.startswith("http://")
        self.client = DurableTaskSchedulerClient(
            host_address=endpoint.partition("://")[2],
            taskhub=hub,
            token_credential=None if is_local else credential(),
            secure_channel=not is_local,
            logger=quiet,
        )

    async def ids(self, now: dt.datetime) -> AsyncIterator[str]:
        """Give the ids of all requests, a day of creation at a time."""
        from durabletask.client import OrchestrationQuery  # noqa: PLC0415 - as above

        for day in range(DAYS, -1, -1):
            since = now - dt.timedelta(days=day + 1)
            query = OrchestrationQuery(created_time_from=since, created_time_to=since + dt.timedelta(days=1))
            states = await asyncio.to_thread(self.client.get_all_orchestration_states, query)
            for state in states:
                if state.name == NAME:
                    yield state.instance_id

    async def get_status(self, instance_id: str, **wanted: Any) -> Any:
        """Give the status of an instance as the SDK's own client does."""
        if wanted.get("show_history"):
            return SimpleNamespace(historyEvents=await self.events(instance_id))
        state = await asyncio.to_thread(self.client.get_orchestration_state, instance_id)
        if state is None:
            return None
        return SimpleNamespace(
            instance_id=instance_id,
            name=state.name,
            input_=json_of(state.serialized_input),
            output=json_of(state.serialized_output),
            custom_status=json_of(state.serialized_custom_status),
            runtime_status=SimpleNamespace(name=STATUSES.get(state.runtime_status.name, state.runtime_status.name)),
            last_updated_time=state.last_updated_at.replace(tzinfo=dt.UTC),
        )

    async def events(self, instance_id: str) -> list[dict[str, Any]]:
        """Give what an instance has received and begun, as the host writes histories."""
        from durabletask.history import EventRaisedEvent, TaskScheduledEvent  # noqa: PLC0415 - as above

        found = []
        for event in await asyncio.to_thread(self.client.get_orchestration_history, instance_id):
            match event:
                case EventRaisedEvent():
                    found.append({"EventType": "EventRaised", "Name": event.name, "Input": json_of(event.input)})
                case TaskScheduledEvent():
                    found.append({"EventType": "TaskScheduled", "Name": event.name})
        return found


STATUSES = {
    "RUNNING": "Running",
    "COMPLETED": "Completed",
    "FAILED": "Failed",
    "TERMINATED": "Terminated",
    "CONTINUED_AS_NEW": "ContinuedAsNew",
    "PENDING": "Pending",
    "SUSPENDED": "Suspended",
}


def json_of(text: str | None) -> Any:
    """Read JSON, where there is any."""
    import json  # noqa: PLC0415 - beside its one use

    return None if text is None else json.loads(text)


def credential() -> Any:
    """Give the operator's own identity."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - a tool's own package

    return DefaultAzureCredential()


@dataclass
class Rebuilding:
    """One run, and what it found."""

    store: Store
    say: Callable[[str], None]
    seen: int = 0
    lacking: int = 0
    repaired: int = 0

    @property
    def requests(self) -> Requests:
        """The records of requests."""
        return Requests(self.store)

    async def from_scheduler(self, ids: AsyncIterator[str], instances: Instances, now: dt.datetime) -> None:
        """Write what the scheduler knows further than the records."""
        async for request_id in ids:
            self.seen += 1
            found = await instances.read(request_id)
            if found is None:
                continue
            before = await self.requests.entry(request_id)
            await self.requests.keep(found, now)
            after = await self.requests.entry(request_id)
            if after and (before is None or before.progress != after.progress):
                self.lacking += 1
                self.say(f"  {request_id}: the records {'did not know it' if before is None else 'were behind'}")
            if self.seen % PAGE == 0:
                self.say(f"  {self.seen} requests of the scheduler")

    async def from_records(self, now: dt.datetime) -> None:
        """See that each record's rows of lists are there, and no others are said to be."""
        after, count = "request:", 0
        while partitions := await self.store.partitions("request:", STATE, after=after, limit=PAGE):
            for partition in partitions:
                await self.see(partition.partition(":")[2], now)
            count += len(partitions)
            after = partitions[-1]
            self.say(f"  {count} records")

    async def see(self, request_id: str, now: dt.datetime) -> None:
        """See that one record's rows are there."""
        entry, found = await self.requests.entry(request_id), await self.requests.record(request_id)
        if not entry or not found or not entry.is_started:
            return
        wanted = index_rows(found)
        missing = [row for row in wanted if await self.store.get(*row) is None]
        if missing or entry.index != wanted:
            self.repaired += 1
            self.say(f"  {request_id}: {len(missing)} rows of lists were missing")
            await self.requests.point(missing, request_id, now)
            await self.requests.keep(found, now)


async def rebuild(chosen: settings.Settings, endpoint: str, hub: str, say: Callable[[str], None]) -> int:
    """Make the lists anew; give the status the command ends with."""
    now, run = dt.datetime.now(dt.UTC), Rebuilding(store_of(chosen), say)
    if endpoint:
        scheduler = Scheduler(endpoint, hub)
        say(f"Reading the task hub {hub} ...")
        await run.from_scheduler(scheduler.ids(now), Instances(scheduler), now)
    say("Reading the records ...")
    await run.from_records(now)
    say(f"{run.seen} requests of the scheduler; {run.lacking} written anew; {run.repaired} with rows of lists mended.")
    await run.store.close()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Be the command."""
    endpoint, hub = settings.task_hub()
    ask = argparse.ArgumentParser(prog="python -m approvals.records", description=(__doc__ or "").partition("\n\n")[2])
    commands = ask.add_subparsers(dest="command", required=True)
    again = commands.add_parser("rebuild", help="make the lists anew, from the scheduler and from the records")
    again.add_argument("--endpoint", default=endpoint, help="the scheduler (default: ENDPOINT)")
    again.add_argument("--hub", default=hub or "default", help="its task hub (default: TASKHUB)")
    said = ask.parse_args(arguments)
    try:
        chosen = settings.of_this_process()
    except settings.BadSetting as error:
        print(f"Cannot start: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 1
    return asyncio.run(rebuild(chosen, said.endpoint, said.hub, lambda line: print(line, flush=True)))  # noqa: T201

"""The store in Azure Table Storage: one table; an entity holds a body's JSON in pieces, since a property takes 64 KiB.

A body that one entity cannot hold goes on in further entities of its partition, with keys behind `~`, written in the
same transaction. Each write leaves its own mark in the row: by it a write that happened, though its answer was lost,
is told from another's.
Source: learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model (an entity of 1 MiB,
a property of 64 KiB, strings in UTF-16), performing-entity-group-transactions (100 changes, 4 MiB).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableServiceClient

from approvals.records.store import (
    LAST,
    Conflict,
    Delete,
    Insert,
    Replace,
    Row,
    StoreUnavailable,
    keys_of,
    write_in_steps,
)
from approvals.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from azure.data.tables.aio import TableClient

    from approvals.records.store import Pointer, Write

    T = TypeVar("T")

TABLE = "approvals"
CALL_SECONDS = 10.0
"""How long a call may take, with the library's retries."""
PIECE = 32_000
"""Characters of a property, each two bytes at least; 32 KiB of them are the limit."""
PIECES = 14
"""Properties of an entity: 900 KB of the megabyte that one may weigh."""
CONFLICTS = {"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ResourceNotFound", "EntityNotFound"}
EMULATOR = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
)

AT_ONCE = 16
"""How many changes of different partitions are made side by side."""


class TableStore:
    """Rows in a table. A client belongs to the event loop it was made in."""

    def __init__(self, endpoint: str, table: str = TABLE) -> None:
        self.endpoint, self.table = endpoint, table
        self.services: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[TableServiceClient]] = (
            WeakKeyDictionary()
        )

    async def get(self, partition: str, key: str) -> Row | None:
        """Read a row, or nothing."""
        for _ in range(3):
            try:
                entity = await self.call(lambda table: table.get_entity(partition, key))
            except ResourceNotFoundError:
                return None
            if (row := await self.whole(partition, entity)) is not None:
                return row
        raise StoreUnavailable("a row was changed again and again while it was read")

    async def scan(self, partition: str, *, after: str = "", before: str = LAST, limit: int) -> list[Row]:
        """Read the first rows between two keys, in order, one page of the table's."""

        async def read(table: TableClient) -> list[Any]:
            found = []
            pages = table.query_entities(
                "PartitionKey eq @partition and RowKey gt @after and RowKey lt @before",
                parameters={"partition": partition, "after": after, "before": min(before, LAST)},
                results_per_page=min(limit, 1000),
            ).by_page()
            async for page in pages:
                found += [entity async for entity in page]
                if len(found) >= limit:
                    break
            return found[:limit]

        rows = [await self.whole(partition, entity) for entity in await self.call(read)]
        return [row for row in rows if row]

    async def partitions(self, prefix: str, key: str, *, after: str = "", limit: int) -> list[str]:
        """Name the next partitions that begin so and have a row of this key, in order."""

        async def read(table: TableClient) -> list[str]:
            found = table.query_entities(
                "PartitionKey gt @after and PartitionKey lt @end and RowKey eq @key",
                parameters={"after": max(prefix, after), "end": prefix + LAST, "key": key},
                select=["PartitionKey"],
            )
            names: list[str] = []
            async for entity in found:
                names.append(entity["PartitionKey"])
                if len(names) == limit:
                    break
            return names

        return await self.call(read)  # type: ignore[no-any-return]

    async def write_each(self, writes: Iterable[Pointer]) -> None:
        """Make changes of different partitions side by side."""
        free = asyncio.Semaphore(AT_ONCE)

        async def write(partition: str, change: Write) -> None:
            async with free:
                await self.write(partition, change)

        await asyncio.gather(*(write(partition, change) for partition, change in writes))

    async def write_between(
        self, before: Iterable[Pointer], partition: str, *changes: Write, after: Iterable[Pointer] = ()
    ) -> dict[str, str]:
        """Make changes of several partitions, step by step; give the new etags. Raises Conflict."""
        return await write_in_steps(self, before, partition, *changes, after=after)

    async def write(self, partition: str, *changes: Write) -> dict[str, str]:
        """Make all changes, or none; give the new etags, as far as the table told them. Raises Conflict."""
        keys, mark = keys_of(changes), uuid.uuid4().hex
        operations = [each for change in changes for each in self.operations(partition, change, mark)]
        try:
            answers = await self.submit(operations)
        except (TableTransactionError, ResourceExistsError, ResourceNotFoundError) as error:
            if is_conflict(error):
                await self.settle_conflict(partition, changes, mark)
                return {}
            raise StoreUnavailable(f"{type(error).__name__}: {getattr(error, 'error_code', '')}") from error
        rows = [entity["RowKey"] for _, entity, *_ in operations]
        told = dict(zip(rows, (str(answer.get("etag") or "") for answer in answers), strict=True))
        return {key: told[key] for key in keys if told[key]}

    async def submit(self, operations: list[tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        """Have a transaction made; once more when its answer was lost, which the library leaves alone."""
        try:
            return await self.call(lambda table: table.submit_transaction(operations))  # type: ignore[no-any-return]
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, ServiceResponseError):
                raise
            return await self.call(lambda table: table.submit_transaction(operations))  # type: ignore[no-any-return]

    def operations(self, partition: str, change: Write, mark: str) -> list[tuple[Any, ...]]:
        """Give the table's operations for one change."""
        if isinstance(change, Delete):
            entity = {"PartitionKey": partition, "RowKey": change.key}
            condition = {"etag": change.etag, "match_condition": MatchConditions.IfNotModified} if change.etag else {}
            return [("delete", entity, condition)]
        first, *further = entities(partition, change.key, change.body, mark)
        match change:
            case Insert():
                begun: tuple[Any, ...] = ("create", first)
            case Replace(etag=etag):
                condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
                begun = ("update", first, {"mode": UpdateMode.REPLACE, **condition})
            case _:
                begun = ("upsert", first, {"mode": UpdateMode.REPLACE})
        return [begun, *(("upsert", each, {"mode": UpdateMode.REPLACE}) for each in further)]

    async def settle_conflict(self, partition: str, changes: tuple[Write, ...], mark: str) -> None:
        """See whether a conflict is with a write of our own whose answer was lost. Raises Conflict when it is not."""
        missing = True
        for change in changes:
            if isinstance(change, Delete):
                continue
            missing = False
            try:
                entity = await self.call(lambda table, key=change.key: table.get_entity(partition, key))
            except ResourceNotFoundError:
                raise Conflict(change.key) from None
            if entity.get("mark") != mark:
                raise Conflict(change.key)
        if missing:
            await self.settle_deletion(partition, changes)

    async def settle_deletion(self, partition: str, changes: tuple[Write, ...]) -> None:
        """See that rows to be deleted are gone, by us or by others. Raises Conflict."""
        for change in changes:
            row = await self.get(partition, change.key)
            if row is not None and isinstance(change, Delete) and change.etag:
                raise Conflict(change.key)
            if row is not None:  # one of several was missing, which undid them all
                await self.call(lambda table, key=change.key: table.delete_entity(partition, key))

    async def whole(self, partition: str, entity: Mapping[str, Any]) -> Row | None:
        """Give a row with all its pieces; nothing when it was changed in between."""
        text = pieces_of(entity)
        for number in range(1, entity["parts"]):
            try:
                more = await self.call(
                    lambda table, n=number: table.get_entity(partition, part_key(entity["RowKey"], n))
                )
            except ResourceNotFoundError:
                return None
            if more["mark"] != entity["mark"]:
                return None
            text += pieces_of(more)
        return Row(entity["RowKey"], json.loads(text), entity.metadata["etag"])  # type: ignore[attr-defined]

    async def call(self, work: Any) -> Any:
        """Ask the table, within the time limit. Raises StoreUnavailable; what says that a row is (not) there passes."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await work(await self.client())
        except (TableTransactionError, ResourceExistsError, ResourceNotFoundError) as error:
            if isinstance(error, ResourceNotFoundError) and error_code(error) == "TableNotFound":
                raise StoreUnavailable("the table is not there") from error
            raise
        except (AzureError, TimeoutError, OSError) as error:
            status = error.status_code if isinstance(error, HttpResponseError) else ""
            raise StoreUnavailable(f"{type(error).__name__} {status}".strip()) from error

    async def client(self) -> TableClient:
        """Give the client of this event loop."""
        loop = asyncio.get_running_loop()
        making = self.services.get(loop)
        if making is None or (making.done() and (making.cancelled() or making.exception())):
            making = self.services[loop] = loop.create_task(self.connect())
        return (await asyncio.shield(making)).get_table_client(self.table)

    async def connect(self) -> TableServiceClient:
        """Make what clients come from, and the table, if it is not there."""
        service = TableServiceClient(
            self.endpoint, credential=credential_for(self.endpoint), retry_total=4, retry_backoff_factor=0.2
        )
        try:
            await service.create_table_if_not_exists(self.table)
        except BaseException:
            await service.close()
            raise
        return service

    async def close(self) -> None:
        """Let go of the connections of this event loop."""
        making = self.services.pop(asyncio.get_running_loop(), None)
        if making:
            await (await making).close()


def entities(partition: str, key: str, body: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    """Give the entities that hold a body: one, and more for one that is large."""
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    groups = [pieces[start : start + PIECES] for start in range(0, len(pieces), PIECES)]
    return [
        {
            "PartitionKey": partition,
            "RowKey": part_key(key, number) if number else key,
            "mark": mark,
            "parts": len(groups),
            **{f"body{n}": piece for n, piece in enumerate(group)},
        }
        for number, group in enumerate(groups)
    ]


def part_key(key: str, number: int) -> str:
    """Name a further entity of a row, behind every key."""
    return f"{LAST}{key}{LAST}{number:02d}"


def pieces_of(entity: Mapping[str, Any]) -> str:
    """Give what an entity holds of a body."""
    return "".join(entity[f"body{n}"] for n in range(PIECES) if f"body{n}" in entity)


def error_code(error: Exception) -> str:
    """Give the service's own code of an error."""
    return str(getattr(error, "error_code", None) or "").rpartition(".")[2]


def is_conflict(error: Exception) -> bool:
    """Tell whether a row was there, was not there, or was another than expected."""
    return error_code(error) in CONFLICTS


def credential_for(endpoint: str) -> Any:
    """Give the app's identity, or, for the emulator on this machine, the key that is everybody's."""
    if is_loopback(urlsplit(endpoint).hostname or ""):
        from azure.core.credentials import AzureNamedKeyCredential  # noqa: PLC0415 - only on a developer's machine

        return AzureNamedKeyCredential(*EMULATOR)
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - it is slow to import

    return DefaultAzureCredential()

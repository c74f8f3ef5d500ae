"""The whole app on Azure's tables, with their emulator: from the first call to the export of the day."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from approvals.records.archive import Container
from tests import azurite
from tests.browser.conftest import GET_AXE, not_here
from tests.builders import ADA, GRACE
from tests.localhost import LocalHost

pytestmark = pytest.mark.large


@pytest.fixture(scope="module")
def tables():
    if not azurite.is_here():
        not_here("Without Azurite nobody tries the app on Azure's tables.", GET_AXE)
    with azurite.azurite() as endpoint:
        yield endpoint


def test_the_journey_on_tables(started, calling, tables):
    caller = calling(started(LocalHost(RECORDS_TABLE_ENDPOINT=tables)))
    key = uuid.uuid4().hex

    first, again = caller.ask(key=key, approvers=[GRACE]), caller.ask(key=key, approvers=[GRACE])
    request_id = first.json()["request_id"]
    assert (first.status_code, again.status_code) == (201, 200)
    inbox = caller.http.get("/api/inbox", params={"approver": GRACE}).json()["requests"]
    assert request_id in [each["request_id"] for each in inbox]
    assert caller.decide(request_id).status_code == 200
    caller.sweep()
    listed = caller.http.get("/api/requests", params={"status": "Approved"}).json()["requests"]
    assert request_id in [each["request_id"] for each in listed]
    caller.purge(request_id)
    assert caller.look(request_id).json()["decision"]["approver"] == GRACE
    erased = caller.http.request("DELETE", f"/api/requests/{request_id}/payload", json={"by": ADA})
    assert (erased.status_code, erased.json()["item"]) == (200, "")


def test_a_file_of_a_day_is_put_once_and_never_written_over():
    if not azurite.is_here("blob"):
        not_here("Without Azurite nobody tries the export.", GET_AXE)

    async def lines(*said):
        for each in said:
            yield json.dumps(each).encode()

    async def play(endpoint):
        from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415 - slow to import

        from approvals.records.tables import credential_for  # noqa: PLC0415 - as above

        address = f"{endpoint}/export"
        async with ContainerClient.from_container_url(address, credential=credential_for(endpoint)) as container:
            await container.create_container()
            await Container(address).put("2026-03-01.jsonl", lines(1, 2))
            await Container(address).put("2026-03-01.jsonl", lines(3))
            return await (await container.download_blob("2026-03-01.jsonl")).readall()

    with azurite.azurite("blob") as endpoint:
        assert asyncio.run(play(endpoint)) == b"12"

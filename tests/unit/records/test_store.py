"""What every store does: one contract, for SQLite every day, for Azure's tables with their emulator."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from approvals.records.sqlite import SqliteStore
from approvals.records.store import CHANGES, Conflict, Delete, Insert, Put, Replace, StoreUnavailable
from tests import azurite

# a megabyte at once is what is tried here
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


@pytest.fixture(params=["sqlite", "file", pytest.param("tables", marks=pytest.mark.large)])
async def store(request, tmp_path):
    if request.param == "tables":
        from approvals.records.tables import TableStore  # noqa: PLC0415 - slow to import

        made = TableStore(request.getfixturevalue("tables"), f"t{uuid.uuid4().hex}")
    else:
        made = SqliteStore(tmp_path / "records.sqlite" if request.param == "file" else ":memory:")
    yield made
    await made.close()


async def keys(store, partition="p", **bounds):
    return [row.key for row in await store.scan(partition, limit=100, **bounds)]


async def test_what_was_written_is_read_as_it_was(store):
    body = {"text": 'Ä \u2028 日本 \U0001f600 \\ " \x7f', "number": 2**53 + 1, "none": None, "list": [1, [2.5, {}]]}

    await store.write("p", Insert("a", body))

    row = await store.get("p", "a")
    assert row.body == body
    assert row.key == "a"
    assert await store.get("p", "b") is None
    assert await store.get("q", "a") is None


async def test_keys_are_read_in_the_order_of_their_bytes_between_two_of_them(store):
    await store.write("p", *(Put(key, {}) for key in ["b", "a-2", "a", "B", "a:1", "10", "9", "a_", "a.b"]))

    assert await keys(store) == sorted(["b", "a-2", "a", "B", "a:1", "10", "9", "a_", "a.b"])
    assert await keys(store, after="a", before="a_") == ["a-2", "a.b", "a:1"]
    assert [row.key for row in await store.scan("p", after="9", limit=2)] == ["B", "a"]
    assert await keys(store, partition="q") == []


async def test_partitions_that_begin_alike_are_named_in_order(store):
    for name in ["request:2", "request:1", "list:all", "request:3", "requests"]:
        await store.write(name, Put("state", {}), Put("other", {}))

    assert await store.partitions("request:", "state", limit=2) == ["request:1", "request:2"]
    assert await store.partitions("request:", "state", after="request:2", limit=2) == ["request:3"]
    assert await store.partitions("request:", "missing", limit=2) == []


async def test_an_insert_is_for_what_is_not_there(store):
    await store.write("p", Insert("a", {"n": 1}))

    with pytest.raises(Conflict):
        await store.write("p", Insert("a", {"n": 2}))

    assert (await store.get("p", "a")).body == {"n": 1}


async def test_a_replacement_is_for_what_has_not_changed(store):
    await store.write("p", Insert("a", {"n": 1}))
    first = await store.get("p", "a")
    await store.write("p", Replace("a", {"n": 2}, first.etag))

    with pytest.raises(Conflict):
        await store.write("p", Replace("a", {"n": 3}, first.etag))
    with pytest.raises(Conflict):
        await store.write("p", Replace("missing", {}, first.etag))

    second = await store.get("p", "a")
    assert second.body == {"n": 2}
    assert second.etag != first.etag


async def test_the_same_body_again_is_a_change_all_the_same(store):
    await store.write("p", Insert("a", {"n": 1}))
    first = await store.get("p", "a")
    await store.write("p", Put("a", {"n": 1}))

    with pytest.raises(Conflict):
        await store.write("p", Replace("a", {"n": 1}, first.etag))


async def test_a_deletion_is_content_with_what_is_gone_but_not_with_what_has_changed(store):
    await store.write("p", Put("a", {"n": 1}))
    first = await store.get("p", "a")
    await store.write("p", Put("a", {"n": 2}))

    with pytest.raises(Conflict):
        await store.write("p", Delete("a", first.etag))
    await store.write("p", Delete("a"))
    await store.write("p", Delete("a"))

    assert await store.get("p", "a") is None


async def test_all_changes_happen_or_none(store):
    await store.write("p", Insert("a", {"n": 1}))

    with pytest.raises(Conflict):
        await store.write("p", Put("b", {}), Insert("a", {}), Put("c", {}))
    await store.write("p", Put("b", {}), Put("c", {}), Delete("a"))

    assert await keys(store) == ["b", "c"]


async def test_changes_of_different_partitions_are_made_each_by_itself(store):
    await store.write("q", Put("gone", {}))

    await store.write_each(
        [("p", Put("a", {"n": 1})), ("q", Delete("gone")), ("q", Delete("never")), ("r", Put("a", {}))]
    )
    await store.write_each([])

    assert (await store.get("p", "a")).body == {"n": 1}
    assert await keys(store, "q") == []
    assert await keys(store, "r") == ["a"]


async def test_so_many_changes_at_once_and_no_more(store):
    await store.write("p", *(Put(f"k{n:03d}", {}) for n in range(CHANGES)))

    assert len(await keys(store)) == CHANGES
    with pytest.raises(ValueError, match="different rows"):
        await store.write("p", *(Put(f"k{n:03d}", {}) for n in range(CHANGES + 1)))
    with pytest.raises(ValueError, match="different rows"):
        await store.write("p", Put("a", {}), Delete("a"))
    with pytest.raises(ValueError, match="different rows"):
        await store.write("p")


PIECE, ENTITY = 32_000, 32_000 * 14
AROUND = len('{"t":""}')
SIZES = [each + more - AROUND for each in (PIECE, 2 * PIECE, ENTITY, 2 * ENTITY) for more in (-1, 0, 1)]


@pytest.mark.parametrize("size", [*SIZES, 1_500_000])
async def test_a_body_of_any_size_is_read_whole_and_lists_show_it_once(store, size):
    body = {"t": "ä" * 10 + "x" * (size - 60)}
    await store.write("p", Put("small", {}), Insert("large", body))

    assert (await store.get("p", "large")).body == body
    assert await keys(store) == ["large", "small"]

    await store.write("p", Put("large", {"t": "small now"}))
    assert (await store.get("p", "large")).body == {"t": "small now"}


async def test_a_write_gives_the_etags_its_rows_have_now(store):
    first = await store.write("p", Insert("a", {"n": 1}), Put("b", {"text": "x" * 70_000}))
    row, other = await store.get("p", "a"), await store.get("p", "b")
    assert first == {"a": row.etag, "b": other.etag}

    second = await store.write("p", Replace("a", {"n": 2}, first["a"]), Delete("b", first["b"]))
    assert second["a"] == (await store.get("p", "a")).etag
    assert await store.get("p", "b") is None


async def test_rows_elsewhere_are_put_before_and_removed_after_a_write(store):
    await store.write("list", Put("old", {"id": 1}))

    etags = await store.write_between(
        [("list", Put("new", {"id": 1})), ("other", Put("a", {}))],
        "p",
        Insert("a", {}),
        after=[("list", Delete("old"))],
    )

    assert etags == {"a": (await store.get("p", "a")).etag}
    assert [row.key for row in await store.scan("list", limit=9)] == ["new"]
    assert await store.get("other", "a")


async def test_a_write_that_conflicts_removes_nothing_elsewhere(store):
    await store.write("p", Insert("a", {"n": 1}))
    await store.write("list", Put("old", {"id": 1}))

    with pytest.raises(Conflict):
        await store.write_between([], "p", Insert("a", {"n": 2}), after=[("list", Delete("old"))])

    assert (await store.get("p", "a")).body == {"n": 1}
    assert await store.get("list", "old")


async def test_each_of_many_at_once_hears_what_became_of_its_own(store):
    await store.write("p", Put("taken", {}))

    outcomes = await asyncio.gather(
        *(store.write("p", Insert("taken" if n % 3 else f"k{n}", {"n": n})) for n in range(150)),
        *(store.get("p", "taken") for _ in range(50)),
        return_exceptions=True,
    )

    assert [isinstance(each, Conflict) for each in outcomes[:150]] == [n % 3 > 0 for n in range(150)]
    assert all(each.key == "taken" for each in outcomes[150:])


async def test_of_a_hundred_that_insert_at_once_one_does(store):
    outcomes = await asyncio.gather(
        *(store.write("p", Insert("a", {"n": n})) for n in range(100)), return_exceptions=True
    )

    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 99


async def test_of_a_hundred_that_replace_at_once_none_overwrites_another(store):
    await store.write("p", Insert("a", {"n": 0}))

    async def count():
        while True:
            row = await store.get("p", "a")
            try:
                await store.write("p", Replace("a", {"n": row.body["n"] + 1}, row.etag))
            except Conflict:
                continue
            return

    await asyncio.gather(*(count() for _ in range(20)))

    assert (await store.get("p", "a")).body == {"n": 20}


# --- where an answer can be lost ------------------------------------------------------------------


class Losing:
    """A transport that does what it is told, and loses every other answer of a write."""

    def __init__(self, inner):
        self.inner, self.count = inner, 0

    async def send(self, request, **options):
        answer = await self.inner.send(request, **options)
        if request.method == "POST":
            self.count += 1
            if self.count % 2:
                from azure.core.exceptions import ServiceResponseError  # noqa: PLC0415

                raise ServiceResponseError("connection reset")
        return answer

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def __aenter__(self):
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.inner.__aexit__(*error)


@pytest.mark.large
async def test_a_write_whose_answer_was_lost_is_no_conflict_with_itself(tables):
    from approvals.records.tables import TableStore  # noqa: PLC0415

    store = TableStore(tables, f"t{uuid.uuid4().hex}")
    await store.get("p", "a")
    pipeline = (await store.services[asyncio.get_running_loop()])._client._client._pipeline
    losing = pipeline._transport = Losing(pipeline._transport)

    await store.write("p", Insert("a", {"n": 1}))
    row = await store.get("p", "a")
    await store.write("p", Replace("a", {"n": 2}, row.etag))

    assert losing.count > 2
    assert (await store.get("p", "a")).body == {"n": 2}
    with pytest.raises(Conflict):
        await store.write("p", Insert("a", {"n": 3}))
    await store.close()


@pytest.mark.large
async def test_a_table_that_is_away_is_said_to_be(tables, monkeypatch):
    from approvals.records import tables as module  # noqa: PLC0415

    monkeypatch.setattr(module, "CALL_SECONDS", 0.5)
    store = module.TableStore(f"http://127.0.0.1:{azurite.free_port()}/devstoreaccount1")

    with pytest.raises(StoreUnavailable):
        await store.get("p", "a")
    await asyncio.gather(*store.services.values(), return_exceptions=True)


async def test_a_file_that_cannot_be_opened_is_said_to_be_away(tmp_path):
    store = SqliteStore(tmp_path / "missing" / "records.sqlite")

    with pytest.raises(StoreUnavailable):
        await store.get("p", "a")

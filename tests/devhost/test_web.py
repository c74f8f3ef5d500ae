from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from aiohttp import ClientSession, web

from devhost.index import load
from devhost.web import BODY_LIMIT, Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

APP = """
import json
import threading

import azure.functions as func
import azure.durable_functions as df

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

@app.route("echo/{id?}", methods=["GET", "POST", "PUT"])
async def echo(req: func.HttpRequest) -> str:
    return json.dumps({
        "method": req.method, "url": req.url, "headers": dict(req.headers), "params": dict(req.params),
        "route": dict(req.route_params), "body": req.get_body().decode("latin-1"),
    })

@app.route("plain", methods=["GET", "HEAD"])
def plain(req):
    return func.HttpResponse("hällo", headers={"X-Thread": threading.current_thread().name})

@app.route("any")
async def anything(req):
    return "any"

@app.route("json", methods=["POST"])
async def parse(req):
    try:
        return json.dumps(req.get_json())
    except ValueError as error:
        return func.HttpResponse(str(error), status_code=400)

@app.route("full", methods=["GET"])
async def full(req):
    answer = func.HttpResponse(b"{}", status_code=201, mimetype="application/json")
    for name, value in [("X-One", "first"), ("x-one", "last"), ("Set-Cookie", "a=1; Path=/; HttpOnly"),
                        ("Set-Cookie", "b=2"), ("Set-Cookie", "no cookie at all")]:
        answer.headers.add(name, value)
    return answer

@app.route("client", methods=["GET"])
@app.durable_client_input(client_name="client")
async def with_client(req, client, context):
    return json.dumps({
        "hub": client._orchestration_bindings.task_hub_name, "id": context.invocation_id, "name": context.function_name,
        "trace": context.trace_context.trace_parent,
    })

@app.route("returns/{what}", methods=["GET"])
async def returns(req):
    return {
        "none": None, "bytes": b"x", "dict": {}, "empty": "", "nothing": func.HttpResponse(status_code=204),
        "umlaut": func.HttpResponse("x", headers={"X": "\\u00e4"}),
        "name": func.HttpResponse("x", headers={"a b": "c"}),
        "short": func.HttpResponse("x", headers={"Content-Length": "5"}),
        "chunked": func.HttpResponse("x", headers={"Transfer-Encoding": "chunked"}),
    }[req.route_params["what"]]

@app.route("stops", methods=["GET"])
def stops(req):
    return next(iter(()))
"""


@dataclass
class Running:
    """A served app."""

    port: int
    http: ClientSession
    asked: list[str]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/api/{path}"

    async def raw(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes and read one answer: status, headers, body."""
        async with self.connection() as (reader, writer):
            writer.write(request)
            return await answer(reader)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers, body


@pytest.fixture
async def app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Running]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(APP)
    asked: list[str] = []

    def client_binding(base_url: str) -> str:
        asked.append(base_url)
        return json.dumps({"taskHubName": "hub", "creationUrls": {}, "managementUrls": {}})

    hidden = mock.patch.dict(os.environ, {"AzureWebJobsDisableHomepage": getattr(request, "param", "true")})
    with hidden, ThreadPoolExecutor(1, thread_name_prefix="sync") as pool:
        front = Web(load(tmp_path), client_binding, pool)
        runner = web.ServerRunner(front.server())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with ClientSession() as http:
            yield Running(runner.addresses[0][1], http, asked)
        await runner.cleanup()
    sys.modules.pop("function_app", None)


async def test_a_request_reaches_the_function_as_the_worker_would_give_it(app: Running) -> None:
    status, headers, body = await app.raw(
        b"POST /api/ECHO/a%20b%2Fc/?A=1&a=2&b=&c=x%20y+z&d&%zz=%ff HTTP/1.1\r\nHost: approvals.example:81\r\n"
        b"X-Twice: one\r\nX-TWICE: two\r\nX-Empty:\r\nX-Name: \xc3\xa4\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert json.loads(body) == {
        "method": "POST",
        "url": "http://approvals.example:81/api/ECHO/a%20b%2Fc/?A=1&a=2&b=&c=x%20y+z&d&%zz=%ff",
        "headers": {
            "host": "approvals.example:81",
            "x-twice": "one,two",
            "x-empty": "",
            "x-name": "ä",
            "content-length": "2",
        },
        "params": {"A": "1,2", "c": "x y z", "%zz": "%ff"},
        "route": {"id": "a b%2Fc"},
        "body": "hi",
    }


async def test_a_missing_optional_route_value_is_absent(app: Running) -> None:
    async with app.http.get(app.url("echo?x=")) as got:
        seen = await got.json(content_type=None)
    assert (seen["route"], seen["params"], seen["body"]) == ({}, {}, "")


async def test_a_chunked_body_is_drained_and_does_not_reach_the_function(app: Running) -> None:
    async with app.connection() as (reader, writer):
        writer.write(
            b"POST /api/json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            b"POST /api/json HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"
        )
        status, _, body = await answer(reader)
        assert (status, body) == (400, b"HTTP request does not contain valid JSON data")
        status, _, body = await answer(reader)
        assert (status, body) == (200, b"[]")


async def test_a_compressed_body_stays_compressed(app: Running) -> None:
    status, _, body = await app.raw(
        b"PUT /api/echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nzip"
    )
    assert (status, json.loads(body)["body"]) == (200, "zip")


async def test_a_body_beyond_a_megabyte_arrives_whole(app: Running) -> None:
    text = json.dumps("x" * 3_000_000)
    async with app.http.post(app.url("json"), data=io.BytesIO(text.encode())) as got:
        assert await got.text() == text


async def test_a_body_beyond_the_limit_is_413(app: Running) -> None:
    request = f"POST /api/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"
    status, headers, body = await app.raw(request.encode())
    assert (status, headers.get("content-type"), body) == (413, None, b"")


async def test_a_caller_who_asks_before_sending_is_told_to_go_on(app: Running) -> None:
    async with app.connection() as (reader, writer):
        writer.write(b"POST /api/json HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await answer(reader))[0::2] == (200, b"{}")


async def test_a_caller_who_leaves_early_does_no_harm(app: Running, caplog: pytest.LogCaptureFixture) -> None:
    async with app.connection() as (_, writer):
        writer.write(b"POST /api/json HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    async with app.http.get(app.url("any")) as got:
        assert got.status == 200
    assert not caplog.records


@pytest.mark.parametrize(
    "target", ["GET /", "GET /api/nothing", "GET /plain", "POST /api/plain", "HEAD /api/echo", "OPTIONS *", "GET x://y"]
)
async def test_an_unknown_route_or_method_is_an_empty_404(app: Running, target: str) -> None:
    status, headers, body = await app.raw(f"{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert (status, headers.get("content-type"), body) == (404, None, b"")


@pytest.mark.parametrize("app", ["", "false", "1"], indirect=True)
async def test_the_root_is_the_hosts_own_page_until_a_setting_takes_it_away(app: Running) -> None:
    """Measured on the real host: only `AzureWebJobsDisableHomepage=true` lets an app answer there."""
    async with app.http.get(f"http://127.0.0.1:{app.port}/") as got:
        assert got.status == 200
        assert "AzureWebJobsDisableHomepage" in await got.text()


async def test_a_route_without_methods_takes_every_method(app: Running) -> None:
    for method in ["DELETE", "PATCH", "PROPFIND"]:
        async with app.http.request(method, app.url("any/")) as got:
            assert (got.status, await got.text()) == (200, "any")


async def test_the_absolute_form_of_a_target_is_understood(app: Running) -> None:
    status, _, body = await app.raw(b"GET http://x/api/echo/1?q=2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, json.loads(body)["url"]) == (200, "http://x/api/echo/1?q=2")


async def test_sync_functions_run_in_the_pool_and_head_has_headers_only(app: Running) -> None:
    async with app.http.get(app.url("plain")) as got:
        assert (got.status, await got.text()) == (200, "hällo")
        assert got.headers["X-Thread"].startswith("sync")
        assert got.headers["Content-Type"] == "text/plain; charset=utf-8"
    async with app.http.head(app.url("plain")) as got:
        assert (got.status, got.headers["Content-Length"], await got.read()) == (200, "6", b"")


async def test_an_answer_has_one_value_per_header_except_cookies(app: Running) -> None:
    async with app.http.get(app.url("full")) as got:
        assert (got.status, got.headers["Content-Type"], await got.read()) == (201, "application/json", b"{}")
        assert got.headers.getall("X-One") == ["last"]
        assert got.headers.getall("Set-Cookie") == ["a=1; HttpOnly; Path=/", "b=2"]


async def test_a_client_binding_is_made_for_the_base_url_and_once(app: Running) -> None:
    seen: list[dict[str, Any]] = []
    for _ in range(2):
        async with app.http.get(
            app.url("client"), headers={"Host": "approvals.example", "traceparent": "00-1-2-01"}
        ) as got:
            seen.append(await got.json(content_type=None))
    assert app.asked == ["http://approvals.example"]
    first, second = seen
    assert (first["hub"], first["name"], first["trace"]) == ("hub", "with_client", "00-1-2-01")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(("what", "status"), [("nothing", 204), ("empty", 200)])
async def test_an_answer_can_be_empty(app: Running, what: str, status: int) -> None:
    async with app.http.get(app.url(f"returns/{what}")) as got:
        assert (got.status, await got.read()) == (status, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("returns/raises", "returns/none", "returns/bytes", "returns/dict", "stops"),
        *("returns/umlaut", "returns/name", "returns/short", "returns/chunked"),
    ],
)
async def test_a_failing_function_or_an_impossible_answer_is_an_empty_500_and_is_logged(
    app: Running, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with app.http.get(app.url(path)) as got:
        assert (got.status, got.headers.get("Content-Type"), await got.read()) == (500, None, b"")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert path.partition("/")[0] in record.getMessage()


@pytest.mark.parametrize(
    "request_head",
    [b"GET /api/any HTTP/1.1\r\nHost: x\r\nX-Name: \xe4", b"GET /api/any HTTP/1.1\r\nHost: \xff"],
)
async def test_headers_that_are_not_utf8_are_a_bad_request(app: Running, request_head: bytes) -> None:
    status, _, _ = await app.raw(request_head + b"\r\nConnection: close\r\n\r\n")
    assert status == 400
    async with app.http.get(app.url("any")) as got:
        assert got.status == 200


async def test_a_target_that_is_not_ascii_is_a_bad_request(app: Running) -> None:
    status, _, _ = await app.raw(b"GET /api/any?x=\xe4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status == 400

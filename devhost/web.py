"""HTTP in and out, as the Functions host hands a request to the Python worker and takes its answer.

What the platform does to a request is done here too, since an app tested against a kinder server meets it only
in production: a chunked body arrives empty, an empty query value not at all, a method no route names is a 404,
an answer has one value per header name, and at the root stands the host's own page unless a setting takes it away.
Like `func start`, this host checks no keys.
"""

from __future__ import annotations

import logging
import os
import re
from functools import lru_cache
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequest
from multidict import CIMultiDict

from devhost.invocations import Invocation, TraceContext
from devhost.routes import RouteTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from devhost.index import FunctionApp

BODY_LIMIT = 104_857_600  # bytes; FUNCTIONS_REQUEST_BODY_SIZE_LIMIT unless set
TEXT = "text/plain; charset=utf-8"
NO_HOMEPAGE = "AzureWebJobsDisableHomepage"
HOMEPAGE = """<!doctype html><title>Functions host</title>
<p>A Functions host shows a page of its own here, as long as AzureWebJobsDisableHomepage is not true.</p>
"""

log = logging.getLogger(__name__)

# Kestrel throws on any other header.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


class Web:
    """The HTTP front of one app, a handler for aiohttp's low-level server."""

    def __init__(self, app: FunctionApp, client_binding: Callable[[str], str], run_sync: Executor) -> None:
        """Build the route table.

        `client_binding` gives the text of a durable client binding for a base URL, scheme and host without a
        slash; always the same for the same URL, so it is asked seldom. `run_sync` runs the sync functions.
        """
        self._folder = app.folder
        self._client_binding = lru_cache(maxsize=64)(client_binding)
        self._run_sync = run_sync
        self._has_homepage = os.environ.get(NO_HOMEPAGE, "").strip().lower() != "true"
        self._routes = RouteTable((function.route, function.methods, function) for function in app.http)

    def server(self) -> web.Server:
        """Make the protocol factory to listen with; wants a running loop.

        The Functions host hands a compressed body on as it came, so aiohttp must not decompress it.
        """
        return web.Server(self.handle, auto_decompress=False, access_log=None)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a failing function is a 500, never an exception."""
        target = request.raw_path
        if not target.startswith("/"):  # the absolute form, meant for proxies; or the `*` of OPTIONS
            target = "/" + target.partition("://")[2].partition("/")[2]
        headers = _headers(request)
        if headers is None or not target.isascii():
            return web.Response(status=400)  # Kestrel reads neither

        path, _, query = target.partition("?")
        if path == "/" and request.method in ("GET", "HEAD") and self._has_homepage:
            return web.Response(text=HOMEPAGE, content_type="text/html")
        found = self._routes.find(request.method, path)
        if found is None:
            return web.Response(status=404)
        function, route_values = found

        # No length, no body: the host hands on nothing of a chunked request. aiohttp drains it afterwards.
        length = request.content_length or 0
        if length > BODY_LIMIT:
            return web.Response(status=413)
        try:
            body = await _read(request) if length else b""
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400)  # to nobody: the caller left before the end of the body

        base_url = f"{request.scheme}://{request.host}"
        arguments: dict[str, Any] = {
            function.trigger_parameter: HttpRequest(
                request.method,
                base_url + target,
                headers=headers,
                params=_parameters(query) if query else {},
                route_params=route_values,
                body_type="bytes",
                body=body,
            )
        }
        for parameter in function.client_parameters:
            arguments[parameter] = self._client_binding(base_url)
        trace = TraceContext(headers.get("traceparent", ""), headers.get("tracestate", ""))
        invocation = Invocation(function.name, self._folder, trace)
        if function.wants_context:
            arguments["context"] = invocation
        try:
            returned = await invocation.run(function.call, arguments, self._run_sync, is_async=function.is_async)
            return _response(returned, request.method)
        except Exception:
            log.exception("function '%s' failed", function.name)
            return web.Response(status=500)


async def _read(request: web.BaseRequest) -> bytes:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper has not begun
    return await request.content.read()


def _headers(request: web.BaseRequest) -> dict[str, str] | None:
    """Names in lower case, repeated values joined; None if a value is not UTF-8."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        if not value.isascii() and not _is_unicode(value):
            return None
        _join(headers, name.lower(), value)
    return headers


def _parameters(query: str) -> Mapping[str, str]:
    """Query values by name: names ignore case, repeated values are joined, empty ones dropped."""
    parameters: dict[str, str] = {}
    spelled: dict[str, str] = {}  # a name as it came first
    for piece in query.split("&"):
        raw_name, _, raw_value = piece.partition("=")
        name, value = _unescape(raw_name), _unescape(raw_value)
        name = spelled.setdefault(name.lower(), name)
        if value:
            _join(parameters, name, value)
    return parameters


def _join(values: dict[str, str], name: str, value: str) -> None:
    """Add one more value; an empty one leaves no comma."""
    before = values.get(name)
    values[name] = f"{before},{value}" if before and value else before or value


def _unescape(text: str) -> str:
    """Decode one piece of a query; what is not UTF-8 stays as it came."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _is_unicode(text: str) -> bool:
    """Whether it came as UTF-8; aiohttp marks other bytes with surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _response(answer: Any, method: str) -> web.Response:
    """Make an HTTP answer of what a function returned; raises on what the host cannot send."""
    if isinstance(answer, func.HttpResponse):
        return _from_http_response(answer, method)
    if isinstance(answer, str):
        return web.Response(body=answer.encode(), headers=CIMultiDict({"Content-Type": TEXT}))
    raise TypeError(f"an HTTP function returns str or azure.functions.HttpResponse, not {type(answer).__name__}")


def _from_http_response(answer: func.HttpResponse, method: str) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict()
    cookies: list[str] = []
    for name, value in answer.headers.items():
        if name.lower() == "set-cookie":
            # Parsed and written anew on the way, by worker and host: what does not parse is lost.
            cookies += [morsel.OutputString() for morsel in SimpleCookie(value).values()]
        else:
            headers[name] = value  # one value per name, and the last wins
    if "Content-Type" not in headers:
        text = answer.mimetype.startswith("text/")
        headers["Content-Type"] = f"{answer.mimetype}; charset={answer.charset}" if text else answer.mimetype
    for cookie in cookies:
        headers.add("Set-Cookie", cookie)
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None or _HEADER_VALUE.fullmatch(value) is None:
            raise ValueError(f"the answer's header {name!r} cannot be sent: {value!r}")
    body = answer.get_body()
    if "Transfer-Encoding" in headers or (
        method != "HEAD" and headers.get("Content-Length", str(len(body))) != str(len(body))
    ):
        raise ValueError(f"the answer's headers contradict its body of {len(body)} bytes")
    return web.Response(status=answer.status_code, body=body, headers=headers)

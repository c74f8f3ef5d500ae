"""The description of the API, for programs and as a page. It holds nothing of anyone, and asks nobody."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import azure.durable_functions as df
import azure.functions as func

from approvals import errors
from approvals.web.calls import log_call
from approvals.web.headers import matches_if_none_match
from approvals.web.responses import METHODS, problem_response
from approvals.web.rights import route

if TYPE_CHECKING:
    from collections.abc import Callable

blueprint = df.Blueprint()

ROOM = Path(__file__).parent
ALLOWED = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The viewer writes styles into the elements it makes; it runs no script but its own, and asks no other address."""
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


@blueprint.route(route=route("api/openapi.json"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def description(req: func.HttpRequest) -> func.HttpResponse:
    """`/api/openapi.json`: describe the API to programs; to browsers of other origins, too."""
    extra = {"Access-Control-Allow-Origin": "*"}
    return await log_call(req, serve(req, lambda: read("openapi.json"), "application/json", extra))


@blueprint.route(route=route("api/docs"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def documents(req: func.HttpRequest) -> func.HttpResponse:
    """`/api/docs`: describe the API to people."""
    extra = {"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY"}
    return await log_call(req, serve(req, lambda: read("static/docs.html"), "text/html", extra))


@blueprint.route(route=route("assets/viewer.js"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def viewer_script(req: func.HttpRequest) -> func.HttpResponse:
    """`/assets/viewer.js`: the script of that page, packed unless the caller takes nothing packed."""
    packed = "gzip" in req.headers.get("accept-encoding", "")
    extra = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if packed else {})}
    script = read("static/viewer.js.gz")
    return await log_call(
        req, serve(req, lambda: script if packed else gzip.decompress(script), "text/javascript", extra)
    )


async def serve(
    req: func.HttpRequest, content: Callable[[], bytes], media: str, extra: dict[str, str]
) -> func.HttpResponse:
    """Answer with a file, or with 304 to whoever has it."""
    if req.method == "OPTIONS":
        return func.HttpResponse(status_code=204, headers={**SAFE, "Allow": ", ".join(ALLOWED)})
    if req.method not in ALLOWED:
        return problem_response(errors.MethodNotOffered(ALLOWED))
    body = content()
    headers = {**SAFE, **extra, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if matches_if_none_match(headers["ETag"], req.headers):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(body, status_code=200, mimetype=media, charset="utf-8", headers=headers)


def viewer(*, packed: bool) -> bytes:
    """Give the viewer, which is kept packed: RapiDoc, see static/viewer.txt."""
    script = read("static/viewer.js.gz")
    return script if packed else gzip.decompress(script)


@cache
def read(name: str) -> bytes:
    """Read a file of this room, when it is first asked for."""
    return (ROOM / name).read_bytes()

"""One line in the log for every call: what was asked, how it was answered, about which request, how long it took.

A path can hold a link, and whatever else a caller wrote. Only what is surely a word of ours or a request's id is
written of it; the rest is written as its route has it: `/approve/{token}`.
"""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from approvals import signals

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import azure.functions as func

# the shortest link is several times as long as the longest of our words
OURS = re.compile(r"[a-z]{0,20}(\.[a-z]{2,4})?|[0-9a-f]{32}")

FAILED = 500
"""From this status on it is not the caller's fault."""

about: ContextVar[str] = ContextVar("about", default="")
"""The id of the request that the present call is about, as soon as that is known."""


async def log_call(req: func.HttpRequest, answering: Awaitable[func.HttpResponse]) -> func.HttpResponse:
    """Give the answer, once the line about it is written."""
    begun, path = time.perf_counter(), loggable_path(req)
    about.set("")
    answer = await answering
    milliseconds = round((time.perf_counter() - begun) * 1000)
    request_id = about.get()
    values = {"method": req.method, "path": path, "status": answer.status_code}
    if answer.status_code >= FAILED:
        signals.CALL_FAILED.write(**values, request=request_id or "-")
    about_which = request_id if request_id not in path else ""
    signals.CALL_ANSWERED.write(**values, ms=milliseconds, request=about_which or "-")
    return answer


def loggable_path(req: func.HttpRequest) -> str:
    """Write a call's path without anything secret."""
    unknown = f"{{{next(iter(req.route_params), '…')}}}"
    segments = urlsplit(req.url).path.split("/")
    return "/".join(segment if OURS.fullmatch(segment) else unknown for segment in segments)

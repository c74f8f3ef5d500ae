"""The log of calls: a line for each, with the request it is about, and without a link."""

from __future__ import annotations

import logging
import re

import azure.functions as func
import pytest

from approvals.people.links import Signer, link_to
from approvals.web import calls
from tests.builders import GRACE, a_panel, a_policy, found

ID = "0123456789abcdef" * 2
ONE = found(a_policy(a_panel(GRACE)))
LINK = link_to(ONE.request, stage=0, escalated=False, slot=0, generation=0, holder=GRACE)
TOKEN = Signer(("k" * 40,)).sign(LINK)


def a_call(path, method="GET", **route_params):
    return func.HttpRequest(
        method, f"http://localhost{path}", body=b"", headers={}, params={}, route_params=route_params
    )


async def answering(status=200, about=""):
    if about:
        calls.about.set(about)
    return func.HttpResponse(status_code=status)


@pytest.fixture
def logged(caplog):
    """Log a call, and give the line without the time it took."""

    async def log(call, status=200, about=""):
        with caplog.at_level(logging.INFO, "approvals"):
            await calls.log_call(call, answering(status, about))
        return re.sub(r" ms=\d+", "", caplog.messages[-1])

    return log


async def test_a_call_is_one_line_with_method_path_and_status(logged, caplog):
    assert (
        await logged(a_call("/api/requests", "POST"), 422)
        == "call_answered method=POST path=/api/requests status=422 request=-"
    )
    assert len(caplog.messages) == 1
    assert re.fullmatch(r"call_answered method=POST path=/api/requests status=422 ms=\d+ request=-", caplog.messages[0])


async def test_a_call_is_logged_with_the_request_it_is_about(logged):
    made = await logged(a_call("/api/requests", "POST"), 201, about=ID)
    looked = await logged(a_call(f"/api/requests/{ID}", request_id=ID))
    visited = await logged(a_call(f"/approve/{TOKEN}", token=TOKEN), about=ID)

    assert made == f"call_answered method=POST path=/api/requests status=201 request={ID}"
    assert looked == f"call_answered method=GET path=/api/requests/{ID} status=200 request=-"
    assert visited == f"call_answered method=GET path=/approve/{{token}} status=200 request={ID}"


async def test_a_call_is_not_logged_with_the_request_of_the_call_before_it(logged):
    await logged(a_call("/api/requests", "POST"), 201, about=ID)

    assert await logged(a_call("/api/health")) == "call_answered method=GET path=/api/health status=200 request=-"


@pytest.mark.parametrize(
    "path",
    [
        f"/approve/{TOKEN}",
        f"/approve/{TOKEN}/",
        f"/approve/{TOKEN}?x={TOKEN}",
        f"/approve/%57{TOKEN[1:]}",
        f"/api/requests/{TOKEN}",
        f"/api/approvals/{TOKEN}/delegate",
        f"/APPROVE/{TOKEN}",
    ],
)
async def test_no_link_is_logged_wherever_it_stands(logged, path):
    line = await logged(a_call(path, token=TOKEN))

    assert TOKEN[4:20] not in line
    assert "{token}" in line


async def test_what_a_caller_writes_begins_no_line_of_the_log(logged):
    line = await logged(a_call("/api/requests/a\nERROR: all is lost", request_id="a\nERROR: all is lost"))

    assert line == "call_answered method=GET path=/api/requests/{request_id} status=200 request=-"


@pytest.mark.parametrize("path", ["/", "/assets/time.js", "/api/policies/preview", f"/api/requests/{ID}/cancel"])
async def test_our_own_words_are_logged_as_they_are(logged, path):
    assert await logged(a_call(path)) == f"call_answered method=GET path={path} status=200 request=-"

"""The client, for threads and for asyncio: the same operations, driven in two ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import httpx

from durable_approvals import models, protocol
from durable_approvals.protocol import Call, Pause, Reply, Steps

T = TypeVar("T")

PATIENCE = 90.0
"""Seconds for which a service that is away is asked again: more than the minute for which a creation that was cut off
is left to whoever began it."""
TIMEOUT = httpx.Timeout(10.0, read=40.0)
"""A look is held open for up to 25 seconds."""


def fields_of(
    item: str, requester: str, approvers: Sequence[str] | None, timeout: str | None, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the body of a creation."""
    told = {"approvers": list(approvers) if approvers else None, "timeout": timeout}
    return {"item": item, "requester": requester, **{name: value for name, value in told.items() if value}, **more}


def parse(answer: httpx.Response, now: float) -> Reply:
    """Give what came of a call."""
    kind = answer.headers.get("content-type", "")
    try:
        body = answer.json() if "json" in kind and "jsonl" not in kind else answer.text
    except ValueError:
        body = None
    return Reply(answer.status_code, body, {name.lower(): value for name, value in answer.headers.items()}, now)


def headers_of(key: str | None, function_key: str | None) -> dict[str, str]:
    """Give the headers that say who calls."""
    told = {"x-approvals-key": key, "x-functions-key": function_key}
    return {name: value for name, value in told.items() if value}


class Approvals:
    """The service at an address, for threads.

    `key`: the caller's own key (`dak_…`); `function_key`: the platform's. `patience`: seconds for which a service that
    is away is asked again. Every method raises Problem when the service refuses, and Unreachable when it is away.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        function_key: str | None = None,
        patience: float = PATIENCE,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.patience = patience
        self.http = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers_of(key, function_key),
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def run(self, steps: Steps[T]) -> T:
        """Do what an operation asks for, until it has its result."""
        reply: Reply | None = None
        try:
            while True:
                step = steps.send(reply)  # type: ignore[arg-type]
                reply = self.do(step)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]

    def do(self, step: Call | Pause) -> Reply:
        """Make a call, or wait."""
        if isinstance(step, Pause):
            if step.seconds:
                time.sleep(step.seconds)
            return Reply(0, None, {}, time.monotonic())
        try:
            answer = self.http.request(step.method, step.path, json=step.body, headers=dict(step.headers))
        except httpx.TransportError as error:
            return Reply(0, None, {}, time.monotonic(), type(error).__name__)
        return parse(answer, time.monotonic())

    # --- asking -----------------------------------------------------------------------------------

    def create(
        self,
        item: str,
        *,
        requester: str,
        approvers: Sequence[str] | None = None,
        timeout: str | None = None,
        key: str | None = None,
        **more: Any,
    ) -> Request:
        """Ask for an approval; `more` are the other fields of docs/api.md.

        It is made once, however often it has to be sent: by a random key of this call. `key` is one of your own, which
        also means the same request after your program was started again.
        """
        fields = fields_of(item, requester, approvers, timeout, more)
        return Request(self, self.run(protocol.create(fields, key, self.patience)))

    def request(self, request_id: str) -> Request:
        """Give a request that was made before, by its id; nothing is asked of the service yet."""
        return Request(self, None, request_id)

    def preview(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()) -> models.Preview:
        """See what would happen with a request, with imagined answers and in silence."""
        body = {"request": dict(request), "answers": [dict(each) for each in answers]}
        return self.run(protocol.read(models.Preview, Call("POST", "/api/policies/preview", body), self.patience))

    # --- looking at many --------------------------------------------------------------------------

    def list(self, *, limit: int | None = None, **filters: str) -> Iterator[models.Summary]:
        """Give requests, the newest first: all, or by one of `status`, `requester`, `approver`, `tag`, `reference`."""
        yield from self.pages("/api/requests", {**filters, "limit": limit})

    def inbox(self, approver: str, *, limit: int | None = None) -> Iterator[models.Summary]:
        """Give what awaits a person, the most urgent first."""
        yield from self.pages("/api/inbox", {"approver": approver, "limit": limit})

    def pages(self, path: str, query: Mapping[str, Any]) -> Iterator[models.Summary]:
        """Give a list, page by page."""
        page = self.run(protocol.page(path, query, self.patience))
        while True:
            yield from page.requests
            if not page.next:
                return
            page = self.run(protocol.page(protocol.local(page.next), {}, self.patience))

    def export(self, day: str) -> Iterator[str]:
        """Give the lines of a day's ended requests, JSON each."""
        after: str | None = None
        while True:
            text, after = self.run(protocol.export(day, after, self.patience))
            yield from text.splitlines()
            if after is None:
                return

    def decide_all(self, decisions: Sequence[Mapping[str, Any]]) -> tuple[models.BatchResult, ...]:
        """Say what people decided on up to a hundred requests."""
        body = {"decisions": [dict(each) for each in decisions]}
        return self.run(protocol.read(models.Batch, Call("POST", "/api/approvals/batch", body), self.patience)).results

    def receipt_keys(self) -> dict[str, Any]:
        """Give the public keys that receipts are verified with, as a JWK Set."""
        return self.run(protocol.receipt_keys(self.patience))


class Request:
    """A request, by its id."""

    def __init__(self, approvals: Approvals, made: models.Created | None, request_id: str | None = None) -> None:
        self.approvals = approvals
        self.made = made
        """The answer to its creation, with people's links if this caller is shown them."""
        self.id = made.request_id if made else request_id or ""

    def story(self) -> models.Story:
        """Look at it now."""
        return self.approvals.run(protocol.look(self.id, self.approvals.patience))

    def wait(self, timeout: float | None = None) -> models.Story:
        """Wait until it has ended; for so many seconds at most. Raises WaitedTooLong; wait again by its id."""
        return self.approvals.run(protocol.wait(self.id, timeout, self.approvals.patience))

    def decide(self, *, approver: str, is_approved: bool, comments: str = "", **more: Any) -> models.Story:
        """Say what a person decided."""
        body = {"approver": approver, "is_approved": is_approved, "comments": comments, **more}
        return self.act(f"/api/approvals/{self.id}", body)

    def cancel(self, *, by: str, reason: str = "") -> models.Story:
        """Take it back, as it stands now."""
        return self.act(f"/api/requests/{self.id}/cancel", {"by": by, "reason": reason}, {"If-Match": "*"})

    def reassign(self, *, by: str, holder: str, to: str, reason: str = "") -> models.Story:
        """Have someone else asked, as one in charge."""
        body = {"by": by, "from": holder, "to": to, "reason": reason}
        return self.act(f"/api/requests/{self.id}/reassign", body, {"If-Match": "*"})

    def delegate(self, *, approver: str, to: str, comments: str = "") -> models.Story:
        """Have someone else decide in one's place."""
        body = {"approver": approver, "to": to, "comments": comments}
        return self.act(f"/api/approvals/{self.id}/delegate", body)

    def history(self) -> tuple[models.TrailEntry, ...]:
        """Give every step of it."""
        call = Call("GET", f"/api/requests/{self.id}/history")
        return self.approvals.run(protocol.read(models.History, call, self.approvals.patience)).entries

    def consume(self, action: Any = None, *, key: str | None = None) -> models.Consumption:
        """Use its yes, once, for exactly this action. Raises Problem, such as `grant_used`."""
        return self.approvals.run(protocol.consume(self.id, action, key, self.approvals.patience))

    def revoke(self, *, by: str, reason: str = "") -> models.Story:
        """Take its yes back, for good."""
        return self.act(f"/api/requests/{self.id}/revoke", {"by": by, "reason": reason})

    def receipt(self) -> str:
        """Give a signed receipt of how it ended, as a compact JWS. Raises Problem `still_open`."""
        return self.approvals.run(protocol.receipt(self.id, self.approvals.patience))

    def redeliver(self, *, by: str, everything: bool = False) -> models.Redelivery:
        """Have callbacks and messages sent again that were not taken; `everything`: callbacks that were, too."""
        return self.approvals.run(protocol.redeliver(self.id, by, self.approvals.patience, everything=everything))

    def act(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> models.Story:
        """Send something that is recorded."""
        return self.approvals.run(protocol.act(path, body, self.approvals.patience, headers))


class AsyncApprovals:
    """The service at an address, for asyncio; the same as `Approvals`."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        function_key: str | None = None,
        patience: float = PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.patience = patience
        self.http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers=headers_of(key, function_key),
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self.http.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Do what an operation asks for, until it has its result."""
        reply: Reply | None = None
        try:
            while True:
                step = steps.send(reply)  # type: ignore[arg-type]
                reply = await self.do(step)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]

    async def do(self, step: Call | Pause) -> Reply:
        """Make a call, or wait."""
        if isinstance(step, Pause):
            if step.seconds:
                await asyncio.sleep(step.seconds)
            return Reply(0, None, {}, time.monotonic())
        try:
            answer = await self.http.request(step.method, step.path, json=step.body, headers=dict(step.headers))
        except httpx.TransportError as error:
            return Reply(0, None, {}, time.monotonic(), type(error).__name__)
        return parse(answer, time.monotonic())

    async def create(
        self,
        item: str,
        *,
        requester: str,
        approvers: Sequence[str] | None = None,
        timeout: str | None = None,  # noqa: ASYNC109 - the request's own, not this call's
        key: str | None = None,
        **more: Any,
    ) -> AsyncRequest:
        """Ask for an approval."""
        fields = fields_of(item, requester, approvers, timeout, more)
        return AsyncRequest(self, await self.run(protocol.create(fields, key, self.patience)))

    def request(self, request_id: str) -> AsyncRequest:
        """Give a request that was made before, by its id."""
        return AsyncRequest(self, None, request_id)

    async def preview(self, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()) -> models.Preview:
        """See what would happen with a request."""
        body = {"request": dict(request), "answers": [dict(each) for each in answers]}
        return await self.run(protocol.read(models.Preview, Call("POST", "/api/policies/preview", body), self.patience))

    def list(self, *, limit: int | None = None, **filters: str) -> AsyncIterator[models.Summary]:
        """Give requests, the newest first."""
        return self.pages("/api/requests", {**filters, "limit": limit})

    def inbox(self, approver: str, *, limit: int | None = None) -> AsyncIterator[models.Summary]:
        """Give what awaits a person, the most urgent first."""
        return self.pages("/api/inbox", {"approver": approver, "limit": limit})

    async def pages(self, path: str, query: Mapping[str, Any]) -> AsyncIterator[models.Summary]:
        """Give a list, page by page."""
        page = await self.run(protocol.page(path, query, self.patience))
        while True:
            for each in page.requests:
                yield each
            if not page.next:
                return
            page = await self.run(protocol.page(protocol.local(page.next), {}, self.patience))

    async def export(self, day: str) -> AsyncIterator[str]:
        """Give the lines of a day's ended requests, JSON each."""
        after: str | None = None
        while True:
            text, after = await self.run(protocol.export(day, after, self.patience))
            for line in text.splitlines():
                yield line
            if after is None:
                return

    async def decide_all(self, decisions: Sequence[Mapping[str, Any]]) -> tuple[models.BatchResult, ...]:
        """Say what people decided on up to a hundred requests."""
        body = {"decisions": [dict(each) for each in decisions]}
        call = Call("POST", "/api/approvals/batch", body)
        return (await self.run(protocol.read(models.Batch, call, self.patience))).results

    async def receipt_keys(self) -> dict[str, Any]:
        """Give the public keys that receipts are verified with, as a JWK Set."""
        return await self.run(protocol.receipt_keys(self.patience))


class AsyncRequest:
    """A request, by its id; the same as `Request`."""

    def __init__(self, approvals: AsyncApprovals, made: models.Created | None, request_id: str | None = None) -> None:
        self.approvals = approvals
        self.made = made
        self.id = made.request_id if made else request_id or ""

    async def story(self) -> models.Story:
        """Look at it now."""
        return await self.approvals.run(protocol.look(self.id, self.approvals.patience))

    async def wait(self, timeout: float | None = None) -> models.Story:  # noqa: ASYNC109 - it goes on by its id
        """Wait until it has ended. Raises WaitedTooLong."""
        return await self.approvals.run(protocol.wait(self.id, timeout, self.approvals.patience))

    async def decide(self, *, approver: str, is_approved: bool, comments: str = "", **more: Any) -> models.Story:
        """Say what a person decided."""
        body = {"approver": approver, "is_approved": is_approved, "comments": comments, **more}
        return await self.act(f"/api/approvals/{self.id}", body)

    async def cancel(self, *, by: str, reason: str = "") -> models.Story:
        """Take it back, as it stands now."""
        return await self.act(f"/api/requests/{self.id}/cancel", {"by": by, "reason": reason}, {"If-Match": "*"})

    async def reassign(self, *, by: str, holder: str, to: str, reason: str = "") -> models.Story:
        """Have someone else asked, as one in charge."""
        body = {"by": by, "from": holder, "to": to, "reason": reason}
        return await self.act(f"/api/requests/{self.id}/reassign", body, {"If-Match": "*"})

    async def delegate(self, *, approver: str, to: str, comments: str = "") -> models.Story:
        """Have someone else decide in one's place."""
        body = {"approver": approver, "to": to, "comments": comments}
        return await self.act(f"/api/approvals/{self.id}/delegate", body)

    async def history(self) -> tuple[models.TrailEntry, ...]:
        """Give every step of it."""
        call = Call("GET", f"/api/requests/{self.id}/history")
        return (await self.approvals.run(protocol.read(models.History, call, self.approvals.patience))).entries

    async def consume(self, action: Any = None, *, key: str | None = None) -> models.Consumption:
        """Use its yes, once, for exactly this action."""
        return await self.approvals.run(protocol.consume(self.id, action, key, self.approvals.patience))

    async def revoke(self, *, by: str, reason: str = "") -> models.Story:
        """Take its yes back, for good."""
        return await self.act(f"/api/requests/{self.id}/revoke", {"by": by, "reason": reason})

    async def receipt(self) -> str:
        """Give a signed receipt of how it ended, as a compact JWS. Raises Problem `still_open`."""
        return await self.approvals.run(protocol.receipt(self.id, self.approvals.patience))

    async def redeliver(self, *, by: str, everything: bool = False) -> models.Redelivery:
        """Have callbacks and messages sent again that were not taken; `everything`: callbacks that were, too."""
        return await self.approvals.run(protocol.redeliver(self.id, by, self.approvals.patience, everything=everything))

    async def act(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> models.Story:
        """Send something that is recorded."""
        return await self.approvals.run(protocol.act(path, body, self.approvals.patience, headers))

"""The calls of a task hub in this process, without gRPC and its socket; to be made on one event loop only.

Messages are given to the hub as they are: it keeps copies, and so may whoever calls, who sends each once.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import grpc.aio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from durabletask.internal import orchestrator_service_pb2 as pb

    from devhost.taskhub.hub import TaskHub


class Context:
    """What the hub asks of a call's context."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call as gRPC does for who made it."""
        raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)

    def is_active(self) -> bool:
        """Tell whether somebody still waits."""
        return True

    def time_remaining(self) -> None:
        """Give how long the caller waits: nobody says."""
        return


class DirectCalls:
    """Stands in for gRPC's stub: each call of the hub by its name."""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub

    def __getattr__(self, name: str) -> Callable[[Any], Awaitable[Any]]:
        if name.startswith("WaitFor"):
            raise AttributeError(f"{name} would hold the event loop: ask with GetInstance.")
        call, context = getattr(self._hub, name), Context()

        async def answer(request: Any) -> Any:
            return call(request, context)

        setattr(self, name, answer)
        return answer

    async def StreamInstanceHistory(  # noqa: N802 - the protocol's name
        self, request: pb.StreamInstanceHistoryRequest
    ) -> AsyncIterator[pb.HistoryChunk]:
        """Give the history of an instance, a chunk at a time."""
        for chunk in self._hub.StreamInstanceHistory(request, Context()):
            yield chunk

    async def GetWorkItems(self, request: pb.GetWorkItemsRequest) -> AsyncIterator[pb.WorkItem]:  # noqa: N802
        """Hand out work until the caller goes away, and take back then what it has not reported."""
        loop, here, rung = asyncio.get_running_loop(), threading.get_ident(), asyncio.Event()

        def ring() -> None:
            if threading.get_ident() == here:
                rung.set()
            else:
                loop.call_soon_threadsafe(rung.set)

        stream = self._hub.open_stream(request)
        self._hub.listen(ring)
        try:
            while stream.open:
                rung.clear()
                item = self._hub.take(stream)
                if item is None:
                    await rung.wait()
                else:
                    yield item
                    await asyncio.sleep(0)  # else whoever does the work would have no turn
        finally:
            self._hub.unlisten(ring)
            self._hub.close_stream(stream)

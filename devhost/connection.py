"""The way to a task hub: embedded, the scheduler's emulator, or a deployed scheduler."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc.aio
from durabletask.azuremanaged.internal.durabletask_grpc_interceptor import DTSAsyncDefaultClientInterceptorImpl
from durabletask.internal.orchestrator_service_pb2_grpc import TaskHubSidecarServiceStub

from devhost.taskhub.direct import DirectCalls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devhost.taskhub.hub import TaskHub

logger = logging.getLogger("devhost.connection")

MESSAGE_LIMIT = 64 * 1024 * 1024
ANSWER_SECONDS = 10.0
"""How long one call may take. A task hub that was stopped keeps its connections and answers nothing."""
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
STREAMS = ("GetWorkItems",)
"""Calls that last as long as this host."""
RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 5000),
]
"""gRPC's own pauses between attempts grow to two minutes otherwise, and calls fail all the while."""


class Unconfigured(Exception):
    """The environment does not say clearly which task hub is meant."""


@dataclass(frozen=True)
class TaskHubAddress:
    """Where a task hub is: an endpoint with its scheme, and the hub's name there."""

    endpoint: str
    name: str

    @property
    def deployed(self) -> bool:
        """Whether it is a deployed scheduler, which wants a token."""
        return self.endpoint.startswith("https://")

    def __str__(self) -> str:
        kind = "deployed scheduler" if self.deployed else "task hub"
        return f"{kind} {self.endpoint}, hub '{self.name}'"


def from_environment(environment: Mapping[str, str]) -> TaskHubAddress | None:
    """Read `ENDPOINT` and `TASKHUB`; nothing when neither is set. Raises Unconfigured on half of it."""
    endpoint, name = environment.get("ENDPOINT", ""), environment.get("TASKHUB", "")
    if not endpoint and not name:
        return None
    if not endpoint or not name:
        raise Unconfigured("Set both ENDPOINT and TASKHUB, or neither (neither: an embedded task hub).")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Unconfigured(f"ENDPOINT must be http://HOST:PORT or https://HOST, not '{endpoint}'.")
    return TaskHubAddress(endpoint.rstrip("/"), name)


def is_away(error: BaseException) -> bool:
    """Tell whether a call failed because the task hub gave no answer."""
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in AWAY


class Presence:
    """Whether the task hub answers: says so in one line when it stops and one when it is back."""

    def __init__(self, task_hub: str) -> None:
        self._task_hub = task_hub
        self._answers = True

    def note_absence(self, error: grpc.aio.AioRpcError) -> None:
        """Take in that a call got no answer."""
        if self._answers:
            self._answers = False
            logger.warning(
                "No answer from the %s (%s). Trying again, with growing pauses, until there is one.",
                self._task_hub,
                error.code().name,
            )

    def note_answer(self) -> None:
        """Take in that a call was answered."""
        if not self._answers:
            self._answers = True
            logger.warning("The %s answers again.", self._task_hub)


class Calls:
    """The calls of a task hub, each with a limit of time and the hub's name: an interceptor would cost every call."""

    def __init__(self, stub: TaskHubSidecarServiceStub, metadata: tuple[tuple[str, str], ...]) -> None:
        for name, call in vars(stub).items():
            limit = {} if name in STREAMS else {"timeout": ANSWER_SECONDS}
            setattr(self, name, functools.partial(call, metadata=metadata, **limit))


@dataclass
class Connection:
    """The calls of a task hub, and the open channel they go through; there is none to a hub of this process."""

    hub: Calls | DirectCalls
    presence: Presence
    channel: grpc.aio.Channel | None = None
    credential: object | None = None

    async def close(self) -> None:
        """Close the channel and the credential."""
        if self.channel:
            await self.channel.close()
        if self.credential:
            await self.credential.close()  # type: ignore[attr-defined]


def connect(address: TaskHubAddress) -> Connection:
    """Open a channel with the scheduler's headers; for a deployed scheduler with a token as well."""
    credential = None
    if address.deployed:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, wanted here alone

        credential = DefaultAzureCredential()
    options = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
        *RECONNECT,
    ]
    target = urlsplit(address.endpoint).netloc
    channel = (
        grpc.aio.secure_channel(
            target,
            grpc.ssl_channel_credentials(),
            options,
            interceptors=[DTSAsyncDefaultClientInterceptorImpl(credential, address.name)],
        )
        if address.deployed
        else grpc.aio.insecure_channel(target, options)
    )
    metadata = () if address.deployed else (("taskhub", address.name),)
    calls = Calls(TaskHubSidecarServiceStub(channel), metadata)
    return Connection(calls, Presence(str(address)), channel, credential)


def connect_directly(hub: TaskHub) -> Connection:
    """Give the calls of a task hub in this process."""
    return Connection(DirectCalls(hub), Presence("embedded task hub"))

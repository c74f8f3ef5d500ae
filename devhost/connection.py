"""The way to a task hub: embedded, the scheduler's emulator, or a deployed scheduler."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc.aio
from durabletask.azuremanaged.internal.durabletask_grpc_interceptor import DTSAsyncDefaultClientInterceptorImpl
from durabletask.internal.orchestrator_service_pb2_grpc import TaskHubSidecarServiceStub

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_LIMIT = 64 * 1024 * 1024


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


class Addressed:
    """The calls of a task hub that wants no token, each with the hub's name: an interceptor would cost every call."""

    def __init__(self, stub: TaskHubSidecarServiceStub, hub_name: str) -> None:
        metadata = (("taskhub", hub_name),)
        for name, call in vars(stub).items():
            setattr(self, name, functools.partial(call, metadata=metadata))


@dataclass
class Connection:
    """An open channel to a task hub and the calls on it."""

    channel: grpc.aio.Channel
    hub: TaskHubSidecarServiceStub | Addressed
    credential: object | None = None

    async def close(self) -> None:
        """Close the channel and the credential."""
        await self.channel.close()
        if self.credential:
            await self.credential.close()  # type: ignore[attr-defined]


def connect(address: TaskHubAddress) -> Connection:
    """Open a channel with the scheduler's headers; for a deployed scheduler with a token as well."""
    credential = None
    if address.deployed:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to import, wanted here alone

        credential = DefaultAzureCredential()
    options = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
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
    stub = TaskHubSidecarServiceStub(channel)
    return Connection(channel, stub if address.deployed else Addressed(stub, address.name), credential)

"""The durable extension's local RPC, which the SDK's client speaks, over a task hub.

Every status, header and body is as recorded on the real extension (`tests/conformance`); what it offers beyond
that (entities, rewinding, starting and waiting in one call) is refused with 501, by name.
"""

from __future__ import annotations

import base64
import json
import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus, unquote

import grpc.aio
from aiohttp import web
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from devhost import newtonsoft
from devhost.connection import is_away
from devhost.history import STATUSES, parse_stored, write_for_status, write_seconds
from devhost.newtonsoft import Unreadable
from devhost.replay import compact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from devhost.connection import Connection

logger = logging.getLogger("devhost.rpc")

PREFIX = "/durabletask/"
WEBHOOKS = "/runtime/webhooks/durabletask/"
JSON = "application/json; charset=utf-8"
ENDED = ("Completed", "Failed", "Terminated", "Canceled")
REPLACEABLE = [
    pb.ORCHESTRATION_STATUS_COMPLETED,
    pb.ORCHESTRATION_STATUS_FAILED,
    pb.ORCHESTRATION_STATUS_TERMINATED,
    pb.ORCHESTRATION_STATUS_CANCELED,
]
PAGE = 100


def empty(status: int) -> web.Response:
    """Answer with a status and nothing else."""
    return web.Response(status=status)


def answer(status: int, body: Any, **headers: str) -> web.Response:
    """Answer with JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, body=compact(body).encode(), headers={"Content-Type": JSON, **named})


def refusal(status: int, message: str, **more: str) -> web.Response:
    """Refuse as the extension does: an object with a Message."""
    return answer(status, {"Message": message, **more})


def server_error(message: str, kind: str) -> web.Response:
    """Answer 500 as the extension does for what it did not expect."""
    text = "Something went wrong while processing your request"
    return refusal(500, text, ExceptionMessage=message, ExceptionType=kind)


def url_encoded(text: str) -> str:
    """Encode as .NET's WebUtility does."""
    return quote_plus(text, safe="-_.!*()")


def management_urls(base: str, instance_id: str) -> dict[str, str]:
    """Give the URLs of the management API for an instance; the key is a stand-in, nothing checks it here."""
    instance = f"{base}{WEBHOOKS}instances/{url_encoded(instance_id)}"
    query = "taskHub=local&connection=Storage&code=local"
    return {
        "id": instance_id,
        "statusQueryGetUri": f"{instance}?{query}",
        "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{instance}/terminate?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{instance}?{query}",
        "restartPostUri": f"{instance}/restart?{query}",
        "suspendPostUri": f"{instance}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{instance}/resume?reason={{text}}&{query}",
    }


def client_binding(base: str, rpc_base: str, hub_name: str) -> str:
    """Write the durableClient binding that the SDK's client is made from."""
    urls = management_urls(base, "INSTANCEID")
    rewind = urls["terminatePostUri"].replace("/terminate", "/rewind")
    create = f"{base}{WEBHOOKS}orchestrators/{{functionName}}[/{{instanceId}}]?code=local"
    wait = create + "&timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    return json.dumps(
        {
            "taskHubName": hub_name,
            "connectionName": None,
            "creationUrls": {"createNewInstancePostUri": create, "createAndWaitOnNewInstancePostUri": wait},
            "managementUrls": {**urls, "rewindPostUri": rewind},
            "baseUrl": f"{base}{WEBHOOKS}",
            "requiredQueryStringParameters": "code=local",
            "rpcBaseUrl": f"{rpc_base}{PREFIX}",
            "httpBaseUrl": None,
        }
    )


def read_instant(text: str | None) -> Timestamp | None:
    """Read an instant of a query; one that is none counts as not given, as recorded."""
    time = Timestamp()
    try:
        time.FromJsonString(text or "")
    except ValueError:
        return None
    return time


def describe(state: pb.OrchestrationState, *, with_input: bool = True) -> dict[str, Any]:
    """Give the state of an instance as the status call does."""
    status = STATUSES[state.orchestrationStatus]
    output = state.failureDetails.errorMessage if status == "Failed" else parse_stored(state.output.value)
    return {
        "name": state.name,
        "version": state.version.value if state.HasField("version") else None,
        "instanceId": state.instanceId,
        "runtimeStatus": status,
        "input": parse_stored(state.input.value) if with_input else None,
        "customStatus": parse_stored(state.customStatus.value),
        "output": output,
        "createdTime": f"{write_seconds(state.createdTimestamp)}Z",
        "lastUpdatedTime": f"{write_seconds(state.lastUpdatedTimestamp)}Z",
    }


@dataclass
class Call:
    """One request, taken apart."""

    base: str
    path: str
    query: Mapping[str, str]
    request: web.BaseRequest

    def flag(self, name: str, default: str = "false") -> bool:
        """Read a yes or no of the query."""
        return self.query.get(name.lower(), default).lower() == "true"

    async def text(self) -> str:
        """Read the body."""
        return (await self.request.read()).decode("utf-8", "replace")


@dataclass
class Rpc:
    """The RPC of one host."""

    connection: Connection
    default_version: str | None
    lag_seconds: float = 0
    """How long after its end an instance is still shown as running. The recorded provider writes the record that
    these calls read after the history, so that an event raised right behind the one that ends an instance is
    answered 202, not 410."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request below the RPC address or below the webhooks'."""
        path, _, query = request.raw_path.partition("?")
        prefix = next((p for p in (PREFIX, WEBHOOKS) if path.startswith(p)), None)
        if not prefix:
            return empty(404)
        pairs = {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}
        call = Call(f"{request.scheme}://{request.host}", path, pairs, request)
        encoded = path.removeprefix(prefix).removesuffix("/").split("/")
        if any("%2f" in segment.lower() for segment in encoded):
            return empty(404)
        try:
            answered = await self.route(call, request.method, [unquote(segment) for segment in encoded])
        except grpc.aio.AioRpcError as error:
            if is_away(error):
                self.connection.presence.note_absence(error)
            else:
                logger.warning("The task hub answered %s: %s", error.code().name, error.details())
            return server_error(f"The task hub answered {error.code().name}.", "Grpc.Core.RpcException")
        self.connection.presence.note_answer()
        return answered

    async def route(  # noqa: C901 - one line a route
        self, call: Call, method: str, parts: list[str]
    ) -> web.StreamResponse:
        """Find who answers."""
        match method, *parts:
            case "POST", "orchestrators", function:
                return await self.start(call, function, uuid.uuid4().hex)
            case "POST", "orchestrators", function, instance:
                return await self.start(call, function, instance)
            case "GET", "instances":
                return await self.list(call)
            case "DELETE", "instances":
                return await self.purge_many(call)
            case "GET", "instances", instance:
                return await self.status(call, instance)
            case "DELETE", "instances", instance:
                return await self.purge(instance)
            case "POST", "instances", instance, "raiseEvent", name:
                return await self.raise_event(call, instance, name)
            case "POST", "instances", instance, ("terminate" | "suspend" | "resume") as verb:
                return await self.control(call, instance, verb)
            case "POST", "instances", instance, "rewind":
                return await self.rewind(instance)
            case "POST", "instances", instance, "restart":
                return await self.restart(call, instance)
            case _, "entities", *_:
                return refusal(501, "This local host does not implement entities.")
            case _:
                return empty(404)

    async def state(self, instance: str, *, payloads: bool = False) -> pb.OrchestrationState | None:
        """Read an instance, or nothing."""
        request = pb.GetInstanceRequest(instanceId=instance, getInputsAndOutputs=payloads)
        found = await self.connection.hub.GetInstance(request)
        return self.with_lag(found.orchestrationState) if found.exists else None

    def with_lag(self, state: pb.OrchestrationState) -> pb.OrchestrationState:
        """Show an instance that ended just now as still running."""
        ended = state.completedTimestamp
        if self.lag_seconds and ended.seconds and time.time() - ended.seconds - ended.nanos / 1e9 < self.lag_seconds:
            state.orchestrationStatus = pb.ORCHESTRATION_STATUS_RUNNING
            state.ClearField("output")
            state.ClearField("failureDetails")
        return state

    async def runtime_status(self, instance: str) -> str | None:
        """Read the runtime status of an instance, or nothing."""
        state = await self.state(instance)
        return STATUSES[state.orchestrationStatus] if state else None

    # --- starting ---------------------------------------------------------------------------------

    async def start(self, call: Call, function: str, instance: str) -> web.Response:
        """Start an instance; an ended one of that id is replaced, one that is not is in the way."""
        if "timeout" in call.query:
            return refusal(501, "This local host does not implement starting and waiting in one call (timeout).")
        text = await call.text()
        try:
            if text:
                newtonsoft.read(text)
        except Unreadable as error:
            return server_error(str(error), "Newtonsoft.Json.JsonSerializationException")
        version = call.query.get("version", self.default_version)
        return await self.create(call, instance, function, text or None, version)

    async def create(
        self, call: Call, instance: str, function: str, text: str | None, version: str | None
    ) -> web.Response:
        """Create the instance in the task hub and say where it can be asked for."""
        request = pb.CreateInstanceRequest(
            instanceId=instance,
            name=function,
            version=None if version is None else StringValue(value=version),
            input=None if text is None else StringValue(value=text),
            orchestrationIdReusePolicy=pb.OrchestrationIdReusePolicy(replaceableStatus=REPLACEABLE),
        )
        try:
            await self.connection.hub.StartInstance(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            status = await self.runtime_status(instance) or "Running"
            return refusal(409, f"An Orchestration instance with the status {status} already exists.")
        location = f"{call.base}{WEBHOOKS}instances/{url_encoded(instance)}"
        return answer(202, management_urls(call.base, instance), Location=location, Retry_After="10")

    async def restart(self, call: Call, instance: str) -> web.Response:
        """Start an instance again with its own input, under a new id unless told otherwise."""
        state = await self.state(instance, payloads=True)
        if not state:
            missing = f"No instance with ID '{instance}' was found. (Parameter 'instanceId')"
            message = "InstanceId does not match a valid orchestration instance."
            return refusal(400, message, ExceptionMessage=missing, ExceptionType="System.ArgumentException")
        renewed = call.flag("restartWithNewInstanceId", "true")
        status = STATUSES[state.orchestrationStatus]
        if not renewed and status not in ENDED:
            exists = f"An Orchestration instance with the status {status} already exists."
            kind = "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"
            message = "A non-terminal instance with this instance ID already exists."
            return refusal(409, message, ExceptionMessage=exists, ExceptionType=kind)
        text = state.input.value if state.HasField("input") else None
        fresh = uuid.uuid4().hex if renewed else instance
        return await self.create(call, fresh, state.name, text or None, self.default_version)

    # --- looking ----------------------------------------------------------------------------------

    async def status(self, call: Call, instance: str) -> web.Response:
        """Describe an instance: 202 while it runs, 200 when it has ended."""
        state = await self.state(instance, payloads=True)
        if not state:
            return empty(404)
        body = describe(state, with_input=call.flag("showInput", "true"))
        if call.flag("showHistory"):
            body["historyEvents"] = write_for_status(
                [event async for event in self.history(instance)], body, outputs=call.flag("showHistoryOutput")
            )
        if body["runtimeStatus"] not in ENDED:
            location = f"{call.base}{call.path}"
            return answer(202, body, Location=location, Retry_After="5")
        failed = body["runtimeStatus"] == "Failed" and call.flag("returnInternalServerErrorOnFailure")
        return answer(500 if failed else 200, body)

    async def history(self, instance: str) -> Any:
        """Stream the history of an instance."""
        request = pb.StreamInstanceHistoryRequest(instanceId=instance)
        async for chunk in self.connection.hub.StreamInstanceHistory(request):
            for event in chunk.events:
                yield event

    async def list(self, call: Call) -> web.Response:
        """List instances, a page at a time; a filter that cannot be read is no filter, as recorded."""
        given = call.query.get("top", "")
        top = int(given) if given.removeprefix("-").isdigit() else PAGE
        if top < 0:
            return server_error("The number of instances must not be negative.", "System.ArgumentOutOfRangeException")
        token = call.request.headers.get("x-ms-continuation-token", "")
        query = pb.InstanceQuery(
            runtimeStatus=read_statuses(call.query.get("runtimestatus", "")),
            createdTimeFrom=read_instant(call.query.get("createdtimefrom")),
            createdTimeTo=read_instant(call.query.get("createdtimeto")),
            maxInstanceCount=top or PAGE,
            fetchInputsAndOutputs=True,
        )
        if prefix := call.query.get("instanceidprefix"):
            query.instanceIdPrefix.CopyFrom(StringValue(value=prefix))
        if token:
            query.continuationToken.CopyFrom(StringValue(value=base64.b64decode(token).decode()))
        page = await self.connection.hub.QueryInstances(pb.QueryInstancesRequest(query=query))
        with_input = call.flag("showInput", "true")
        found = [describe(state, with_input=with_input) for state in map(self.with_lag, page.orchestrationState)]
        following = base64.b64encode(page.continuationToken.value.encode()).decode()
        return answer(200, found, x_ms_continuation_token=following)

    # --- acting -----------------------------------------------------------------------------------

    async def raise_event(self, call: Call, instance: str, name: str) -> web.Response:
        """Hand an event to an instance. 202 says that it was handed over, not that it was heard."""
        kind = call.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return refusal(400, "Only application/json request content is supported")
        try:
            text = newtonsoft.read(await call.text())
        except Unreadable as error:
            kind = "Newtonsoft.Json.JsonReaderException"
            return refusal(400, "Invalid JSON content", ExceptionMessage=str(error), ExceptionType=kind)
        status = await self.runtime_status(instance)
        if not status or status in ENDED:
            return empty(410 if status else 404)
        try:
            await self.connection.hub.RaiseEvent(
                pb.RaiseEventRequest(instanceId=instance, name=name, input=StringValue(value=text))
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return empty(404)
            raise
        return empty(202)

    async def control(self, call: Call, instance: str, verb: str) -> web.Response:
        """Terminate, suspend or resume an instance."""
        status = await self.runtime_status(instance)
        if not status or status in ENDED:
            return empty(410 if status else 404)
        if verb != "terminate" and (status == "Suspended") != (verb == "resume"):
            message = f"Cannot {verb} the orchestration instance {instance} because instance is in the {status} state."
            return server_error(message, "System.InvalidOperationException")
        reason = StringValue(value=call.query.get("reason", ""))
        hub = self.connection.hub
        if verb == "terminate":
            text = StringValue(value=compact(reason.value))
            await hub.TerminateInstance(pb.TerminateRequest(instanceId=instance, output=text))
        elif verb == "suspend":
            await hub.SuspendInstance(pb.SuspendRequest(instanceId=instance, reason=reason))
        else:
            await hub.ResumeInstance(pb.ResumeRequest(instanceId=instance, reason=reason))
        return empty(202)

    async def rewind(self, instance: str) -> web.Response:
        """Refuse to rewind: all but a failed instance as the extension does, a failed one by name."""
        status = await self.runtime_status(instance)
        if not status:
            return answer(404, f'No orchestration with instance ID "${instance}" found.')
        if status != "Failed":
            only = 'but only orchestrations in the "Failed" state can be rewound.'
            return answer(412, f"This orchestration has status {status}, {only}")
        return refusal(501, "This local host does not implement rewinding.")

    async def purge(self, instance: str) -> web.Response:
        """Forget an instance that has ended."""
        status = await self.runtime_status(instance)
        if not status:
            return empty(404)
        if status not in ENDED:
            text = (
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance} has status {status}"
            )
            return answer(412, text)
        purged = await self.connection.hub.PurgeInstances(pb.PurgeInstancesRequest(instanceId=instance))
        return answer(200, {"instancesDeleted": purged.deletedInstanceCount})

    async def purge_many(self, call: Call) -> web.Response:
        """Forget the ended instances of a span of time."""
        begin = read_instant(call.query.get("createdtimefrom"))
        if not begin:
            return answer(400, "Please provide value for 'createdTimeFrom' parameter.")
        chosen = pb.PurgeInstanceFilter(
            createdTimeFrom=begin,
            createdTimeTo=read_instant(call.query.get("createdtimeto")),
            runtimeStatus=read_statuses(call.query.get("runtimestatus", "")),
        )
        purged = await self.connection.hub.PurgeInstances(pb.PurgeInstancesRequest(purgeInstanceFilter=chosen))
        count = purged.deletedInstanceCount
        return answer(200, {"instancesDeleted": count}) if count else empty(404)


def read_statuses(text: str) -> list[int]:
    """Read a list of runtime statuses; words that are none are ignored, as recorded."""
    known = {name.lower(): number for number, name in enumerate(STATUSES)}
    return [known[word.strip().lower()] for word in text.split(",") if word.strip().lower() in known]

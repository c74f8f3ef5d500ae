"""The embedded task hub: the scheduler's side of a local run, in memory, behind one gRPC port."""
# ruff: noqa: N802 - the names of gRPC methods are the protocol's

from __future__ import annotations

import socket
from concurrent import futures
from typing import Any

import grpc
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs

from devhost.taskhub.leases import Leases

HOST = "127.0.0.1"
SERVER_THREADS = 64
"""Every stream of work items and every wait for an instance holds one."""
MESSAGE_BYTES = 64 * 1024 * 1024
PING_SECONDS = 10.0
"""How often a silent worker is asked for a sign of life, and how long it may take to give one. A killed process
closes its connection itself; this is for one that is stopped or unplugged."""


class TaskHub(Leases):
    """A task hub in memory, on a port of this machine only: what a client asks for, and the server itself."""

    def __init__(self, port: int = 0) -> None:
        """Prepare a hub for `port`; 0 takes any free one."""
        super().__init__(port)
        self._threads: futures.ThreadPoolExecutor | None = None

    @property
    def port(self) -> int:
        """The port listened on; before the first start, the one asked for."""
        return self._port

    @property
    def pending_timers(self) -> int:
        """How many timers of live executions are still to fire."""
        with self._lock:
            return sum(event.HasField("timerFired") for event in self._agenda)

    @property
    def actions(self) -> int:
        """The actions a Durable Task Scheduler would bill.

        One for every start, event, activity, activity result and timer, two for a sub-orchestration.
        """
        with self._lock:
            single = ("starts", "events", "activities", "activity_results", "timers")
            return sum(self.counts[key] for key in single) + 2 * self.counts["suborchestrations"]

    def statistics(self) -> dict[str, Any]:
        """Give the counts, the billable actions and the pending timers, fit for JSON."""
        with self._lock:
            return {**self.counts, "actions": self.actions, "pending_timers": self.pending_timers}

    # The server

    def open(self) -> None:
        """Fire timers and hand out work in this process, without listening on a port."""
        with self._lock:
            self._shutdown_event.clear()
            self._agenda.start()

    def start(self) -> str:
        """Open and listen, and give the address: "127.0.0.1:port". A hub that was stopped goes on with what it had.

        Raises OSError when the port is taken.
        """
        taken = f"Port {self._port} of {HOST} is taken: stop what listens there, or choose another port."
        if self._port:
            with socket.socket() as probe:  # gRPC would print its own lines about it
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, self._port))
                except OSError as error:
                    raise OSError(taken) from error
        threads = futures.ThreadPoolExecutor(SERVER_THREADS, thread_name_prefix="task-hub")
        server = grpc.server(
            threads,
            options=[
                ("grpc.so_reuseport", 0),  # else two hubs would share a port and halve the work
                ("grpc.max_receive_message_length", MESSAGE_BYTES),
                ("grpc.max_send_message_length", MESSAGE_BYTES),
                ("grpc.keepalive_time_ms", int(PING_SECONDS * 1000)),
                ("grpc.http2.ping_timeout_ms", int(PING_SECONDS * 1000)),
                ("grpc.http2.max_pings_without_data", 0),  # else only two, then one a minute
            ],
        )
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, server)
        try:
            self._port = server.add_insecure_port(f"{HOST}:{self._port}")
        except RuntimeError as error:
            raise OSError(taken) from error
        self._server, self._threads = server, threads
        self.open()
        server.start()
        return f"{HOST}:{self._port}"

    def stop(self, grace: float | None = None) -> None:
        """Listen no more, give streams and waits `grace` seconds (none: end them now), and fire no timers."""
        with self._lock:
            self._shutdown_event.set()
            self._agenda.stop()
            self._work.notify_all()
        super().stop(grace)
        with self._lock:
            for waiters in self._state_waiters.values():
                for waiter in waiters:
                    waiter.event.set()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def reset(self) -> None:
        """Forget every instance, all work and the counts."""
        with self._lock:
            for instance_id in list(self._executions):
                self._retire(instance_id)
            super().reset()
            self._leases.clear()
            self._parents.clear()
            self._agenda.clear()
            self.counts.clear()

    # Instances

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance; one it replaces is told nothing, and its work has no effect any more."""
        with self._lock:
            replaced = self._instances.get(request.instanceId)
            response = super().StartInstance(request, context)
            self._begin(self._instances[response.instanceId], started=False)
            if replaced is not None:
                self._leases.pop(str(replaced.completion_token), None)
                self._orchestration_in_flight.discard(response.instanceId)
                self._enqueue_orchestration(response.instanceId)
            self.counts["starts"] += 1
            return response

    def RestartInstance(
        self, request: pb.RestartInstanceRequest, context: grpc.ServicerContext
    ) -> pb.RestartInstanceResponse:
        """Start a terminal instance again, with its first input."""
        with self._lock:
            response = super().RestartInstance(request, context)
            self.counts["starts"] += 1
            return response

    def GetInstance(self, request: pb.GetInstanceRequest, context: grpc.ServicerContext) -> pb.GetInstanceResponse:
        """Read an instance; reads are counted, but cost no action."""
        with self._lock:
            self.counts["reads"] += 1
            return super().GetInstance(request, context)

    def RaiseEvent(self, request: pb.RaiseEventRequest, context: grpc.ServicerContext) -> pb.RaiseEventResponse:
        """Raise an event to an instance, suspended or not; to a terminal one it is without effect."""
        with self._lock:
            try:
                self._raise_event_internal(
                    request.instanceId, request.name, request.input.value if request.HasField("input") else None
                )
            except ValueError as missing:
                context.abort(grpc.StatusCode.NOT_FOUND, str(missing))
            return pb.RaiseEventResponse()

    def SuspendInstance(self, request: pb.SuspendRequest, context: grpc.ServicerContext) -> pb.SuspendResponse:
        """Suspend an instance; a terminal one stays as it is."""
        with self._lock:
            if self._ended(request.instanceId):
                return pb.SuspendResponse()
            return super().SuspendInstance(request, context)

    def ResumeInstance(self, request: pb.ResumeRequest, context: grpc.ServicerContext) -> pb.ResumeResponse:
        """Resume an instance; a terminal one stays as it is."""
        with self._lock:
            if self._ended(request.instanceId):
                return pb.ResumeResponse()
            return super().ResumeInstance(request, context)

    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """List instances, a page at a time."""
        with self._lock:
            response = super().QueryInstances(request, context)
            for state in response.orchestrationState:
                self._show_version(state)
            return response

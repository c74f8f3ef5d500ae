"""The durable client, with its answers made plain.

The SDK's client (1.7) raises bare exceptions whose text alone tells them apart, and knows nothing of requests.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from approvals import workflow
from approvals.errors import SchedulerUnavailable
from approvals.model import Cancellation, Found, Request, Status, Story, utc

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import TypeVar

    import azure.durable_functions as df

    T = TypeVar("T")

logger = logging.getLogger("approvals.instances")


@dataclass(frozen=True)
class Instances:
    """The orchestrations behind the requests."""

    client: df.DurableOrchestrationClient

    async def start(self, request: Request) -> bool:
        """Start the orchestration of a request; False when an unfinished one with its id exists.

        Raises SchedulerUnavailable when it is not known whether it was started.
        """
        try:
            await reached(
                self.client.start_new(workflow.NAME, request.request_id, request.model_dump_json(exclude_defaults=True))
            )
        except Exception as error:
            if "already exists" in str(error):
                return False
            raise
        return True

    async def read(self, request_id: str) -> Found | None:
        """Read a request and its story, or nothing. Raises SchedulerUnavailable."""
        status = await reached(self.client.get_status(request_id, show_input=True))
        if not status and getattr(status, "Message", None):
            # the SDK takes the host's own failure (500 with a Message) for a missing instance
            logger.warning("The scheduler did not answer: %s", status.Message)
            raise SchedulerUnavailable
        if not status or status.name != workflow.NAME:
            return None
        try:
            request = Request.decoded(status.input_)
        except ValueError:  # started past us, through the host's webhook
            logger.warning("Instance %s is not one of ours.", request_id)
            return None
        return Found(request=request, story=story_of(status))

    async def raise_event(self, request_id: str, name: str, data: dict[str, Any]) -> None:
        """Hand an event to an instance. That it was taken says nothing: the caller reads back what came of it."""
        try:
            await reached(self.client.raise_event(request_id, name, data))
        except SchedulerUnavailable:
            raise
        except Exception as error:
            # finished or purged in between: the next look tells
            if "is gone" in str(error) or "No instance with ID" in str(error):
                return
            raise


async def reached(call: Awaitable[T]) -> T:
    """Await a call to the scheduler. Raises SchedulerUnavailable when it was not reached or answered nonsense."""
    try:
        return await call
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        logger.warning("The scheduler was not reached: %s: %s", type(error).__name__, error)
        raise SchedulerUnavailable from error
    except Exception as error:
        if "already exists" in str(error) or "is gone" in str(error) or "No instance with ID" in str(error):
            raise
        logger.warning("The scheduler refused: %s: %s", type(error).__name__, error)
        raise SchedulerUnavailable from error


def story_of(status: df.DurableOrchestrationStatus) -> Story:
    """Read what has become of a request off its instance.

    The output is a result only when Completed; for others the host puts an operator's reason there (recorded).
    A suspended instance's custom status may run ahead of what will be: Python is replayed, the host holds back.
    """
    runtime = status.runtime_status.name
    if runtime == "Completed":
        return Story.decoded(status.output)
    story = Story.decoded(status.custom_status) if status.custom_status else Story()
    if runtime == "Suspended":
        return Story(waits=story.waits, notes=story.notes).noted("An operator has suspended this request.")
    if story.is_open and runtime in {"Terminated", "Canceled"}:
        ended = utc(status.last_updated_time)
        by = Cancellation(by="an operator", reason=str(status.output or ""), cancelled_at=ended)
        return story.model_copy(update={"status": Status.CANCELLED, "settled_at": ended, "cancellation": by})
    if story.is_open and runtime == "Failed":
        return story.model_copy(update={"status": Status.FAILED, "settled_at": utc(status.last_updated_time)})
    return story

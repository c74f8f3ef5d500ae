"""The durable client, with its answers made plain.

The SDK's client (1.7) raises bare exceptions whose text alone tells them apart, and knows nothing of requests.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import aiohttp

from approvals.durable import CALLBACK_NAME, NAME, SUBSCRIPTION_NAME
from approvals.durable.reads import shared_read
from approvals.errors import SchedulerUnavailable
from approvals.rules.callbacks import Subscription
from approvals.rules.restoring import restore_story
from approvals.rules.story import Cancellation, Found, Request, Status, Story
from approvals.rules.value import utc

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import TypeVar

    import azure.durable_functions as df

    from approvals.rules.callbacks import Delivery

    T = TypeVar("T")

logger = logging.getLogger("approvals.durable.instances")

TERMINATED = ("Terminated", "Canceled")
UNENDED = ("Running", "Pending", "Suspended", "ContinuedAsNew")
START_SECONDS = 20.0
"""How long a start is waited for. Whoever makes a request has a lease that is longer (`records/requests.py`)."""
PURGES, PATIENT_PURGES, PURGE_PAUSE_SECONDS = 20, 5, 0.1
"""How often it is tried to purge an instance, and how often before it is ended for that."""
AWAIT_REVISION_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""How long, and how often, a story is waited for."""
REQUESTS_KEPT = 64
"""How many requests are kept as they were read; the largest has some 100 kB."""
TELLS_OUTCOME = "process_approval"
"""The activity that acts on an outcome, as the history names it."""


@dataclass(frozen=True)
class Instances:
    """The orchestrations behind the requests."""

    client: df.DurableOrchestrationClient

    async def start(self, request: Request) -> bool:
        """Start the orchestration of a request; False when an unfinished one with its id exists.

        Raises SchedulerUnavailable when it is not known whether it was started.
        """
        try:
            given = request.model_dump_json(exclude_defaults=True)
            async with asyncio.timeout(START_SECONDS):
                await call_scheduler(self.client.start_new(NAME, request.request_id, given))
        except TimeoutError as error:
            raise SchedulerUnavailable from error
        except Exception as error:
            if "already exists" in str(error):
                return False
            raise
        return True

    async def start_callback(self, delivery: Delivery) -> None:
        """Begin to send an event to a receiver, unless that was begun before. Raises SchedulerUnavailable."""
        # a finished instance that is started again would be sent again (the extension replaces it, recorded)
        if await self.status_of(delivery.instance_id):
            return
        try:
            given = delivery.model_dump_json(exclude_defaults=True)
            await call_scheduler(self.client.start_new(CALLBACK_NAME, delivery.instance_id, given))
        except Exception as error:
            if "already exists" not in str(error):
                raise

    async def start_subscription(self, subscription: Subscription) -> None:
        """Keep an address, with its secret, in the input of an orchestration. Raises SchedulerUnavailable."""
        given = subscription.model_dump_json(exclude_defaults=True)
        await call_scheduler(self.client.start_new(SUBSCRIPTION_NAME, subscription.instance_id, given))

    async def subscription(self, subscription_id: str) -> Subscription | None:
        """Read a subscription that has not ended, or nothing. Raises SchedulerUnavailable."""
        status = await self.status_of(f"subscription-{subscription_id}")
        if not status or status.name != SUBSCRIPTION_NAME or status.runtime_status.name not in UNENDED:
            return None
        return Subscription.from_json(status.input_)

    async def end_subscription(self, subscription: Subscription) -> None:
        """Forget an address, as far as that can be done at once; the scheduler forgets what has ended by itself.

        Raises SchedulerUnavailable.
        """
        try:
            await call_scheduler(self.client.terminate(subscription.instance_id, "It is not wanted any more."))
        except SchedulerUnavailable:
            raise
        except Exception as error:
            if "is gone" not in str(error) and "No instance with ID" not in str(error):
                raise
        for _ in range(PURGES):
            if await self.try_to_purge(subscription.instance_id):
                return
            await asyncio.sleep(PURGE_PAUSE_SECONDS)

    async def read(self, request_id: str) -> Found | None:
        """Read a request and its story, or nothing. Raises SchedulerUnavailable."""
        status = await shared_read(("status", request_id), partial(self.status, request_id))
        found = read_status(status) if status else None
        if not status or not found:
            return None
        said = published_story(status)
        needs_history = is_abridged(said) or was_terminated(status, found)
        history = await shared_read(("history", request_id), partial(self.history, request_id)) if needs_history else []
        if is_abridged(said):
            found = found.with_story(restore_story(found.request, said, events_of(history)))
        return apply_runtime_status(found, status, history)

    async def read_at(self, request_id: str, revision: int) -> Found | None:
        """Read a request that has come to a revision, or nothing. Raises SchedulerUnavailable.

        What an orchestration says of itself is there a moment after the activity that it has begun in the same turn.
        """
        for pause in (*AWAIT_REVISION_SECONDS, None):
            found = await self.read(request_id)
            if not found or found.story.revision >= revision:
                return found
            if pause:
                await asyncio.sleep(pause)
        raise SchedulerUnavailable

    async def look(self, request_id: str) -> Found | None:
        """Read where a request stands, without what its story left in the history; cheap, and asked often."""
        status = await shared_read(("status", request_id), partial(self.status, request_id))
        found = read_status(status) if status else None
        return apply_runtime_status(found, status, []) if status and found else None

    async def status(self, request_id: str) -> df.DurableOrchestrationStatus | None:
        """Ask for the status of an instance; nothing for one that is missing or not ours."""
        status = await self.status_of(request_id)
        return status if status and status.name == NAME else None

    async def status_of(self, instance_id: str) -> df.DurableOrchestrationStatus | None:
        """Ask for the status of any instance, or nothing. Raises SchedulerUnavailable."""
        status = await call_scheduler(self.client.get_status(instance_id, show_input=True))
        if not status and getattr(status, "Message", None):
            # the SDK takes the host's own failure (500 with a Message) for a missing instance
            logger.warning("The scheduler did not answer: %s", status.Message)
            raise SchedulerUnavailable
        return status or None

    async def history(self, request_id: str) -> list[dict[str, Any]]:
        """Ask for the history of an instance, oldest first."""
        status = await call_scheduler(self.client.get_status(request_id, show_history=True, show_history_output=True))
        return getattr(status, "historyEvents", None) or []  # where the SDK puts what the host calls so

    async def purge(self, request_id: str) -> bool:
        """Have the scheduler forget an instance; False when it is there still.

        One whose end is still being told gets a moment, and is ended then. Raises SchedulerUnavailable.
        """
        for attempt in range(PURGES):
            status = await self.status(request_id)
            if status is None:
                return True
            has_ended = status.runtime_status.name not in UNENDED
            if has_ended and await self.try_to_purge(request_id):
                return True
            if not has_ended and attempt == PATIENT_PURGES:
                await call_scheduler(self.client.terminate(request_id, "Its content is erased."))
            await asyncio.sleep(PURGE_PAUSE_SECONDS)
        return False

    async def try_to_purge(self, request_id: str) -> bool:
        """Purge an instance; the host answers 412 while it does not count it as ended (recorded)."""
        try:
            return bool((await call_scheduler(self.client.purge_instance_history(request_id))).instances_deleted)
        except SchedulerUnavailable as error:
            if error.__cause__ and "status code 412" in str(error.__cause__):
                return False
            raise

    async def raise_event(self, request_id: str, name: str, data: dict[str, Any]) -> None:
        """Hand an event to an instance. That it was taken says nothing: the caller reads back what came of it."""
        try:
            await call_scheduler(self.client.raise_event(request_id, name, data))
        except SchedulerUnavailable:
            raise
        except Exception as error:
            # finished or purged in between: the next look tells
            if "is gone" in str(error) or "No instance with ID" in str(error):
                return
            raise


async def call_scheduler(call: Awaitable[T]) -> T:
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


def published_story(status: df.DurableOrchestrationStatus) -> Any:
    """Give what the orchestration says of itself: its output when done, its custom status before.

    The output is a result only when Completed; for others the host puts an operator's reason there (recorded).
    """
    return status.output if status.runtime_status.name == "Completed" else status.custom_status


def is_abridged(said: Any) -> bool:
    """Tell whether a story left its texts in the history."""
    return isinstance(said, dict) and bool(said.get("abridged"))


def was_terminated(status: df.DurableOrchestrationStatus, found: Found) -> bool:
    """Tell whether an operator ended an instance that says of itself that it was settled."""
    return status.runtime_status.name in TERMINATED and not found.story.is_open


def events_of(history: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Give the names and data of all events an instance has received, oldest first."""
    return [(event["Name"], event.get("Input")) for event in history if event.get("EventType") == "EventRaised"]


def was_told(history: list[dict[str, Any]]) -> bool:
    """Tell whether the outcome was acted on: the host names a task by itself, or with its result when it has one."""
    return any(TELLS_OUTCOME in (event.get("Name"), event.get("FunctionName")) for event in history)


@lru_cache(maxsize=REQUESTS_KEPT)
def read_request(text: str) -> Request:
    """Read a request, once for all the looks that soon follow each other. Raises ValueError."""
    return Request.from_json(text)


def read_status(status: df.DurableOrchestrationStatus) -> Found | None:
    """Give the request and the story as it was published; nothing for an instance that is not one of ours."""
    try:
        request = read_request(status.input_) if isinstance(status.input_, str) else Request.from_json(status.input_)
    except ValueError:  # started past us, through the host's webhook
        logger.warning("Instance %s is not one of ours.", status.instance_id)
        return None
    said = published_story(status)
    return Found(request=request, story=Story.from_json(said) if said else Story())


def apply_runtime_status(found: Found, status: df.DurableOrchestrationStatus, history: list[dict[str, Any]]) -> Found:
    """See what an operator, or a defect, has done to the instance.

    Python is replayed while the host holds an instance back: an outcome that it shows then, or that was shown when it
    was terminated, may not have happened. It has when `process_approval` was scheduled.
    """
    story, runtime = found.story, status.runtime_status.name
    undone = {"status": Status.PENDING, "settled_at": None, "decision": None, "cancellation": None}
    if runtime == "Suspended":
        story = story.model_copy(update=undone).with_note("An operator has suspended this request.")
        return found.model_copy(update={"story": story, "suspended": True})
    ended = utc(status.last_updated_time)
    if runtime in TERMINATED and (story.is_open or not was_told(history)):
        by = Cancellation(by="an operator", reason=str(status.output or "")[:2000], cancelled_at=ended)
        over = {**undone, "status": Status.CANCELLED, "settled_at": ended, "cancellation": by}
        return found.with_story(story.model_copy(update=over))
    if story.is_open and runtime == "Failed":
        return found.with_story(story.model_copy(update={"status": Status.FAILED, "settled_at": ended}))
    return found

"""Who is told what, through which channels; and what could not be delivered.

A message for one person has that person's own link and goes through the channels that can address a person. A
channel with many readers hears what goes on, without a link to anyone's slot.
"""

from __future__ import annotations

import concurrent.futures
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.people import channels, links, messages
from approvals.people.channels import Channel, Message, Undeliverable
from approvals.people.links import Signer
from approvals.rules.notices import OUTCOME, key_of
from approvals.rules.story import Found, Status, Undelivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from approvals.settings import Settings

logger = logging.getLogger("approvals.people.delivery")

ASKING = ("asked", "escalated", "passed_on", "reminded")
OUTCOMES = {Status.TIMEOUT: "timed_out", Status.CANCELLED: "cancelled"}

SECONDS = 8.0
"""How long is waited for the channels; what has not been taken by then counts as failed, and is sent again."""
AT_ONCE = 8


@dataclass(frozen=True)
class Dispatch:
    """Sends messages through the channels of this process."""

    channels: tuple[Channel, ...]
    signer: Signer
    tells_requester: bool = False
    seconds: float = SECONDS

    @classmethod
    def of(cls, settings: Settings) -> Dispatch:
        """Take the channels, the keys and the choices of the operator."""
        return cls(channels.configured_channels(settings), Signer(settings.link_keys), settings.notify_requester)

    def announce(self, found: Found, occasion: str, key: str = "") -> tuple[Undelivered, ...]:
        """Tell everyone an occasion concerns. Gives what failed."""
        return self.send_all(found, self.plan(found, occasion, key or key_of(found, occasion)))

    def retry(self, found: Found, failed: Iterable[Undelivered]) -> tuple[Undelivered, ...]:
        """Send what failed once more, under the same keys, to whom it still concerns. Gives what failed again."""
        useless: list[Undelivered] = []
        wanted: list[Undelivered] = []
        for each in failed:
            if not each.channel:
                wanted += self.plan(found, each.occasion, each.key)
            elif each.permanent:
                useless.append(each)
            elif each.to is None or is_among(found, each.to, self.people(found, each.occasion)):
                wanted.append(each)
        return (*useless, *self.send_all(found, wanted))

    def plan(self, found: Found, occasion: str, key: str) -> Iterator[Undelivered]:
        """Name every message that an occasion means, as if it had not been delivered."""
        if occasion not in (*ASKING, OUTCOME):
            return
        people = list(self.people(found, occasion))
        for channel in self.channels:
            if channel.personal:
                for person in people:
                    yield Undelivered(
                        to=person,
                        channel=channel.name,
                        key=f"{key}+{links.fingerprint(found.request, person)}",
                        occasion=occasion,
                    )
            else:
                yield Undelivered(channel=channel.name, key=key, occasion=occasion)

    def people(self, found: Found, occasion: str) -> Iterator[str]:
        """Name whom an occasion concerns: who is awaited; when it is over, the requester, too."""
        holders = (found.holder(slot) for slot in found.awaited)
        awaited = [one for one in holders if one and not found.request.forbids(one)]
        if occasion == "passed_on" and found.story.changes:
            latest = [found.story.changes[-1].to]
            awaited = [holder for holder in awaited if is_among(found, holder, latest)]
        yield from awaited
        requester = found.request.requester
        if occasion == OUTCOME and self.tells_requester and not is_among(found, requester, awaited):
            yield requester

    def send_all(self, found: Found, wanted: Iterable[Undelivered]) -> tuple[Undelivered, ...]:
        """Send messages side by side, so that one channel that hangs holds up no other. Gives what failed."""
        by_name = {channel.name: channel for channel in self.channels}
        wanted = [each for each in wanted if each.channel in by_name]
        if not wanted:
            return ()
        with_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery")
        try:
            running = {
                with_threads.submit(by_name[each.channel].send, self.message(found, each)): each for each in wanted
            }
            concurrent.futures.wait(running, timeout=self.seconds)
            failed = [failure_of(task, each) for task, each in running.items()]
        finally:
            with_threads.shutdown(wait=False, cancel_futures=True)
        return tuple(each for each in failed if each)

    def message(self, found: Found, each: Undelivered) -> Message:
        """Compose a message, with the link of the person it is for."""
        occasion = OUTCOMES.get(found.story.status, "decided") if each.occasion == OUTCOME else each.occasion
        link = None if each.occasion == OUTCOME else self.link(found, each.to)
        return messages.compose(found, occasion, key=each.key, to=each.to, link=link)

    def link(self, found: Found, person: str | None) -> str | None:
        """Give the address at which a person answers; the open slot's is for whoever is told."""
        slot = found.slot_of(person) if person else (None if found.panel.approvers else 0)
        return None if slot is None else slot_address(self.signer, found, slot)


def is_among(found: Found, person: str, people: Iterable[str]) -> bool:
    """Tell whether a person is one of these, by the rules of the request."""
    return any(found.request.is_same(person, each) for each in people)


def slot_address(signer: Signer, found: Found, slot: int) -> str:
    """Give the address at which the present holder of a slot answers."""
    story = found.story
    link = links.link_to(
        found.request,
        stage=story.stage,
        escalated=story.escalated,
        slot=slot,
        generation=found.generation(slot),
        holder=found.holder(slot),
    )
    return signer.address(found.request, link)


def failure_of(task: concurrent.futures.Future[None], each: Undelivered) -> Undelivered | None:
    """Give what was not delivered, or nothing; a channel's defect is a failure like any other."""
    if not task.done():
        logger.warning("%s did not take %s in time.", each.channel, each.key)
        return each
    match task.exception():
        case None:  # here and not in the channel: what its thread writes does not reach the real host's log
            logger.info("%s took %s.", each.channel, each.key)
            return None
        case Undeliverable(permanent=True):
            logger.warning("%s cannot take %s.", each.channel, each.key)
            return each.model_copy(update={"permanent": True})
        case error:
            logger.warning("%s did not take %s: %s.", each.channel, each.key, type(error).__name__)
            return each

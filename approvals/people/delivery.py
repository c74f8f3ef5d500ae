"""Who is told what, through which channels; and what could not be delivered.

A message for one person has that person's own link and goes through the channels that can address a person. A
channel with many readers hears what goes on, without a link to anyone's slot.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals import signals
from approvals.people import links, messages, outlets
from approvals.people.channels import Channel, LogChannel, Message, Undeliverable
from approvals.people.links import Signer
from approvals.people.threads import run_in_thread
from approvals.rules.notices import OUTCOME, key_of
from approvals.rules.story import Found, Status, Undelivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from approvals.settings import Settings

logger = logging.getLogger("approvals.people.delivery")

ASKING = ("asked", "escalated", "passed_on", "reminded")
OUTCOMES = {Status.TIMEOUT: "timed_out", Status.CANCELLED: "cancelled"}

SECONDS = 8.0
"""How long a message may take, from composing it to its being taken; then it counts as failed, and is sent again."""


@dataclass(frozen=True)
class Addressees:
    """Who is told of a request when it is made, through which channels, and who never can be told of anything."""

    told: dict[str, list[str]]
    rooms: list[str]
    """Channels that many read."""
    undeliverable: list[str]

    def reach_anyone(self, found: Found) -> bool:
        """Tell whether somebody gets a link: who is asked by name, or, on an open slot, whoever reads a room."""
        return bool(self.told if found.panel.approvers else self.rooms)


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
        return cls(outlets.configured_channels(settings), Signer(settings.link_keys), settings.notify_requester)

    def unreachable(self, people: Iterable[str]) -> list[str]:
        """Name those whom no channel can ever reach, though there are channels that address a person.

        Blocking: the first time it loads Apprise, and it makes each service anew for each person.
        """
        personal = [channel for channel in self.channels if channel.personal]
        return [one for one in dict.fromkeys(people) if personal and not any(c.reaches(one) for c in personal)]

    async def addressees(self, found: Found) -> Addressees:
        """Say whom a new request is told, and whom of all its people no channel can ever reach."""
        personal = [channel for channel in self.channels if channel.personal]
        rooms = [
            channel.name for channel in self.channels if not channel.personal and not isinstance(channel, LogChannel)
        ]
        if not found.request.tell or not personal:
            return Addressees({}, rooms if found.request.tell else [], [])
        everyone = [holder for *_, holder in found.policy.places if holder]
        everyone += [found.request.requester] if self.tells_requester else []

        def look() -> Addressees:
            reached = {one: [c.name for c in personal if c.reaches(one)] for one in self.people(found, "asked")}
            return Addressees({one: by for one, by in reached.items() if by}, rooms, self.unreachable(everyone))

        return await run_in_thread("addressees", look)

    async def announce(self, found: Found, occasion: str, key: str = "") -> tuple[Undelivered, ...]:
        """Tell everyone an occasion concerns. Gives what failed."""
        return await self.send_all(found, self.plan(found, occasion, key or key_of(found, occasion)))

    async def retry(self, found: Found, failed: Iterable[Undelivered]) -> tuple[Undelivered, ...]:
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
        return (*useless, *await self.send_all(found, wanted))

    async def tell_requester(self, found: Found, occasion: str, key: str, about: str) -> bool:
        """Tell the requester something about somebody, once; give whether a channel took it."""
        to = found.request.requester
        sent = [
            await self.send(found, Undelivered(to=to, channel=channel.name, key=key, occasion=occasion), channel, about)
            for channel in self.channels
            if channel.personal and self.tells_requester
        ]
        return any(failed is None for failed in sent)

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
        """Name whom an occasion concerns: who is awaited; when it is over, who answered and the requester, too."""
        holders = (found.holder(slot) for slot in found.awaited)
        awaited = [one for one in holders if one and not found.request.forbids(one)]
        if occasion == "passed_on" and found.story.changes:
            latest = [found.story.changes[-1].to]
            awaited = [holder for holder in awaited if is_among(found, holder, latest)]
        if occasion == OUTCOME:
            voters = [vote.approver for vote in found.story.votes]
            awaited = unique(found, [*awaited, *voters, *([found.request.requester] if self.tells_requester else [])])
        yield from awaited

    async def send_all(self, found: Found, wanted: Iterable[Undelivered]) -> tuple[Undelivered, ...]:
        """Send messages side by side, so that one channel that hangs holds up no other. Gives what failed."""
        by_name = {channel.name: channel for channel in self.channels}
        sending = (self.send(found, each, by_name[each.channel]) for each in wanted if each.channel in by_name)
        return tuple(each for each in await asyncio.gather(*sending) if each)

    async def send(self, found: Found, each: Undelivered, channel: Channel, about: str = "") -> Undelivered | None:
        """Send a message. Gives it back when it failed; a channel's defect is a failure like any other.

        It is composed and sent in a thread. What is logged of it is logged here: the host drops a thread's lines.
        """
        try:
            async with asyncio.timeout(self.seconds):
                said = await run_in_thread(
                    f"delivery to {channel.name}", lambda: channel.send(self.message(found, each, about))
                )
        except TimeoutError:
            signals.DELIVERY_FAILED.write(channel=each.channel, key=each.key, reason="late")
            return each
        except Undeliverable as error:
            reason = "permanent" if error.permanent else "refused"
            signals.DELIVERY_FAILED.write(channel=each.channel, key=each.key, reason=reason)
            return each.model_copy(update={"permanent": True}) if error.permanent else each
        except Exception as error:  # noqa: BLE001 - its text may have a link in it
            signals.DELIVERY_FAILED.write(channel=each.channel, key=each.key, reason=type(error).__name__)
            return each
        logger.info("%s", said)
        return None

    def message(self, found: Found, each: Undelivered, about: str = "") -> Message:
        """Compose a message, with the link of the person it is for."""
        occasion = OUTCOMES.get(found.story.status, "decided") if each.occasion == OUTCOME else each.occasion
        link = self.link(found, each.to) if each.occasion in ASKING else self.requester_link(found, each.to)
        return messages.compose(found, occasion, key=each.key, to=each.to, link=link, about=about)

    def requester_link(self, found: Found, person: str | None) -> str | None:
        """Give the address at which whoever asked sees what becomes of it; nothing for others."""
        request = found.request
        return self.signer.requester_address(request) if person and request.is_same(person, request.requester) else None

    def link(self, found: Found, person: str | None) -> str | None:
        """Give the address at which a person answers; the open slot's is for whoever is told."""
        slot = found.slot_of(person) if person else (None if found.panel.approvers else 0)
        return None if slot is None else slot_address(self.signer, found, slot)


def unique(found: Found, people: Iterable[str]) -> list[str]:
    """Give each of these people once, by the rules of the request."""
    kept: list[str] = []
    for person in people:
        if person and not is_among(found, person, kept):
            kept.append(person)
    return kept


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

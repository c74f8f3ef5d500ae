"""Mail: a message becomes a letter, and one of two transports takes it.

A letter has a text part of its own, which loses nothing; a name of its own (`Message-ID`), the same when it is sent
again; and a thread for each request (RFC 5322, 3.6.4). It says that a machine wrote it (RFC 3834) and what list it
belongs to (RFC 2919), so that no absence note answers it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol

from approvals.people.channels import Message, Undeliverable

if TYPE_CHECKING:
    import datetime as dt

NAME = "mail"
"""The channel's name; those that go through Apprise keep theirs, so that what they failed at is sent again."""


@dataclass(frozen=True)
class Mailbox:
    """Where a person's mail goes: the address with its domain in ASCII (RFC 5890)."""

    address: str
    needs_utf8: bool
    """Whether the part before the `@` has letters that only SMTPUTF8 carries (RFC 6531)."""


class Transport(Protocol):
    """What takes letters."""

    @property
    def takes_utf8(self) -> bool:
        """Whether an address may have letters beyond ASCII before its `@`."""

    def send(self, letter: EmailMessage, to: Mailbox) -> None:
        """Hand a letter over, in a few seconds, or raise Undeliverable. Blocks: it runs in a thread."""


@dataclass(frozen=True)
class MailChannel:
    """Letters to one person each."""

    transport: Transport
    sender: Address
    reply_to: Address | None = None
    name: str = NAME
    personal: bool = True

    def reaches(self, person: str) -> bool:
        """Tell whether a person's name is an address that the transport can write to."""
        return self.mailbox(person) is not None

    def mailbox(self, person: str) -> Mailbox | None:
        """Give a person's mailbox, or nothing where the transport cannot write to it."""
        found = read_mailbox(person)
        return found if found and (self.transport.takes_utf8 or not found.needs_utf8) else None

    def send(self, message: Message) -> str:
        """Write and send a letter. Raises Undeliverable, with nothing secret in it."""
        to = self.mailbox(message.to or "")
        if to is None:
            raise Undeliverable(f"{self.name} cannot address this person.", permanent=True)
        self.transport.send(write_letter(message, to, self.sender, self.reply_to), to)
        return f"{self.name} took {message.key}."


def read_mailbox(name: str) -> Mailbox | None:
    """Give the mailbox a name is, if it is the address of exactly one (RFC 5321), without comments or quotes."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only who writes mail should pay

    try:
        found = validate_email(name, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    return Mailbox(found.ascii_email or f"{found.local_part}@{found.ascii_domain}", found.ascii_email is None)


def write_letter(
    message: Message, to: Mailbox, sender: Address, reply_to: Address | None = None, at: dt.datetime | None = None
) -> EmailMessage:
    """Write a letter to one person."""
    letter = EmailMessage(policy=SMTP.clone(utf8=to.needs_utf8))
    username, _, domain = to.address.rpartition("@")
    letter["From"] = sender
    letter["To"] = Address(username=username, domain=domain)
    if reply_to:
        letter["Reply-To"] = reply_to
    letter["Subject"] = message.subject
    if at:
        letter["Date"] = format_datetime(at)
    for name, value in identifying_headers(message, sender.domain).items():
        letter[name] = value
    letter.set_content(message.letter)
    letter.add_alternative(message.html, subtype="html")
    return letter


def identifying_headers(message: Message, domain: str) -> dict[str, str]:
    """Give the headers that tell mail programs what a letter is: the same for the same message."""
    thread = f"<{message.thread}@{domain}>"
    return {
        "Message-ID": f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{domain}>",
        **({"In-Reply-To": thread, "References": thread} if message.thread else {}),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"Approvals <approvals.{domain}>",
    }

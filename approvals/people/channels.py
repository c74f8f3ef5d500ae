"""How people are told: a channel takes a message, or says that it did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

CONNECT_SECONDS = 5.0
"""How long is waited for a server's every word; libraries' own are longer than an activity waits."""


@dataclass(frozen=True)
class Message:
    """What is said, in the forms that channels take."""

    key: str
    """The same when the same message is sent again."""
    subject: str
    """One line."""
    text: str
    """Plain text: what callers wrote has been made inert, and a line that is an address is ours."""
    html: str
    """An HTML document."""
    to: str | None
    """The person it is for, or nothing: whoever reads a shared channel."""
    letter: str = ""
    """Plain text again, whole, as a mail program shows it."""
    thread: str = ""
    """What all messages of one request have in common."""
    link: str | None = None
    """The page it leads to."""
    card: str = ""
    """Plain text without the link, for a card that has a button."""
    button: str = "Open the request"
    """What the button says."""


class Undeliverable(Exception):
    """A channel did not take a message."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent
        """Whether sending it again is useless: the person cannot be addressed here."""


class Channel(Protocol):
    """One way out."""

    @property
    def name(self) -> str:
        """What names it in logs and in the status; no secret."""

    @property
    def personal(self) -> bool:
        """Whether a message goes to one person, or to whoever reads it."""

    def reaches(self, person: str) -> bool:
        """Tell whether a message for this person can ever be sent."""

    def send(self, message: Message) -> str:
        """Send a message; give the line for the log that says so. Raises Undeliverable.

        Runs in a thread, whose own lines the host would drop.
        """


@dataclass(frozen=True)
class LogChannel:
    """Says in the log that somebody would be told; what they would be told has a link in it, and is not written."""

    name: str = "log"
    personal: bool = False

    def reaches(self, person: str) -> bool:  # noqa: ARG002 - whoever it is
        """Everyone is written of."""
        return True

    def send(self, message: Message) -> str:
        """Say to whom, and what about."""
        return f"To {message.to or 'everyone'}: {message.subject} ({message.key})"

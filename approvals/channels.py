"""How people are told. A channel takes a message and returns, or raises."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from approvals.settings import Settings

logger = logging.getLogger("approvals.channels")


class Message(BaseModel):
    """What is said, to whom it concerns. `key` is the same when the same message is sent again."""

    model_config = ConfigDict(frozen=True)

    key: str
    subject: str
    body: str


class Channel(Protocol):
    """One way out."""

    def send(self, message: Message) -> None:
        """Send a message."""


class LogChannel:
    """Writes messages to the log, links included: for development, where the log is on the same desk."""

    def send(self, message: Message) -> None:
        """Write the message to the log."""
        logger.info("%s\n    %s", message.subject, message.body)


def configured(settings: Settings) -> list[Channel]:
    """Give the channels the operator configured; none is a valid choice."""
    return [LogChannel()] if settings.notify_log else []

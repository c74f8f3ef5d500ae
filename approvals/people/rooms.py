"""Cards in rooms of Slack and Teams, by a room's own webhook: what is asked, and a button that leads to the page.

A card says what a text says, in the service's own blocks; its button is there when whoever reads the room may answer.
Source: api.slack.com/reference/block-kit/blocks, learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from approvals.people.channels import CONNECT_SECONDS, Message, Undeliverable
from approvals.settings import BadSetting, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

SLACK_HEADLINE, SLACK_TEXT = 150, 3000
"""Characters that Slack's header and section take."""


@dataclass(frozen=True)
class RoomChannel:
    """A room. `number` tells which of the operator's it is: its address is a secret."""

    kind: str
    url: str = field(repr=False)
    number: int
    personal: bool = False

    @classmethod
    def at(cls, address: str, number: int) -> RoomChannel:
        """Read one of `NOTIFY_ROOMS`: `slack+https://…` or `teams+https://…`. Raises BadSetting, without it."""
        kind, _, url = address.partition("+")
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        if kind not in CARDS or not parts.hostname or not secure:
            raise BadSetting(
                f"NOTIFY_ROOMS: number {number} must be slack+https://hooks.slack.com/… or teams+https://…."
            )
        return cls(kind, url, number)

    @property
    def name(self) -> str:
        """The kind of room, and which of them."""
        return f"{self.kind}-room-{self.number}"

    def reaches(self, person: str) -> bool:  # noqa: ARG002 - whoever it is
        """Whoever reads the room is told."""
        return True

    def send(self, message: Message) -> str:
        """Post a card, once; a redirect is not followed. Raises Undeliverable."""
        import requests  # noqa: PLC0415 - only who tells rooms should pay

        try:
            answer = requests.post(
                self.url, json=CARDS[self.kind](message), timeout=CONNECT_SECONDS, allow_redirects=False
            )
        except (requests.RequestException, ValueError) as error:
            raise Undeliverable(f"{self.name} was not reached: {type(error).__name__}.") from None
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004 - success, in HTTP
            raise Undeliverable(f"{self.name} did not take {message.key}: {answer.status_code}.")
        return f"{self.name} took {message.key}."


def slack_card(message: Message) -> dict[str, Any]:
    """Write a message in Slack's blocks; plain text, in which nothing is markup."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.subject[:SLACK_HEADLINE], "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": message.card[:SLACK_TEXT], "emoji": False}},
    ]
    if message.link:
        button = {"type": "button", "style": "primary", "url": message.link}
        blocks.append(
            {"type": "actions", "elements": [button | {"text": {"type": "plain_text", "text": message.button}}]}
        )
    return {"text": message.subject, "blocks": blocks}


def teams_card(message: Message) -> dict[str, Any]:
    """Write a message as an adaptive card; a line of text is a block, since Markdown joins lines."""
    lines = [line for line in message.card.splitlines() if line.strip()]
    body = [{"type": "TextBlock", "text": message.subject, "wrap": True, "weight": "bolder", "size": "medium"}]
    body += [{"type": "TextBlock", "text": line, "wrap": True, "spacing": "small"} for line in lines]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": message.button, "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


CARDS: dict[str, Callable[[Message], dict[str, Any]]] = {"slack": slack_card, "teams": teams_card}

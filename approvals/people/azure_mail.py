"""Letters by Azure Communication Services, in the name of the app's own identity: there is no password.

What it takes it answers 202, and sends within minutes. The operation's id is the message's, so that one that is sent
again is the same operation. The name beside the sender's address is the domain's own (`MailFrom` in Azure), and the
service takes addresses in ASCII alone.
Source: learn.microsoft.com/rest/api/communication/email/email/send.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from approvals.people.channels import CONNECT_SECONDS, Undeliverable

if TYPE_CHECKING:
    from email.message import EmailMessage

    from approvals.people.mail import Mailbox

OPERATIONS = uuid.UUID("0d1f9f0e-9b0b-4a39-8f0c-6a4f5f0c3f5b")


@dataclass(frozen=True)
class AzureTransport:
    """The service at an endpoint."""

    endpoint: str
    takes_utf8: bool = False

    def send(self, letter: EmailMessage, to: Mailbox) -> None:
        """Hand a letter to the service. Raises Undeliverable."""
        from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError  # noqa: PLC0415 - as above

        try:
            with self.client() as client:
                client.begin_send(
                    as_json(letter, to),
                    operation_id=str(uuid.uuid5(OPERATIONS, letter["Message-ID"])),
                    polling=False,
                )
        except ResourceExistsError:
            return  # it was taken before, and the answer was lost
        except HttpResponseError as error:
            raise Undeliverable(f"The mail service did not take a letter: {error.status_code}.") from None
        except AzureError as error:
            raise Undeliverable(f"The mail service was not reached: {type(error).__name__}.") from None

    def client(self) -> Any:
        """Make a client; a letter is rare, and a connection that is kept would be shared between threads."""
        from azure.communication.email import EmailClient  # noqa: PLC0415 - only who writes mail should pay

        return EmailClient(
            self.endpoint,
            credential(),
            retry_total=1,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=CONNECT_SECONDS,
        )


def credential() -> Any:
    """Give the app's identity."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - as above

    return DefaultAzureCredential()


def as_json(letter: EmailMessage, to: Mailbox) -> dict[str, Any]:
    """Write a letter as the service wants it. The sender's name and `Date` are its own business."""
    own = {"from", "to", "reply-to", "subject", "date", "content-type", "mime-version", "content-transfer-encoding"}
    parts = {part: letter.get_body((part,)) for part in ("plain", "html")}
    reply_to = letter["Reply-To"]
    return {
        "senderAddress": letter["From"].addresses[0].addr_spec,
        "recipients": {"to": [{"address": to.address}]},
        "content": {
            "subject": str(letter["Subject"]),
            "plainText": parts["plain"].get_content() if parts["plain"] else "",
            "html": parts["html"].get_content() if parts["html"] else "",
        },
        **({"replyTo": [{"address": reply_to.addresses[0].addr_spec}]} if reply_to else {}),
        "headers": {name: str(value) for name, value in letter.items() if name.lower() not in own},
        "userEngagementTrackingDisabled": True,
    }

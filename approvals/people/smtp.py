"""Letters by SMTP: `smtps://` speaks TLS from the first byte, `smtp://` turns to it before anything is said."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from approvals.people.channels import CONNECT_SECONDS, Undeliverable
from approvals.settings import BadSetting, is_loopback

if TYPE_CHECKING:
    from email.message import EmailMessage

    from approvals.people.mail import Mailbox

PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = (550, 551, 553)
"""What a server says of an address that it will never take (RFC 5321, 4.2.3)."""


@dataclass(frozen=True)
class SmtpTransport:
    """A mail server. Its password is nowhere in what is logged or raised."""

    host: str
    port: int
    tls: bool
    """Whether TLS comes first; otherwise STARTTLS is demanded, but of a server on this machine."""
    username: str = ""
    password: str = field(default="", repr=False)
    takes_utf8: bool = True

    @classmethod
    def at(cls, url: str) -> SmtpTransport:
        """Read `SMTP_URL`. Raises BadSetting, without the address: it holds a password."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
            if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
                raise ValueError  # noqa: TRY301 - one sentence for all of them
        except (ValueError, KeyError):
            raise BadSetting("SMTP_URL must be smtps://user:password@host:465 or smtp://…:587.") from None
        credentials = (unquote(parts.username or ""), unquote(parts.password or ""))
        return cls(parts.hostname, port, parts.scheme == "smtps", *credentials)

    def send(self, letter: EmailMessage, to: Mailbox) -> None:
        """Hand a letter to the server. Raises Undeliverable."""
        import aiosmtplib  # noqa: PLC0415 - only who writes mail should pay

        sending = aiosmtplib.send(
            letter,
            sender=letter["From"].addresses[0].addr_spec,
            recipients=[to.address],
            hostname=self.host,
            port=self.port,
            use_tls=self.tls,
            start_tls=not (self.tls or is_loopback(self.host)),
            username=self.username or None,
            password=self.password or None,
            timeout=CONNECT_SECONDS,
            mail_options=["SMTPUTF8"] if to.needs_utf8 else [],
        )
        try:
            asyncio.run(sending)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPNotSupported) as error:
            raise Undeliverable("The mail server refused the address.", permanent=is_permanent(error)) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undeliverable(f"The mail server did not take a letter: {type(error).__name__}.") from None


def is_permanent(error: Exception) -> bool:
    """Tell whether a server will never take this address; one that lacks SMTPUTF8 never takes such a letter."""
    refused = getattr(error, "recipients", None)
    return refused is None or all(each.code in PERMANENT for each in refused)

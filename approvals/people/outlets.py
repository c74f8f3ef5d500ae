"""Which channels the operator has configured."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.headerregistry import Address, AddressHeader
from functools import cache
from typing import TYPE_CHECKING, Any

from approvals.people.azure_mail import AzureTransport
from approvals.people.channels import Channel, LogChannel
from approvals.people.mail import MailChannel, read_mailbox
from approvals.people.rooms import RoomChannel
from approvals.people.services import AppriseChannel
from approvals.people.smtp import SmtpTransport
from approvals.settings import BadSetting

if TYPE_CHECKING:
    from approvals.people.mail import Transport
    from approvals.settings import Settings


@cache
def configured_channels(settings: Settings) -> tuple[Channel, ...]:
    """Give the channels the operator configured; none is a valid choice. Raises BadSetting."""
    services = [AppriseChannel(url, number) for number, url in enumerate(settings.notify_urls, start=1)]
    for service in services:
        service.check()
    return (
        *((LogChannel(),) if settings.notify_log else ()),
        *services,
        *mail_channels(settings),
        *(RoomChannel.at(url, number) for number, url in enumerate(settings.notify_rooms, start=1)),
    )


def mail_channels(settings: Settings) -> tuple[MailChannel, ...]:
    """Give the channel for mail, if there is one. Raises BadSetting."""
    if settings.smtp_url and settings.mail_endpoint:
        raise BadSetting("SMTP_URL and MAIL_ENDPOINT are both set: mail goes one way.")
    if not settings.smtp_url and not settings.mail_endpoint:
        if settings.mail_from or settings.mail_reply_to:
            raise BadSetting("MAIL_FROM is set, and neither SMTP_URL nor MAIL_ENDPOINT: nothing would be sent.")
        return ()
    if not settings.mail_from:
        raise BadSetting("MAIL_FROM is not set: who writes the mail?")
    sender = parse_mailbox("MAIL_FROM", settings.mail_from)
    if not sender.display_name:
        sender = Address(settings.brand.name, sender.username, sender.domain)
    reply_to = parse_mailbox("MAIL_REPLY_TO", settings.mail_reply_to) if settings.mail_reply_to else None
    return (MailChannel(transport_of(settings), sender, reply_to),)


def transport_of(settings: Settings) -> Transport:
    """Give what takes the mail. Raises BadSetting."""
    if settings.smtp_url:
        return SmtpTransport.at(settings.smtp_url)
    return AzureTransport(settings.mail_endpoint)


def parse_mailbox(name: str, text: str) -> Address:
    """Read `Name <address>`, or an address alone. Raises BadSetting."""
    try:
        parsed: dict[str, Any] = {"defects": []}
        AddressHeader.parse(text, parsed)
        ((display, address),) = [
            (each.display_name, each.addr_spec) for group in parsed["groups"] for each in group.addresses
        ]
        if parsed["defects"] or not (found := read_mailbox(address)) or found.needs_utf8:
            raise ValueError  # noqa: TRY301 - one sentence for all of them
    except (ValueError, IndexError, HeaderParseError):
        raise BadSetting(f"{name} must be an address, or a name and one: Approvals <approvals@example.com>.") from None
    username, _, domain = found.address.rpartition("@")
    return Address(display, username, domain)

"""A hundred notification services, through Apprise: the one module that knows it.

What it logs has addresses with passwords in it, and links: it is silenced, and we say ourselves which channel took
what.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from approvals.people.channels import CONNECT_SECONDS, Message, Undeliverable
from approvals.settings import BadSetting

APPROVER = "{approver}"
"""Stands in an address for the person a message is for."""
PROBES = ("probe@example.com", "probe", "+15555550100")
"""People who might be addressed, to see at the start whether an address makes sense."""
ONE_RECIPIENT = re.compile(r"(?=.*[^\W_])@?[\w.+!~-]+(?:[@:][\w.+~-]+)?")
"""A name that is surely one address, and no step of a path such as `..`. Apprise splits lists at blanks and `[],;`,
some services at `|`; in what is left it looks for e-mail addresses: `eve:ada@example.com` and `o'ada@example.com` are
Ada's, `a@b.com:c@d.org` is two."""
LINK_LINE = re.compile(r"^(https?://\S+)$", re.MULTILINE)
TALKATIVE = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib")
"""Their logs have whole addresses in them, at one level or another; a webhook's address is its password."""


@dataclass(frozen=True)
class AppriseChannel:
    """A service of Apprise's. `number` tells which of the operator's addresses it is: they are secret."""

    url: str = field(repr=False)
    number: int

    @property
    def name(self) -> str:
        """The kind of service, and which of them."""
        return f"{self.url.partition('://')[0].lower()}-{self.number}"

    @property
    def personal(self) -> bool:
        """Whether the person is part of the address."""
        return APPROVER in self.url

    def check(self) -> None:
        """Look whether Apprise understands the address. Raises BadSetting."""
        try:
            services = [self.service(probe) for probe in (PROBES if self.personal else ("",))]
        except Exception:  # noqa: BLE001 - plugins raise anything, with addresses in it
            services = []
        understood = next((service for service in services if service), None)
        if not understood:
            raise BadSetting(f"NOTIFY_URLS: number {self.number} is not an address that Apprise understands.") from None
        if name_steers(self.url, understood):
            raise BadSetting(
                f"NOTIFY_URLS: number {self.number} has {APPROVER} where a name would choose the host, or an option."
            )

    def send(self, message: Message) -> str:
        """Send a message, once. Raises Undeliverable, with nothing secret in it."""
        service = self.service_for(message.to)
        if isinstance(headers := getattr(service, "headers", None), dict):
            headers["X-Approval-Message"] = re.sub(r"[^\x21-\x7e]", "", message.key)
        try:
            from apprise import Apprise  # noqa: PLC0415 - see `service`

            body, body_format = fit(service, message)
            sender = Apprise(asset=service.asset)
            sender.add(service)
            # only by this way in does Apprise convert text for every service: by the plugin's own, Telegram would
            # be sent a caller's <b> as markup (read in its code, and tried)
            taken = bool(sender.notify(body=body, title=message.subject, body_format=body_format))
        except Exception:  # noqa: BLE001 - see `check`
            taken = False
        if not taken:
            raise Undeliverable(f"{self.name} did not take {message.key}.") from None
        return f"{self.name} took {message.key}."

    def reaches(self, person: str) -> bool:
        """Tell whether the service can be addressed to a person; one that cannot be used at all is another matter."""
        try:
            self.service_for(person)
        except Undeliverable as error:
            return not error.permanent
        return True

    def service_for(self, person: str | None) -> Any:
        """Give the service, addressed to the person. Raises Undeliverable when that cannot be done safely."""
        nobody = Undeliverable(f"{self.name} cannot address this person.", permanent=True)
        if self.personal and not (person and ONE_RECIPIENT.fullmatch(person)):
            raise nobody
        try:
            service = self.service(person or "")
        except Exception:  # noqa: BLE001 - see `check`
            raise Undeliverable(f"{self.name} cannot be used.") from None
        if self.personal and (service is None or not addresses_person(service, person or "")):
            raise nobody
        if self.personal and name_steers(self.url, service):
            raise nobody
        if service is None:
            raise Undeliverable(f"{self.name} cannot be used.")
        return service

    def service(self, person: str) -> Any:
        """Make the service, for a person, or nothing if Apprise does not understand the address.

        Made anew for each message: a service of Apprise's waits between two messages, keeps state, and is no thing
        to share between threads.
        """
        # Here and not above: Apprise costs a start 0.3 seconds (measured), and only who tells people should pay.
        import apprise  # noqa: PLC0415

        silence_libraries()
        service = apprise.Apprise.instantiate(self.url.replace(APPROVER, quote(person, safe="")), asset=apprise_asset())
        if service is not None and not re.search(r"[?&]cto=", self.url):
            service.socket_connect_timeout = min(service.socket_connect_timeout, CONNECT_SECONDS)
        return service


def fit(service: Any, message: Message) -> tuple[str, str]:
    r"""Choose what a service is sent, and say in which of Apprise's formats it is.

    Services with a subject and HTML are mail, and get the document. Whoever takes text gets text. The rest takes
    Markdown alone: Apprise would escape our link's dots (`https://example\.com`), so the text, which is inert,
    goes as Markdown, the link as a link.
    """
    if service.resolve_format(None) == "html" and service.title_maxlen > 0:
        return message.html, "html"
    if service.resolve_format("text") == "markdown":
        lines = LINK_LINE.sub(r"[\1](\1)", message.text).splitlines()
        return "  \n".join(lines), "markdown"
    return message.text, "text"


def addresses_person(service: Any, person: str) -> bool:
    """Tell whether Apprise understood a person's name as that one person, and did not drop or divide it."""
    targets = getattr(service, "targets", None)
    if isinstance(targets, list | tuple | set) and len(targets) != 1:
        return False
    try:
        return letters(person) in letters(unquote(service.url(privacy=False)))
    except Exception:  # noqa: BLE001 - a plugin that cannot write its address has not understood it
        return False


def name_steers(url: str, service: Any) -> bool:
    """Tell whether a name in this address chose the host that is called, or which option is set.

    Some services have their recipients in place of a host: they have no host then, or none in their own patterns.
    """
    address, _, query = url.partition("://")[2].partition("?")
    options = [option.partition("=")[0] for option in query.split("&")]
    calls_host = service.host and any("{host}" in str(template) for template in service.templates)
    return bool(APPROVER in address.partition("/")[0].rpartition("@")[2] and calls_host) or any(
        APPROVER in option for option in options
    )


def letters(text: str) -> str:
    """Give what is left of a text when services have written it in their own manner: +1 555 is 1555."""
    return "".join(character for character in text.casefold() if character.isalnum())


@cache
def apprise_asset() -> Any:
    """Give what all services of Apprise's share: what callers wrote stays as it is, and nothing is kept or fetched."""
    from apprise import AppriseAsset  # noqa: PLC0415 - see `AppriseChannel.service`

    return AppriseAsset(
        app_id="Durable Approvals",
        app_desc="Durable Approvals",
        image_url_mask="",
        image_url_logo="",
        interpret_emojis=False,
        interpret_escapes=False,
        allow_templates=False,
        http_redirects=False,  # a redirect would carry a link to an address that nobody configured
        async_mode=False,
        service_timeout=0,  # its own would be a thread for each message; ours is kept where messages are sent
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        secure_logging=True,
        language="en",
    )


def silence_libraries() -> None:
    """Keep what writes addresses and links out of every log, at every level.

    Those that exist are disabled, since a log may be listened to where it is written; those yet to be made, by a
    plugin that is loaded later, speak to a parent that passes nothing on.
    """
    for name in TALKATIVE:
        talkative = logging.getLogger(name)
        talkative.propagate = False
        if not talkative.handlers:
            talkative.addHandler(logging.NullHandler())
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in TALKATIVE:
            logging.getLogger(name).disabled = True

"""The mail an app sends, kept on this machine for whoever develops it: a small mail server, and pages to read it.

An app says in `[tool.devhost.outbox]` of its pyproject.toml which of its settings lead its mail here; `{outbox}` in
them is the server's address. Both listen on the loopback interface alone, since a mail may hold what only its
reader should have; what is kept is bounded, and ends with the host.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import itertools
import logging
import re
import tomllib
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiosmtpd.smtp import SMTP

from devhost import index

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session

PATH = "/dev/outbox"
KEPT, MAIL_BYTES = 100, 1024 * 1024
ADDRESS = "{outbox}"

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 100%/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
ol { list-style: none; padding: 0; } li { padding: .75rem 0; border-top: 1px solid #8886; }
li a { font-weight: 600; } .soft { opacity: .8; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; } dd { margin: 0; }
iframe { width: 100%; height: 42rem; border: 1px solid #8888; border-radius: .5rem; }
pre { white-space: pre-wrap; padding: 1rem; border: 1px solid #8888; border-radius: .5rem; font: .9rem/1.5 ui-monospace, monospace; }
"""  # noqa: E501
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
OURS = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'"
# a mail runs nothing, asks nothing of the network, and opens its links in pages of their own
THEIRS = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
LINK = re.compile(r"^https?://\S+$", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """A message that was taken."""

    number: int
    at: dt.datetime
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)

    @cached_property
    def message(self) -> EmailMessage:
        """The message, as the standard library reads it."""
        return email.message_from_bytes(self.content, policy=email.policy.default)

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message.get("Subject", "")) or "(no subject)"

    @property
    def sender(self) -> str:
        """Who it says it is from."""
        return str(self.message.get("From", ""))

    @property
    def to(self) -> str:
        """Whom the mail server was told to bring it to."""
        return ", ".join(self.recipients)

    @property
    def text(self) -> str:
        """What it says as plain text, or nothing."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """What it says as HTML, or nothing."""
        return self._body("html")

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        if part is None:
            return ""
        try:
            return str(part.get_content()).replace("\r\n", "\n")
        except (LookupError, ValueError):  # a charset that Python does not know
            return part.as_string()


@dataclass
class Outbox:
    """Takes mail while it is started, and shows the newest of it."""

    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=KEPT))
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where it takes mail, as host and port."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Take mail from now on, on a free port of the loopback interface."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would write every mail to the log
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, data_size_limit=MAIL_BYTES, enable_SMTPUTF8=True, hostname="outbox", loop=loop),
            "127.0.0.1",
            0,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more."""
        if self._server:
            self._server.close()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep a mail."""
        at = dt.datetime.now().astimezone()
        self.mails.append(Mail(next(self._numbers), at, tuple(envelope.rcpt_tos), bytes(envelope.content or b"")))
        self.arrived.set()
        return "250 Kept"

    async def wait_for(self, to: str, seconds: float = 10) -> Mail:
        """Give the newest mail to someone, as soon as there is one. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                self.arrived.clear()
                for mail in reversed(self.mails):
                    if to in mail.recipients:
                        return mail
                await self.arrived.wait()

    # --- pages ------------------------------------------------------------------------------------

    def handle(self, request: web.BaseRequest) -> web.Response:
        """Show what is kept, or one mail of it."""
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        number, _, part = request.path.removeprefix(PATH).strip("/").partition("/")
        if not number:
            return page("Outbox", self.listed())
        mail = next((mail for mail in self.mails if str(mail.number) == number), None)
        if mail is None or part not in ("", "html"):
            return page("Not kept", f"<p>No such mail is kept. <a href='{PATH}'>Outbox</a></p>", status=404)
        if part == "html":
            html = f"<!doctype html><base target='_blank'>{mail.html}"
            return web.Response(
                text=html, content_type="text/html", headers={**HEADERS, "Content-Security-Policy": THEIRS}
            )
        return page(mail.subject, shown(mail))

    def listed(self) -> str:
        """Write the list, the newest first."""
        if not self.mails:
            return "<p>No mail yet. What the app sends is kept here; load this page again to see it.</p>"
        rows = "".join(
            f"<li><a href='{PATH}/{mail.number}'>{escape(mail.subject)}</a><br>"
            f"<span class='soft'>to {escape(mail.to)}, {mail.at:%H:%M:%S}</span></li>"
            for mail in reversed(self.mails)
        )
        bound = f" The newest {KEPT} are kept." if len(self.mails) == KEPT else ""
        return (
            f"<p>Mail that the app has sent. It went nowhere else, and ends with this host.{bound}</p><ol>{rows}</ol>"
        )


def leads_here(path: str) -> bool:
    """Tell whether a path is one of the outbox's pages."""
    return path == PATH or path.startswith(f"{PATH}/")


def shown(mail: Mail) -> str:
    """Write one mail: its head, and what it says as HTML and as text."""
    head = {"From": mail.sender, "To": mail.to, "Subject": mail.subject, "Taken": f"{mail.at:%Y-%m-%d %H:%M:%S %z}"}
    facts = "".join(f"<dt class='soft'>{name}</dt><dd>{escape(value)}</dd>" for name, value in head.items())
    html = (
        f"<h2>As HTML</h2><iframe title='The mail as HTML' src='{PATH}/{mail.number}/html' "
        "sandbox='allow-popups allow-popups-to-escape-sandbox'></iframe>"
    )
    text = LINK.sub(r"<a href='\g<0>' target='_blank' rel='noopener noreferrer'>\g<0></a>", escape(mail.text))
    plain = f"<h2>As text</h2><pre>{text}</pre>"
    return f"<p><a href='{PATH}'>Outbox</a></p><dl>{facts}</dl>{html if mail.html else ''}{plain if text else ''}"


def page(title: str, content: str, status: int = 200) -> web.Response:
    """Answer with a page."""
    html = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    headers = {**HEADERS, "Content-Security-Policy": OURS}
    return web.Response(status=status, text=html, content_type="text/html", headers=headers)


# --- which settings lead here ---------------------------------------------------------------------


async def keep(folder: Path, environment: MutableMapping[str, str], *, instead: bool = False) -> Outbox | None:
    """Start an outbox and lead an app's mail there; nothing for an app that does not want it.

    It does not when pyproject.toml has no `[tool.devhost.outbox]`, and not when one of the settings named there is
    set already, in the environment or in local.settings.json: then the mail goes where that says. `instead` of that it
    goes here all the same.
    Raises Refused for a section that is not settings with texts.
    """
    wanted = settings(folder)
    leading = [name for name, value in wanted.items() if ADDRESS in value]
    if not leading:
        return None
    elsewhere = index.local_settings(folder)
    if not instead and any(name in environment or elsewhere.get(name) for name in leading):
        return None
    outbox = Outbox()
    await outbox.start()
    for name, value in wanted.items():
        if instead or name not in environment:
            environment[name] = value.replace(ADDRESS, outbox.address)
    return outbox


def settings(folder: Path) -> dict[str, str]:
    """Read `[tool.devhost.outbox]`. Raises Refused."""
    path = folder / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise index.Refused(f"{path}: not TOML: {error}") from error
    section = found.get("tool", {}).get("devhost", {}).get("outbox", {})
    if not isinstance(section, dict) or not all(isinstance(value, str) for value in section.values()):
        raise index.Refused(f"{path}: [tool.devhost.outbox] must have names of settings, and texts")
    return section

"""Real servers that take what channels send, and fail as told: for mail, and for everything that speaks HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import gc
import http.server
import json
import logging
import socket
import struct
import threading
import warnings
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the server's own log, with every mail in it

PATIENCE = 20
"""Seconds after which something that was awaited counts as not having happened."""


DRIP_SECONDS = 0.02
"""How long is between two bytes of a server that drips."""


class Sink:
    """Keeps what arrives, and lets a test wait for it."""

    def __init__(self):
        self.received = []
        self.changed = threading.Condition()
        self.closing = threading.Event()

    def keep(self, thing):
        with self.changed:
            self.received.append(thing)
            self.changed.notify_all()

    def wait_for(self, count):
        """Wait until so many have arrived, and give them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, PATIENCE), f"only {len(self.received)}"
            return list(self.received)


@dataclass
class Mail:
    """A message with its envelope."""

    sender: str
    recipients: list
    message: email.message.EmailMessage

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()


async def turns(count=4):
    """Let the loop do what has been begun."""
    for _ in range(count):
        await asyncio.sleep(0)


class SmtpSink(Sink):
    """A mail server. `failures` says how the next messages are treated: "451", "550", "hang", "drip" or "drop"."""

    def __init__(self, *failures):
        super().__init__()
        self.failures = list(failures)

    def __enter__(self):
        self.loop, self.sessions = asyncio.new_event_loop(), []
        self.released = asyncio.Event()
        listening = self.loop.create_server(self.session, "127.0.0.1", 0)
        self.server = self.loop.run_until_complete(listening)
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result(PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()
        del self.sessions, self.server, self.loop
        with warnings.catch_warnings():  # asyncio lets go of a connection that comes as the server is closed, unclosed
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    async def end(self):
        self.released.set()
        self.server.close()
        await turns()  # who was accepted just now has a transport by then
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in self.sessions:
            if session.transport:
                session.transport.abort()
        await turns()  # the sockets are closed in the next turn of the loop

    def session(self):
        self.sessions.append(SMTP(self, hostname="sink", enable_SMTPUTF8=True, loop=self.loop))
        return self.sessions[-1]

    async def handle_DATA(self, server, _, envelope):  # noqa: N802 - aiosmtpd's name
        match self.failures.pop(0) if self.failures else None:
            case "hang":
                await self.released.wait()
                return "421 closing"
            case "drip":
                server.transport.write(b"250-")
                while not self.released.is_set() and not server.transport.is_closing():
                    server.transport.write(b"x")
                    await asyncio.sleep(DRIP_SECONDS)
                return "421 closing"
            case "drop":
                server.transport.abort()
                return "421 dropped"
            case str(code):
                return f"{code} not now"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.keep(Mail(envelope.mail_from, envelope.rcpt_tos, message))
        return "250 taken"

    def url(self, to="{approver}", **options):
        """Give the address as Apprise has it; `options` are its own, such as `cto`."""
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"mailto://127.0.0.1:{self.port}/?from=approvals@example.com&to={to}&mode=insecure{more}"


@dataclass
class Posted:
    """A request over HTTP."""

    path: str
    headers: dict
    body: bytes
    json: dict = field(init=False)

    def __post_init__(self):
        try:
            self.json = json.loads(self.body)
        except ValueError:
            self.json = None


class WebhookSink(Sink):
    """A web server that takes everything.

    `answers` says how: a status, "hang", "reset", "drip", "drip body" or ("redirect", address).
    """

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.thread.join(PATIENCE)
        self.server.server_close()

    def handler(self):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sink.keep(Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                match sink.answers.pop(0) if sink.answers else 200:
                    case "hang":
                        sink.closing.wait(PATIENCE)
                        self.close_connection = True
                    case "drip" | "drip body" as what:
                        self.drip(b"" if what == "drip" else b"text/plain\r\nContent-Length: 1000000\r\n\r\n")
                    case "reset":
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        self.rfile.close()  # it holds the connection, too
                        self.connection.close()
                        self.close_connection = True
                    case ("redirect", address):
                        self.reply(307, Location=address)
                    case status:
                        self.reply(status)

            do_POST = do_PUT = do_GET = answer  # noqa: N815 - the names of http.server

            def reply(self, status, **headers):
                content = b'{"ok": true, "success": true}' if status != http.HTTPStatus.NO_CONTENT else b""
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": len(content)}.items():
                    self.send_header(name, str(value))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def drip(self, begin):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + begin)
                self.close_connection = True
                with contextlib.suppress(OSError):
                    while not sink.closing.wait(DRIP_SECONDS):
                        self.wfile.write(b"x")

            def log_message(self, *_):
                """Say nothing."""

            def finish(self):
                if not self.connection._closed:
                    super().finish()

        return Handler

    def url(self, scheme="json", path="hook", **options):
        """Give the address as Apprise has it."""
        more = "&".join(f"{name}={value}" for name, value in options.items())
        return f"{scheme}://127.0.0.1:{self.port}/{path}{'?' if more else ''}{more}"

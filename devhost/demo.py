"""`make demo`: one approval, one rejection and one timeout on a fresh local host, as people and systems see them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import sys
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from devhost import index, outbox
from devhost.host import Host
from devhost.reading import Page

SECOND = 1 / 3600
ADA, GRACE, ALAN = "ada@example.com", "grace@example.com", "alan@example.com"
WIDTH = 100
UNSET = ("PUBLIC_BASE_URL", "APPROVAL_LINK_KEYS", "TRUST_EASY_AUTH", "NOTIFY_REQUESTER")


def title(text: str) -> None:
    """Begin a part."""
    print(f"\n{text}\n{'-' * len(text)}")


def show(lines: list[str]) -> None:
    """Print what somebody sees, set apart from what is said about it."""
    for line in lines:
        for piece in textwrap.wrap(line, WIDTH, break_on_hyphens=False, break_long_words=False) or [""]:
            print(f"   | {piece}".rstrip())


def filled(said: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null."""
    return {
        key: filled(value) if isinstance(value, dict) else value for key, value in said.items() if value is not None
    }


@dataclass
class Play:
    """The three requests, played against a running host."""

    host: Host
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, *keys: str, **headers: str) -> dict[str, Any]:
        """Call as the system that asks does, and print the call and its answer; with `keys`, no more than those."""
        print(f"\n   {method} {path}" + "".join(f"   {name}: {value}" for name, value in headers.items()))
        if body:
            print(f"   {json.dumps(body)}")
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            said: dict[str, Any] = await answer.json(content_type=None)
            print(f"   -> {answer.status} {answer.reason}")
        shown = filled({key: said[key] for key in keys if key in said} if keys else said)
        print(textwrap.indent(json.dumps(shown, indent=2, ensure_ascii=False), "   "))
        return said

    async def visit(self, link: str, answer: str = "", comments: str = "") -> Page:
        """Open a link as a person does, and perhaps press a button."""
        async with self.http.get(link) as shown:
            page = Page(await shown.text())
        if answer:
            form = {**page.values, "comments": comments, "answer": answer}
            async with self.http.post(link, data=form) as shown:
                page = Page(await shown.text())
        return page

    async def ask(self, item: str, hours: float = 24, **more: Any) -> dict[str, Any]:
        """Ask Grace and Alan, of whom one is enough."""
        body = {"requester": ADA, "item": item, "approvers": [GRACE, ALAN], "timeout_hours": hours, **more}
        return await self.call("POST", "/api/requests", body, "request_id", "status", "deadline")

    async def approval(self, kept: outbox.Outbox) -> None:
        """Play the first request, with everything people see."""
        title("1. Ada's system asks: may she have a laptop?")
        asked = await self.ask("New laptop", description="The old one does not start any more.")

        title("2. Grace gets a mail.")
        mail = await kept.wait_for(GRACE)
        show([f"From: {mail.sender}", f"To: {mail.to}", f"Subject: {mail.subject}", "", *mail.text.splitlines()])
        print(f"\n   As HTML: {self.host.url}{outbox.PATH}/{mail.number}")

        title("3. She opens the link. That decides nothing.")
        async with self.http.get(f"/api/requests/{asked['request_id']}") as answer:
            before = (await answer.json())["status"]
        link = next(line for line in mail.text.splitlines() if line.startswith(self.host.url))
        show((await self.visit(link)).lines)
        print(f"\n   The request is still {before}.")

        title('4. She writes "Enjoy" and presses Approve.')
        show((await self.visit(link, "approve", "Enjoy")).lines)

        title("5. Ada's system looks.")
        await self.call("GET", f"/api/requests/{asked['request_id']}", None, "status", "decision", "settled_at")

    async def rejection(self) -> None:
        """Play the second request: the first answer stands."""
        title("6. Ada asks for a yacht. Alan's own system says no for him, and Grace comes too late to disagree.")
        asked = await self.ask("Yacht")
        path = f"/api/approvals/{asked['request_id']}"
        no = {"is_approved": False, "approver": ALAN, "comments": "We have one"}
        await self.call("POST", path, no, "status", "decision", "settled_at")
        await self.call("POST", path, {"is_approved": True, "approver": GRACE}, "status", "title", "detail", "code")

    async def timeout(self) -> None:
        """Play the third request: nobody answers."""
        title("7. Ada asks for a holiday, within two seconds. Nobody answers. The look waits for the end.")
        asked = await self.ask("Holiday", 2 * SECOND)
        look = f"/api/requests/{asked['request_id']}"
        await self.call("GET", look, None, "status", "decision", "settled_at", Prefer="wait=10")


NEXT = """
What to try next
----------------
   make run                    the same app for you to call: three lines to paste, a page, an outbox
   docs/use-cases.md           whole requests: an expense, a post, a production change, an access request
   POST /api/policies/preview  what would happen with a request, before anyone is asked (docs/api.md)
"""


async def perform() -> int:
    """Start a host on free ports, play, and leave the mail open for whoever sits at the terminal."""
    for name in UNSET:
        os.environ.pop(name, None)
    kept = await outbox.keep(Path(), os.environ, instead=True)
    if not kept:
        print("Cannot start: pyproject.toml leads no mail to an outbox.", file=sys.stderr)
        return 1
    with contextlib.redirect_stderr(io.StringIO()):  # what the app says of itself is not part of the play
        app = index.load(Path())
    host = Host(app, port=0, rpc_port=0, outbox=kept)
    try:
        await host.start()
        print(f"The real app runs on a local host of its own, {host.url}, and ends with this demo.")
        print("Of its answers you see the fields that matter here.")
        async with aiohttp.ClientSession(host.url) as http:
            play = Play(host, http)
            await play.approval(kept)
            await play.rejection()
            await play.timeout()
        print(NEXT)
        await linger(f"All {len(kept.mails)} mails are at {host.url}{outbox.PATH} until you press Enter.")
    finally:
        await host.stop()
    return 0


async def linger(until: str) -> None:
    """Wait for Enter, where somebody sits at a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    pressed, loop = asyncio.Event(), asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # on Windows a terminal cannot be waited for like this
        loop.add_reader(sys.stdin, pressed.set)
        print(until)
        await pressed.wait()
        loop.remove_reader(sys.stdin)


def main() -> int:
    """Perform, and turn what is wrong with the surroundings into a sentence."""
    logging.basicConfig(level=logging.ERROR)
    warnings.filterwarnings("ignore", "Potential duplicate Task completion")
    try:
        return asyncio.run(perform())
    except index.Refused as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # as in devhost.__main__

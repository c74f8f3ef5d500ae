"""Handing an event to a receiver, once: signed, to an address that was looked at, with an end to waiting.

What a receiver answers is shown to nobody: its status counts, and when it wants to be left alone for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from approvals import VERSION
from approvals.receivers.addresses import Forbidden, Reach
from approvals.rules.callbacks import Attempt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aiohttp.abc import ResolveResult

    from approvals.receivers.allowed import Rule
    from approvals.receivers.events import CallbackEvent
    from approvals.rules.callbacks import Format, Target

    Tokens = Callable[[str], Awaitable[str]]

SECONDS, CONNECT_SECONDS = 15.0, 5.0
"""How long an attempt takes at most, and how long of it connecting may."""
ANSWER_BYTES, READ_SECONDS = 4096, 1.0
"""How much of an answer is read, and for how long; it says nothing to us."""
AT_ONCE, AT_ONCE_EACH = 50, 5
"""How many attempts a process has under way: fewer than its activities, so that no approval waits for a receiver."""
GONE, TOLERATED = 410, range(200, 300)
LONGEST_RETRY_AFTER = 24 * 3600.0
EARLY_SECONDS = 300
"""A token is asked for anew so long before its end."""


class NoToken(Exception):
    """The app's identity got no token."""


class CheckedResolver(AbstractResolver):
    """Resolves names, and gives none of the addresses of a name when one of them is forbidden."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.behind: AbstractResolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a name. Raises OSError."""
        found = await self.behind.resolve(host, port, family)
        if not found:
            raise OSError("the name has no address")
        for each in found:
            self.reach.check(each["host"])
        return found

    async def close(self) -> None:
        """Let go of the resolver behind."""
        await self.behind.close()


@dataclass
class UnderWay:
    """The attempts of this process, so that receivers that hang do not take all of its activities."""

    by_rule: Counter[str] = field(default_factory=Counter)

    @contextlib.contextmanager
    def taken(self, rule: str) -> Iterator[bool]:
        """Give whether there is room for another attempt, and hold it."""
        free = self.by_rule.total() < AT_ONCE and self.by_rule[rule] < AT_ONCE_EACH
        self.by_rule[rule] += free
        try:
            yield free
        finally:
            self.by_rule[rule] -= free


UNDER_WAY = UnderWay()


@dataclass
class IdentityTokens:
    """The tokens of the app's own identity, kept until shortly before they end."""

    kept: dict[str, tuple[str, int]] = field(default_factory=dict)

    async def __call__(self, audience: str) -> str:
        """Give a token for an audience. Raises NoToken."""
        token, expires = self.kept.get(audience, ("", 0))
        if expires - EARLY_SECONDS > time.time():
            return token
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - only who has such a rule should pay
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - as above

        try:
            async with DefaultAzureCredential() as credential:
                got = await credential.get_token(f"{audience.removesuffix('/')}/.default")
        except AzureError as error:
            raise NoToken from error
        self.kept[audience] = (str(got.token), got.expires_on)
        return self.kept[audience][0]


IDENTITY = IdentityTokens()


async def send_event(
    event: CallbackEvent, form: Format, target: Target, rule: Rule, tokens: Tokens = IDENTITY
) -> Attempt:
    """Hand an event to a receiver, once, and say what became of it. Raises nothing."""
    with UNDER_WAY.taken(rule.name) as free:
        if not free:
            return Attempt(outcome="busy", reason="busy")
        try:
            async with asyncio.timeout(SECONDS):
                return await post(event, form, target, rule, tokens)
        except TimeoutError:
            return failed("late")
        except NoToken:
            return failed("no_token")
        except ssl.SSLError:
            return failed("tls")
        except aiohttp.ClientConnectorError as error:
            return failed(reason_of(error))
        except Forbidden:
            return failed("forbidden_address")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return failed(type(error).__name__)


def failed(reason: str) -> Attempt:
    """Say that nothing was answered, in a word: an error's text may have the address in it."""
    return Attempt(outcome="failed", reason=reason)


def reason_of(error: aiohttp.ClientConnectorError) -> str:
    """Say in a word why there was no connection."""
    if isinstance(error.os_error, Forbidden):
        return "forbidden_address"
    return "tls" if isinstance(error, aiohttp.ClientSSLError) else "not_reached"


async def post(event: CallbackEvent, form: Format, target: Target, rule: Rule, tokens: Tokens) -> Attempt:
    """Send it, and read the answer."""
    body = event.body(form)
    headers = {
        **event.headers(form),
        "User-Agent": f"Durable-Approvals/{VERSION}",
        **await authentication(event.event_id, body, rule, tokens),
    }
    with contextlib.suppress(ValueError):  # an address that is a number is not resolved by anybody
        rule.reach.check(str(ip_address(target.host)))
    connector = aiohttp.TCPConnector(resolver=CheckedResolver(rule.reach), use_dns_cache=False, force_close=True)
    timeout = aiohttp.ClientTimeout(total=SECONDS, connect=CONNECT_SECONDS)
    async with (
        aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as session,
        session.post(URL(target.whole, encoded=True), data=body, headers=headers, allow_redirects=False) as answer,
    ):
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # whatever becomes of the rest of an answer
            await asyncio.wait_for(answer.content.read(ANSWER_BYTES), READ_SECONDS)
        return read_answer(answer.status, answer.headers.get("Retry-After", ""), dt.datetime.now(dt.UTC))


async def authentication(event_id: str, body: bytes, rule: Rule, tokens: Tokens) -> dict[str, str]:
    """Give the headers by which a receiver knows us. Every event has its id, signed or not. Raises NoToken."""
    stamp = dt.datetime.now(dt.UTC)
    headers = {"webhook-id": event_id, "webhook-timestamp": str(int(stamp.timestamp()))}
    if rule.auth == "standard-webhooks":
        from standardwebhooks import Webhook  # noqa: PLC0415 - only who signs should pay

        headers["webhook-signature"] = Webhook(rule.secrets[0]).sign(event_id, stamp, body.decode())
    elif rule.auth == "entra":
        headers["Authorization"] = f"Bearer {await tokens(rule.audience)}"
    return headers


def read_answer(status: int, retry_after: str, now: dt.datetime) -> Attempt:
    """Say what an answer means: 2xx is success, 410 the end, and everything else, redirects too, a failure."""
    if status in TOLERATED:
        return Attempt(outcome="delivered", status=status)
    if status == GONE:
        return Attempt(outcome="gone", status=status, reason="gone")
    return Attempt(outcome="failed", status=status, reason="refused", retry_after=read_retry_after(retry_after, now))


def read_retry_after(text: str, now: dt.datetime) -> float:
    """Read how many seconds a receiver wants to be left alone (RFC 9110, 10.2.3); none where it says nonsense."""
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    seconds = (at.replace(tzinfo=at.tzinfo or dt.UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)

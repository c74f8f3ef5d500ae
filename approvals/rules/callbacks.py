"""What a caller is told by itself: which changes, where to, and when it is tried again. Pure.

A callback is an event of a request (its settlement, or any change of it) that is sent to an address of the caller's.
The query of that address is a secret (a shared access signature): it stands in the request's input alone, and
everything else has the address without it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from approvals.rules.value import Instant, Value

CHANNEL = "callback"
"""How what was not delivered names callbacks, beside the channels that tell people."""
SUBSCRIBERS = "subscribers"
"""The same for everyone who wants to be told of the end of every request of a caller."""
OWN_CHANNELS = (CHANNEL, SUBSCRIBERS)
URL_CHARACTERS = 2000
TARGET = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){0,30})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?P<query>(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*))?"
)
"""The one spelling that is taken: nothing before the host, nothing that two readers could read in two ways."""
DOTS = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|//", re.IGNORECASE)
"""What a path must not have: a rule for a path would be left by it."""
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS = {"https": 443, "http": 80}
GIVE_UP_AFTER = dt.timedelta(hours=24)
PAUSES = (
    *(dt.timedelta(seconds=5), dt.timedelta(seconds=30)),
    *(dt.timedelta(minutes=minutes) for minutes in (2, 10, 30)),
    *(dt.timedelta(hours=hours) for hours in (1, 2, 4, 8, 8)),
)
"""How long after an attempt that failed the next one is, the first time, the second, and so on: 24 hours in all."""

BUSY_PAUSE, MAX_BUSY = dt.timedelta(seconds=5), 50
"""When it is tried again after there was no room for an attempt, and how often that counts for none."""

On = Literal["settled", "every_change"]
Format = Literal["structured", "binary"]
Kind = Literal["approved", "rejected", "timed_out", "cancelled", "failed", "voted", "changed", "ping"]
ENDS: dict[str, Kind] = {
    "Approved": "approved",
    "Rejected": "rejected",
    "Timeout": "timed_out",
    "Cancelled": "cancelled",
    "Failed": "failed",
}
"""What a request that ended so is told as, by its status."""


@dataclass(frozen=True)
class Target:
    """An address, taken apart."""

    scheme: str
    host: str
    """In lower case; an IPv6 address without its brackets."""
    port: int
    path: str
    query: str

    @property
    def authority(self) -> str:
        """The host, with its port where that is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address without its query, which is a secret."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def whole(self) -> str:
        """The address that is called."""
        return f"{self.shown}?{self.query}" if self.query else self.shown


def read_target(url: str) -> Target:
    """Take an address apart. Raises ValueError for everything that is not spelled in the one way."""
    found = TARGET.fullmatch(url) if len(url) <= URL_CHARACTERS else None
    path = (found["path"] if found else "") or "/"
    if not found or DOTS.search(path):
        raise ValueError(f"must be an https address of at most {URL_CHARACTERS:,} characters, spelled plainly")
    port = int(found["port"]) if found["port"] else PORTS[found["scheme"]]
    if port >= 2**16:
        raise ValueError("must have a port below 65536")
    try:
        host = read_host(found["host"])
    except ValueError:
        raise ValueError("must have a host that is a name, or an IP address as everybody writes it") from None
    return Target(found["scheme"], host, port, path, found["query"] or "")


def read_host(text: str) -> str:
    """Give a host in its one spelling. Raises ValueError for a number that is no address as everybody writes it.

    A host that ends in a number is an IPv4 address to browsers and C libraries, in a dozen spellings (0x7f.1).
    """
    host = text.lower()
    if host.startswith("["):
        return str(ipaddress.IPv6Address(host.strip("[]")))
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return str(ipaddress.IPv4Address(host))
    return host


def check_callback_url(url: str) -> str:
    """Accept an address that can be called. Raises ValueError."""
    read_target(url)
    return url


CallbackUrl = Annotated[
    str,
    AfterValidator(check_callback_url),
    WithJsonSchema(
        {"type": "string", "format": "uri", "pattern": "^https?://[A-Za-z0-9\\[]", "maxLength": URL_CHARACTERS}
    ),
]


class Callback(Value):
    """What the caller of a request wants to be told, and where."""

    url: str = Field(repr=False)
    on: On = "settled"
    format: Format = "structured"

    @property
    def has_secret(self) -> bool:
        """Whether its address has a query, which is kept nowhere but in the request's input."""
        return "?" in self.url

    @property
    def without_secret(self) -> Callback:
        """The same without the query of its address."""
        return self.model_copy(update={"url": self.url.partition("?")[0]})


class Subscription(Value):
    """The wish of a caller to be told of the end of each of its requests: the input of an orchestration that waits."""

    subscription_id: str
    created_by: str
    created_at: Instant
    callback: Callback

    @property
    def instance_id(self) -> str:
        """What names its orchestration."""
        return f"subscription-{self.subscription_id}"

    @property
    def without_secret(self) -> Subscription:
        """The same without the query of its address."""
        return self.model_copy(update={"callback": self.callback.without_secret})


class Delivery(Value):
    """An event on its way: the input of its orchestration, and of every attempt. It holds no word of the request."""

    request_id: str
    revision: int
    """The revision of the story that it tells of."""
    kind: Kind
    subscription: str = ""
    """Whose it is; nothing: the address in the request itself."""
    again: int = 0
    """How often somebody had it sent again."""
    attempt: int = 1
    started: Instant | None = None
    """When the first attempt was; nothing before that."""

    @property
    def event_id(self) -> str:
        """What names the event, the same in every attempt and when it is sent again."""
        return event_id(self.request_id, self.revision)

    @property
    def instance_id(self) -> str:
        """What names its orchestration: a new one for each receiver, and each time somebody has it sent again."""
        key = subscribed_key(self.event_id, self.subscription)
        return f"{key}-{self.again}" if self.again else key


class Attempt(Value):
    """What became of an attempt."""

    outcome: Literal["delivered", "gone", "failed", "busy"]
    """`gone`: it is never to be sent again. `busy`: it was not tried."""
    status: int | None = None
    """What the receiver answered."""
    reason: str = ""
    """One word for what was wrong."""
    retry_after: float = 0
    """How many seconds the receiver wants to be left alone."""
    next_at: Instant | None = None
    """When it is tried again."""


class LateCallback(Value):
    """An event that its receiver has not taken."""

    kind: Kind
    to: str
    attempts: int
    next_at: Instant | None = None
    """When it is tried again; nothing: it is not."""


def event_id(request_id: str, revision: int) -> str:
    """Name an event of a request."""
    return f"{request_id}-{CHANNEL}-{revision}"


def subscribed_key(key: str, subscription: str) -> str:
    """Name an event of a request for one of those who have subscribed."""
    return f"{key}-{subscription}" if subscription else key


def delivery_of(key: str, kind: Kind) -> Delivery:
    """Give the delivery of the event that a key names."""
    request_id, _, rest = key.rpartition(f"-{CHANNEL}-")
    revision, _, subscription = rest.partition("-")
    return Delivery(request_id=request_id, revision=int(revision), kind=kind, subscription=subscription)


def next_attempt_at(started: dt.datetime, now: dt.datetime, said: Attempt, attempts: int) -> dt.datetime | None:
    """Say when a delivery is tried again after so many attempts; nothing when it is over."""
    end = started + GIVE_UP_AFTER
    if said.outcome in ("delivered", "gone") or now >= end or attempts > len(PAUSES):
        return None
    if said.outcome == "busy":
        return now + BUSY_PAUSE
    pause = max(PAUSES[attempts - 1], dt.timedelta(seconds=said.retry_after))
    return min(now + pause, end)

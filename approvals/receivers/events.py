"""What is sent: a CloudEvent, in one JSON document or with its attributes in headers. Pure.

Sources: CloudEvents 1.0.2, its JSON format and HTTP binding; Standard Webhooks 1.0 for how it is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from typing_extensions import TypedDict

from approvals.rules.telling import StoryJson
from approvals.rules.value import compact, rfc3339
from approvals.rules.written import InstantJson

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from approvals.rules.callbacks import Format, Kind


class PingJson(TypedDict):
    """What a ping carries."""

    ping: bool


class CallbackEventJson(TypedDict):
    """Something that happened to a request, as a CloudEvent (1.0)."""

    specversion: Literal["1.0"]
    id: str
    """The same in every attempt, and when it is sent again; also the header `webhook-id`."""
    source: str
    """The service's address."""
    type: str
    """`EVENT_TYPE_PREFIX`, `.request.` and `approved`, `rejected`, `timed_out`, `cancelled`, `failed`, `voted`, or
    `changed`."""
    subject: str
    """The request's id."""
    time: InstantJson
    datacontenttype: Literal["application/json"]
    data: StoryJson
    """The request as it stands when this is sent."""


@dataclass(frozen=True)
class CallbackEvent:
    """Something that happened to a request, as its caller is told."""

    event_id: str
    type: str
    source: str
    subject: str
    time: dt.datetime
    data: Mapping[str, object]

    def body(self, form: Format) -> bytes:
        """Give the body: the event as one document, or the data alone."""
        if form == "binary":
            return compact(dict(self.data)).encode()
        attributes = {name.removeprefix("ce-"): value for name, value in self.attributes().items()}
        return compact({**attributes, "datacontenttype": "application/json", "data": dict(self.data)}).encode()

    def headers(self, form: Format) -> dict[str, str]:
        """Give the headers that say what the body is."""
        if form == "binary":
            return {"Content-Type": "application/json", **self.attributes()}
        return {"Content-Type": "application/cloudevents+json; charset=utf-8"}

    def attributes(self) -> dict[str, str]:
        """Give the context attributes, as headers are named."""
        return {
            "ce-specversion": "1.0",
            "ce-id": self.event_id,
            "ce-source": self.source,
            "ce-type": self.type,
            **({"ce-subject": self.subject} if self.subject else {}),
            "ce-time": rfc3339(self.time),
        }


def event_type(prefix: str, kind: Kind) -> str:
    """Name a kind of event, in reverse-DNS form."""
    return f"{prefix}.request.{kind}"

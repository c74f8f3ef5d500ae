"""The lines of the log that somebody is to hear of: one table, of which the alerts' queries are made (`make infra`).

Each line begins with a code, which never changes, followed by `name=value` fields. A line is what the app can surely
have recorded: a failed delivery is an activity that succeeded, and a 503 is a call that was answered.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass

logger = logging.getLogger("approvals.signals")


@dataclass(frozen=True)
class Signal:
    """A kind of line: its code, how grave it is, the fields it has, and what it means."""

    code: str
    level: int
    fields: tuple[str, ...]
    means: str

    def write(self, **values: object) -> None:
        """Write the line with all of its fields. Raises TypeError when one is missing or not in the table."""
        if set(values) != set(self.fields):
            raise TypeError(f"{self.code} has the fields {', '.join(self.fields)}.")
        logger.log(self.level, "%s", " ".join([self.code, *(f"{name}={plain(values[name])}" for name in self.fields)]))


@dataclass(frozen=True)
class Alert:
    """What somebody is told of: the signals it counts, and a query for what only the Functions host can record."""

    name: str
    says: str
    severity: int
    signals: tuple[Signal, ...]
    of_the_host: str = ""


def plain(value: object) -> str:
    """Write a value so that it is one word, and no line end of it begins another line."""
    text = str(value)
    return text if re.fullmatch(r"[\w.+@/{}…:-]+", text) else json.dumps(text)


REQUEST_FAILED = Signal(
    "request_failed", logging.ERROR, ("request",), "The orchestration of a request ended by a defect of ours."
)
REQUEST_TIMED_OUT = Signal(
    "request_timed_out", logging.WARNING, ("request",), "The deadline passed before enough people had answered."
)
DELIVERY_FAILED = Signal(
    "delivery_failed",
    logging.WARNING,
    ("channel", "key", "reason"),
    "A channel did not take a message, this time. The key begins with the request's id.",
)
CALLBACK_FAILED = Signal(
    "callback_failed",
    logging.WARNING,
    ("request", "kind", "receiver", "reason", "status", "attempt", "gives_up"),
    "The receiver of a callback did not take it, this time; with gives_up=true it is not sent any more.",
)
CALL_FAILED = Signal(
    "call_failed",
    logging.ERROR,
    ("method", "path", "status", "request"),
    "A caller was answered with a status of 500 or more; the request is - where it is not known.",
)
RECORD_LATE = Signal(
    "record_late",
    logging.WARNING,
    ("request", "reason"),
    "The records did not take what became of a request at once; the sweep writes it.",
)
SIGNALS = (REQUEST_FAILED, REQUEST_TIMED_OUT, DELIVERY_FAILED, CALLBACK_FAILED, CALL_FAILED, RECORD_LATE)

ACTIVITIES = '("submit_approval_request", "process_approval", "send_callback")'
ALERTS = (
    Alert(
        "failed-orchestrations",
        "An approval failed inside the service: a defect.",
        1,
        (REQUEST_FAILED,),
        'AppTraces | where Properties.Category == "Host.Triggers.DurableTask" and '
        'Properties.prop__functionType == "Orchestrator" and Properties.prop__state == "Failed"',
    ),
    Alert(
        "failed-deliveries",
        "Somebody could not be told: of a request, or of its outcome.",
        2,
        (DELIVERY_FAILED, CALLBACK_FAILED),
        f"AppRequests | where Name in {ACTIVITIES} and Success == false",
    ),
    Alert("late-records", "The records were not written at once; lists may be behind.", 3, (RECORD_LATE,)),
    Alert("timed-out-approvals", "Not enough people answered before the deadline.", 3, (REQUEST_TIMED_OUT,)),
    Alert(
        "server-errors",
        "A caller was answered with a status of 500 or more, or a function died.",
        2,
        (CALL_FAILED,),
        f"AppRequests | where Success == false and Name !in {ACTIVITIES}",
    ),
)

"""The lines of the log that somebody is to hear of, or to count: one table.

The queries of the alerts and of the workbook are made of it (`make infra`).

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
REQUEST_SETTLED = Signal(
    "request_settled",
    logging.INFO,
    ("request", "status", "by", "seconds"),
    "A request ended, so many seconds after it was made: by a `decision`, a `cancellation` or `silence`.",
)
REQUEST_REMINDED = Signal(
    "request_reminded", logging.INFO, ("request", "stage"), "Those who are awaited in a stage were reminded."
)
REQUEST_ESCALATED = Signal(
    "request_escalated", logging.INFO, ("request", "stage"), "Nobody had answered in a stage, and others are asked."
)
OPEN_REQUESTS = Signal(
    "open_requests",
    logging.INFO,
    ("hour", "day", "week", "older"),
    "How many requests are open that are younger than an hour, a day, a week, and older; counted every hour.",
)
EVENT_RAISED_AGAIN = Signal(
    "event_raised_again",
    logging.INFO,
    ("request", "kind", "seconds"),
    "An answer was not seen recorded after so many seconds, and was handed over again.",
)
CALL_ANSWERED = Signal(
    "call_answered",
    logging.INFO,
    ("method", "path", "status", "ms", "request"),
    "A call was answered, in so many milliseconds; the request is - where it is not known, or is in the path.",
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


@dataclass(frozen=True)
class Measure:
    """What operators look at: the lines of a signal, counted or averaged over time."""

    title: str
    signal: Signal
    numbers: tuple[str, ...]
    """Those of its fields that are numbers."""
    shows: str
    """The end of a query in KQL that makes a chart of the lines, by `{grain}`."""
    chart: str = "timechart"


MEASURES = (
    Measure(
        "Seconds from asking to a decision (median, and 95 of 100)",
        REQUEST_SETTLED,
        ("seconds",),
        'where by == "decision" | summarize p50 = percentile(seconds, 50), p95 = percentile(seconds, 95) by {grain}',
    ),
    Measure("How requests ended", REQUEST_SETTLED, (), "summarize count() by status, {grain}", "barchart"),
    Measure(
        "Open requests by age",
        OPEN_REQUESTS,
        ("hour", "day", "week", "older"),
        "summarize max(hour), max(day), max(week), max(older) by {grain}",
        "areachart",
    ),
    Measure("Reminders", REQUEST_REMINDED, (), "summarize count() by {grain}", "barchart"),
    Measure("Escalations", REQUEST_ESCALATED, (), "summarize count() by {grain}", "barchart"),
    Measure("Messages that failed", DELIVERY_FAILED, (), "summarize count() by channel, {grain}", "barchart"),
    Measure("Callbacks that failed", CALLBACK_FAILED, (), "summarize count() by receiver, {grain}", "barchart"),
    Measure("Answers by status", CALL_ANSWERED, (), "summarize count() by status, {grain}", "barchart"),
    Measure(
        "Milliseconds of a call (median, and 95 of 100)",
        CALL_ANSWERED,
        ("ms",),
        "summarize p50 = percentile(ms, 50), p95 = percentile(ms, 95) by {grain}",
    ),
    Measure("Events raised again", EVENT_RAISED_AGAIN, (), "summarize count() by {grain}", "barchart"),
)

"""Bodies and values with everything defaulted, so that a test mentions only what it is about.

The cast: Ada asks, Grace and Alan may decide, Eve should not.
"""

from __future__ import annotations

import datetime as dt

from approvals.model import Cancellation, Decision, Request

ADA, GRACE, ALAN, EVE = "ada@example.com", "grace@example.com", "alan@example.com", "eve@example.com"
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
REQUEST_ID = "0" * 31 + "1"


def a_request(**fields):
    """Build the body of a request."""
    return {"requester": ADA, "item": "New laptop", **fields}


def a_decision(**fields):
    """Build the body of a decision."""
    return {"is_approved": True, "approver": GRACE, **fields}


def a_cancellation(**fields):
    """Build the body of a cancellation."""
    return {"by": ADA, **fields}


def asked(hours=24, **fields):
    """Build a request as the orchestration has it, created at noon."""
    values = {
        "request_id": REQUEST_ID,
        "requester": ADA,
        "item": "New laptop",
        "created_at": NOON,
        "deadline": NOON + dt.timedelta(hours=hours),
        "base_url": "http://localhost:7071",
    }
    return Request(**{**values, **fields})


def decided(by=GRACE, yes=True, after=dt.timedelta(hours=1), **fields):
    """Build a decision, given an hour after noon."""
    values = {"decision_id": f"d-{by}-{yes}", "is_approved": yes, "approver": by, "decided_at": NOON + after}
    return Decision(**{**values, **fields})


def cancelled(by=ADA, after=dt.timedelta(hours=1), **fields):
    """Build a cancellation, wished an hour after noon."""
    return Cancellation(**{"by": by, "cancelled_at": NOON + after, **fields})

"""Bodies and values with everything defaulted, so that a test mentions only what it is about.

The cast: Ada asks, Grace and Alan may decide, Eve should not.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re

from approvals.rules.policy import Panel, Policy, Stage
from approvals.rules.story import RULES, Cancellation, Change, Decision, Found, Request, Story, Undelivered

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


HOUR = dt.timedelta(hours=1)


def a_panel(*approvers, hours=24, **fields):
    """Build a panel; without approvers an open one."""
    remind = fields.pop("remind_hours", None)
    every = {} if remind is None else {"remind_every_seconds": remind * 3600}
    return Panel(approvers=approvers, timeout_seconds=hours * 3600, **every, **fields)


def a_policy(*panels, escalation=None, **fields):
    """Build a policy of stages, one a panel; the last may escalate."""
    stages = [Stage(panel=panel) for panel in panels or [a_panel(GRACE, ALAN)]]
    if escalation:
        stages[-1] = stages[-1].model_copy(update={"escalation": escalation})
    return Policy(stages=tuple(stages), **fields)


def found(policy=None, **fields):
    """Build a request that has just been asked."""
    return Found(request=asked(policy=policy, **fields), story=Story())


def passed_on(holder=GRACE, to=EVE, by=ADA, after=dt.timedelta(hours=1), **fields):
    """Build a change, an hour after noon."""
    values = {"change_id": f"c-{holder}-{to}", "kind": "reassign", "changed_at": NOON + after}
    return Change(**{**values, "by": by, "holder": holder, "to": to, **fields})


def asked(hours=24, policy=None, **fields):
    """Build a request as the orchestration has it, created at noon."""
    if policy:
        hours = policy.stages[0].panel.timeout_seconds / 3600
    values = {
        "policy": policy,
        "request_id": REQUEST_ID,
        "requester": ADA,
        "item": "New laptop",
        "created_at": NOON,
        "deadline": NOON + dt.timedelta(hours=hours),
        "base_url": "http://localhost:7071",
        "rules": RULES,
    }
    return Request(**{**values, **fields})


def decided(by=GRACE, yes=True, after=dt.timedelta(hours=1), **fields):
    """Build a decision, given an hour after noon."""
    values = {"decision_id": f"d-{by}-{yes}", "is_approved": yes, "approver": by, "decided_at": NOON + after}
    return Decision(**{**values, **fields})


def cancelled(by=ADA, after=dt.timedelta(hours=1), **fields):
    """Build a cancellation, wished an hour after noon."""
    return Cancellation(**{"by": by, "cancelled_at": NOON + after, **fields})


def undelivered(to=GRACE, channel="mailtos-1", occasion="asked", **fields):
    """Build a message that a channel did not take."""
    return Undelivered(**{"to": to, "channel": channel, "occasion": occasion, "key": f"{occasion}-to-{to}", **fields})


def an_answer(html, **fields):
    """Give what a browser sends when the page's Approve is pressed, or with `answer` another button."""
    hidden = re.search(r'<input type="hidden" name="page" value="([^"]*)">', html)
    return {"page": hidden[1] if hidden else "", "answer": "approve", **fields}


def a_principal(email=None, tenant="t", subject="o", **claims):
    """Build the header by which the platform says who is signed in; with an e-mail it is verified."""
    verified = {"email": email, "xms_edov": "1"} if email else {}
    values = {"tid": tenant, "oid": subject, "sub": "pairwise", "name": "Somebody", **verified, **claims}
    listed = [{"typ": name, "val": value} for name, value in values.items() if value is not None]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": listed}).encode()).decode()}

"""Examples that are no invention: the documents' own bodies, and what the product's own writers make of them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from approvals import VERSION
from approvals.people.delivery import Addressees
from approvals.people.links import Invitation
from approvals.records.requests import Entry, summary_of
from approvals.rules import hearing, telling
from approvals.rules.preview import play
from approvals.rules.story import RULES, Decision, Found, Request, Story
from approvals.rules.trail import trail_of
from approvals.web import bodies, representation

ROOT = Path(__file__).parent.parent
NOON = dt.datetime(2026, 12, 1, 12, 0, tzinfo=dt.UTC)
REQUEST_ID = "7f3c1e5a9b2d4c6e8f0a1b2c3d4e5f60"
GRACE = "grace@example.com"
ADDRESS = "https://approvals.example.com"
ASKED = {
    "requester": "ada@example.com",
    "item": "Move the database",
    "approvers": [GRACE],
    "timeout": "P2D",
    "remind_every": "PT12H",
}


QUERY: dict[str, Any] = {"day": "2026-11-24", "approver": GRACE, "limit": 50, "created_after": "2026-03-01T00:00:00Z"}
"""Examples of parameters."""


def made() -> Found:
    """Give a request that has just been made."""
    proposal = bodies.validate(bodies.RequestBody, ASKED).proposal()
    request = Request(
        request_id=REQUEST_ID,
        requester=proposal.requester,
        item=proposal.item,
        created_at=NOON,
        deadline=NOON + proposal.policy.stages[0].panel.timeout,
        policy=proposal.policy,
        base_url=ADDRESS,
        rules=RULES,
        created_by="deployments",
    )
    return Found(request=request, story=Story())


def decided() -> Found:
    """Give the same request, approved."""
    decision = Decision(
        decision_id="0d9c8b7a6f5e4d3c2b1a09f8e7d6c5b4",
        is_approved=True,
        approver=GRACE,
        comments="Go ahead",
        decided_at=NOON + dt.timedelta(hours=1),
        caller="deployments",
    )
    return hearing.apply_event(made(), decision, "decision", decision.decided_at)


def requests() -> dict[str, Any]:
    """Give an example of each body, by the operation it is for."""
    imagined = {"approver": GRACE, "is_approved": True, "after": "PT3H"}
    expense = json.loads((ROOT / "docs/use-cases/expense.json").read_text(encoding="utf-8"))
    return {
        "createRequest": ASKED,
        "consumeGrant": {"action": {"deploy": "shop", "version": "1.4"}},
        "revokeGrant": {"by": "ada@example.com", "reason": "The release was stopped"},
        "erasePayload": {"by": "ada@example.com", "reason": "The person asked for it"},
        "decideMany": {"decisions": [{"request_id": REQUEST_ID, "is_approved": True, "approver": GRACE}]},
        "decideRequest": {"is_approved": True, "approver": GRACE, "comments": "Go ahead"},
        "delegateDecision": {"approver": GRACE, "to": "alan@example.com", "comments": "On leave"},
        "cancelRequest": {"by": "ada@example.com", "reason": "Not needed any more"},
        "reassignRequest": {"by": "ada@example.com", "from": GRACE, "to": "alan@example.com", "reason": "On leave"},
        "redeliver": {"by": "ada@example.com"},
        "subscribe": {"callback_url": "https://hooks.example.com/approvals"},
        "pingReceiver": {"callback_url": "https://hooks.example.com/approvals"},
        "previewPolicy": {"request": expense, "answers": [imagined]},
    }


SUBSCRIPTION = {
    "subscription_id": "5b1f0c2d4e6f48a0b1c2d3e4f5a6b7c8",
    "created_by": "deployments",
    "created_at": "2026-03-01T12:00:00.000Z",
    "callback": {"url": "https://hooks.example.com/approvals", "on": "settled", "format": "structured"},
}


def answers() -> dict[Any, Any]:
    """Give an example of each answer, by its type."""
    one = made()
    link = Invitation(GRACE, 0, False, f"{ADDRESS}/approve/WyI4Zi...")
    preview = representation.outcome_json(play(one.request, []))
    return {
        representation.CreationJson: representation.creation_json(
            one, [link], Addressees({}, [], []), f"{ADDRESS}/requested/WyI4Zi..."
        ),
        telling.StoryJson: telling.story_json(decided()),
        representation.PreviewJson: {"with_these_answers": preview, "if_nobody_answers": preview},
        representation.ListJson: {
            "requests": [representation.summary_json(Entry(REQUEST_ID, summary_of(decided())), ADDRESS)],
            "next": f"{ADDRESS}/api/requests?cursor=WyI4Zi...",
        },
        representation.ConsumptionJson: {
            "request_id": REQUEST_ID,
            "decision": telling.story_json(decided())["decision"],
            "content_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "consumed_at": "2026-03-01T13:00:05.000Z",
            "consumed_by": "deployments",
        },
        representation.JwkSetJson: {
            "keys": [
                {
                    "crv": "P-256",
                    "kty": "EC",
                    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
                    "kid": "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
                    "alg": "ES256",
                    "use": "sig",
                }
            ]
        },
        representation.HistoryJson: {
            "request_id": REQUEST_ID,
            "status": decided().story.status,
            "entries": trail_of(decided()),
        },
        representation.BatchJson: {
            "results": [{"request_id": REQUEST_ID, "status": 200, "body": dict(telling.story_json(decided()))}]
        },
        representation.RedeliveryJson: {
            "request_id": REQUEST_ID,
            "callbacks": [{"id": f"{REQUEST_ID}-callback-2", "kind": "approved"}],
            "messages": 1,
            "messages_failed": 0,
        },
        representation.SubscriptionJson: SUBSCRIPTION,
        representation.SubscriptionsJson: {"subscriptions": [SUBSCRIPTION]},
        representation.PingResultJson: {
            "url": "https://hooks.example.com/approvals",
            "delivered": True,
            "status": 204,
            "reason": None,
        },
        representation.HealthJson: {"status": "ok", "version": VERSION},
    }

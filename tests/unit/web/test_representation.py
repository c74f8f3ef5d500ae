"""JSON as it goes out."""

from __future__ import annotations

import json

import pytest

from approvals.people.delivery import Addressees
from approvals.people.links import Invitation
from approvals.rules import hearing, telling, value
from approvals.web import representation
from tests.builders import (
    NOON,
    cancelled,
    decided,
    found,
)


def test_a_new_request_is_told_with_its_addresses_and_deadline():
    one = found(hours=2)
    request = one.request
    link = Invitation(None, 0, False, "http://localhost:7071/approve/token")

    assert representation.creation_json(
        one, [link], Addressees({}, [], ["The Board"]), "http://localhost:7071/requested/x"
    ) == {
        "requester_url": "http://localhost:7071/requested/x",
        "request_id": request.request_id,
        "status": "Pending",
        "approval_url": "http://localhost:7071/approve/token",
        "approvals": [
            {"approver": None, "stage": 1, "escalated": False, "approval_url": "http://localhost:7071/approve/token"}
        ],
        "decision_url": f"http://localhost:7071/api/approvals/{request.request_id}",
        "status_url": f"http://localhost:7071/api/requests/{request.request_id}",
        "deadline": "2026-03-01T14:00:00.000Z",
        "undeliverable": ["The Board"],
    }


TOLD = [
    "request_id",
    "erased_at",
    "action",
    "content_digest",
    "digest_version",
    "reference",
    "tags",
    "links",
    "details_schema",
    "locale",
    "time_zone",
    "status",
    "revision",
    "created_by",
    "requester",
    "requester_assurance",
    "item",
    "description",
    "details",
    "created_at",
    "deadline",
    "settled_at",
    "decision",
    "callback",
    "cancellation",
    "stage",
    "awaited",
    "votes",
    "changes",
    "options",
    "form",
    "undelivered",
    "undelivered_count",
    "notes",
]


@pytest.mark.parametrize(
    ("heard", "status"),
    [
        (None, "Pending"),
        ((decided(), "decision"), "Approved"),
        ((decided(yes=False), "decision"), "Rejected"),
        ((cancelled(), "cancel"), "Cancelled"),
    ],
)
def test_a_story_is_told_with_the_same_fields_whatever_has_happened(heard, status):
    one = found(details='{"a":[1,"\N{EURO SIGN}"]}')

    told = telling.story_json(hearing.apply_events(one, [heard] if heard else [], NOON))

    assert sorted(told) == sorted(TOLD)
    assert told["status"] == status
    assert told["details"] == {"a": [1, "\N{EURO SIGN}"]}
    assert json.loads(value.compact(told)) == json.loads(json.dumps(told))


def test_what_goes_out_is_compact_and_speaks_every_script():
    assert value.compact({"a": ["\N{EURO SIGN}", 1]}) == '{"a":["\N{EURO SIGN}",1]}'


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, None),
        ({"created_by": "key"}, {"name": "key", "title": None}),
        (
            {"created_by": "deploy-bot", "created_by_title": "Deploy bot"},
            {"name": "deploy-bot", "title": "Deploy bot"},
        ),
    ],
)
def test_a_story_says_which_system_asked(fields, told):
    assert telling.story_json(found(**fields))["created_by"] == told

"""Callbacks are verified as the library of Standard Webhooks itself signs them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from durable_approvals import NotGenuine, verify_callback
from standardwebhooks.webhooks import Webhook

SECRET, OTHER = "whsec_" + "QUJD" * 8, "whsec_" + "WFla" * 8
BODY = json.dumps({"type": "com.example.approvals.request.approved", "data": {"item": "Ä"}}, ensure_ascii=False)
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def signed(secret=SECRET, body=BODY, at=AT):
    signature = Webhook(secret).sign("msg_1", at, body)
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(at.timestamp())), "Webhook-Signature": signature}


def test_what_was_signed_is_read():
    assert verify_callback(signed(), BODY, SECRET, now=AT.timestamp())["data"] == {"item": "Ä"}
    assert verify_callback(signed(), BODY.encode(), OTHER, SECRET, now=AT.timestamp() + 299)


@pytest.mark.parametrize("late", [-301, 301])
def test_what_is_old_or_early_is_not(late):
    with pytest.raises(NotGenuine, match="too old"):
        verify_callback(signed(), BODY, SECRET, now=AT.timestamp() + late)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(OTHER), BODY),
        (signed(), BODY + " "),
        ({**signed(), "Webhook-Id": "msg_2"}, BODY),
        ({**signed(), "Webhook-Signature": ""}, BODY),
        ({**signed(), "Webhook-Signature": "v2," + signed()["Webhook-Signature"][3:]}, BODY),
        ({}, BODY),
        ({**signed(), "Webhook-Timestamp": "soon"}, BODY),
    ],
)
def test_what_was_not_signed_so_is_refused(headers, body):
    with pytest.raises(NotGenuine):
        verify_callback(headers, body, SECRET, now=AT.timestamp())


def test_what_is_no_secret_is_said_to_be_none():
    with pytest.raises(ValueError, match="whsec_"):
        verify_callback(signed(), BODY, "whsec_!", now=AT.timestamp())

"""Ask people for approval and wait for the answer: the client of Durable Approvals.

>>> from durable_approvals import Approvals
>>> approvals = Approvals("https://approvals.example.com", key="dak_...")
>>> people = {"requester": "ada@example.com", "approvers": ["grace@example.com"]}
>>> answer = approvals.create("Deploy 1.4", **people, timeout="PT4H")
>>> if answer.wait().approved: ...
"""

from durable_approvals.callbacks import NotGenuine, verify_callback
from durable_approvals.client import Approvals, AsyncApprovals, AsyncRequest, Request
from durable_approvals.errors import ApprovalsError, Problem, Unreachable, WaitedTooLong
from durable_approvals.granted import Refused, needs_approval
from durable_approvals.models import Consumption, Decision, Page, Preview, Redelivery, Story, Summary, TrailEntry
from durable_approvals.receipts import NotAReceipt, verify_receipt

__all__ = [
    "Approvals",
    "ApprovalsError",
    "AsyncApprovals",
    "AsyncRequest",
    "Consumption",
    "Decision",
    "NotAReceipt",
    "NotGenuine",
    "Page",
    "Preview",
    "Problem",
    "Redelivery",
    "Refused",
    "Request",
    "Story",
    "Summary",
    "TrailEntry",
    "Unreachable",
    "WaitedTooLong",
    "needs_approval",
    "verify_callback",
    "verify_receipt",
]

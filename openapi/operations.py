"""What can be called, and how each call can end: the table that both descriptions are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from approvals import errors, grant_errors
from approvals.rules import telling
from approvals.rules.intake import Answer, Delegation, Withdrawal
from approvals.web import bodies, commands, queries, representation, responses

if TYPE_CHECKING:
    from pydantic import BaseModel

CALLED = (errors.KeyRequired, errors.RightMissing)
"""What every call can come to that needs a key."""
ALWAYS = (errors.SchedulerUnavailable, errors.RecordsUnavailable, errors.StillStarting, responses.Unexpected)
BODY = (
    errors.BodyMissing,
    errors.Unreadable,
    errors.BodyTooLarge,
    errors.NotJsonMedia,
    errors.Invalid,
)
ENDED = (errors.AlreadyDecided, errors.NoLongerOpen, errors.TooLate)
GUARDED = (errors.PreconditionMissing, errors.Stale)


@dataclass(frozen=True)
class Ending:
    """An answer that is no problem: what is written, and which headers come with it."""

    words: str
    kind: Any = None
    headers: tuple[str, ...] = ()
    media: str = "application/json"


@dataclass(frozen=True)
class Call:
    """One operation."""

    name: str
    title: str
    method: str
    path: str
    words: str
    body: type[BaseModel] | None = None
    endings: dict[int, Ending] = field(default_factory=dict)
    problems: tuple[type[errors.ApprovalError], ...] = ()
    headers: tuple[str, ...] = ()
    """Headers that it reads."""
    tag: str = "Requests"
    query: type[BaseModel] | None = None
    """Parameters of the address."""


RECORDED = {
    200: Ending("It is recorded, and here is the story.", telling.StoryJson),
    202: Ending(
        "It was handed over, and within ten seconds nobody could see it recorded. Look, or send the same again.",
        telling.StoryJson,
        ("Location", "Retry-After"),
    ),
}

CALLS = (
    Call(
        "createRequest",
        "Ask for an approval",
        "POST",
        "api/requests",
        "Makes a request and tells those who are asked. With an `Idempotency-Key` it can be repeated.",
        bodies.RequestBody,
        {
            201: Ending("The request was made.", representation.CreationJson, ("Location",)),
            200: Ending(
                "This key and body made it before.", representation.CreationJson, ("Location", "Idempotent-Replayed")
            ),
        },
        (*CALLED, *BODY, errors.BadHeader, errors.KeyReused, *ALWAYS),
        ("Idempotency-Key",),
    ),
    Call(
        "listRequests",
        "List requests",
        "GET",
        "api/requests",
        "By one of `status`, `requester`, `approver`, `tag` and `reference`, or all; newest first.",
        None,
        {200: Ending("A page.", representation.ListJson, ("Link",))},
        (*CALLED, errors.BadQuery, *ALWAYS),
        query=queries.ListQuery,
    ),
    Call(
        "listInbox",
        "See what awaits a person",
        "GET",
        "api/inbox",
        "The requests that wait for this person's answer, most urgent first.",
        None,
        {200: Ending("A page.", representation.ListJson, ("Link",))},
        (*CALLED, errors.BadQuery, *ALWAYS),
        tag="Decisions",
        query=queries.InboxQuery,
    ),
    Call(
        "decideMany",
        "Say what people decided on many requests",
        "POST",
        "api/approvals/batch",
        "Up to a hundred decisions, each taken as if it had come alone; what became of each is told in their order.",
        commands.BatchBody,
        {200: Ending("What became of each.", representation.BatchJson)},
        (*CALLED, *BODY, *ALWAYS),
        tag="Decisions",
    ),
    Call(
        "readRequest",
        "Look at a request",
        "GET",
        "api/requests/{request_id}",
        "The whole story; with `Prefer: wait=25` the answer is held until something changes.",
        None,
        {
            200: Ending("The story.", telling.StoryJson, ("ETag", "Preference-Applied")),
            304: Ending("It is the story you know.", None, ("ETag", "Preference-Applied")),
        },
        (*CALLED, errors.NotFound, *ALWAYS),
        ("Prefer", "If-None-Match"),
    ),
    Call(
        "consumeGrant",
        "Use a yes, once",
        "POST",
        "api/requests/{request_id}/consume",
        "For exactly the action that was approved. With an `Idempotency-Key` the call can be repeated.",
        commands.ConsumptionBody,
        {200: Ending("It is yours to do, once.", representation.ConsumptionJson, ("Idempotent-Replayed",))},
        (
            *CALLED,
            *BODY,
            errors.BadHeader,
            errors.NotFound,
            grant_errors.NotApproved,
            grant_errors.OtherAction,
            grant_errors.GrantUsed,
            grant_errors.GrantExpired,
            grant_errors.GrantRevoked,
            *ALWAYS,
        ),
        ("Idempotency-Key",),
        "Grants",
    ),
    Call(
        "revokeGrant",
        "Take a yes back",
        "POST",
        "api/requests/{request_id}/revoke",
        "For good, whether it was given yet or not. A second time changes nothing.",
        Withdrawal,
        {200: Ending("It can be used no more, and here is the story.", telling.StoryJson)},
        (*CALLED, *BODY, errors.NotFound, *ALWAYS),
        tag="Grants",
    ),
    Call(
        "readReceipt",
        "Get a signed receipt",
        "GET",
        "api/requests/{request_id}/receipt",
        "What was decided, by whom and on what, as a compact JWS (ES256) that strangers can verify.",
        None,
        {200: Ending("The receipt.", str, media="application/jose")},
        (*CALLED, errors.NotFound, errors.StillOpen, grant_errors.SigningUnavailable, *ALWAYS),
        tag="Grants",
    ),
    Call(
        "readReceiptKeys",
        "Read the keys that verify receipts",
        "GET",
        ".well-known/jwks.json",
        "A JWK Set (RFC 7517), with the keys that were used before.",
        None,
        {200: Ending("The public keys.", representation.JwkSetJson, media="application/jwk-set+json")},
        (errors.MethodNotOffered, grant_errors.SigningUnavailable, responses.Unexpected),
        tag="Grants",
    ),
    Call(
        "redeliver",
        "Send again what was not taken",
        "POST",
        "api/requests/{request_id}/redeliver",
        "Callbacks, each under the id it had, and messages to people.",
        commands.RedeliveryBody,
        {202: Ending("Callbacks are on their way, and messages were sent.", representation.RedeliveryJson)},
        (*CALLED, *BODY, errors.NotFound, *ALWAYS),
        tag="Callbacks",
    ),
    Call(
        "subscribe",
        "Be told of the end of each request",
        "POST",
        "api/subscriptions",
        "Every request that the caller creates is told of at this address when it ends, until the subscription does.",
        commands.SubscriptionBody,
        {201: Ending("It is kept; `Location` is where it is ended.", representation.SubscriptionJson, ("Location",))},
        (*CALLED, *BODY, *ALWAYS),
        tag="Callbacks",
    ),
    Call(
        "listSubscriptions",
        "List subscriptions",
        "GET",
        "api/subscriptions",
        "The caller's own, or all to an operator; addresses without their query, which is a secret.",
        None,
        {200: Ending("The subscriptions.", representation.SubscriptionsJson)},
        (*CALLED, *ALWAYS),
        tag="Callbacks",
    ),
    Call(
        "unsubscribe",
        "End a subscription",
        "DELETE",
        "api/subscriptions/{subscription_id}",
        "Nothing is sent there any more.",
        None,
        {204: Ending("It has ended.")},
        (*CALLED, errors.NoSubscription, *ALWAYS),
        tag="Callbacks",
    ),
    Call(
        "pingReceiver",
        "Try a receiver of callbacks",
        "POST",
        "api/callbacks/ping",
        "Sends one event of the kind `ping`, once, and says whether it was taken.",
        commands.PingBody,
        {200: Ending("What became of it.", representation.PingResultJson)},
        (*CALLED, *BODY, *ALWAYS),
        tag="Callbacks",
    ),
    Call(
        "readHistory",
        "Read the trail of a request",
        "GET",
        "api/requests/{request_id}/history",
        "Every step with its instant: who asked, who was asked, who answered how, and what came after the end.",
        None,
        {200: Ending("The steps, in order.", representation.HistoryJson)},
        (*CALLED, errors.NotFound, *ALWAYS),
        tag="Records",
    ),
    Call(
        "erasePayload",
        "Erase what was asked and said",
        "DELETE",
        "api/requests/{request_id}/payload",
        "Of an ended request: outcome, people and instants stay. Once that is done, doing it again changes nothing.",
        Withdrawal,
        {200: Ending("It is erased, and here is what is left.", telling.StoryJson)},
        (*CALLED, *BODY, errors.NotFound, errors.StillOpen, *ALWAYS),
        tag="Records",
    ),
    Call(
        "exportDay",
        "Read a day's ended requests",
        "GET",
        "api/export",
        "As JSON Lines, in pages, without anybody's words; the same whenever it is read.",
        None,
        {200: Ending("A page.", str, ("Link",), "application/jsonl")},
        (*CALLED, errors.BadQuery, *ALWAYS),
        tag="Records",
        query=queries.ExportQuery,
    ),
    Call(
        "decideRequest",
        "Say what a person decided",
        "POST",
        "api/approvals/{request_id}",
        "Records a person's answer. The same answer again is answered with what was recorded first.",
        Answer,
        RECORDED,
        (
            *CALLED,
            *BODY,
            errors.NotFound,
            errors.OwnRequest,
            errors.NotYours,
            errors.SignInRequired,
            errors.AlreadyVoted,
            errors.StageUnclear,
            errors.OtherStage,
            grant_errors.OtherContent,
            *ENDED,
            *ALWAYS,
        ),
        (),
        "Decisions",
    ),
    Call(
        "delegateDecision",
        "Have someone else decide in one's place",
        "POST",
        "api/approvals/{request_id}/delegate",
        "Passes on whose turn it is, as the one who is asked wishes.",
        Delegation,
        RECORDED,
        (
            *CALLED,
            *BODY,
            errors.NotFound,
            errors.OwnRequest,
            errors.NotYours,
            errors.SignInRequired,
            errors.AlreadyVoted,
            errors.OtherStage,
            errors.PassedOnTooOften,
            *ENDED,
            *ALWAYS,
        ),
        (),
        "Decisions",
    ),
    Call(
        "cancelRequest",
        "Take a request back",
        "POST",
        "api/requests/{request_id}/cancel",
        "Ends a request without an answer. One with named approvers wants `If-Match`.",
        Withdrawal,
        RECORDED,
        (*CALLED, *BODY, errors.NotFound, *ENDED, *GUARDED, *ALWAYS),
        ("If-Match",),
    ),
    Call(
        "reassignRequest",
        "Have someone else asked",
        "POST",
        "api/requests/{request_id}/reassign",
        "Passes on whose turn it is, as someone in charge wishes. Wants `If-Match` as a cancellation does.",
        bodies.ReassignmentBody,
        RECORDED,
        (
            *CALLED,
            *BODY,
            errors.NotFound,
            errors.OwnRequest,
            errors.AlreadyVoted,
            errors.OtherStage,
            errors.PassedOnTooOften,
            *ENDED,
            *GUARDED,
            *ALWAYS,
        ),
        ("If-Match",),
    ),
    Call(
        "previewPolicy",
        "See what would happen",
        "POST",
        "api/policies/preview",
        "Plays a request with imagined answers, and in silence. Nothing is kept.",
        bodies.PreviewBody,
        {200: Ending("What would happen.", representation.PreviewJson)},
        (*CALLED, *BODY, responses.Unexpected),
    ),
    Call(
        "readHealth",
        "See whether the app answers",
        "GET",
        "api/health",
        "Asks nobody else.",
        None,
        {200: Ending("It answers.", representation.HealthJson)},
        (errors.MethodNotOffered, responses.Unexpected),
        (),
        "Service",
    ),
    Call(
        "readDescription",
        "Read this description",
        "GET",
        "api/openapi.json",
        "OpenAPI 3.1.",
        None,
        {200: Ending("The description.", dict[str, Any]), 304: Ending("It is the one you have.")},
        (errors.MethodNotOffered,),
        (),
        "Service",
    ),
    Call(
        "readDocuments",
        "Read this description as a page",
        "GET",
        "api/docs",
        "For people. Each problem's `type` leads to it.",
        None,
        {200: Ending("The page.", str, media="text/html"), 304: Ending("It is the one you have.")},
        (errors.MethodNotOffered,),
        (),
        "Service",
    ),
)

REQUEST_HEADERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "Idempotency-Key": (
        "Makes the call repeatable: the same key and body is the same request.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]{1,255}$"},
        "order-4711",
    ),
    "Prefer": (
        "`wait=N` holds the answer until the status changes, or N seconds have passed (25 at most).",
        {"type": "string"},
        "wait=25",
    ),
    "If-None-Match": ("The ETag of a story you know.", {"type": "string"}, '"1-0a1b2c"'),
    "If-Match": ("The ETag of the story you act on, or `*`.", {"type": "string"}, "*"),
}
ANSWER_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Location": ("Where the request is looked up.", {"type": "string", "format": "uri"}),
    "Retry-After": ("Seconds to wait.", {"type": "string", "pattern": "^[0-9]+$"}),
    "Idempotent-Replayed": ("`true`: it was there already.", {"type": "string", "const": "true"}),
    "Link": ('Where the list goes on, as `rel="next"` (RFC 8288).', {"type": "string"}),
    "ETag": ("Stands for the story as it is.", {"type": "string"}),
    "Preference-Applied": ("What of `Prefer` was done.", {"type": "string"}),
    "Allow": ("The methods that are offered.", {"type": "string"}),
    "WWW-Authenticate": ("How a caller says who it is.", {"type": "string", "const": "Bearer"}),
}
PROBLEM_HEADERS = {
    errors.KeyRequired: "WWW-Authenticate",
    errors.SchedulerUnavailable: "Retry-After",
    errors.RecordsUnavailable: "Retry-After",
    errors.StillStarting: "Retry-After",
    grant_errors.SigningUnavailable: "Retry-After",
    errors.MethodNotOffered: "Allow",
}
FOLLOWING = {
    "read": ("readRequest", "What has become of it."),
    "decide": ("decideRequest", "Say what a person decided."),
    "delegate": ("delegateDecision", "Have someone else decide in one's place."),
    "cancel": ("cancelRequest", "Take it back."),
    "reassign": ("reassignRequest", "Have someone else asked."),
}
"""What one does with a request that was made."""

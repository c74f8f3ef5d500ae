"""The error tree and its one shape in HTTP: what is promised to callers, and what they must never be told."""

from __future__ import annotations

import json
import re

import aiohttp
import azure.functions as func
import pytest

from approvals import errors, grant_errors
from approvals.durable.instances import Instances
from approvals.rules import hearing, story
from approvals.rules.value import Problem
from approvals.rules.written import decision_json
from approvals.web import api, bodies, responses, rights
from tests.builders import EVE, GRACE, NOON, REQUEST_ID, a_decision, a_request, asked, cancelled, decided

LEAK = "http://127.0.0.1:7071/runtime/webhooks/durabletask?code=s3cret"


def a_story(heard=None, key="decision"):
    found = story.Found(request=asked(), story=story.Story())
    return hearing.apply_events(found, [(heard, key)] if heard else [], NOON)


EXAMPLES = {
    "invalid_json": (400, errors.Unreadable("The body is not JSON.")),
    "body_missing": (400, errors.BodyMissing()),
    "body_too_large": (413, errors.BodyTooLarge(65536)),
    "unsupported_media_type": (415, errors.NotJsonMedia()),
    "bad_header": (400, errors.BadHeader("Idempotency-Key must be visible.")),
    "invalid": (422, errors.Invalid((Problem("/item", "is required"), Problem("", "must be")))),
    "idempotency_key_reused": (422, errors.KeyReused(REQUEST_ID)),
    "method_not_allowed": (405, errors.MethodNotOffered(("GET", "HEAD", "OPTIONS"))),
    "not_found": (404, errors.NotFound()),
    "no_subscription": (404, errors.NoSubscription()),
    "key_required": (401, errors.KeyRequired()),
    "right_missing": (403, errors.RightMissing("decide")),
    "self_approval": (403, errors.OwnRequest(EVE)),
    "not_yours": (403, errors.NotYours(GRACE, passed_on_to=EVE)),
    "link_void": (403, errors.LinkVoid(EVE)),
    "sign_in_required": (403, errors.SignInRequired(GRACE)),
    "if_match_missing": (428, errors.PreconditionMissing()),
    "stale": (412, errors.Stale(3)),
    "already_voted": (409, errors.AlreadyVoted(decided(), GRACE)),
    "stage_unclear": (409, errors.StageUnclear("Grace", "stage 2")),
    "not_asked_yet": (409, errors.NotAskedYet(GRACE)),
    "another_stage": (409, errors.OtherStage("stage 'Finance'")),
    "passed_on_too_often": (409, errors.PassedOnTooOften(10)),
    "already_decided": (409, errors.AlreadyDecided(a_story(decided()), "Grace approved this request.")),
    "no_longer_open": (410, errors.NoLongerOpen(a_story(cancelled(), "cancel"), "Ada cancelled it.")),
    "too_late": (410, errors.TooLate(a_story(), "The deadline was at noon.")),
    "invalid_query": (422, errors.BadQuery((("limit", "must be at most 100"),))),
    "scheduler_unavailable": (503, errors.SchedulerUnavailable()),
    "content_changed": (409, grant_errors.OtherContent("0" * 64)),
    "grant_used": (409, grant_errors.GrantUsed("2026-03-01T12:00:00.000Z", "deploy-bot")),
    "not_approved": (403, grant_errors.NotApproved(story.Found(request=asked(), story=story.Story()))),
    "other_action": (412, grant_errors.OtherAction("0" * 64, "1" * 64)),
    "grant_expired": (410, grant_errors.GrantExpired(NOON)),
    "grant_revoked": (410, grant_errors.GrantRevoked("2026-03-01T12:00:00.000Z", "deploy-bot")),
    "signing_unavailable": (503, grant_errors.SigningUnavailable("The vault did not answer.")),
    "still_open": (409, errors.StillOpen()),
    "records_unavailable": (503, errors.RecordsUnavailable()),
    "still_starting": (503, errors.StillStarting()),
    "internal": (500, responses.Unexpected()),
}
"""The codes callers rely on. A code that is renamed or given another status breaks them; add, never change."""

ANY_ROUTE = "any"
"""A route of this test alone, which demands no right."""

ABSTRACT = {
    errors.ApprovalError,
    errors.Closed,
    errors.Forbidden,
    errors.Conflict,
    errors.Unavailable,
    grant_errors.GrantGone,
}


def family(kind):
    """Give a class and all that come from it, ours only."""
    return {kind} | {
        each for child in kind.__subclasses__() if child.__module__.startswith("approvals.") for each in family(child)
    }


CONCRETE = family(errors.ApprovalError) - ABSTRACT
each_error = pytest.mark.parametrize(
    ("code", "status", "error"), [(c, *e) for c, e in EXAMPLES.items()], ids=list(EXAMPLES)
)


def test_every_error_is_in_the_table_of_this_test():
    missing = {kind.__name__ for kind in CONCRETE} - {type(error).__name__ for _, error in EXAMPLES.values()}

    assert not missing, f"Add {missing} to EXAMPLES with code and status: callers will rely on them."


def test_no_two_errors_share_a_code_or_a_title():
    for word in ("code", "title"):
        words = [getattr(kind, word) for kind in CONCRETE]
        assert len(set(words)) == len(words), f"Every error needs a {word} of its own: {sorted(words)}"


@each_error
def test_an_error_has_its_stable_code_and_status(code, status, error):
    assert error.code == code
    assert responses.status_of(error) == status
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert type(error).__doc__


@each_error
def test_the_status_of_an_error_is_said_in_the_one_table(code, status, error):
    assert isinstance(error, responses.Unexpected) or any(kind in responses.STATUSES for kind in type(error).__mro__)


def test_the_table_of_statuses_holds_nothing_else():
    assert set(responses.STATUSES) <= CONCRETE | {errors.Forbidden, errors.Conflict}
    assert set(responses.STATUSES.values()) <= {400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 428, 503}


@each_error
def test_every_problem_has_the_one_shape(code, status, error):
    answer = responses.problem_response(error)

    body = json.loads(answer.get_body())
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert list(body)[:5] == ["type", "title", "status", "detail", "code"]
    assert body["type"] == f"/api/docs#overview--{code}"
    assert (body["title"], body["status"], body["code"]) == (error.title, status, code)
    assert isinstance(body["detail"], str)
    assert body["detail"] == str(error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@each_error
def test_evidence_never_replaces_a_part_of_the_shape(code, status, error):
    assert not {"type", "title", "status", "detail", "code"} & set(error.evidence())
    json.dumps(error.evidence())


@pytest.mark.parametrize("family_name", ["Forbidden", "Conflict", "Closed"])
def test_a_family_of_errors_has_a_code_of_its_own_that_no_member_shares(family_name):
    kind = getattr(errors, family_name)

    codes = [each.code for each in family(kind)]

    assert len(set(codes)) == len(codes)


def test_an_error_of_a_family_is_caught_with_it():
    for kind, members in {
        errors.Forbidden: (errors.OwnRequest, errors.NotYours),
        errors.Conflict: (errors.AlreadyVoted, errors.OtherStage, errors.PassedOnTooOften),
    }.items():
        assert all(issubclass(member, kind) for member in members)


def test_who_is_not_asked_any_more_is_told_who_is():
    told, untold = errors.NotYours(GRACE, passed_on_to=EVE), errors.NotYours(GRACE)

    assert told.evidence() == {"passed_on_to": EVE}
    assert EVE in str(told)
    assert untold.evidence() == {}


def test_who_has_voted_is_told_their_vote_when_it_is_theirs():
    mine, anothers = errors.AlreadyVoted(decided(), GRACE), errors.AlreadyVoted(None, GRACE)

    assert mine.evidence()["decision"] == decision_json(decided())
    assert anothers.evidence() == {}


def test_who_knew_an_older_story_is_given_the_tag_of_the_present_one():
    assert json.loads(responses.problem_response(errors.Stale(3)).get_body())["revision"] == 3


def test_a_method_that_is_not_offered_is_answered_with_those_that_are():
    assert responses.problem_response(errors.MethodNotOffered(("POST", "OPTIONS"))).headers["Allow"] == "POST, OPTIONS"


def test_an_unreachable_scheduler_is_worth_another_try():
    assert int(responses.problem_response(errors.SchedulerUnavailable()).headers["Retry-After"]) > 0


def test_what_is_wrong_with_a_body_is_pointed_to():
    body = json.loads(responses.problem_response(EXAMPLES["invalid"][1]).get_body())

    assert body["errors"] == [{"pointer": "/item", "detail": "is required"}, {"pointer": "", "detail": "must be"}]
    assert body["detail"] == "/item: is required; the body: must be"


def test_a_key_that_was_reused_names_its_request():
    assert json.loads(responses.problem_response(errors.KeyReused(REQUEST_ID)).get_body())["request_id"] == REQUEST_ID


@pytest.mark.parametrize(
    ("code", "stands"),
    [
        ("already_decided", {"decision", "settled_at"}),
        ("no_longer_open", {"cancellation", "settled_at"}),
        ("too_late", set()),
    ],
)
def test_what_stands_is_told_and_nothing_that_is_not(code, stands):
    evidence = EXAMPLES[code][1].evidence()

    assert set(evidence) == {"request_id", "request_status", "deadline"} | stands
    assert evidence["deadline"] == "2026-03-02T12:00:00.000Z"


# --- nothing of others ----------------------------------------------------------------------------


class Broken:
    """A durable client that fails in a way of its own."""

    def __init__(self, error):
        self.error = error

    async def get_status(self, *_, **__):
        raise self.error

    start_new = raise_event = get_status


def a_call(method, body=None, request_id=REQUEST_ID):
    return func.HttpRequest(
        method,
        f"http://localhost:7071/api/requests/{request_id}",
        headers={"content-type": "application/json"},
        route_params={"request_id": request_id},
        body=json.dumps(body).encode() if body else b"",
    )


FAILURES = [
    TimeoutError(LEAK),
    aiohttp.ClientError(LEAK),
    OSError(111, LEAK),
    ValueError(LEAK),
    json.JSONDecodeError(LEAK, LEAK, 0),
    Exception(LEAK),
    Exception({"Message": LEAK}),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("method", "handler", "body"),
    [("GET", api.read, None), ("POST", api.create, a_request()), ("POST", api.decide, a_decision())],
    ids=["look", "create", "decide"],
)
async def test_of_a_scheduler_that_fails_nothing_is_told_but_that(method, handler, body, error, caplog, monkeypatch):
    monkeypatch.setitem(rights.ROUTES, ANY_ROUTE, {"GET": rights.Demand(), "POST": rights.Demand()})

    answer = await api.handle(a_call(method, body), Broken(error), ANY_ROUTE, {method: handler})

    assert answer.status_code == 503
    assert json.loads(answer.get_body())["code"] == "scheduler_unavailable"
    assert "s3cret" not in answer.get_body().decode() + str(dict(answer.headers))


@pytest.mark.parametrize(
    "error",
    [RuntimeError(LEAK), KeyError(LEAK), ValueError(LEAK), TypeError(LEAK), RecursionError(LEAK)],
    ids=lambda e: type(e).__name__,
)
async def test_of_a_defect_nothing_is_told_and_everything_is_logged(error, caplog):
    async def fail(_req, _approvals):
        raise error

    answer = await api.handle(a_call("GET"), None, "api/health", {"GET": fail})

    assert answer.status_code == 500
    assert json.loads(answer.get_body())["code"] == "internal"
    assert "s3cret" not in answer.get_body().decode()
    assert "Traceback" not in answer.get_body().decode()
    assert "s3cret" in caplog.text


async def test_a_log_line_of_a_defect_holds_no_query(caplog):
    async def fail(_req, _approvals):
        raise RuntimeError

    call = func.HttpRequest("GET", "http://localhost:7071/api/health?code=s3cret", headers={}, body=b"")
    await api.handle(call, None, "api/health", {"GET": fail})

    assert "/api/health" in caplog.text
    assert "s3cret" not in caplog.text


async def test_an_instance_that_is_gone_is_no_failure():
    for text in ("Instance with ID x is gone: either completed or failed", "No instance with ID x found."):
        assert await Instances(Broken(Exception(text))).raise_event(REQUEST_ID, "decision-1-x", {}) is None


async def test_an_instance_that_exists_is_not_started():
    text = "Failed to start instance because an instance with this ID already exists"

    assert await Instances(Broken(Exception(text))).start(asked()) is False


def test_a_body_that_is_wrong_is_explained_without_its_values():
    for body in (b'{"requester": 42424242, "item": ["s3cret"]}', b'{"s3cret', b'{"item": "s3cret"'):
        with pytest.raises(errors.ApprovalError) as caught:
            bodies.parse_body(bodies.RequestBody, {"content-type": "application/json"}, body)
        said = responses.problem_response(caught.value).get_body().decode()
        assert "s3cret" not in said
        assert "42424242" not in said

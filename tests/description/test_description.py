"""The description of the API says what the API does, and nothing else."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import re
from typing import get_args, get_origin, get_type_hints

import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator
from pydantic import BaseModel

import openapi
from approvals.rules.durations import PATTERN
from approvals.web import responses, rights
from openapi import connector, description
from openapi.breaking import breaks
from openapi.models import models_within
from openapi.operations import CALLS

ROOT = openapi.ROOT


@pytest.fixture(scope="module")
def described():
    return json.loads(openapi.DESCRIPTION.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "write"),
    [(openapi.DESCRIPTION, description.describe), (openapi.CONNECTOR, connector.describe)],
    ids=["description", "connector"],
)
def test_what_is_committed_is_what_the_models_say(path, write):
    assert path.read_text(encoding="utf-8") == write(), f"{path.name} is old: make openapi."


def test_it_is_openapi_and_so_are_its_examples(described):
    OpenAPIV31SpecValidator(described).validate()


def test_the_connector_is_openapi_2_and_says_what_people_read():
    definition = json.loads(openapi.CONNECTOR.read_text(encoding="utf-8"))

    OpenAPIV2SpecValidator(definition).validate()
    for path in definition["paths"].values():
        for call in (each for name, each in path.items() if not name.startswith("x-")):
            assert call["summary"]
            assert all(each.get("x-ms-summary") or each["in"] == "body" for each in call["parameters"])
    for name, schema in definition["definitions"].items():
        for field, each in schema.get("properties", {}).items():
            assert "$ref" in each or each["x-ms-summary"], f"{name}.{field}"
            assert not each.keys() & {"anyOf", "oneOf", "const", "examples"}, f"{name}.{field}: not in OpenAPI 2.0"


def test_the_connector_s_trigger_subscribes_the_flow_and_begins_with_the_story():
    """Source: learn.microsoft.com/connectors/custom-connectors/create-webhook-trigger."""
    definition = json.loads(openapi.CONNECTOR.read_text(encoding="utf-8"))
    path, ending = (
        definition["paths"]["/api/subscriptions"],
        definition["paths"]["/api/subscriptions/{subscription_id}"],
    )
    (body,) = path["post"]["parameters"]
    address = body["schema"]["properties"]["callback_url"]

    assert path["post"]["x-ms-trigger"] == "single"
    assert path["post"]["summary"] == "When a request is settled"
    assert address["x-ms-notification-url"] is True
    assert body["schema"]["properties"]["callback_format"]["default"] == "binary", "a flow wants a plain body"
    assert path["x-ms-notification-content"]["schema"] == {"$ref": "#/definitions/Story"}
    assert "Story" in definition["definitions"]
    assert path["post"]["responses"].keys() >= {"201"}
    assert ending["delete"]["x-ms-visibility"] == "internal"


def test_the_keys_of_a_connection_are_those_that_the_definition_knows():
    definition = json.loads(openapi.CONNECTOR.read_text(encoding="utf-8"))
    properties = json.loads((ROOT / "connector/apiProperties.json").read_text(encoding="utf-8"))["properties"]

    assert definition["securityDefinitions"].keys() <= properties["connectionParameters"].keys()
    assert definition["securityDefinitions"]["api_key"]["name"] == "x-functions-key"


def test_every_call_of_the_api_is_described_with_the_rights_it_needs(described):
    offered = {
        (path, method): demand
        for path, methods in rights.ROUTES.items()
        if path.startswith(("api/", ".well-known/"))
        for method, demand in methods.items()
    }

    assert {(call.path, call.method) for call in CALLS} == offered.keys()
    for (path, method), demand in offered.items():
        call = described["paths"][f"/{path}"][method.lower()]
        needed = {name: right for name, right in (("own", demand.own), ("all", demand.all)) if right}
        assert call.get("x-rights", {}) == needed
        assert bool(call["security"]) == bool(needed)


def test_every_problem_is_explained_where_its_type_leads(described):
    explained = set(re.findall(r"^### (\w+)$", described["info"]["description"], re.MULTILINE))
    schemas = described["components"]["schemas"]

    for name, schema in schemas.items():
        if name.endswith("Problem"):
            assert schema["properties"]["code"]["const"] in explained
    for path in described["paths"].values():
        for call in path.values():
            for status, answer in call["responses"].items():
                if status >= "400":
                    problem = answer["content"]["application/problem+json"]["examples"]["example"]["value"]
                    assert problem["type"] == f"/api/docs#overview--{problem['code']}"
    assert responses.EXPLAINED_AT == "/api/docs#overview--"


def test_a_request_that_was_made_leads_on(described):
    for status in ("200", "201"):
        links = described["paths"]["/api/requests"]["post"]["responses"][status]["links"]
        assert {each["operationId"] for each in links.values()} >= {"readRequest", "decideRequest", "cancelRequest"}


# --- one spelling of durations --------------------------------------------------------------------

LASTING = re.compile(
    r"(^|_)(hours?|minutes?|seconds?|secs?|days?|weeks?|ms|millis\w*|duration|ttl|timeout|every|after|within|wait|delay"
    r"|interval|period|age|expires_in|grace|lifetime)(_|$)"
)
NUMBERS_OF_HOURS = {"timeout_hours", "remind_every_hours", "after_hours"}
"""The sample's spelling and its like; no more of them."""
NO_DURATION = {"on_timeout"}


def fields():
    """Give every field of every model that is read or written, with the schema it has."""
    read = [call.body for call in CALLS if call.body]
    written = [ending.kind for call in CALLS for ending in call.endings.values()]
    for kind in models_within([*read, *(each for each in written if each)]):
        if issubclass(kind, BaseModel):
            yield from ((kind.__name__, field.alias or name) for name, field in kind.model_fields.items())
        elif get_origin(kind) is None and not get_args(kind) and kind.__module__.startswith("approvals"):
            yield from ((kind.__name__, name) for name in get_type_hints(kind))


def test_how_long_something_takes_is_an_iso_8601_duration(described):
    named = {name for _, name in fields() if LASTING.search(name)} - NO_DURATION
    assert {"timeout", "remind_every", "after", *NUMBERS_OF_HOURS} <= named

    for name, schema in described["components"]["schemas"].items():
        for field, each in schema.get("properties", {}).items():
            if field in named - NUMBERS_OF_HOURS:
                choices = [choice for choice in each.get("anyOf", [each]) if choice.get("type") != "null"]
                assert [choice.get("pattern") for choice in choices] == [PATTERN], (
                    f"{name}.{field} says how long something takes in a spelling of its own; use `Duration`."
                )


def test_every_field_of_every_model_is_described(described):
    names = {name for schema in described["components"]["schemas"].values() for name in schema.get("properties", {})}

    assert {field for _, field in fields()} <= names


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.*"), *ROOT.glob("connector/*"), openapi.DESCRIPTION]


@pytest.mark.parametrize(
    "path", [each for each in DOCUMENTS if each.suffix in {".md", ".json", ".http"}], ids=lambda path: path.name
)
def test_no_document_has_an_hour_in_ten_thousandths(path):
    found = re.search(r"(?<![\d.])0\.000\d*", path.read_text(encoding="utf-8"))

    assert not found, f"{path.name} says {found[0]}; write a duration, such as PT2S."


# --- what breaks callers --------------------------------------------------------------------------


def test_whoever_breaks_callers_says_so_in_the_changelog(described):
    released = json.loads(openapi.RELEASED.read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = changelog.partition("## Unreleased")[2].partition("\n## ")[0]

    found = breaks(released, described)

    assert not found or "### Breaks callers" in unreleased, (
        f"Callers break: {found}. Undo it, or say so in CHANGELOG.md under '### Breaks callers' of Unreleased."
    )


def without(described, *steps):
    changed = copy.deepcopy(described)
    here = changed
    for step in steps[:-1]:
        here = here[step]
    if isinstance(here, list):
        here.remove(steps[-1])
    else:
        del here[steps[-1]]
    return changed


def having(described, value, *steps):
    changed = copy.deepcopy(described)
    here = changed
    for step in steps[:-1]:
        here = here[step]
    here[steps[-1]] = value
    return changed


SCHEMAS = ("components", "schemas")
BODY = (*SCHEMAS, "RequestBody")
STORY = (*SCHEMAS, "Story")
POST = ("paths", "/api/requests", "post")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: without(d, "paths", "/api/policies/preview"), "POST /api/policies/preview is gone"),
        (lambda d: having(d, "ask", *POST, "operationId"), "is called ask"),
        (lambda d: without(d, *POST, "responses", "201"), "does not answer 201"),
        (lambda d: without(d, *POST, "responses", "201", "headers", "Location"), "no header Location"),
        (lambda d: having(d, [], *POST, "parameters"), "does not take Idempotency-Key"),
        (lambda d: having(d, True, *POST, "parameters", 0, "required"), "wants Idempotency-Key"),
        (lambda d: without(d, *BODY, "properties", "timeout"), "has no timeout"),
        (lambda d: having(d, ["requester", "item", "details"], *BODY, "required"), "wants details"),
        (lambda d: having(d, 100, *BODY, "properties", "item", "maxLength"), "takes less"),
        (lambda d: having(d, {"type": "integer"}, *BODY, "properties", "item"), "does not take string"),
        (lambda d: having(d, ["never"], *BODY, "properties", "comment_required", "enum"), "on_reject, always"),
        (lambda d: without(d, *STORY, "properties", "votes"), "has no votes"),
        (lambda d: without(d, *STORY, "required", "revision"), "may lack revision"),
        (lambda d: having(d, {"type": "string"}, *STORY, "properties", "revision"), "may be string"),
    ],
)
def test_what_breaks_callers_is_found(described, change, said):
    found = breaks(described, change(described))

    assert found
    assert all(said in each for each in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d,
        lambda d: having(d, {"type": "string"}, *BODY, "properties", "team"),
        lambda d: having(d, 1000, *BODY, "properties", "item", "maxLength"),
        lambda d: having(d, {"type": "string"}, *STORY, "properties", "team"),
        lambda d: having(d, {}, "paths", "/api/everything"),
        lambda d: without(d, *POST, "responses", "422"),
    ],
)
def test_what_goes_on_breaks_nobody(described, change):
    assert breaks(described, change(described)) == []


# --- the page's viewer ----------------------------------------------------------------------------


def test_the_viewer_is_the_one_that_its_page_names():
    packed = (ROOT / "approvals/web/static/viewer.js.gz").read_bytes()
    said = (ROOT / "approvals/web/static/viewer.txt").read_text(encoding="utf-8")

    assert hashlib.sha256(packed).hexdigest() in said
    assert b"RapiDoc 9.3.8" in gzip.decompress(packed)
    assert "RapiDoc 9.3.8" in said

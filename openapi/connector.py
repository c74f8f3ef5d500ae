"""The custom connector of Power Automate, Logic Apps and Copilot Studio: the same calls, in OpenAPI 2.0.

OpenAPI 2.0 knows no alternatives: where a field takes several things the connector offers the one that says most.
"""

from __future__ import annotations

import json
from typing import Any

from approvals import VERSION
from openapi.description import build
from openapi.operations import CALLS, REQUEST_HEADERS, Call

TRIGGER, UNSUBSCRIBE = "subscribe", "unsubscribe"
"""When a request is settled: the platform sends an address of its own, and calls `Location` when it wants no more."""
OFFERED = ("createRequest", "readRequest", "decideRequest", "delegateDecision", "cancelRequest", "reassignRequest")
HOST = "your-app.azurewebsites.net"
"""Whoever imports it writes the app's own."""
KEPT = {
    *("type", "format", "description", "default", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern"),
    *("items", "minItems", "maxItems", "properties", "required"),
}
REQUIRED_HEADERS = {"If-Match": "*"}
"""What a flow must send, and sends if its maker says nothing."""


def describe() -> str:
    """Write the connector's definition as JSON."""
    described = build().model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    schemas = described["components"]["schemas"]
    calls = [call for call in CALLS if call.name in (*OFFERED, TRIGGER, UNSUBSCRIBE)]
    paths = {f"/{call.path}": {call.method.lower(): operation(call, described)} for call in calls}
    make_trigger(paths)
    definition = {
        "swagger": "2.0",
        "info": {
            "title": "Durable Approvals",
            "description": described["info"]["description"].partition("\n")[0],
            "version": VERSION,
        },
        "host": HOST,
        "basePath": "/",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": needed(paths, {name: older(schema) for name, schema in schemas.items()} | {"Problem": PROBLEM}),
        "securityDefinitions": {"api_key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        "security": [{"api_key": []}],
    }
    return json.dumps(definition, indent=1, ensure_ascii=False) + "\n"


PROBLEM = {
    "type": "object",
    "description": "What went wrong.",
    "properties": {
        "title": {"type": "string", "x-ms-summary": "Title"},
        "detail": {"type": "string", "x-ms-summary": "Detail"},
        "code": {"type": "string", "x-ms-summary": "Code"},
    },
}


def operation(call: Call, described: dict[str, Any]) -> dict[str, Any]:
    """Describe one call."""
    whole = described["paths"][f"/{call.path}"][call.method.lower()]
    parameters = [parameter(each) for each in whole.get("parameters", ())]
    if call.body:
        schema = older(whole["requestBody"]["content"]["application/json"]["schema"])
        parameters.append({"name": "body", "in": "body", "required": True, "schema": schema})
    return {
        "operationId": call.name,
        "summary": call.title,
        "description": call.words,
        "x-ms-visibility": "important" if call.name in OFFERED[:3] else "advanced",
        "parameters": parameters,
        "responses": {
            **{status: answer(each) for status, each in whole["responses"].items() if status < "400"},
            "default": {"description": "It went wrong.", "schema": {"$ref": "#/definitions/Problem"}},
        },
    }


def make_trigger(paths: dict[str, Any]) -> None:
    """Make the trigger of what subscribes, and hide what ends it.

    Source: learn.microsoft.com/connectors/custom-connectors/create-webhook-trigger.
    """
    path = next(each for each in paths.values() if each.get("post", {}).get("operationId") == TRIGGER)
    path["x-ms-notification-content"] = {
        "description": "The request, as it ended.",
        "schema": {"$ref": "#/definitions/Story"},
    }
    trigger = path["post"]
    trigger |= {
        "summary": "When a request is settled",
        "description": "Begins when a request that this connection's caller has made is approved, rejected, "
        "timed out or cancelled.",
        "x-ms-trigger": "single",
        "x-ms-visibility": "important",
    }
    address = {"type": "string", "x-ms-notification-url": True, "x-ms-visibility": "internal"}
    form = {"type": "string", "default": "binary", "enum": ["binary"], "x-ms-visibility": "internal"}
    (body,) = [each for each in trigger["parameters"] if each["in"] == "body"]
    body["schema"] = {
        "type": "object",
        "required": ["callback_url", "callback_format"],
        "properties": {"callback_url": address, "callback_format": form},
    }
    ending = next(each["delete"] for each in paths.values() if each.get("delete", {}).get("operationId") == UNSUBSCRIBE)
    ending["x-ms-visibility"] = "internal"


def parameter(whole: dict[str, Any]) -> dict[str, Any]:
    """Describe what stands in the path or in a header."""
    name = whole["name"]
    described = {
        "name": name,
        "in": whole["in"],
        "required": whole.get("required", False),
        "description": whole["description"],
        "x-ms-summary": title(name),
        **older(whole["schema"]),
    }
    if whole["in"] == "path":
        described["x-ms-url-encoding"] = "single"
    if name in REQUEST_HEADERS:
        described["x-ms-visibility"] = "advanced"
    if name in REQUIRED_HEADERS:
        described |= {"required": True, "default": REQUIRED_HEADERS[name]}
    return described


def answer(whole: dict[str, Any]) -> dict[str, Any]:
    """Describe an answer."""
    content = whole.get("content", {}).get("application/json")
    return {"description": whole["description"], **({"schema": older(content["schema"])} if content else {})}


def older(schema: dict[str, Any]) -> dict[str, Any]:
    """Write a schema as OpenAPI 2.0 has it."""
    if "$ref" in schema:
        return {"$ref": f"#/definitions/{schema['$ref'].rpartition('/')[2]}"}
    words = {"description": schema["description"]} if "description" in schema else {}
    if "anyOf" in schema or "oneOf" in schema:
        choices = [each for each in schema.get("anyOf") or schema["oneOf"] if each.get("type") != "null"]
        chosen = next((each for each in choices if "$ref" in each), choices[0])
        default = {"default": schema["default"]} if "default" in schema else {}
        return older(chosen) if "$ref" in chosen else older(chosen) | words | default | {"x-nullable": True}
    found = {name: value for name, value in schema.items() if name in KEPT}
    if "const" in schema:
        found["enum"] = [schema["const"]]
    if "enum" in found:
        found.setdefault("type", "string")
    if "exclusiveMinimum" in schema:
        found |= {"minimum": schema["exclusiveMinimum"], "exclusiveMinimum": True}
    if "properties" in found:
        inner = {name: older(each) for name, each in found["properties"].items()}
        found["properties"] = {
            name: each if "$ref" in each else {**each, "x-ms-summary": title(name)} for name, each in inner.items()
        }
    if "items" in found:
        found["items"] = older(found["items"])
    return found


def title(name: str) -> str:
    """Write a name for people: `request_id` becomes `Request id`."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def needed(paths: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Keep the definitions that are referred to, at any depth."""
    found: dict[str, Any] = {}
    coming = [paths]
    while coming:
        here = coming.pop()
        if isinstance(here, dict):
            name = str(here.get("$ref", "")).removeprefix("#/definitions/")
            if name in definitions and name not in found:
                found[name] = definitions[name]
                coming.append(definitions[name])
            coming += here.values()
        elif isinstance(here, list):
            coming += here
    return dict(sorted(found.items()))

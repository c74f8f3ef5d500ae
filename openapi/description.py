"""The description of the API: OpenAPI 3.1."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from openapi_pydantic.v3.v3_1 import (
    Components,
    Example,
    Header,
    Info,
    License,
    Link,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
    Tag,
)
from pydantic import TypeAdapter

from approvals import VERSION, errors
from approvals.people.callers import KEY_HEADER
from approvals.receivers.events import CallbackEventJson
from approvals.web import responses
from approvals.web.rights import ROUTES
from openapi import examples
from openapi.models import REFERENCE, add_words, problem_type, public_name, schemas_of
from openapi.operations import (
    ANSWER_HEADERS,
    CALLS,
    FOLLOWING,
    PROBLEM_HEADERS,
    REQUEST_HEADERS,
    Call,
    Ending,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """Asks people for approval, waits for their answer, and tells the system that asked.

Times are RFC 3339 in UTC. How long something takes is an ISO 8601 duration of days, hours, minutes and seconds
(`P2D`, `PT8H30M`). Unknown fields are refused. A GET answers HEAD, and every address answers OPTIONS.

A caller sends the function key of the deployment as `x-functions-key`; where callers have names it also sends a key of
its own. Without a function key the host itself answers 401, with an empty body.

## Problems

Everything that goes wrong is `application/problem+json` (RFC 9457). `code` is stable; `type` leads to one of these:
"""
TAGS = {
    "Requests": "Asking, looking, and changing what was asked.",
    "Decisions": "What people answer.",
    "Callbacks": "Telling the system that asked, again.",
    "Service": "What answers here.",
}
FUNCTION_KEY, BEARER, CALLER_KEY = "functionKey", "callerBearer", "callerKey"


def describe() -> str:
    """Write the description as JSON, readable and always the same."""
    described = build().model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


@cache
def build() -> OpenAPI:
    """Build the description."""
    problems = {error: problem_type(error) for error in all_errors()}
    read = [call.body for call in CALLS if call.body]
    endings = [ending.kind for call in CALLS for ending in call.endings.values()]
    written = [kind for kind in dict.fromkeys(endings) if isinstance(kind, type) and kind not in (str, dict)]
    written = [kind for kind in written if getattr(kind, "__origin__", None) is None]
    schemas = schemas_of(read, [*written, CallbackEventJson, *problems.values()])
    by_path = {path: [call for call in CALLS if call.path == path] for path in dict.fromkeys(c.path for c in CALLS)}
    return OpenAPI(
        openapi="3.1.0",
        info=Info(
            title="Durable Approvals",
            version=VERSION,
            description=introduction(),
            license=License(name="MIT", identifier="MIT"),
        ),
        servers=[Server(url="/", description="Where this description was read")],
        tags=[Tag(name=name, description=words) for name, words in TAGS.items()],
        paths={
            f"/{path}": PathItem(**{call.method.lower(): operation(call) for call in calls})
            for path, calls in by_path.items()
        },
        webhooks={"callback": PathItem(post=callback())},
        components=Components(
            schemas={name: Schema.model_validate(schemas[name]) for name in sorted(schemas)},
            securitySchemes=security_schemes(),
        ),
    )


def callback() -> Operation:
    """Describe what a receiver of callbacks gets."""
    event = MediaType(media_type_schema=reference(CallbackEventJson))
    return Operation(
        operationId="receiveCallback",
        summary="What a callback carries",
        description="Sent to `callback_url`, or to a subscription; as headers `ce-…` and the bare story with "
        "`callback_format` `binary`. See the page on callbacks.",
        tags=["Callbacks"],
        requestBody=RequestBody(content={"application/cloudevents+json": event}, required=True),
        responses={
            "2XX": Response(description="It is taken. Everything else is tried again, for a day."),
            "410": Response(description="It is never to be sent again."),
        },
        security=[],
    )


def all_errors() -> list[type[errors.ApprovalError]]:
    """Give every kind of error that a call can end with."""
    return list(dict.fromkeys(error for call in CALLS for error in call.problems))


def introduction() -> str:
    """Write what stands before the calls: a section for every problem, where its `type` leads."""
    said = [INTRODUCTION]
    for error in documented_errors():
        status = responses.status_of_kind(error)
        doc = inspect.getdoc(error) or ""
        said.append(f"### {error.code}\n\n{status} {error.title}. {doc.partition(chr(10) * 2)[0]}\n")
    return "\n".join(said)


def documented_errors() -> Iterator[type[errors.ApprovalError]]:
    """Give every kind of error there is that has a code of its own, by code."""
    kinds, found = [errors.ApprovalError], dict[str, type[errors.ApprovalError]]()
    for kind in kinds:
        kinds += kind.__subclasses__()
        if "code" in vars(kind):
            found[kind.code] = kind
    yield from (found[code] for code in sorted(found))


def operation(call: Call) -> Operation:
    """Describe one call."""
    demand = ROUTES[call.path][call.method]
    rights = {name: right for name, right in (("own", demand.own), ("all", demand.all)) if right}
    words = call.words
    if demand.own or demand.all:
        words += f"\n\n{sentence_of_rights(demand.own, demand.all)}"
    return Operation(
        operationId=call.name,
        summary=call.title,
        description=words,
        tags=[call.tag],
        parameters=[*path_parameters(call), *query_parameters(call), *map(header_parameter, call.headers)] or None,
        requestBody=body_of(call),
        responses={
            **{str(status): response(call, ending) for status, ending in call.endings.items()},
            **problem_responses(call),
        },
        security=security() if demand.own or demand.all else [],
        **({"x-rights": rights} if rights else {}),
    )


def sentence_of_rights(own: str | None, every: str | None) -> str:
    """Say which right a caller needs."""
    parts = []
    if own:
        parts.append(f"`{own}` for what the caller created itself")
    if every:
        parts.append(f"`{every}` for every request")
    return f"Needs the right {', or '.join(parts)}."


def path_parameters(call: Call) -> list[Parameter]:
    """Describe what stands in the path."""
    return [
        Parameter(
            name=name,
            param_in="path",
            required=True,
            description="The id of the request.",
            param_schema=Schema(type="string", pattern="^[0-9a-f]{32}$"),
            example=examples.REQUEST_ID,
        )
        for name in re.findall(r"{(\w+)}", call.path)
    ]


def query_parameters(call: Call) -> list[Parameter]:
    """Describe the parameters of the address."""
    if not call.query:
        return []
    described = TypeAdapter(call.query).json_schema(ref_template=REFERENCE)
    add_words(described, call.query)
    wanted = described.get("required", [])
    found = []
    for name, said in described["properties"].items():
        schema = {key: value for key, value in said.items() if key not in {"title", "description", "default"}}
        if "anyOf" in schema:
            (schema,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        if "default" in said and said["default"] is not None:
            schema["default"] = said["default"]
        found.append(
            Parameter(
                name=name,
                param_in="query",
                required=name in wanted,
                description=said.get("description") or QUERY_WORDS[name],
                param_schema=Schema.model_validate(schema),
                **({"example": examples.QUERY[name]} if name in examples.QUERY else {}),
            )
        )
    return found


QUERY_WORDS = {
    "status": "Where the requests stand.",
    "requester": "Who asked.",
    "approver": "Who may be asked, was passed it on, or has answered.",
    "tag": "One of their tags.",
    "reference": "The caller's own number.",
    "created_after": "Not before this instant.",
    "created_before": "Before this instant.",
    "day": "A day that is over, in UTC.",
    "limit": "How many are given at most.",
    "cursor": "Where the list goes on; as `next` has it.",
}
"""What is said of a parameter that says nothing of itself."""


def header_parameter(name: str) -> Parameter:
    """Describe a header that is read."""
    words, schema, example = REQUEST_HEADERS[name]
    return Parameter(
        name=name,
        param_in="header",
        required=False,
        description=words,
        param_schema=Schema.model_validate(schema),
        example=example,
    )


def body_of(call: Call) -> RequestBody | None:
    """Describe the body."""
    if not call.body:
        return None
    content = MediaType(media_type_schema=reference(call.body), examples=shown(examples.requests()[call.name]))
    return RequestBody(required=True, content={"application/json": content})


def shown(example: Any) -> dict[str, Example | Reference]:
    """Give an example a name: the viewer takes a nameless one that has a null in it for a list of examples."""
    return {"example": Example(value=example)}


def reference(kind: Any) -> Reference:
    """Refer to a type's schema."""
    return Reference(ref=REFERENCE.format(model=public_name(kind.__name__)))


def response(call: Call, ending: Ending) -> Response:
    """Describe an answer that is no problem."""
    content = None
    if ending.kind is str:
        content = {ending.media: MediaType(media_type_schema=Schema(type="string"))}
    elif getattr(ending.kind, "__origin__", None) is dict:
        content = {ending.media: MediaType(media_type_schema=Schema(type="object"))}
    elif ending.kind:
        example = shown(examples.answers()[ending.kind])
        content = {ending.media: MediaType(media_type_schema=reference(ending.kind), examples=example)}
    links = None
    if call.name == "createRequest":
        links = {
            name: Link(operationId=target, parameters={"request_id": "$response.body#/request_id"}, description=words)
            for name, (target, words) in FOLLOWING.items()
        }
    return Response(description=ending.words, headers=headers_of(ending.headers), content=content, links=links)


def headers_of(names: tuple[str, ...]) -> dict[str, Header | Reference] | None:
    """Describe headers of an answer."""
    found: dict[str, Header | Reference] = {}
    for name in names:
        words, schema = ANSWER_HEADERS[name]
        found[name] = Header(description=words, param_schema=Schema.model_validate(schema))
    return found or None


def problem_responses(call: Call) -> dict[str, Response]:
    """Describe what goes wrong, by status."""
    status_of = responses.status_of_kind
    found = {}
    for status, group in groupby(sorted(call.problems, key=status_of), key=status_of):
        errors_here = list(group)
        refs = [Reference(ref=REFERENCE.format(model=f"{error.__name__}Problem")) for error in errors_here]
        headers = tuple(PROBLEM_HEADERS[error] for error in errors_here if error in PROBLEM_HEADERS)
        schema = refs[0] if len(refs) == 1 else Schema(oneOf=refs)
        first = errors_here[0]
        example = {
            "type": f"{responses.EXPLAINED_AT}{first.code}",
            "title": first.title,
            "status": status,
            "detail": EXAMPLES.get(first.code, first.title + "."),
            "code": first.code,
            **EVIDENCE.get(first.code, {}),
        }
        found[str(status)] = Response(
            description=" ".join(f"`{error.code}`: {error.title}." for error in errors_here),
            headers=headers_of(headers),
            content={"application/problem+json": MediaType(media_type_schema=schema, examples=shown(example))},
        )
    return found


EXAMPLES = {"invalid": "/timeout: must be between one second (PT1S) and 30 days (P30D)"}
EVIDENCE: dict[str, dict[str, Any]] = {
    "invalid": {"errors": [{"pointer": "/timeout", "detail": "must be between one second (PT1S) and 30 days (P30D)"}]},
    "right_missing": {"right": "request"},
    "invalid_query": {"errors": [{"parameter": "limit", "detail": "must be a whole number from 1 to 100"}]},
    "grant_used": {"at": "2026-12-01T13:00:05.000Z", "by": "deployments"},
    "grant_revoked": {"at": "2026-12-01T13:00:05.000Z", "by": "ada@example.com"},
    "not_approved": {"request_status": "Pending"},
    "other_action": {"approved": "0" * 64, "sent": "1" * 64},
    "content_changed": {"content_digest": "0" * 64},
    "stale": {"revision": 3, "etag": '"3"'},
    "no_longer_open": {
        "request_id": examples.REQUEST_ID,
        "request_status": "Timeout",
        "deadline": "2026-12-03T12:00:00.000Z",
        "settled_at": "2026-12-03T12:00:00.000Z",
    },
    "already_decided": {
        "request_id": examples.REQUEST_ID,
        "request_status": "Approved",
        "deadline": "2026-12-03T12:00:00.000Z",
        "settled_at": "2026-12-01T13:00:00.000Z",
    },
}


def security_schemes() -> dict[str, SecurityScheme | Reference]:
    """Describe how a caller says who it is."""
    return {
        FUNCTION_KEY: SecurityScheme(
            type="apiKey",
            security_scheme_in="header",
            name="x-functions-key",
            description="The function key of the deployment.",
        ),
        BEARER: SecurityScheme(
            type="http",
            scheme="bearer",
            bearerFormat="dak_...",
            description="A caller's own key, where callers have names.",
        ),
        CALLER_KEY: SecurityScheme(
            type="apiKey", security_scheme_in="header", name=KEY_HEADER, description="The same, in a header of its own."
        ),
    }


def security() -> list[dict[str, list[str]]]:
    """Give the ways to say who one is: the function key, alone or with a caller's own."""
    return [{FUNCTION_KEY: []}, {FUNCTION_KEY: [], BEARER: []}, {FUNCTION_KEY: [], CALLER_KEY: []}]

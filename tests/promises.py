"""What the description promises, held against every answer that any journey gets."""

from __future__ import annotations

import json
import re
from functools import cache

from tests.localhost import ROOT

SAFE = {"HEAD", "OPTIONS"}


@cache
def calls():
    """Give every described call: a pattern of its path, its method, and the problems it may end with, by status."""
    described = json.loads((ROOT / "approvals/web/openapi.json").read_text(encoding="utf-8"))
    schemas = described["components"]["schemas"]
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), method.upper(), endings_of(call, schemas))
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]


def endings_of(call, schemas):
    """Give the codes of the problems a call may end with, by status; none of an answer that is no problem."""
    found = {}
    for status, answer in call["responses"].items():
        schema = answer.get("content", {}).get("application/problem+json", {}).get("schema", {})
        refs = [each["$ref"].rpartition("/")[2] for each in schema.get("oneOf", [schema] if schema else [])]
        found[int(status)] = {schemas[name]["properties"]["code"]["const"] for name in refs}
    return found


def check(answer):
    """See that an answer is one that the description promises; a hook of httpx."""
    method = answer.request.method
    if method in SAFE:
        return
    for path, described, endings in calls():
        if path.fullmatch(answer.request.url.path) and method == described:
            assert answer.status_code in endings, f"{method} {path.pattern} does not promise {answer.status_code}."
            if codes := endings[answer.status_code]:
                if not answer.read():
                    return  # the host's own answer, which never reached the app
                code = answer.json()["code"]
                assert code in codes, f"{method} {path.pattern} does not promise {answer.status_code} {code}."

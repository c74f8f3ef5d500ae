"""JSON Schema of what comes in and goes out, made of the product's own types, with the words that stand beside them."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from itertools import pairwise
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from approvals import errors
from approvals.web import responses

REFERENCE = "#/components/schemas/{model}"


def problem_type(error: type[errors.ApprovalError]) -> Any:
    """Give the type of an error as it is written: what every problem has, and the evidence of this one."""
    more: dict[str, Any] = {}
    if error.evidence is not errors.ApprovalError.evidence:
        more = get_type_hints(get_type_hints(error.evidence)["return"], include_extras=True)
    common = get_type_hints(responses.ProblemJson, include_extras=True)
    exact = {"status": Literal[responses.status_of_kind(error)], "code": Literal[error.code]}
    problem = TypedDict(f"{error.__name__}Problem", {**common, **exact, **more})  # type: ignore[misc]
    problem.__doc__ = inspect.getdoc(error)
    return problem


def schemas_of(read: list[type[BaseModel]], written: list[Any]) -> dict[str, Any]:
    """Give the schemas of all that is read and written, and of what is within, by name."""
    adapters = [(kind.__name__, "validation", TypeAdapter(kind)) for kind in read]
    adapters += [(kind.__name__, "serialization", TypeAdapter(kind)) for kind in written]
    _, found = TypeAdapter.json_schemas(adapters, ref_template=REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    for kind in [*read, *written, *models_within(read + written)]:
        if kind.__name__ in schemas:
            add_words(schemas[kind.__name__], kind)
    for schema in schemas.values():
        tidy(schema)
    renamed = re.sub(rf'("{REFERENCE.format(model="")}\w+?)Json"', r'\1"', json.dumps(schemas))
    return {public_name(name): schema for name, schema in json.loads(renamed).items()}


def public_name(name: str) -> str:
    """Give the name of a schema: that of its type, without the word for how it is written."""
    return name.removesuffix("Json")


def models_within(kinds: list[Any]) -> list[Any]:
    """Give the types that stand in the fields of these, at any depth."""
    found: dict[int, Any] = {}
    coming = list(kinds)
    while coming:
        here = coming.pop()
        if id(here) in found:
            continue
        if hasattr(here, "__annotations__") and isinstance(here, type):
            found[id(here)] = here
            coming += get_type_hints(here).values()
        coming += getattr(here, "__args__", ())
    return list(found.values())


def add_words(schema: dict[str, Any], kind: type) -> None:
    """Describe each field by the docstring that stands below it."""
    words = {name: text for each in reversed(bases(kind)) for name, text in docstrings(each).items()}
    for name, field in schema.get("properties", {}).items():
        if name in words:
            field["description"] = words[name]
    for name, field in getattr(kind, "model_fields", {}).items():
        if field.alias and name in words:
            schema["properties"][field.alias]["description"] = words[name]


def bases(kind: type) -> list[type]:
    """Give a class and what it is made of, the nearest first; a TypedDict forgets its own."""
    return [*kind.__mro__, *(base for base in getattr(kind, "__orig_bases__", ()) if isinstance(base, type))]


def docstrings(kind: type) -> dict[str, str]:
    """Read the docstrings below the fields of a class; none where there is no source of it."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    found = {}
    lines = body.body if isinstance(body, ast.ClassDef) else []
    for field, below in pairwise(lines):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found


def tidy(schema: Any) -> None:
    """Leave out titles, which repeat a name, and say defaults in words.

    A field with a `default` may be left out, but `openapi-typescript` takes it for one that is always there.
    """
    if isinstance(schema, list):
        for each in schema:
            tidy(each)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("title"), str):
        del schema["title"]
    default = schema.pop("default", None)
    if default not in (None, ""):
        word = f"{default:g}" if isinstance(default, float) else json.dumps(default).strip('"')
        schema["description"] = f"{schema.get('description', '')} Default: `{word}`."
    if isinstance(schema.get("description"), str):
        schema["description"] = " ".join(schema["description"].split())
    for name, each in schema.items():
        for inner in each.values() if name == "properties" else [each]:
            tidy(inner)

"""What an approver must fill in: a JSON Schema (draft 2020-12) of the caller's, and answers to it.

The schema is checked when a request is made. So that nothing is ever fetched for it, nobody can stall the service
with it and every answer can be judged, it may refer to its own `$defs` only, not in a circle, and has no patterns.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from approvals.rules.value import Problem, compact, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROBLEMS_TOLD = 20
MOST_SCHEMAS = 1000
"""How many schemas a form may come to, each counted as often as it is referred to."""

DEFINITION = "#/$defs/"
REFERENCE = re.compile(r"#/\$defs/[A-Za-z0-9._-]+")
"""Names that are written alike in a pointer, in an address and as a key."""
NAMED = ("properties", "$defs", "dependentSchemas")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
SINGLE = (
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
)
NOT_OFFERED = {
    "pattern": "patterns are not offered: one can take for ever",
    "patternProperties": "patterns are not offered: one can take for ever",
    "$id": "only references to #/$defs are offered",
    "$anchor": "only references to #/$defs are offered",
    "$dynamicAnchor": "only references to #/$defs are offered",
    "$dynamicRef": "only references to #/$defs are offered",
    "$recursiveRef": "only references to #/$defs are offered",
}


def schema_problem(schema: dict[str, Any]) -> Problem | None:
    """Say what is wrong with a schema, if anything; the pointer is into the schema."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return Problem(pointer(error), f"is no JSON Schema (draft 2020-12): {error.message[:200]}")
    except RecursionError:
        return Problem("", "is nested too deeply")
    definitions = schema.get("$defs", {})
    for at, part in parts(schema, ""):
        for word, why in NOT_OFFERED.items():
            if word in part:
                return Problem(f"{at}/{word}", why)
        target = part.get("$ref")
        if target is not None and not (REFERENCE.fullmatch(target) and target.removeprefix(DEFINITION) in definitions):
            return Problem(f"{at}/$ref", "refers to nothing in #/$defs")
    try:
        size = expanded(schema, definitions, {}, ())
    except RecursionError:
        return Problem("", "refers to itself without end")
    return Problem("", f"comes to more than {MOST_SCHEMAS:,} schemas") if size > MOST_SCHEMAS else None


def parts(schema: Any, at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give a schema and all schemas within, each with its pointer. Values such as `enum` are not schemas."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for where, inner in within(schema):
        yield from parts(inner, f"{at}/{where}")


def within(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the schemas directly within a schema."""
    for word in NAMED:
        for name, inner in schema.get(word, {}).items():
            yield f"{word}{pointer_to(name)}", inner
    for word in SEVERAL:
        for number, inner in enumerate(schema.get(word, ())):
            yield f"{word}/{number}", inner
    for word in SINGLE:
        if word in schema:
            yield word, schema[word]


def expanded(schema: Any, definitions: Mapping[str, Any], known: dict[str, int], on_the_way: tuple[str, ...]) -> int:
    """Count the schemas a schema comes to when every reference is followed. Raises RecursionError for a circle."""
    if not isinstance(schema, dict):
        return 1
    size = 1
    for where, inner in within(schema):
        if not where.startswith("$defs/"):
            size += expanded(inner, definitions, known, on_the_way)
    if target := schema.get("$ref"):
        name = target.removeprefix(DEFINITION)
        if name in on_the_way:
            raise RecursionError
        if name not in known:
            known[name] = expanded(definitions[name], definitions, known, (*on_the_way, name))
        size += known[name]
    return size


def multiple_of(_validator: Any, step: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """Judge `multipleOf` in decimals: 19.99 is a multiple of 0.01, which binary fractions deny."""
    if isinstance(instance, bool) or not isinstance(instance, int | float):
        return
    try:
        left = Decimal(str(instance)) % Decimal(str(step))
    except ArithmeticError:
        left = Decimal(1)
    if left:
        yield ValidationError("is no multiple")


Validator = extend(Draft202012Validator, {"multipleOf": multiple_of})


def answer_problems(schema: dict[str, Any], answer: object) -> list[Problem]:
    """Say what is wrong with an answer, never what was answered; the pointers are into the answer."""
    validator = Validator(schema, registry=Registry(), format_checker=Validator.FORMAT_CHECKER)
    try:
        errors = sorted(validator.iter_errors(answer), key=lambda error: list(map(str, error.absolute_path)))
    except RecursionError:
        return [Problem("", "is nested too deeply for the form")]
    return [Problem(pointer(error), said(error)) for error in errors[:PROBLEMS_TOLD]]


def said(error: ValidationError) -> str:
    """Say which word of the schema an answer does not satisfy."""
    if error.validator == "required":
        return str(error.message)
    return f"does not satisfy the form: {error.validator} {compact(error.validator_value)[:100]}"


def pointer(error: SchemaError | ValidationError) -> str:
    """Write where an error is as a JSON pointer."""
    return pointer_to(*error.absolute_path)

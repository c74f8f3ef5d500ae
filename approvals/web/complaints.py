"""What is wrong with a body, in our words: what pydantic found, with a pointer, and no sentence of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from approvals.rules.saying import noted, say
from approvals.rules.value import Problem, did_you_mean, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

SENTENCES = {
    "missing": noted("is required"),
    "string_type": noted("must be a string"),
    "string_unicode": noted("must be text that Unicode knows"),
    "bool_type": noted("must be true or false"),
    "int_type": noted("must be a whole number"),
    "float_type": noted("must be a number"),
    "float_parsing": noted("must be a number"),
    "finite_number": noted("must be a finite number"),
    "list_type": noted("must be a list"),
    "dict_type": noted("must be an object"),
    "model_type": noted("must be an object"),
    "model_attributes_type": noted("must be an object"),
    "literal_error": noted("must be one of {expected}"),
    "too_short": noted("must have at least {min_length}"),
    "too_long": noted("must have at most {max_length}"),
    "string_too_long": noted("must have at most {max_length} characters"),
    "string_too_short": noted("must have at least {min_length} characters"),
    "greater_than_equal": noted("must be at least {ge}"),
    "less_than_equal": noted("must be at most {le}"),
    "greater_than": noted("must be more than {gt}"),
    "less_than": noted("must be less than {lt}"),
}
"""By pydantic's own names for errors; another one is said in general words, and a test finds it."""
OTHERWISE = noted("is not what is expected here")


def describe_error(kind: type[BaseModel], error: dict[str, Any]) -> Problem:
    """Say what is wrong, and where."""
    return Problem(pointer_to(*error["loc"]), sentence(kind, error))


def sentence(kind: type[BaseModel], error: dict[str, Any]) -> str:
    """Say what pydantic found in our words; for a field that there is not, which one was perhaps meant."""
    if error["type"] == "extra_forbidden":
        known = sorted(fields_at(kind, error["loc"][:-1]))
        return f"is not a field here{did_you_mean(str(error['loc'][-1]), known)}"
    if error["type"] == "value_error":  # one of ours
        said = error.get("ctx", {}).get("error")
        first = said.args[0] if isinstance(said, ValueError) and said.args else ""
        return first if isinstance(first, str) and first else str(error["msg"]).removeprefix("Value error, ")
    return say(SENTENCES.get(error["type"], OTHERWISE), **(error.get("ctx") or {}))


def fields_at(kind: type[BaseModel], steps: tuple[int | str, ...]) -> set[str]:
    """Name the fields of the object that stands at these steps."""
    here: list[type[BaseModel]] = [kind]
    for step in steps:
        if isinstance(step, str):
            inner = [field.annotation for each in here for name, field in fields_of(each) if name == step]
            here = [model for annotation in inner for model in models_in(annotation)]
    return {name for each in here for name, _ in fields_of(each)}


def fields_of(kind: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Give the fields of a model by the names that a body has for them."""
    for name, field in kind.model_fields.items():
        yield field.alias or name, field


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the models that a field may hold, also within lists and beside nothing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)

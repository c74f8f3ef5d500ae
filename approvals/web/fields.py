"""A form's JSON Schema as fields of a page, and what was typed into them as an answer.

The schema must be one that `forms.schema_problem` admits. Whether an answer fits is for `forms.answer_problems` alone
to say; here it is only read. Titles, descriptions and whatever was typed are plain text, never markup.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

from approvals.rules.forms import DEFINITION
from approvals.rules.value import Problem, compact, pointer_to
from approvals.web import jsontext
from approvals.web.jsontext import DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TextKind = Literal["text", "paragraph", "date", "email"]
NumberKind = Literal["number", "integer"]
Kind = Literal[TextKind, NumberKind, "yes_no", "choice", "choices", "lines", "group", "json", "fixed"]

ONE_LINE_CHARACTERS = 200
LARGEST = 2**53
"""No number may be larger: a float cannot tell it from its neighbours."""

SAYS_NOTHING = {
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    *("$comment", "$defs", "$schema"),
}
COMBINED = ("allOf", "anyOf", "oneOf", "if", "dependentSchemas", "prefixItems")
TEXTS = get_args(TextKind)
NUMBERS = get_args(NumberKind)
CHOSEN = ("yes_no", "choice", "choices", "fixed")
FORMATS = {
    "date": "a date (year-month-day)",
    "email": "an email address",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uuid": "a UUID",
    "duration": "a duration such as P3DT12H",
}
HINTED = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "format", "minItems", "maxItems"),
}
UNSATISFIED = "does not satisfy the form: "

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
# with three digits after it, the comma may as well stand between thousands
DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?!\d{3}\Z)\d+", re.ASCII)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_-]+")

NOTHING = object()
"""What is read where nothing was typed: the property is left out."""


@dataclass(frozen=True)
class Choice:
    """One of several: what the page posts, what people read, and what it means in the answer (any JSON value)."""

    value: str
    label: str
    means: Any


YES_NO = (Choice("yes", "Yes", True), Choice("no", "No", False))


@dataclass(frozen=True)
class Field:
    """One field of the page; the whole answer has the pointer "".

    `hint` says what is accepted ("between 1 and 10"), `max_length` is in characters (code points), `values` is what
    was typed, to be shown again (of a fixed field: its value), `problems` are sentences.
    """

    pointer: str
    kind: Kind
    label: str = ""
    required: bool = True
    description: str = ""
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    fields: tuple[Field, ...] = ()
    max_length: int | None = None
    values: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name it is posted under."""
        return f"form{self.pointer}"

    @property
    def key(self) -> str:
        """The name of the property it becomes."""
        return key(self.pointer)

    @property
    def value(self) -> str:
        """What was typed, where one value is meant."""
        return self.values[0] if self.values else ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed into it, or into any field of it."""
        if self.kind == "group":
            return all(each.is_blank for each in self.fields)
        return self.kind == "fixed" or not any(text.strip() for text in self.values)


@dataclass(frozen=True)
class Page:
    """What all fields of a page are made from."""

    definitions: Mapping[str, Any]
    typed: Mapping[str, Sequence[str]]
    problems: Sequence[Problem]


def fields(
    schema: dict[str, Any], typed: Mapping[str, Sequence[str]] | None = None, problems: Iterable[Problem] = ()
) -> tuple[Field, ...]:
    """Give the fields for an admitted schema: one for each property, or one for the JSON of the whole answer.

    `typed` is what was posted before, by the names of the fields; `problems` are those of `answer` and of
    `forms.answer_problems`, with pointers into the answer. Nothing is ever chosen that nobody chose.
    """
    found = whole(schema, typed or {}, problems)
    return found.fields or (found,)


def unplaced(shown: Iterable[Field], problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Give the problems that none of these fields shows: those of the whole answer."""
    shown = tuple(shown)
    return tuple(problem for problem in problems if not any(concerns(problem, field.pointer) for field in shown))


def answer(schema: dict[str, Any], typed: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], list[Problem]]:
    """Read what was typed into the fields of an admitted schema, and say what cannot be read.

    What cannot be read is left out, as is what is blank. Names that are no field's are passed over. Never raises.
    """
    problems: list[Problem] = []
    found = taken(whole(schema, typed, ()), problems)
    if isinstance(found, dict):
        return found, problems
    return {}, problems if found is NOTHING else [Problem("", "is not a JSON object")]


# --- from the schema to fields --------------------------------------------------------------------


def whole(schema: dict[str, Any], typed: Mapping[str, Sequence[str]], problems: Iterable[Problem]) -> Field:
    """Make the field of the whole answer: a group, or JSON."""
    page = Page(schema.get("$defs", {}), typed, tuple(problems))
    return made(schema, "", True, page)


def made(schema: Any, pointer: str, required: bool, page: Page) -> Field:  # noqa: FBT001 - as the schema has it
    """Make a field and the fields within."""
    schema = plain(schema, page.definitions)
    kind = kind_of(schema, pointer, page.definitions)
    item = plain(schema.get("items", True), page.definitions)
    inner: tuple[Field, ...] = ()
    if kind == "group":
        must = schema.get("required", ())
        inner = tuple(
            made(each, pointer + pointer_to(name), name in must, page) for name, each in schema["properties"].items()
        )
    choices = YES_NO if kind == "yes_no" else members(item if kind == "choices" else schema)
    # half a surrogate pair would break the page it is shown on
    typed = tuple(text.encode("utf-8", "replace").decode() for text in page.typed.get(f"form{pointer}", ()))
    mine = [problem for problem in page.problems if concerns(problem, pointer)]
    return Field(
        pointer,
        kind,
        label=schema.get("title", "").strip() or readable(key(pointer)),
        required=required,
        description=schema.get("description", ""),
        hint=hint(kind, schema, item),
        choices=choices if kind in CHOSEN else (),
        fields=inner,
        max_length=int(schema["maxLength"]) if kind in TEXTS and "maxLength" in schema else None,
        values=(choices[0].label,) if kind == "fixed" else typed,
        problems=sentences(unplaced(inner, mine), pointer, kind, schema, item),
    )


def plain(schema: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Follow references, and `anyOf` that only adds null. What stands beside them goes with what they lead to."""
    while isinstance(schema, dict):
        rest = dict(schema)
        some = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if "$ref" in schema:
            target = definitions[rest.pop("$ref").removeprefix(DEFINITION)]
        elif len(some) == 1 and "const" not in plain(some[0], definitions):
            target = some[0]
            del rest["anyOf"]
        else:
            return schema
        if not isinstance(target, dict):
            target = {} if target else {"not": {}}
        both = target.keys() & rest.keys() - SAYS_NOTHING
        # both count, so where they differ neither alone says what is accepted
        schema = rest | {"allOf": [target]} if any(target[word] != rest[word] for word in both) else target | rest
    return {} if schema else {"not": {}}


def kind_of(schema: dict[str, Any], pointer: str, definitions: Mapping[str, Any]) -> Kind:
    """Choose the kind of field for a schema that is plain; JSON for what no other field can hold."""
    if pointer and "const" in schema:
        # "I have read it: true" is a person's to say, never the server's
        return "yes_no" if isinstance(schema["const"], bool) else "fixed"
    if pointer and members(schema):
        return "choice"
    if any(word in schema for word in ("const", "enum", *COMBINED)):
        return "json"
    types = schema.get("type", "object" if "properties" in schema else [])
    match [each for each in ([types] if isinstance(types, str) else types) if each != "null"]:
        case ["string"]:
            return kind_of_text(schema)
        case ["number"]:
            return "number"
        case ["integer"]:
            return "integer"
        case ["boolean"]:
            return "yes_no"
        case ["array"] if pointer.count("/") <= DEPTH + 1:
            item = plain(schema.get("items", True), definitions)
            of = kind_of(item, f"{pointer}/0", definitions)
            return "choices" if of == "choice" else "lines" if of in TEXTS else "json"
        case ["object"] if pointer.count("/") <= DEPTH and schema.get("properties"):
            # what is required and has no field could not be answered
            return "group" if set(schema.get("required", ())) <= schema["properties"].keys() else "json"
    return "json"


def kind_of_text(schema: dict[str, Any]) -> Kind:
    """Choose the kind of field for a string."""
    if schema.get("format") == "date":
        return "date"
    if schema.get("format") == "email":
        return "email"
    long = schema.get("maxLength", 0) > ONE_LINE_CHARACTERS or schema.get("contentMediaType", "").startswith("text/")
    return "paragraph" if long else "text"


def members(schema: dict[str, Any]) -> tuple[Choice, ...]:
    """Give what a schema lets choose from, if it is a `const`, an `enum`, or alternatives that are each a `const`."""
    if "const" in schema:
        return (Choice("0", label(schema["const"]), schema["const"]),)
    if "enum" in schema:
        return tuple(Choice(str(at), label(value), value) for at, value in enumerate(schema["enum"]))
    each = schema.get("oneOf") or schema.get("anyOf") or ()
    if not all(isinstance(one, dict) and "const" in one for one in each):
        return ()
    return tuple(
        Choice(str(at), one.get("title", "").strip() or label(one["const"]), one["const"])
        for at, one in enumerate(each)
    )


def label(value: Any) -> str:
    """Write a JSON value for people."""
    match value:
        case True:
            return "Yes"
        case False:
            return "No"
        case None:
            return "None"
        case str():
            return value if value.strip() else "(empty)"
    return compact(value)


def readable(name: str) -> str:
    """Make a property's name one for people: cost_center and costCenter become Cost center."""
    words = [word.lower() if word.istitle() else word for word in CAMEL.split(name) if word]
    said = " ".join(words)
    return said[:1].upper() + said[1:] or "Answer"


def key(pointer: str) -> str:
    """Give the last name of a JSON pointer."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


# --- what is accepted, and what is wrong ----------------------------------------------------------


def hint(kind: Kind, schema: dict[str, Any], item: dict[str, Any]) -> str:
    """Say what is accepted, and what is usual."""
    said = accepted(kind, schema, item)
    if kind in (*TEXTS, *NUMBERS) and "default" in schema:
        said = [*said, f"usually {label(schema['default'])}"]
    return ", ".join(said)


def accepted(kind: Kind, schema: dict[str, Any], item: dict[str, Any]) -> list[str]:
    """Say what is accepted, each so that "must be" can stand before it."""
    if kind in NUMBERS:
        said = span(schema.get("minimum"), schema.get("maximum"))
        for word, meaning in (
            ("exclusiveMinimum", "more than"),
            ("exclusiveMaximum", "less than"),
            ("multipleOf", "a multiple of"),
        ):
            if word in schema:
                said.append(f"{meaning} {amount(schema[word])}")
        return said
    if kind in TEXTS:
        said = span(schema.get("minLength") or None, schema.get("maxLength"), "characters")
        return [FORMATS[schema["format"]], *said] if schema.get("format") in FORMATS else said
    if kind in ("lines", "choices"):
        said = span(schema.get("minItems") or None, schema.get("maxItems"), kind)
        return said + [f"each {each}" for each in accepted("text", item, {}) if kind == "lines"]
    return []


def span(least: float | None, most: float | None, unit: str = "") -> list[str]:
    """Say what lies between two limits, either of which may be missing."""
    if least is None and most is None:
        return []
    if least is not None and most is not None and least != most:
        return [f"between {amount(least)} and {amount(most)} {unit}".rstrip()]
    word, limit = ("at most", most) if least is None else ("at least", least) if most is None else ("exactly", least)
    return [f"{word} {amount(limit)} {unit.removesuffix('s') if limit == 1 else unit}".rstrip()]


def amount(number: float | None) -> str:
    """Write a number of the schema."""
    return compact(number).removesuffix(".0")


def concerns(problem: Problem, pointer: str) -> bool:
    """Tell whether a problem is to be shown at a field: it is there, or within, or that the field is missing."""
    if problem.pointer == pointer or problem.pointer.startswith(f"{pointer}/"):
        return True
    return problem == Problem(pointer.rpartition("/")[0], missing(pointer))


def missing(pointer: str) -> str:
    """Give what the library says of the parent of a property that is required and not there."""
    return f"{key(pointer)!r} is a required property"


def sentences(
    problems: Iterable[Problem], pointer: str, kind: Kind, schema: dict[str, Any], item: dict[str, Any]
) -> tuple[str, ...]:
    """Make sentences for people of what is wrong at a field, each once.

    What could not be read is missing from the answer too; only the first is told.
    """
    others = []
    said = []
    for problem in problems:
        if problem.detail == missing(pointer) and not problem.pointer.startswith(pointer):
            said.append("An answer is needed.")
        else:
            others.append(sentence(problem, pointer, kind, schema, item))
    return tuple(dict.fromkeys(others or said))


def sentence(problem: Problem, pointer: str, kind: Kind, schema: dict[str, Any], item: dict[str, Any]) -> str:
    """Say what is wrong; by what is accepted where that is known."""
    where = problem.pointer.removeprefix(pointer).removeprefix("/")
    if where.isdecimal() and kind == "lines":
        where, kind, schema = f"line {int(where) + 1}", "text", item
    said = problem.detail
    word = said.removeprefix(UNSATISFIED).partition(" ")[0] if said.startswith(UNSATISFIED) else ""
    if word in HINTED and (wanted := accepted(kind, schema, item)):
        said = f"must be {', '.join(wanted)}"
    elif word == "const" and kind == "yes_no" and "const" in schema:
        said = f"must be {label(schema['const'])}"
    elif word == "uniqueItems" and kind == "lines":
        said = "must not say anything twice"
    said = f"{where}: {said}" if where else said
    return f"{said[:1].upper()}{said[1:]}."


# --- from what was typed to the answer ------------------------------------------------------------


def taken(field: Field, problems: list[Problem]) -> Any:
    """Read a field and the fields within; give NOTHING for what is blank, or cannot be read and is a problem."""
    if field.kind == "fixed":
        return field.choices[0].means
    if field.is_blank and not (field.kind == "group" and field.required):
        return NOTHING
    if field.kind == "group":
        found = {each.key: taken(each, problems) for each in field.fields}
        return {name: value for name, value in found.items() if value is not NOTHING}
    try:
        return read(field)
    except ValueError as error:
        problems.append(Problem(field.pointer, str(error)))
        return NOTHING


def read(field: Field) -> Any:
    """Read what was typed into one field. Raises ValueError with what is wrong."""
    if field.kind == "choices":
        return [chosen(field, value) for value in field.values]
    if len(field.values) > 1:
        raise ValueError("was given more than once")
    text = field.value.replace("\r\n", "\n").replace("\r", "\n")
    match field.kind:
        case "yes_no" | "choice":
            return chosen(field, text)
        case "number" | "integer":
            return number(text.strip(), field.kind)
        case "lines":
            return [line.strip() for line in text.split("\n") if line.strip()]
        case "paragraph":
            return text
        case "json":
            return strict(text)
    return text.strip()


def chosen(field: Field, value: str) -> Any:
    """Give what a choice means. Raises ValueError for one that is not offered."""
    for choice in field.choices:
        if choice.value == value:
            return choice.means
    raise ValueError("is not one of the choices")


def number(text: str, kind: NumberKind) -> float:
    """Read a number, with a point or a comma. Raises ValueError for what is none, or not whole, or out of range."""
    if DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    exact = Decimal(text)
    if exact.copy_abs() > LARGEST:
        raise ValueError("is out of range")
    if exact == exact.to_integral_value():
        return int(exact)
    if kind == "integer":
        raise ValueError("is not a whole number")
    return float(exact)


def strict(text: str) -> Any:
    """Read JSON as strictly as that of the API. Raises ValueError."""
    try:
        return jsontext.read(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except jsontext.Refused as error:
        raise ValueError(f"is not JSON as it is taken here: {str(error).removesuffix('.')}") from None

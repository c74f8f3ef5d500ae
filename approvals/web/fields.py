"""A form as fields of a page, and what was typed into them as an answer.

Whether an answer fits is for the form's judge alone to say; here it is only read. Titles, descriptions and whatever
was typed are plain text, never markup. The work is linear in the size of the form and of what was typed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from approvals.people.languages import gettext, in_words
from approvals.rules.forms import (
    NOTHING,
    Anything,
    Choice,
    Field,
    Group,
    List,
    Money,
    Numeric,
    Text,
    Tick,
    YesNo,
    comparable,
)
from approvals.rules.saying import join, noted, say
from approvals.rules.text import humanize
from approvals.rules.value import Number, Problem, pointer_to
from approvals.web import jsontext

InputKind = Literal[
    "text",
    "paragraph",
    "date",
    "email",
    "uri",
    "money",
    "number",
    "integer",
    "tick",
    "yes_no",
    "choice",
    "choices",
    "lines",
    "group",
    "json",
]
Typed = Mapping[str, Sequence[str]]
"""What was posted, by the names of the inputs."""

ONE_LINE_CHARACTERS = 200
LABEL_ENDS = " .:?!…؟。：？！"  # noqa: RUF001 - those of the languages of the page
WHOLE = "form"
"""What the whole answer is posted as, where the form has no fields of its own."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
# with three digits after it, the comma may as well stand between thousands
DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?!\d{3}\Z)\d+", re.ASCII)


@dataclass(frozen=True)
class Option:
    """One of several: what the page posts, what people read, and what it means in the answer."""

    value: str
    label: str
    means: Any


YES_NO = (Option("yes", noted("Yes"), True), Option("no", noted("No"), False))
TICK = (Option("yes", "", True),)


@dataclass(frozen=True)
class Input:
    """One field of the page; the whole answer has the pointer "".

    `hint` says what is accepted ("between 1 and 10"), `max_length` is in characters (code points), `values` is what
    was typed, to be shown again, or the default when nobody has typed yet, `problems` are sentences.
    """

    pointer: str
    kind: InputKind
    label: str = ""
    required: bool = True
    description: str = ""
    hint: str = ""
    options: tuple[Option, ...] = ()
    inputs: tuple[Input, ...] = ()
    max_length: int | None = None
    values: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name it is posted under."""
        return f"{WHOLE}{self.pointer}"

    @property
    def value(self) -> str:
        """What was typed, where one value is meant."""
        return self.values[0] if self.values else ""


def form_inputs(form: Group, typed: Typed | None = None, problems: Iterable[Problem] = ()) -> tuple[Input, ...]:
    """Give the inputs for a form: one for each field, or one for the JSON of the whole answer.

    `typed` is what was posted before, nothing when the page is shown for the first time: then the defaults stand
    there. `problems` are those of `read_answer` and of the judge, with pointers into the answer.
    """
    problems = tuple(problems)
    if not form.fields:
        return (
            Input(
                "",
                "json",
                gettext("Answer"),
                values=clean_values(typed, ""),
                problems=sentences(problems, "", gettext("Answer")),
            ),
        )
    return tuple(input_for(field, "", typed, problems) for field in form.fields)


def problems_without_input(shown: Iterable[Input], problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Give the problems that none of these inputs shows: those of the whole answer."""
    pointers = {each.pointer for each in shown}
    if "" in pointers:
        return ()
    return tuple(problem for problem in problems if not pointers & set(starts(problem.pointer)))


def read_answer(form: Group, typed: Typed) -> tuple[dict[str, Any], list[Problem]]:
    """Read what was typed into the inputs of a form, and say what cannot be read.

    What cannot be read is left out, as is what is blank. Names that are no input's are passed over. Never raises.
    """
    problems: list[Problem] = []
    if form.fields:
        return read_group(form, "", typed, problems), problems
    found = read_field(Field("", Anything()), "", typed, problems)
    if isinstance(found, dict):
        return found, problems
    return {}, problems if found is NOTHING else [Problem("", say("is not a JSON object"))]


# --- from fields to inputs ------------------------------------------------------------------------


def input_for(field: Field, at: str, typed: Typed | None, problems: tuple[Problem, ...]) -> Input:
    """Make the input for a field, and the inputs within."""
    pointer = f"{at}{pointer_to(field.name)}"
    mine = tuple(problem for problem in problems if pointer in starts(problem.pointer))
    inner = field.kind.fields if isinstance(field.kind, Group) else ()
    inputs = tuple(input_for(each, pointer, typed, mine) for each in inner)
    label = field.title or humanize(field.name) or gettext("Answer")
    return Input(
        pointer,
        kind_of(field),
        label=label,
        required=field.required,
        description=field.description,
        hint=hint(field),
        options=options_of(field),
        inputs=inputs,
        max_length=field.kind.most if isinstance(field.kind, Text) else None,
        values=default_values(field) if typed is None else clean_values(typed, pointer),
        problems=sentences(problems_without_input(inputs, mine), pointer, label),
    )


def starts(pointer: str) -> list[str]:
    """Give the pointers to a place and to all that it is within, but for the whole: three at most in a form."""
    steps = pointer.split("/")[1:4]
    return ["".join(f"/{step}" for step in steps[: count + 1]) for count in range(len(steps))] if pointer else [""]


def kind_of(field: Field) -> InputKind:
    """Choose the kind of input for a field."""
    match field.kind:
        case Text(format="date" | "email" | "uri" as format_):
            return format_
        case Text(most=most):
            return "paragraph" if most and most > ONE_LINE_CHARACTERS else "text"
        case Money():
            return "money"
        case Numeric(whole=whole):
            return "integer" if whole else "number"
        case Tick():
            return "tick"
        case YesNo():
            return "yes_no"
        case Choice():
            return "choice"
        case List(item=item):
            return "choices" if isinstance(item, Choice) else "lines"
        case Group():
            return "group"
    return "json"


def options_of(field: Field) -> tuple[Option, ...]:
    """Give what an input lets choose from."""
    kind = field.kind.item if isinstance(field.kind, List) else field.kind
    match kind:
        case YesNo():
            return tuple(replace(each, label=gettext(each.label)) for each in YES_NO)
        case Tick():
            return TICK
        case Choice(options=options):
            return tuple(
                Option(str(at), each.title or str(each.value).strip() or gettext("(empty)"), each.value)
                for at, each in enumerate(options)
            )
    return ()


def hint(field: Field) -> str:
    """Say what is accepted, and what is taken where nothing is typed."""
    match field.kind:
        case List(item=Text() | Numeric() as item):
            each = [say("each {accepted}", accepted=words) for words in item.accepted]
            said = [say("one a line"), *field.kind.accepted, *each]
        case Text() | Numeric() | Money() | List():
            said = field.kind.accepted
        case Anything(schema=schema):
            return in_words(say("JSON that fits {schema}", schema=schema)) if schema else ""
        case _:
            return ""
    if field.default is not NOTHING and not isinstance(field.kind, List):
        said = [*said, say("if left empty: {value}", value=field.default)]
    return in_words(join(said))


def default_values(field: Field) -> tuple[str, ...]:
    """Give the default as it would be typed."""
    if field.default is NOTHING:
        return ()
    if isinstance(field.kind, List) and not isinstance(field.kind.item, Choice):
        return ("\n".join(map(str, field.default)),)
    chosen = field.default if isinstance(field.kind, List) else [field.default]
    if isinstance(field.kind, YesNo):
        return tuple(option.value for option in YES_NO if option.means is field.default)
    if options := options_of(field):
        known = {comparable(option.means): option.value for option in options}
        return tuple(known[comparable(each)] for each in chosen)
    return tuple(map(str, chosen))


def clean_values(typed: Typed | None, pointer: str) -> tuple[str, ...]:
    """Give what was typed into an input; half a surrogate pair would break the page it is shown on."""
    return tuple(text.encode("utf-8", "replace").decode() for text in (typed or {}).get(f"{WHOLE}{pointer}", ()))


def sentences(problems: Iterable[Problem], pointer: str, label: str) -> tuple[str, ...]:
    """Make sentences for people of what is wrong at an input, each once.

    What could not be read is missing from the answer too; only the first is told.
    """
    others: list[str] = []
    missing: list[str] = []
    for problem in problems:
        where, who = problem.pointer.removeprefix(pointer).removeprefix("/"), label
        if where.isdecimal():
            who = gettext("{field}, line {number},").format(field=label, number=int(where) + 1)
        elif where:
            who = f"{label}: {where}"
        is_missing = not where and problem.detail == "is required"
        (missing if is_missing else others).append(full_sentence(who, problem.detail))
    return tuple(dict.fromkeys(others or missing))


def full_sentence(field: str, problem: str) -> str:
    """Say what is wrong with a field as a sentence; what a label ends with would stand in its middle."""
    field = field.rstrip(LABEL_ENDS) or field
    if problem == "is required":
        return gettext("{field}: an answer is needed.").format(field=field)
    return gettext("{field} {problem}.").format(field=field, problem=in_words(problem).rstrip(".。"))


# --- from what was typed to the answer ------------------------------------------------------------


def read_group(group: Group, at: str, typed: Typed, problems: list[Problem]) -> dict[str, Any]:
    """Read the fields of a group; what is blank is left out."""
    found = {field.name: read_field(field, f"{at}{pointer_to(field.name)}", typed, problems) for field in group.fields}
    return {name: value for name, value in found.items() if value is not NOTHING}


def read_field(field: Field, pointer: str, typed: Typed, problems: list[Problem]) -> Any:
    """Read a field and the fields within; give NOTHING for what is blank, or cannot be read and is a problem."""
    if isinstance(field.kind, Group):
        # with nothing typed in it a group is left out, unless it is required
        found, before = read_group(field.kind, pointer, typed, problems), len(problems)
        return found if found or field.required or len(problems) > before else NOTHING
    texts = [text.replace("\r\n", "\n").replace("\r", "\n") for text in clean_values(typed, pointer)]
    if not any(text.strip() for text in texts):
        return NOTHING
    try:
        return read_texts(field, texts)
    except ValueError as error:
        problems.append(Problem(pointer, error.args[0]))
        return NOTHING


def read_texts(field: Field, texts: list[str]) -> Any:
    """Read what was typed into one input. Raises ValueError with what is wrong."""
    if isinstance(field.kind, List) and isinstance(field.kind.item, Choice):
        return [read_option(field, text) for text in texts]
    if len(texts) > 1:
        raise ValueError(say("was given more than once"))
    (text,) = texts
    match field.kind:
        case YesNo() | Tick() | Choice():
            return read_option(field, text)
        case Numeric(whole=whole):
            return read_number(text, whole=whole)
        case Money():
            return read_amount(text)
        case List(item=item):
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            return [read_number(line, whole=item.whole) if isinstance(item, Numeric) else line for line in lines]
        case Anything():
            return read_json(text)
    return text if kind_of(field) == "paragraph" else text.strip()


def read_option(field: Field, text: str) -> Any:
    """Give what a choice means. Raises ValueError for one that is not offered."""
    for option in options_of(field):
        if option.value == text:
            return option.means
    raise ValueError(say("is not one of the choices"))


def read_decimal(text: str) -> Decimal:
    """Read a number, with a point or a comma. Raises ValueError for what is none, or out of range."""
    text = text.strip()
    if DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not NUMBER.fullmatch(text):
        raise ValueError(say("is not a number"))
    try:
        return Number(text).exact
    except (OverflowError, InvalidOperation):
        raise ValueError(say("is out of range")) from None


def read_number(text: str, *, whole: bool) -> float:
    """Read a number, to the last digit. Raises ValueError for what is none, or not whole, or out of range."""
    number = read_decimal(text)
    if number == number.to_integral_value():
        return int(number)
    if whole:
        raise ValueError(say("is not a whole number"))
    return Number(str(number))


def read_amount(text: str) -> str:
    """Read an amount of money, as text. Raises ValueError."""
    return f"{read_decimal(text):f}"


def read_json(text: str) -> Any:
    """Read JSON as strictly as that of the API. Raises ValueError."""
    try:
        return jsontext.read(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            say("is not JSON (line {line}, column {column})", line=error.lineno, column=error.colno)
        ) from None
    except jsontext.Refused as error:
        raise ValueError(say("is not JSON as it is taken here: {why}", why=error.args[0])) from None

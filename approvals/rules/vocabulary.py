"""Which JSON Schema is taken as a form: a whitelist; everything else is refused with a pointer and a sentence.

The vocabulary is what MCP takes for elicitation (revision 2025-11-25, but for `pattern` and `enumNames`) and a little
more: the tick box, one level of objects and of lists, `order` and `money`. `docs/api.md` has it as a table. Reading
is linear in the size of the form, and ends with the twentieth problem. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from approvals.rules.formats import FORMATS
from approvals.rules.forms import (
    NOTHING,
    PROBLEMS_TOLD,
    Anything,
    Choice,
    Field,
    Group,
    List,
    Money,
    Numeric,
    Option,
    Text,
    Tick,
    YesNo,
    comparable,
    fill_in,
    find_problems,
)
from approvals.rules.value import TEXT_CHARACTERS, Problem, compact, did_you_mean, exact, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from approvals.rules.forms import Kind

MOST_FIELDS, MOST_CHOICES = 100, 200
NAME_CHARACTERS = 100
"""What the name of a field may have: the page repeats it with every choice."""
SCHEMA_CHARACTERS = 300
"""What is shown of the schema of a field that is outside the vocabulary."""
LARGEST_SIZE = 2**53
DIALECT = re.compile(r"https?://json-schema\.org/draft/2020-12/schema#?")
CURRENCY = re.compile(r"[A-Z]{3}")

LABELS = ("title", "description")
SIZES = ("minLength", "maxLength")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
CHOICES = ("enum", "oneOf", "anyOf")
OF_OBJECTS = ("properties", "required", "order", "additionalProperties")
WORDS = {
    "string": ("default", *SIZES, "format", "money"),
    "money": ("default", "money"),
    "number": ("default", *BOUNDS),
    "integer": ("default", *BOUNDS),
    "boolean": ("default",),
    "array": ("default", "items", "minItems", "maxItems"),
    "object": OF_OBJECTS,
    "choice": ("default", *CHOICES),
    "tick": ("const",),
}
"""Which words go with what, besides `type` and the labels."""
TYPES = ("string", "number", "integer", "boolean", "array", "object")
NOT_WITHIN = {"": (), "object": ("object", "array"), "list": ("object", "array", "boolean")}
"""What is not offered within an object and a list, but for choices within an object."""
KNOWN = {"type", "$schema", *LABELS, *(word for words in WORDS.values() for word in words)}
WHY_NOT = {
    "pattern": "is not offered: a pattern can take for ever",
    "patternProperties": "is not offered: a pattern can take for ever",
    "$ref": "is not offered: write the field itself, where it is meant",
    "$defs": "is not offered: write the field itself, where it is meant",
    "enumNames": "is not offered: give titles by `oneOf`, each with `const` and `title`",
}


class NotOffered(ValueError):
    """This is no form that is taken; `problems` says where and why, with pointers into it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.pointer} {problem.detail}" for problem in self.problems))


def read_form(schema: Mapping[str, Any]) -> Group:
    """Read a form. Raises NotOffered."""
    reader = Reader()
    try:
        form = reader.read_form(schema)
    except Enough:
        form = None
    if form is None or reader.problems:
        raise NotOffered(reader.problems)
    return form


def read_kept_form(schema: Mapping[str, Any]) -> Group:
    """Read the form of a request that was made, for its page."""
    try:
        return read_form(schema)
    except NotOffered:
        return read_form_in_flight(schema)


def read_form_in_flight(schema: Mapping[str, Any]) -> Group:
    """Read a form that was taken before there was a vocabulary: what is outside it is JSON to type.

    Give a group without fields when the whole answer is. Linear in the size of the form, whatever it says.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not 1 <= len(properties) <= MOST_FIELDS:
        return Group(())
    required = {*schema.get("required", ())}
    reader, fields = Reader(), []
    for name, inner in properties.items():
        reader.problems.clear()
        try:
            field = reader.read_field(name, inner, "", required=name in required)
        except Enough:
            field = None
        # a page repeats a name with every choice
        repeated = len(name) > NAME_CHARACTERS and field is not None and isinstance(field.kind, Choice | List | Group)
        if field is None or reader.problems or repeated:
            title = inner.get("title") if isinstance(inner, dict) else None
            anything = Anything(compact(inner)[:SCHEMA_CHARACTERS])
            field = Field(name, anything, name in required, title if isinstance(title, str) else "")
        fields.append(field)
    return Group(tuple(fields))


class Enough(Exception):
    """No more problems are told."""


class Reader:
    """Reads one form, and collects what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.fields = self.choices = 0

    def refuse(self, at: str, detail: str) -> None:
        """Note what is wrong."""
        self.problems.append(Problem(at, detail))
        if len(self.problems) >= PROBLEMS_TOLD:
            raise Enough

    def read_form(self, schema: Mapping[str, Any]) -> Group:
        """Read the whole form: an object."""
        if schema.get("type", "object") != "object":
            self.refuse("/type", 'must be "object", which may be left out: an answer has named fields')
        if "$schema" in schema and not (isinstance(schema["$schema"], str) and DIALECT.fullmatch(schema["$schema"])):
            self.refuse("/$schema", "must be draft 2020-12, which may be left out")
        self.check_words(schema, ("$schema", *OF_OBJECTS), "", "a form")
        form = self.read_group(schema, "", within="")
        if not self.problems and len(compact(fill_in(form, {}))) > TEXT_CHARACTERS:
            self.refuse("", f"has defaults of more than {TEXT_CHARACTERS:,} characters")
        return form

    def read_group(self, schema: Mapping[str, Any], at: str, within: str) -> Group:
        """Read the fields of an object, in their order."""
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            self.refuse(f"{at}/properties", "must be an object that names at least one field")
            return Group(())
        self.fields += len(properties)
        if self.fields > MOST_FIELDS:
            self.refuse(f"{at}/properties", f"makes more than {MOST_FIELDS} fields in all")
            raise Enough
        required = self.read_names(schema, "required", properties, at)
        order = self.read_names(schema, "order", properties, at)
        if not isinstance(schema.get("additionalProperties", True), bool):
            self.refuse(f"{at}/additionalProperties", "must be true or false")
        fields = []
        for name in dict.fromkeys([*order, *properties]):
            where = f"{at}/properties{pointer_to(name)}"
            if not 1 <= len(name) <= NAME_CHARACTERS:
                self.refuse(where, f"must have a name of 1 to {NAME_CHARACTERS} characters")
            fields.append(self.read_field(name, properties[name], where, required=name in required, within=within))
        return Group(tuple(each for each in fields if each), schema.get("additionalProperties") is False)

    def read_names(self, schema: Mapping[str, Any], word: str, known: Mapping[str, Any], at: str) -> list[str]:
        """Read a list of names of fields, each once."""
        given, found = schema.get(word, []), dict[str, None]()
        if not isinstance(given, list):
            self.refuse(f"{at}/{word}", "must be a list of names of fields")
            return []
        for number, name in enumerate(given):
            if not isinstance(name, str) or name not in known:
                hint = did_you_mean(name, known) if isinstance(name, str) else ""
                self.refuse(f"{at}/{word}/{number}", f"is not the name of a field{hint}")
            elif name in found:
                self.refuse(f"{at}/{word}/{number}", "stands there already")
            else:
                found[name] = None
        return list(found)

    def read_field(self, name: str, schema: Any, at: str, *, required: bool, within: str = "") -> Field | None:
        """Read a field; nothing when it is none."""
        if not isinstance(schema, dict):
            self.refuse(at, "must be an object that says what the field takes")
            return None
        before = len(self.problems)
        kind = self.read_kind(schema, at, within)
        said = {word: schema.get(word, "") for word in LABELS}
        for word in LABELS:
            if not isinstance(said[word], str):
                self.refuse(f"{at}/{word}", "must be text")
        if kind is None or len(self.problems) > before:
            return None
        default = schema.get("default", NOTHING)
        if default is not NOTHING:
            for problem in find_problems(kind, default, f"{at}/default"):
                self.refuse(problem.pointer, f"does not fit its field: {problem.detail}")
        return Field(name, kind, required, said["title"].strip(), said["description"], default)

    # --- kinds ------------------------------------------------------------------------------------

    def read_kind(self, schema: Mapping[str, Any], at: str, within: str = "") -> Kind | None:
        """Read what a field takes. `within`: the "object" or "list" it stands in, which offers less."""
        type_ = schema.get("type")
        if "const" in schema:
            return self.read_tick(schema, at)
        if any(word in schema for word in CHOICES):
            return self.read_choice(schema, at)
        if not isinstance(type_, str) or type_ not in TYPES:
            hint = did_you_mean(type_, TYPES) if isinstance(type_, str) else ""
            known = ", ".join(f'"{each}"' for each in TYPES)
            self.refuse(f"{at}/type", f"is required, one of {known}{hint}")
            self.check_words(schema, KNOWN, at, "a field")
            return None
        if type_ in NOT_WITHIN[within] and not (within == "object" and self.is_choices(schema)):
            self.refuse(f"{at}/type", f'"{type_}" is not offered within {"an" if within == "object" else "a"} {within}')
            return None
        if "money" in schema:
            return self.read_money(schema, at)
        self.check_words(schema, WORDS[type_], at, f'type "{type_}"')
        match type_:
            case "string":
                return self.read_text(schema, at)
            case "boolean":
                return YesNo()
            case "array":
                return self.read_several(schema, at)
            case "object":
                return self.read_group(schema, at, within="object")
        return self.read_numeric(schema, at, whole=type_ == "integer")

    def read_tick(self, schema: Mapping[str, Any], at: str) -> Tick | None:
        """Read a tick box."""
        self.check_words(schema, WORDS["tick"], at, "a tick box, which has no default either: a person ticks it")
        if schema["const"] is not True:
            self.refuse(f"{at}/const", "must be true: a tick box")
        if schema.get("type", "boolean") != "boolean":
            self.refuse(f"{at}/type", 'must be "boolean" beside `const`, or be left out')
        return Tick()

    def read_text(self, schema: Mapping[str, Any], at: str) -> Text:
        """Read text."""
        format_ = schema.get("format")
        if format_ is not None and (not isinstance(format_, str) or format_ not in FORMATS):
            hint = did_you_mean(format_, FORMATS) if isinstance(format_, str) else ""
            self.refuse(f"{at}/format", f"must be one of {', '.join(FORMATS)}{hint}")
            format_ = None
        least, most = self.read_sizes(schema, SIZES, at)
        self.check_room(least or 0, f"{at}/minLength")
        return Text(least or 0, most, format_)

    def read_money(self, schema: Mapping[str, Any], at: str) -> Money:
        """Read an amount."""
        self.check_words(schema, WORDS["money"], at, "`money`")
        currency = schema["money"]
        if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
            self.refuse(f"{at}/money", 'must be a currency as ISO 4217 has it, such as "EUR"')
        if schema.get("type") != "string":
            self.refuse(f"{at}/type", 'must be "string" beside `money`, so that no digit is lost')
        return Money(currency)

    def read_numeric(self, schema: Mapping[str, Any], at: str, *, whole: bool) -> Numeric:
        """Read a number."""
        found: dict[str, Any] = {}
        for word in BOUNDS:
            bound = schema.get(word)
            if word in schema and (isinstance(bound, bool) or not isinstance(bound, int | float)):
                self.refuse(f"{at}/{word}", "must be a number")
            elif word in schema and word == "multipleOf" and exact(schema[word]) <= 0:
                self.refuse(f"{at}/{word}", "must be more than 0")
            else:
                found[word] = bound
        least = [exact(found[word]) for word in ("minimum", "exclusiveMinimum") if found.get(word) is not None]
        most = [exact(found[word]) for word in ("maximum", "exclusiveMaximum") if found.get(word) is not None]
        if least and most and max(least) > min(most):
            self.refuse(at, "has bounds that no number keeps")
        return Numeric(whole, *(found.get(word) for word in BOUNDS))

    def is_choices(self, schema: Mapping[str, Any]) -> bool:
        """Tell whether this is a list of choices."""
        items = schema.get("items")
        return schema.get("type") == "array" and isinstance(items, dict) and any(word in items for word in CHOICES)

    def read_several(self, schema: Mapping[str, Any], at: str) -> List | None:
        """Read a list: of choices, or of simple values."""
        item, where = schema.get("items"), f"{at}/items"
        if not isinstance(item, dict):
            self.refuse(where, "is required: an object that says what each item takes")
            return None
        least, most = self.read_sizes(schema, ("minItems", "maxItems"), at)
        for word in ("default", *LABELS):
            if word in item:
                self.refuse(f"{where}/{word}", "belongs to the list, not to its items")
        kind = self.read_kind(item, where, within="list")
        if kind is None or not isinstance(kind, Text | Numeric | Choice):
            if kind is not None:
                self.refuse(where, "must be text, numbers or choices")
            return None
        if isinstance(kind, Choice) and least is not None and least > len(kind.options):
            self.refuse(f"{at}/minItems", "is more than there are choices")
        shortest = 3 + kind.least if isinstance(kind, Text) else 2  # with its quotation marks and comma
        self.check_room((least or 0) * shortest, f"{at}/minItems")
        return List(kind, least or 0, most)

    def read_choice(self, schema: Mapping[str, Any], at: str) -> Choice | None:
        """Read what may be chosen."""
        self.check_words(schema, WORDS["choice"], at, "a choice")
        type_ = schema.get("type")
        if type_ not in (None, "string", "number", "integer"):
            self.refuse(f"{at}/type", 'of a choice must be "string", "number" or "integer", or be left out')
            return None
        word, *others = [word for word in CHOICES if word in schema]
        for other in others:
            self.refuse(f"{at}/{other}", f"does not go with `{word}`")
        given = schema[word]
        if not isinstance(given, list) or not given:
            self.refuse(f"{at}/{word}", "must be a list with at least one choice")
            return None
        self.choices += len(given)
        if self.choices > MOST_CHOICES:
            self.refuse(f"{at}/{word}", f"makes more than {MOST_CHOICES} choices in all")
            raise Enough
        options: dict[Any, Option] = {}
        for number, each in enumerate(given):
            where = f"{at}/{word}/{number}"
            option = self.read_option(each, where) if word != "enum" else Option(each)
            known = comparable(option.value) if option else None
            if option is None:
                continue
            if known is None or not fits_type(option.value, type_):
                kind = {"string": "text", "number": "a number", "integer": "a whole number"}
                self.refuse(where, f"must be {kind.get(type_ or '', 'text or a number')}")
            elif known in options:
                self.refuse(where, "is one of the choices already")
            else:
                options[known] = option
        return Choice(tuple(options.values()))

    def read_option(self, given: Any, at: str) -> Option | None:
        """Read a choice that has a title."""
        if not isinstance(given, dict) or "const" not in given:
            self.refuse(at, "must be an object with `const` and `title`")
            return None
        self.check_words(given, ("const", "title"), at, "a choice", common=())
        title = given.get("title", "")
        if not isinstance(title, str):
            self.refuse(f"{at}/title", "must be text")
            return None
        return Option(given["const"], title.strip())

    # --- words ------------------------------------------------------------------------------------

    def check_words(
        self,
        schema: Mapping[str, Any],
        offered: Iterable[str],
        at: str,
        what: str,
        common: tuple[str, ...] = ("type", *LABELS),
    ) -> None:
        """Refuse every word that is not offered here."""
        offered = {*offered, *common}
        for word in schema:
            if word in offered:
                continue
            if word in WHY_NOT:
                self.refuse(at + pointer_to(word), WHY_NOT[word])
            elif word in KNOWN:
                self.refuse(at + pointer_to(word), f"does not go with {what}")
            else:
                self.refuse(at + pointer_to(word), f"is not a word of forms{did_you_mean(word, offered)}")

    def read_sizes(self, schema: Mapping[str, Any], words: tuple[str, str], at: str) -> tuple[int | None, int | None]:
        """Read the least and the most of a length."""
        found: list[int | None] = []
        for word, smallest in zip(words, (0, 1), strict=True):
            if word not in schema:
                found.append(None)
                continue
            wrong = Numeric(whole=True, least=smallest, most=LARGEST_SIZE).problem(schema[word])
            if wrong:
                self.refuse(f"{at}/{word}", f"must be a whole number from {smallest}")
            found.append(None if wrong else int(schema[word]))
        least, most = found
        if least is not None and most is not None and least > most:
            self.refuse(f"{at}/{words[0]}", f"is more than {words[1]}")
        return least, most

    def check_room(self, characters: int, at: str) -> None:
        """Refuse what no answer can be long enough for."""
        if characters > TEXT_CHARACTERS - len('{"n":""}'):
            self.refuse(at, f"is more than the {TEXT_CHARACTERS:,} characters of an answer hold")


def fits_type(value: object, type_: str | None) -> bool:
    """Tell whether a choice is of the type that is said, if one is."""
    if type_ is None:
        return True
    if type_ == "string" or isinstance(value, str):
        return type_ == "string" and isinstance(value, str)
    return Numeric(whole=type_ == "integer").problem(value) is None

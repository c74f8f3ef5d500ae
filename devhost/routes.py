"""Route templates as the Functions host matches them: ASP.NET's syntax, constraints and precedence.

Everything is compiled when a table is built; finding a route decodes the path once and compares strings. Pure.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

INT32, INT64 = 2**31, 2**63
_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::.+?)?)(\??)\}")
_CONSTRAINT = re.compile(r":(\w+)(?:\((.*?)\))?(?=:|$)")
_ENCODED_SLASH = re.compile("(%2f)", re.IGNORECASE)
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_HEX = "[0-9a-f]"
_DASHED = f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_GUID = re.compile(rf"\s*(?:{_HEX}{{32}}|{_DASHED}|\{{{_DASHED}\}}|\({_DASHED}\))\s*", re.IGNORECASE)
_ALPHA = re.compile("[a-z]*", re.IGNORECASE | re.ASCII)


class Refused(Exception):
    """The app asks for something this host does not implement; the sentence says what and where."""


class _Part(NamedTuple):
    """One segment of a template: a literal in lower case, or a parameter."""

    literal: str | None
    name: str = ""
    checks: tuple[Callable[[str], bool], ...] = ()
    optional: bool = False
    catch_all: bool = False

    @property
    def rank(self) -> int:
        """ASP.NET's inbound precedence of a segment, the best first."""
        if self.literal is not None:
            return 1
        return (5 if self.catch_all else 3) - bool(self.checks)


@dataclass(frozen=True)
class Route:
    """A template, such as `api/requests/{request_id}/cancel`, ready to match."""

    template: str
    parts: tuple[_Part, ...]
    precedence: tuple[int, ...]
    shortest: int
    longest: int

    @classmethod
    def parse(cls, template: str) -> Route:
        """Compile a template; slashes at its ends say nothing.

        Raises `Refused` for an unknown constraint and for what ASP.NET has but this host has not: default
        values, and segments of text and parameters mixed.
        """
        text = template.strip("/")
        parts = tuple(_part(segment, template) for segment in text.split("/")) if text else ()
        names = [part.name.lower() for part in parts if part.literal is None]
        if len(names) != len(set(names)):
            raise Refused(f"route '{template}': a parameter occurs twice")
        if any(part.optional or part.catch_all for part in parts[:-1]):
            raise Refused(f"route '{template}': only the last segment can be optional or a catch-all")
        open_ended = bool(parts) and parts[-1].catch_all
        return cls(
            template=text,
            parts=parts,
            precedence=tuple(part.rank for part in parts),
            shortest=len(parts) - (bool(parts) and (parts[-1].optional or parts[-1].catch_all)),
            longest=sys.maxsize if open_ended else len(parts),
        )

    def __str__(self) -> str:
        return self.template

    @property
    def literal(self) -> bool:
        """Whether there is no parameter in it."""
        return all(part.literal is not None for part in self.parts)

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Route values of a path as it came over the wire, without its query; None when it does not match."""
        return self.match_segments(segments(raw_path))

    def match_segments(self, path: list[str]) -> dict[str, str] | None:
        """Like `match`, for a path that `segments` has taken apart already."""
        count = len(path) - (path[-1] == "")
        if not self.shortest <= count <= self.longest:
            return None
        values: dict[str, str] = {}
        for position, part in enumerate(self.parts[:count]):
            value = path[position]
            if part.literal is not None:
                if value.lower() != part.literal:
                    return None
                continue
            if part.catch_all:
                value = "/".join(path[position:])  # to the end of the path, trailing slash and all
            if not value or not all(check(value) for check in part.checks):
                return None
            values[part.name] = value
        return values


class RouteTable(Generic[T]):
    """Finds what a request is for: the best route, by ASP.NET's precedence, of those that name its method.

    Routes of equal precedence are tried in the order given.
    """

    def __init__(self, routes: Iterable[tuple[Route, Iterable[str], T]]) -> None:
        """Take (route, methods, target) triples; no methods at all means every method."""
        entries = sorted(
            ((route, frozenset(map(str.upper, methods)), target) for route, methods, target in routes),
            key=lambda entry: entry[0].precedence,
        )
        named = frozenset[str]().union(*(methods for _, methods, _ in entries))
        self._longest = max((len(route.parts) for route, _, _ in entries), default=0)
        # Under None stand the routes of every method, for the methods no route names.
        self._literals: dict[str | None, dict[str, T]] = {}
        self._others: dict[str | None, list[list[tuple[Route, T]]]] = {}
        for method in (*named, None):
            offered = [(route, target) for route, methods, target in entries if not methods or method in methods]
            exact = self._literals[method] = {}
            for route, target in offered:
                if route.literal:
                    exact.setdefault(route.template.lower(), target)
            # By number of segments; the last list is for every longer path.
            self._others[method] = [
                [
                    (route, target)
                    for route, target in offered
                    if not route.literal and route.shortest <= count <= route.longest
                ]
                for count in range(self._longest + 2)
            ]

    def find(self, method: str, raw_path: str) -> tuple[T, dict[str, str]] | None:
        """Target and route values, or None: no such route, or not with this method."""
        known = method if method in self._literals else None
        path = segments(raw_path)
        count = len(path) - (path[-1] == "")
        # A literal beats any other route at the first segment where they differ, so it can be asked first.
        exact = self._literals[known].get("/".join(path[:count]).lower())
        if exact is not None:
            return exact, {}
        for route, target in self._others[known][min(count, self._longest + 1)]:
            values = route.match_segments(path)
            if values is not None:
                return target, values
        return None


def segments(raw_path: str) -> list[str]:
    """Take a path apart as Kestrel does: percent-decoded but for `%2F`, dot segments resolved.

    What does not decode to UTF-8 stays as it came. A trailing slash leaves an empty last segment.
    """
    path = raw_path.removeprefix("/").split("/")
    if "%" in raw_path:
        path = [_decode(segment) if "%" in segment else segment for segment in path]
    if "." in path or ".." in path:
        path = _without_dots(path)
    return path


def _decode(segment: str) -> str:
    pieces = _ENCODED_SLASH.split(segment)
    try:
        pieces[::2] = [unquote(piece, errors="strict") for piece in pieces[::2]]
    except UnicodeDecodeError:
        return segment
    return "".join(pieces)


def _without_dots(path: list[str]) -> list[str]:
    kept: list[str] = []
    for segment in path:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if path[-1] in {".", ".."}:
        kept.append("")  # what remains is a folder
    return kept or [""]


def _part(segment: str, template: str) -> _Part:
    if "{" not in segment and "}" not in segment:
        if not segment:
            raise Refused(f"route '{template}': a segment is empty")
        return _Part(literal=segment.lower())
    found = _PARAMETER.fullmatch(segment)
    if found is None:
        raise Refused(f"route '{template}': this host does not implement the segment '{segment}'")
    stars, name, constraints, optional = found.groups()
    checks = []
    while constraints:
        one = _CONSTRAINT.match(constraints)
        if one is None:
            raise Refused(f"route '{template}': this host cannot read the constraint '{constraints}'")
        checks.append(_check(one[1], one[2], template))
        constraints = constraints[one.end() :]
    return _Part(literal=None, name=name, checks=tuple(checks), optional=optional == "?", catch_all=bool(stars))


def _check(name: str, arguments: str | None, template: str) -> Callable[[str], bool]:
    """Compile one constraint; `arguments` is what stood in its parentheses, None without any."""
    plain, of_numbers = _PLAIN.get(name), _OF_NUMBERS.get(name)
    try:
        if plain is not None and arguments is None:
            return plain
        if name == "regex" and arguments is not None:
            # A brace is doubled in a template. Anywhere in the value and ignoring case, as ASP.NET does.
            pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
            return lambda value: pattern.search(value) is not None
        if of_numbers is not None and arguments is not None:
            return of_numbers(*map(int, arguments.split(",")))
    except (ValueError, TypeError, re.error) as error:
        raise Refused(f"route '{template}': constraint '{name}({arguments})': {error}") from error
    raise Refused(
        f"route '{template}': this host does not implement the constraint "
        f"'{name if arguments is None else f'{name}({arguments})'}'"
    )


def _number(value: str, limit: int = INT64) -> int | None:
    """Whole number in -limit..limit-1, or None."""
    if not _INTEGER.fullmatch(value):
        return None
    number = int(value) if len(value) < 100 else limit  # noqa: PLR2004 - no need to count so far
    return number if -limit <= number < limit else None


def _between(low: int, high: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        number = _number(value)
        return number is not None and low <= number <= high

    return check


def _long(low: int, high: int | None = None) -> Callable[[str], bool]:
    highest = low if high is None else high
    return lambda value: low <= len(value) <= highest


_PLAIN: dict[str, Callable[[str], bool]] = {
    "int": lambda value: _number(value, INT32) is not None,
    "long": lambda value: _number(value) is not None,
    "guid": lambda value: _GUID.fullmatch(value) is not None,
    "alpha": lambda value: _ALPHA.fullmatch(value) is not None,
    "bool": lambda value: value.strip().lower() in {"true", "false"},
}
_OF_NUMBERS: dict[str, Callable[..., Callable[[str], bool]]] = {
    "min": lambda low: _between(low, INT64),
    "max": lambda high: _between(-INT64, high),
    "range": _between,
    "length": _long,
    "minlength": lambda low: _long(low, sys.maxsize),
    "maxlength": lambda high: _long(0, high),
}

"""What of a new description breaks callers that were written for an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEM = "400"
"""From this status on an answer is a problem: its `code` is what counts, and a new one breaks nobody."""
AT_MOST, AT_LEAST = ("maxLength", "maxItems", "maximum"), ("minLength", "minItems", "minimum", "exclusiveMinimum")


def breaks(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say in sentences what callers of before would meet that they cannot know; nothing when all goes on."""
    return list(dict.fromkeys(Comparison(before, after).breaks()))


class Comparison:
    """Two descriptions, compared. `sent` schemas may grow wider, told ones narrower."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.before, self.after = before, after
        self.seen: set[tuple[str, str, bool]] = set()

    def breaks(self) -> Iterator[str]:
        """Compare every call."""
        for path, calls in self.before["paths"].items():
            for method, call in calls.items():
                name = f"{method.upper()} {path}"
                now = self.after["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{name} is gone"
                    continue
                if call["operationId"] != now["operationId"]:
                    yield f"{name} is called {now['operationId']}, and was {call['operationId']}"
                yield from self.call_breaks(name, call, now)

    def call_breaks(self, name: str, call: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
        """Compare what a call takes and what it answers."""
        known = {each["name"]: each for each in call.get("parameters", ())}
        offered = {each["name"]: each for each in now.get("parameters", ())}
        for parameter in known.keys() - offered.keys():
            yield f"{name} does not take {parameter} any more"
        for parameter, each in offered.items():
            if each.get("required") and not known.get(parameter, {}).get("required"):
                yield f"{name} wants {parameter} now"
        old, new = (json_of(each.get("requestBody", {})) for each in (call, now))
        if old and new:
            yield from self.schema_breaks(f"{name}, body", old, new, sent=True)
        for status, answer in call["responses"].items():
            if status >= PROBLEM:
                continue
            if status not in now["responses"]:
                yield f"{name} does not answer {status} any more"
                continue
            told = now["responses"][status]
            for header in answer.get("headers", {}).keys() - told.get("headers", {}).keys():
                yield f"{name}, {status} has no header {header} any more"
            old, new = json_of(answer), json_of(told)
            if old and new:
                yield from self.schema_breaks(f"{name}, {status}", old, new, sent=False)

    def schema_breaks(self, where: str, old: dict[str, Any], new: dict[str, Any], *, sent: bool) -> Iterator[str]:
        """Compare two schemas."""
        pair = (old.get("$ref", ""), new.get("$ref", ""), sent)
        if pair[0] and pair in self.seen:
            return
        self.seen.add(pair)
        before, after = alternatives(self.before, old), alternatives(self.after, new)
        for kind in (before.keys() - after.keys()) if sent else (after.keys() - before.keys()):
            yield f"{where} {'does not take' if sent else 'may be'} {kind} {'any more' if sent else 'now'}"
        for kind in before.keys() & after.keys():
            yield from self.kind_breaks(where, before[kind], after[kind], sent=sent)

    def kind_breaks(self, where: str, old: dict[str, Any], new: dict[str, Any], *, sent: bool) -> Iterator[str]:
        """Compare two schemas of one type."""
        if sent:
            yield from narrowed(where, old, new)
        fields, now = old.get("properties", {}), new.get("properties", {})
        for name in fields.keys() - now.keys():
            yield f"{where} has no {name} any more"
        needed, needed_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in (needed_now - needed) if sent else (needed - needed_now) & now.keys():
            yield f"{where} {'wants' if sent else 'may lack'} {name} now"
        for name in fields.keys() & now.keys():
            yield from self.schema_breaks(f"{where}/{name}", fields[name], now[name], sent=sent)
        if "items" in old and "items" in new:
            yield from self.schema_breaks(f"{where}/*", old["items"], new["items"], sent=sent)


def narrowed(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Say what a schema does not take any more."""
    infinite = float("inf")
    if any(new.get(word, infinite) < old.get(word, infinite) for word in AT_MOST):
        yield f"{where} takes less than before"
    if any(new.get(word, -infinite) > old.get(word, -infinite) for word in AT_LEAST):
        yield f"{where} wants more than before"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{where} has another pattern"
    if "enum" in new and (gone := [word for word in old.get("enum", ["anything"]) if word not in new["enum"]]):
        yield f"{where} does not take {', '.join(map(str, gone))} any more"


def json_of(part: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of a body or an answer in JSON; an empty one when there is none."""
    schema: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def alternatives(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give what a schema may be, by type."""
    if "$ref" in schema:
        return alternatives(described, described["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    found: dict[str, dict[str, Any]] = {}
    for each in schema.get("anyOf") or schema.get("oneOf") or ():
        found |= alternatives(described, each)
    return found or {str(schema.get("type", "string" if "enum" in schema else "anything")): schema}

"""JSON text, read strictly: what Python's own reader lets pass, and should not, is refused. Pure."""

from __future__ import annotations

import json
from typing import Any

from approvals.rules.saying import say
from approvals.rules.value import Number

DEPTH = 16
"""How many levels lists and objects may stand in each other."""


class Refused(ValueError):
    """It is JSON to Python and not to us; the sentence says why."""


def read(text: str) -> Any:
    """Read JSON. Raises json.JSONDecodeError for what is none, Refused for what should not pass.

    Numbers keep how they were written (`value.Number`). Refused beyond RFC 8259's grammar: doubled keys, NaN and
    infinities, numbers too large or too small for a float, lone surrogates, more than sixteen levels. Python's own
    reader lets nearly all of these pass, and ends a deep text with a RecursionError.
    """
    try:
        value = json.loads(text, object_pairs_hook=refuse_doubles, parse_constant=refuse_constant, parse_float=Number)
    except OverflowError:
        raise Refused(say("The JSON holds a number that is out of range.")) from None
    except RecursionError:
        raise Refused(say("The JSON is nested deeper than {most} levels.", most=DEPTH)) from None
    except (json.JSONDecodeError, Refused):
        raise
    except ValueError:  # an integer of more digits than Python reads
        raise Refused(say("The JSON holds a number that is too long.")) from None
    inspect(value)
    return value


def refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(say("The JSON has an object with the same key twice."))
    return found


def refuse_constant(word: str) -> Any:
    """Refuse NaN, Infinity and -Infinity."""
    raise Refused(say("{word} is not JSON.", word=word))


def inspect(value: Any) -> None:
    """Look through a value for what must not be in it; iterative, so that depth costs no stack."""
    level, depth = [value], 0
    while level:
        following: list[Any] = []
        for each in level:
            if isinstance(each, str):
                check_surrogates(each)
            elif isinstance(each, dict):
                for key in each:
                    check_surrogates(key)
                following.extend(each.values())
            elif isinstance(each, list):
                following.extend(each)
        depth += any(isinstance(each, dict | list) for each in level)
        if depth > DEPTH:
            raise Refused(say("The JSON is nested deeper than {most} levels.", most=DEPTH))
        level = following


def check_surrogates(text: str) -> None:
    """Refuse half a surrogate pair: no UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(say("The JSON holds half of a surrogate pair.")) from None

"""JSON as the durable extension reads it: Newtonsoft's reader, with the leniencies that were recorded.

The first value of a text counts and what follows it is not looked at; a comment in its place *is* the value;
comments within are skipped; `NaN` and the infinities become strings; of doubled keys the last wins; deeper
than 64 is refused. Integers keep every digit.
"""

from __future__ import annotations

import json
import re

from devhost.replay import compact

MAX_DEPTH = 64
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\n]*|[\[\]{}]', re.DOTALL)
COMMENT = re.compile(r"\s*(/\*.*?\*/|//[^\n]*)", re.DOTALL)
READER = json.JSONDecoder(parse_constant=lambda word: word)


class Unreadable(ValueError):
    """The text is not JSON to the extension; the message says why."""


def read(text: str) -> str:
    """Give the first value of `text` as the extension stores it.

    Raises Unreadable when there is none, or when it nests deeper than 64.
    """
    if comment := COMMENT.match(text):
        return comment[1]
    plain, depth = [], 0
    end = 0
    for token in TOKEN.finditer(text):
        plain.append(text[end : token.start()])
        end = token.end()
        if token[0].startswith("/"):
            continue
        plain.append(token[0])
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > MAX_DEPTH:
            raise Unreadable(f"The reader's MaxDepth of {MAX_DEPTH} has been exceeded.")
    plain.append(text[end:])
    try:
        value, _ = READER.raw_decode("".join(plain).lstrip("\ufeff \t\r\n"))
    except ValueError as error:
        raise Unreadable(f"Error reading JSON: {error}") from error
    return compact(value)

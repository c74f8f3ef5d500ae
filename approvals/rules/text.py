"""Text that people read, as it is let in: normalised, bounded, and without what nobody sees. Pure.

Only the edges make these: what reads histories keeps its own, wider bounds (`value`), or an answer of an instance in
flight would become unreadable. Lengths are in characters (code points).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 8000
STAGE_NAME_CHARACTERS = 60

# C0 and C1 controls, the two separators that end a line, and what turns the direction of text around
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROLS_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
# what is not seen, but for the two joiners that scripts and emoji need
INVISIBLE = re.compile(r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]")
DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(most: int, *, least: int = 1) -> Callable[[str], str]:
    """Accept one line for people: NFC, trimmed, no controls, nothing that turns the direction of text."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS.search(text):
            raise ValueError("must be one line without control characters")
        if DIRECTION.search(text):
            raise ValueError("must not contain characters that change the direction of text")
        if INVISIBLE.search(text):
            raise ValueError("must not contain characters that cannot be seen")
        return check_length(text, least, most)

    return check


def prose(most: int) -> Callable[[str], str]:
    """Accept text of several lines: NFC, trimmed, line ends and tabs allowed, other controls not."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS_IN_PROSE.search(text):
            raise ValueError("must not contain control characters other than line ends and tabs")
        return check_length(text, 0, most)

    return check


def check_length(text: str, least: int, most: int) -> str:
    """Give the text back if its length fits. Lengths are in characters (code points)."""
    if len(text) < least:
        raise ValueError("must not be empty")
    if len(text) > most:
        raise ValueError(f"must have at most {most:,} characters, not {len(text):,}")
    return text


Name = Annotated[str, AfterValidator(one_line(NAME_CHARACTERS))]
Item = Annotated[str, AfterValidator(one_line(ITEM_CHARACTERS))]
Description = Annotated[str, AfterValidator(prose(DESCRIPTION_CHARACTERS))]
Comments = Annotated[str, AfterValidator(prose(COMMENTS_CHARACTERS))]
StageName = Annotated[str, AfterValidator(one_line(STAGE_NAME_CHARACTERS))]

"""Text that people read: as it is let in (normalised, bounded, without what nobody sees), and as it is shown. Pure.

Only the edges make the types here: what reads histories keeps its own, wider bounds (`value`), or an answer of an
instance in flight would become unreadable. Lengths are in characters (code points).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, WithJsonSchema

from approvals.rules.saying import noted, say
from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable

ITEM_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 8000
REFERENCE_CHARACTERS, TAG_CHARACTERS = 100, 50
STAGE_NAME_CHARACTERS = 60

# C0 and C1 controls, the two separators that end a line, and what turns the direction of text around
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROLS_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""Every space but the plain one (category Zs)."""
DEFAULT_IGNORABLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 16.0): what nobody sees."""
UNSEEN = re.compile(f"(?:{DEFAULT_IGNORABLE.pattern}|[\\u2800\\ufff9-\\ufffb\\U0001d159])")
"""That, and what is only as wide as a blank, or marks something nobody sees."""
NON_JOINER, JOINER = "\u200c", "\u200d"
VARIATIONS = "\ufe0e\ufe0f"
"""They choose how an emoji looks."""
KEYCAPS, KEYCAP = "0123456789#*", "\u20e3"

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_-]+")
LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
SURROGATES = re.compile(r"[\ud800-\udfff]")


ONE_LINE = noted("must be one line without control characters, but has {character} (at {place})")
NO_DIRECTION = noted("must not contain {character}, which changes the direction of text (at {place})")
NO_CONTROLS = noted("must not contain {character}: a control character other than line ends and tabs (at {place})")
NOT_SEEN = noted("must not contain {character}, which nobody sees (at {place})")


def visible(text: str) -> str:
    """Give a text as people are shown it: no controls but line ends and tabs, and nothing that turns or hides it.

    What scripts and emoji need stays. Half a surrogate pair is shown as U+FFFD.
    """
    text = CONTROLS_IN_PROSE.sub("", LINE_ENDS.sub("\n", text))
    return without_unseen(SURROGATES.sub("\ufffd", text))


def one_line(most: int, *, least: int = 1) -> Callable[[str], str]:
    """Accept one line that names something: NFC, trimmed, no controls, nothing that nobody sees.

    Every kind of space becomes a plain one. The sentence names the code point that is refused, and its place.
    """

    def check(text: str) -> str:
        text = plain_line(text)
        for found in UNSEEN.finditer(text):
            if not is_needed(text, found.start()):
                raise ValueError(say(NOT_SEEN, character=name_of(found[0]), place=found.start() + 1))
        return check_length(text, least, most)

    return check


def title(most: int) -> Callable[[str], str]:
    """Accept one line as people copy it: what nobody sees in it is taken out, and not held against them."""

    def check(text: str) -> str:
        return check_length(without_unseen(plain_line(text)).strip(), 1, most)

    return check


def prose(most: int) -> Callable[[str], str]:
    """Accept text of several lines: NFC, trimmed, line ends and tabs allowed, other controls not."""

    def check(text: str) -> str:
        text = SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
        refuse(CONTROLS_IN_PROSE, text, NO_CONTROLS)
        return check_length(text, 0, most)

    return check


def plain_line(text: str) -> str:
    """Give one line: NFC, plain spaces, trimmed. Raises ValueError for controls and what turns text around."""
    text = SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    refuse(CONTROLS, text, ONE_LINE)
    refuse(DIRECTION, text, NO_DIRECTION)
    return text


def refuse(pattern: re.Pattern[str], text: str, sentence: str) -> None:
    """Raise ValueError for what a pattern finds, naming the code point and its place, counted from one."""
    if found := pattern.search(text):
        raise ValueError(say(sentence, character=name_of(found[0]), place=found.start() + 1))


def name_of(character: str) -> str:
    """Write a code point as Unicode does."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" {name}" if name else "")


def without_unseen(text: str) -> str:
    """Take out what nobody sees, but for what scripts and emoji need."""
    return UNSEEN.sub(lambda found: found[0] if is_needed(text, found.start()) else "", text)


def is_blank(text: str) -> bool:
    """Tell whether a reader would see nothing at all."""
    return not UNSEEN.sub("", text).strip()


def is_needed(text: str, at: int) -> bool:
    """Tell whether a character that nobody sees makes its neighbours look as they should.

    Joiners do so within scripts (RFC 5892, appendix A.1 and A.2) and emoji; variation selectors after symbols.
    """
    character, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if not before:
        return False
    is_symbol = unicodedata.category(before) in {"So", "Sk"}
    if character in VARIATIONS:
        return is_symbol or (before in KEYCAPS and after == KEYCAP)
    if character == JOINER and (is_symbol or before in VARIATIONS):
        return unicodedata.category(after or " ") == "So"
    if character not in (JOINER, NON_JOINER):
        return False
    import idna  # noqa: PLC0415 - its tables are large, and joiners are rare

    try:
        return bool(idna.valid_contextj(text, at))
    except (idna.IDNAError, ValueError):
        return False


def humanize(name: str) -> str:
    """Make a property's name one for people: cost_center and costCenter become Cost center."""
    words = [word.lower() if word.istitle() else word for word in CAMEL.split(name) if word]
    said = " ".join(words)
    return said[:1].upper() + said[1:]


def check_length(text: str, least: int, most: int) -> str:
    """Give the text back if its length fits. Lengths are in characters (code points)."""
    if len(text) < least:
        raise ValueError(say("must not be empty"))
    if len(text) > most:
        raise ValueError(
            say("must have at most {most} characters, not {found}", most=f"{most:,}", found=f"{len(text):,}")
        )
    return text


def described(most: int, *, least: int = 0) -> WithJsonSchema:
    """Say in JSON Schema what such a text is."""
    return WithJsonSchema({"type": "string", **({"minLength": least} if least else {}), "maxLength": most})


Name = Annotated[str, AfterValidator(one_line(NAME_CHARACTERS)), described(NAME_CHARACTERS, least=1)]
Item = Annotated[str, AfterValidator(title(ITEM_CHARACTERS)), described(ITEM_CHARACTERS, least=1)]
Description = Annotated[str, AfterValidator(prose(DESCRIPTION_CHARACTERS)), described(DESCRIPTION_CHARACTERS)]
Comments = Annotated[str, AfterValidator(prose(COMMENTS_CHARACTERS)), described(COMMENTS_CHARACTERS)]
Reference = Annotated[str, AfterValidator(one_line(REFERENCE_CHARACTERS)), described(REFERENCE_CHARACTERS, least=1)]
Tag = Annotated[str, AfterValidator(one_line(TAG_CHARACTERS)), described(TAG_CHARACTERS, least=1)]
StageName = Annotated[str, AfterValidator(one_line(STAGE_NAME_CHARACTERS)), described(STAGE_NAME_CHARACTERS, least=1)]

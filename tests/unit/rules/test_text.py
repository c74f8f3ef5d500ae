"""Text that people read: what nobody sees, and what scripts and emoji need of it."""

import os
import shutil
import subprocess
import sys
import unicodedata

import pytest

from approvals.rules.policy import Policy
from approvals.rules.text import DEFAULT_IGNORABLE, SPACES, UNSEEN, is_blank, one_line, title, visible

# Default_Ignorable_Code_Point is derived (UAX #44, table 7): Other_Default_Ignorable_Code_Point, format characters (Cf)
# and variation selectors, without interlinear annotation, Egyptian format controls, and prepended concatenation marks.
OTHER_IGNORABLE = {
    0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9), 0xE0000,
    *range(0xE0002, 0xE0020), *range(0xE0080, 0xE0100), *range(0xE01F0, 0xE1000),
}  # fmt: skip
VARIATION_SELECTORS = {*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
SEEN = {
    *range(0xFFF9, 0xFFFC), *range(0x13430, 0x13441),
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD,
}  # fmt: skip
IGNORABLE = (
    {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}
    | OTHER_IGNORABLE
    | VARIATION_SELECTORS
) - SEEN
NEARLY_UNSEEN = {0x2800, 0xFFF9, 0xFFFA, 0xFFFB, 0x1D159}


def matched(pattern):
    return {code for code in range(sys.maxunicode + 1) if pattern.fullmatch(chr(code))}


def test_what_nobody_sees_is_what_unicode_lets_programs_ignore():
    assert matched(DEFAULT_IGNORABLE) == IGNORABLE
    assert matched(UNSEEN) == IGNORABLE | NEARLY_UNSEEN


@pytest.mark.large
@pytest.mark.skipif(not shutil.which("node") and not os.environ.get("CI"), reason="needs node")
def test_node_knows_the_same_code_points():
    program = r"""for (let code = 0; code <= 0x10ffff; code++)
        if (/^\p{Default_Ignorable_Code_Point}$/u.test(String.fromCodePoint(code))) console.log(code)"""
    said = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True).stdout

    assert matched(DEFAULT_IGNORABLE) == set(map(int, said.split()))


def test_every_space_becomes_a_plain_one():
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs")

    assert matched(SPACES) == set(map(ord, every)) - {0x20}
    for check in (one_line(99), title(99)):
        assert check(f"Ada{every}Lovelace") == "Ada" + " " * len(every) + "Lovelace"


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada\u200dLovelace", r"U\+200D ZERO WIDTH JOINER, which nobody sees \(at 4\)"),
        ("A\u00add\u0430", r"U\+00AD SOFT HYPHEN, which nobody sees \(at 2\)"),
        ("Ada\u3164", r"U\+3164 HANGUL FILLER, which nobody sees \(at 4\)"),
        ("\u2800Ada", r"U\+2800 BRAILLE PATTERN BLANK, which nobody sees \(at 1\)"),
        ("Ada\U000e0100", r"U\+E0100 VARIATION SELECTOR-17, which nobody sees \(at 4\)"),
        ("Ada\U000e0fff", r"U\+E0FFF, which nobody sees \(at 4\)"),
        ("Ada\u202e", r"U\+202E RIGHT-TO-LEFT OVERRIDE, which changes the direction of text \(at 4\)"),
        ("Ada\x1b[1m", r"has U\+001B \(at 4\)"),
        ("Grace1\ufe0f", r"U\+FE0F VARIATION SELECTOR-16, which nobody sees \(at 7\)"),
        ("Grace \u2764\ufe0f\ufe0f", r"U\+FE0F VARIATION SELECTOR-16, which nobody sees \(at 9\)"),
        ("Grace \u2764\u200d", r"U\+200D ZERO WIDTH JOINER, which nobody sees \(at 8\)"),
        ("\u200dAda", r"\(at 1\)"),
    ],
    ids=ascii,
)
def test_a_name_holds_nothing_that_nobody_sees_and_the_refusal_names_it(text, words):
    with pytest.raises(ValueError, match=words):
        one_line(99)(text)


@pytest.mark.parametrize(
    "text",
    [
        "नी\u200dल क्\u200dष",  # after a virama
        "می\u200c\u062e\u0648\u0627\u0647م",  # between letters that join
        "ශ්\u200dරී",
        "👩\u200d🚀",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "❤\ufe0f",
        "1\ufe0f\u20e3 first",
        "#\ufe0f\u20e3",
    ],
)
def test_joiners_stay_where_scripts_and_emoji_need_them(text):
    needed = text if "\u200dल" not in text else text.replace("\u200dल", "ल")  # nothing to join there

    assert one_line(99)(needed) == unicodedata.normalize("NFC", needed)
    assert title(99)(text) == unicodedata.normalize("NFC", needed)


# --- titles and comments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("New lap\u00adtop", "New laptop"),
        ("\u200eNew laptop\u200f", "New laptop"),
        ("\ufeffNew\u200b laptop\u2060 ", "New laptop"),
        ("New\u00a0laptop", "New laptop"),
        ("\u00ad New laptop \u00ad", "New laptop"),
    ],
    ids=ascii,
)
def test_a_title_that_was_copied_is_cleaned_and_not_refused(text, clean):
    assert title(99)(text) == clean


@pytest.mark.parametrize("text", ["\u00ad", "\u200b \u2060", "\u2800", "\u3164"], ids=ascii)
def test_a_title_of_nothing_but_what_nobody_sees_is_empty(text):
    with pytest.raises(ValueError, match="must not be empty"):
        title(99)(text)


INVISIBLE = ["", " \n\t", "\u200b", "\u3164\u3164", "\u2800", "\u00ad\u2060", "\ufe0f", "\u00a0\u3000", "\U000e0041"]


@pytest.mark.parametrize("comments", INVISIBLE, ids=ascii)
@pytest.mark.parametrize("when", ["always", "on_reject"])
def test_a_comment_that_nobody_sees_is_no_comment(comments, when):
    policy = Policy(stages=(), comment_required=when)

    assert is_blank(comments)
    assert policy.comment_missing(is_approved=False, comments=comments)
    assert policy.comment_missing(is_approved=True, comments=comments) is (when == "always")
    assert not policy.comment_missing(is_approved=False, comments=f"{comments}.{comments}")


# --- what is shown ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("a\u202eb\u2066c\u200ed", "abcd"),
        ("a\u200bb\u00adc\ufeffd", "abcd"),
        ("a\ud800b", "a\ufffdb"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a\tb\nc", "a\tb\nc"),
        ("\u0646\u200c\u0647 \U0001f469\u200d\U0001f4bb", "\u0646\u200c\u0647 \U0001f469\u200d\U0001f4bb"),
        ("", ""),
    ],
)
def test_people_are_shown_what_is_text_and_nothing_that_hides_or_turns_it(written, shown):
    assert visible(written) == shown
    assert visible(shown) == shown

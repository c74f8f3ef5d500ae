"""What people are shown of a text."""

import pytest

from approvals.rules.text import visible


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

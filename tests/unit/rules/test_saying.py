"""Sentences: text to programs, and made again for people in their own words."""

from approvals.rules.saying import in_other_words, join, say, say_count

GERMAN = {"must be {accepted}": "bitte angeben: {accepted}", "at most {count} lines": "höchstens {count} Zeilen"}


def german(sentence):
    return GERMAN.get(sentence, sentence)


def german_count(one, many, count):
    return german(one if count == 1 else many)


def test_a_sentence_is_its_english_text():
    assert say("must be {accepted}", accepted="text") == "must be text"
    assert say_count("{count} line", "{count} lines", 1) == "1 line"
    assert say_count("{count} line", "{count} lines", 1.5) == "1.5 lines"


def test_it_is_made_again_in_other_words_and_so_is_what_it_is_made_of():
    limit = say_count("at most {count} line", "at most {count} lines", 3)

    words = in_other_words(say("must be {accepted}", accepted=join([limit, "kept"])), german, german_count)

    assert words == "bitte angeben: höchstens 3 Zeilen, kept"


def test_what_is_no_sentence_of_ours_stays_as_it_is():
    assert in_other_words("{anything}", german, german_count) == "{anything}"


def test_a_value_may_be_called_as_it_likes_and_is_never_taken_for_a_pattern():
    assert say("{pattern} {one}", pattern="{x}", one="{accepted}") == "{x} {accepted}"

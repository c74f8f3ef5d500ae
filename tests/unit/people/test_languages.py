"""Languages: every sentence is said in each, in its own forms; who reads which is chosen as asked."""

import datetime as dt
import re

import pytest

from approvals.people import languages
from approvals.people.languages import OFFERED, Language
from approvals.rules.presentation import Presentation
from tests import sentences
from tests.builders import asked

OTHERS = OFFERED[1:]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
MOMENT = dt.datetime(2026, 11, 28, 22, 44, tzinfo=dt.UTC)


def said(catalog):
    """Give the sentences of a catalogue, by what they are in English."""
    return {message.id: message for message in catalog if message.id}


@pytest.fixture(scope="module")
def english():
    return said(sentences.found_sentences())


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated_and_none_is_kept_that_nobody_says(english, code):
    known = said(sentences.read_catalogue(code))

    assert len(english) > 250
    assert [each for each in english if each not in known] == [], "make sentences"
    assert [each for each in known if each not in english] == [], "make sentences"
    assert [each for each, message in known.items() if not sentences.is_translated(message) or message.fuzzy] == []


def test_a_sentence_that_is_not_translated_is_found():
    catalog = sentences.read_catalogue("de")
    catalog.add("This was forgotten.")
    catalog.add(("one", "many"), ("eins", ""))

    missing = [each for each, message in said(catalog).items() if not sentences.is_translated(message)]

    assert missing == ["This was forgotten.", ("one", "many")]


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_values_of_its_sentence_and_no_others(english, code):
    for each, message in said(sentences.read_catalogue(code)).items():
        if isinstance(each, str):
            assert sorted(PLACEHOLDER.findall(each)) == sorted(PLACEHOLDER.findall(message.string)), each
        else:  # the singular may say its number in a word
            assert all(set(PLACEHOLDER.findall(form)) <= set(PLACEHOLDER.findall(each[1])) for form in message.string)


@pytest.mark.parametrize(
    ("code", "count", "words"),
    [
        ("en", 1, "1 more approval is needed."),
        ("en", 2, "2 more approvals are needed."),
        ("de", 1, "es fehlt noch 1 Zustimmung."),
        ("de", 3, "es fehlen noch 3 Zustimmungen."),
        ("fr", 0, "il manque encore 0 approbation."),
        ("fr", 2, "il manque encore 2 approbations."),
        ("ja", 2, "あと2件の承認が必要です。"),
        ("ar", 2, "تلزم موافقتان أخريان."),
        ("ar", 3, "تلزم 3 موافقات أخرى."),
        ("ar", 11, "تلزم 11 موافقة أخرى."),
    ],
)
def test_a_number_takes_the_form_that_the_language_has_for_it(code, count, words):
    """Plural rules: CLDR."""
    one, many = "{count} more approval is needed.", "{count} more approvals are needed."

    assert Language(code).ngettext(one, many, count).format(count=count) == words


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("de", "de"),
        ("de-CH, en;q=0.8", "de-CH"),
        ("pt-BR, fr;q=0.7, en;q=0.3", "fr"),
        ("en;q=0.3, ja;q=0.9", "ja"),
        ("de;q=0, es", "es"),
        ("*", "en"),
        ("", "en"),
        ("DE-at", "de-at"),
        ("nonsense;;q=x, ;, ar", "ar"),
        ("x" * 5000, "en"),
        ("pt," * 5000 + "de", "en"),
        ("de-XX-nothing", "de-XX-nothing"),
    ],
)
def test_a_browser_gets_the_language_it_likes_most_of_ours(header, tag):
    chosen = languages.choose(*languages.accepted(header))

    assert chosen.tag == tag
    assert chosen.locale.language == tag[:2].lower()


@pytest.mark.parametrize(
    ("tag", "spelled"),
    [("en", "en"), ("de-CH", "de-CH"), ("de-at", "de-AT"), ("de-a", "de"), ("ja-XX-nothing", "ja"), ("ar-EG", "ar-EG")],
)
def test_a_page_names_no_language_that_a_browser_would_refuse(tag, spelled):
    assert Language(tag).spelled == spelled


def test_the_request_says_the_language_before_the_browser_does():
    ours = asked(presentation=Presentation(locale="ja", time_zone="Asia/Tokyo"))
    theirs = asked(presentation=Presentation(locale="pt-BR"))

    assert languages.language_of(ours, "de") == Language("ja", "Asia/Tokyo")
    assert languages.language_of(theirs, "de") == Language("de")
    assert languages.language_of(asked()) == Language("en")


@pytest.mark.parametrize(
    ("tag", "zone", "words"),
    [
        ("en", "", "Sat, 28 Nov 2026, 22:44 UTC"),
        ("en", "Europe/Berlin", "Sat, 28 Nov 2026, 23:44"),
        ("en-US", "America/New_York", "Sat, Nov 28, 2026, 5:44"),
        ("de", "Europe/Berlin", "Sa., 28. Nov. 2026, 23:44 MEZ"),
        ("fr", "", "sam. 28 nov. 2026, 22:44 UTC"),
        ("es", "", "sáb, 28 nov 2026, 22:44 UTC"),
        ("ja", "Asia/Tokyo", "2026年11月29日(日) 7:44"),
        ("ar", "", "السبت، 28 نوفمبر 2026، 10:44 م UTC"),
    ],
)
def test_an_instant_is_written_as_the_language_writes_it_in_the_readers_zone(tag, zone, words):
    written = Language(tag, zone).instant_with_zone(MOMENT).replace("\u202f", " ")

    assert written.startswith(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "in less than a minute"),
        (59, "in less than a minute"),
        (61, "in 1 minute"),
        (119, "in 1 minute"),
        (3599, "in 59 minutes"),
        (7199, "in 119 minutes"),
        (36 * 3600, "in 36 hours"),
        (2 * 86400 + 86399, "in 2 days"),
    ],
)
def test_how_soon_something_is_due_is_never_later_than_it_is(seconds, words):
    assert Language("en").from_now(dt.timedelta(seconds=seconds)) == words


def test_arabic_is_written_from_right_to_left_and_no_other():
    assert {code: Language(code).direction for code in OFFERED if Language(code).direction == "rtl"} == {"ar": "rtl"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("Europe/Atlantis", False),
        ("Europe", False),
        ("../../etc/passwd", False),
        ("/etc/localtime", False),
        ("x" * 300, False),
        ("a\0b", False),
        ("", False),
    ],
)
def test_a_time_zone_is_one_of_the_database(name, known):
    assert languages.is_zone(name) is known

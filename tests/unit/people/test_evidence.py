"""What a request shows of its own: safe Markdown, details with labels and formats, and nothing that runs."""

import json
import re
import time
from html.parser import HTMLParser

import pytest

from approvals.people import languages
from approvals.people.evidence import describe, evidence_rows
from approvals.people.languages import Language
from approvals.rules.presentation import Presentation, check_locale, check_url, check_zone
from tests.builders import asked
from tests.corpora import UNICODE, XSS

ALLOWED = {"p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "a", "span", "bdi", "hr"}
ATTRIBUTES = {("a", "href"), ("a", "target"), ("a", "rel"), ("p", "class"), ("span", "class"), ("ol", "start")}
ATTRIBUTES |= {("code", "class")}


class Seen(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.links, self.text = set(), set(), [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.text += " "

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "shape", ["{}", "**{}**", "[{}](https://x.example)", "[x]({})", "<{}>", "![x]({})", "- {}", "    {}"]
)
def test_whatever_is_described_makes_only_harmless_elements(shape):
    for text in (*XSS, *UNICODE):
        seen = Seen(describe(shape.replace("{}", text)))

        assert seen.tags <= ALLOWED, text
        assert seen.attributes <= ATTRIBUTES, text
        assert all(re.match(r"(?i)https?://|mailto:", link) for link in seen.links), text


def test_markdown_is_shown_and_a_link_says_where_it_leads():
    html = describe("Three **quotes**:\n\n- [the bank](https://evil.example/login)\n\nA line\nand another.")

    assert "<strong>quotes</strong>" in html
    assert 'href="https://evil.example/login" target="_blank" rel="noopener noreferrer">the bank</a>' in html
    assert "(<bdi>evil.example</bdi>)" in html
    assert re.search(r"A line<br />\s*and another", html)


@pytest.mark.parametrize(
    "text", ["![x](https://spy.example/pixel.png)", '<img src="https://spy.example/p">', "<script>alert(1)</script>"]
)
def test_nothing_is_fetched_and_no_html_is_let_in(text):
    assert not Seen(describe(text)).tags & {"img", "script"}


@pytest.mark.parametrize(
    "text", [">" * 4000 + "the end", "".join(" " * 2 * n + "- a\n" for n in range(80)) + "the end"]
)
def test_what_lies_too_deep_is_shown_as_it_was_written_and_not_left_out(text):
    assert "the end" in Seen(describe(text)).text


HARD = ["[" * 8000, "*a " * 2666, "**a" * 2666, "`a" * 4000, "[a](<b" * 1333, "![" * 4000, "<a" * 4000, "_a*b" * 2000]


@pytest.mark.parametrize("text", HARD, ids=lambda text: text[:4])
def test_the_hardest_description_is_soon_read(text):
    began = time.thread_time()

    describe(text)

    assert time.thread_time() - began < 1


SCHEMA = {
    "properties": {
        "amount": {"type": "string", "money": "EUR", "title": "Amount"},
        "yen": {"type": "string", "money": "JPY"},
        "share": {"type": "number"},
        "bought_on": {"type": "string", "format": "date"},
        "paid_by": {"oneOf": [{"const": "card", "title": "Company card"}, {"const": "cash"}]},
        "trip": {"type": "object", "properties": {"to": {"type": "string", "title": "Where to"}}},
    }
}


def rows(details, schema=None, tag="en"):
    shown = Presentation(details_schema=json.dumps(schema)) if schema else Presentation()
    with languages.speaking(Language(tag)):
        found, _ = evidence_rows(asked(details=json.dumps(details), presentation=shown))
    return {row.path: row.value.replace("\u00a0", " ").replace("\u202f", " ") for row in found}


def test_a_key_is_made_readable():
    assert rows({"cost_centre": "R&D-7", "costCentre": 1, "in the budget": True, "§": 1}) == {
        ("Cost centre",): "1",
        ("In the budget",): "yes",
        ("§",): "1",
    }


@pytest.mark.parametrize(
    ("tag", "amount", "day", "share"),
    [
        ("en", "€4,180.00", "27 Feb 2026", "1,234.5"),
        ("de", "4.180,00 €", "27.02.2026", "1.234,5"),
        ("fr", "4 180,00 €", "27 févr. 2026", "1 234,5"),
        ("ja", "€4,180.00", "2026/02/27", "1,234.5"),
    ],
)
def test_details_have_the_labels_and_formats_that_the_request_gives_them(tag, amount, day, share):
    details = {
        "amount": "4180",
        "share": 1234.5,
        "bought_on": "2026-02-27",
        "paid_by": "card",
        "trip": {"to": "Lisbon"},
    }

    assert rows(details, SCHEMA, tag) == {
        ("Amount",): amount,
        ("Share",): share,
        ("Bought on",): day,
        ("Paid by",): "Company card",
        ("Trip", "Where to"): "Lisbon",
    }


@pytest.mark.parametrize("details", [{"amount": 4180}, {"bought_on": "soon"}, {"paid_by": "gold"}, {"share": "half"}])
def test_a_value_that_does_not_fit_its_label_is_shown_as_it_was_sent(details):
    assert list(rows(details, SCHEMA).values()) == [str(each) for each in details.values()]


def test_no_digit_of_an_amount_is_lost():
    assert rows({"amount": "0.1234", "yen": "1000.5"}, SCHEMA) == {("Amount",): "€0.1234", ("Yen",): "JP¥1,000.5"}


def test_a_label_with_a_long_word_stands_above_its_value():
    found, _ = evidence_rows(
        asked(details='{"verantwortlichkeitsbereich": 1, "cost centre": 2, "a b c d e f g h i j": 3}')
    )

    assert [row.is_long for row in found] == [True, False, False]


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example/",
        "https://",
        "https:///x",
        "https://user@evil.example/",
        "https://a:b@evil.example/",
        "javascript:alert(1)",
        "https://x.example/a b",
        "https://x.example\\@evil.example",
        "https://x.example/\n",
        "https://-x.example/",
        "https://x.example:port/",
        "HTTPS://x.example/",
        f"https://x.example/{'a' * 2000}",
    ],
)
def test_a_link_that_is_no_plain_https_address_is_refused(url):
    with pytest.raises(ValueError, match="https"):
        check_url(url)


@pytest.mark.parametrize("url", ["https://x.example", "https://x.example:8443/a?b=c#d", "https://10.0.0.1/x%20y"])
def test_a_link_of_https_is_taken(url):
    assert check_url(url) == url


@pytest.mark.parametrize("tag", ["", "d", "de_DE", "deutsch!", "de-", "x" * 40, "de-DE-\n"])
def test_what_is_no_language_tag_is_refused(tag):
    with pytest.raises(ValueError, match="BCP 47"):
        check_locale(tag)


@pytest.mark.parametrize("zone", ["", "../x", "Europe/Berlin\n", "+01:00", "x" * 65])
def test_what_is_no_name_of_a_time_zone_is_refused(zone):
    with pytest.raises(ValueError, match="IANA"):
        check_zone(zone)

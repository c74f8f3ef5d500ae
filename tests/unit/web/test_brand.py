"""Whose pages these are: the operator's name, picture and colours, and a policy that lets in nothing else."""

import base64
import hashlib
import re

import pytest

from approvals.settings import Brand
from approvals.web import showing
from approvals.web.brand import HEADERS, dress_of

BRAND = Brand("Umbrella <b>", "it@example.com", "https://umbrella.example/logo.svg?v=1", "#8a1538", "#ffb3c7")


def policy_of(answer):
    return dict(each.split(" ", 1) for each in answer.headers["Content-Security-Policy"].split("; "))


@pytest.fixture
def branded(monkeypatch):
    def page(brand):
        monkeypatch.setattr(showing.settings, "current", lambda: showing.settings.Settings(brand=brand))
        return showing.html_response(404, "end", kind="not_genuine")

    return page


def test_a_page_has_the_name_the_picture_the_colours_and_whom_to_ask(branded):
    html = branded(BRAND).get_body().decode()

    assert "<bdi>Umbrella &lt;b&gt;</bdi>" in html
    assert '<img src="https://umbrella.example/logo.svg?v=1" alt=""' in html
    assert '<a href="mailto:it@example.com">' in html
    assert "--accent: #8a1538" in html
    assert "--accent: #ffb3c7" in html


def test_words_to_ask_are_no_address(branded):
    html = branded(Brand(contact="Room 12")).get_body().decode()

    assert "<bdi>Room 12</bdi>" in html
    assert "mailto:" not in html


@pytest.mark.parametrize(
    ("logo", "source"),
    [
        ("", None),
        ("https://umbrella.example/logo.svg?v=1", "https://umbrella.example/logo.svg"),
        ("data:image/png;base64,iVBORw0KGgo=", "data:"),
    ],
)
def test_the_policy_lets_in_the_operators_style_and_picture_and_nothing_else(branded, logo, source):
    answer = branded(Brand(logo=logo, color="#8a1538"))
    (style,) = re.findall(r"<style>(.*?)</style>", answer.get_body().decode(), re.DOTALL)

    policy = policy_of(answer)

    assert policy["style-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
    assert policy.get("img-src") == source
    assert policy["default-src"] == "'none'"


def test_without_a_brand_the_page_is_as_its_headers_say():
    assert dress_of(Brand()).policy == HEADERS["Content-Security-Policy"]

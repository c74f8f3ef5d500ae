"""Where callbacks may go: what the operator may say, and what that lets through."""

from __future__ import annotations

import json

import pytest

from approvals.receivers.allowed import Receivers, read_rules
from approvals.rules.callbacks import read_target
from approvals.settings import BadSetting, Settings

SECRET = "whsec_" + "YWJjZGVm" * 4
SIGNED = {"auth": "standard-webhooks", "secrets": [SECRET]}
BY_URL = {"auth": "url"}


def receivers(is_deployed=False, **rules):
    return Receivers.of(Settings(callbacks=json.dumps(rules), is_deployed=is_deployed))


def rule_of(url, caller=None, is_deployed=False, **rules):
    found = receivers(is_deployed, **rules).rule_for(read_target(url), caller)
    return found and found.name


def test_without_rules_nothing_may_be_called():
    assert Receivers.of(Settings()).rules == ()
    assert rule_of("https://hooks.example.com/1") is None


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("hooks.example.com", "https://hooks.example.com"),
        ("hooks.example.com", "https://HOOKS.example.com/any/path?x=1"),
        ("hooks.example.com", "https://hooks.example.com:443/a"),
        ("hooks.example.com:8443", "https://hooks.example.com:8443/a"),
        ("hooks.example.com/a/*", "https://hooks.example.com/a/b?x=1"),
        ("hooks.example.com/a", "https://hooks.example.com/a"),
        ("localhost:8080", "http://localhost:8080/a"),
        ("localhost", "http://localhost/a"),
        ("localhost", "https://localhost/a"),
        ("[::1]:9000", "http://[::1]:9000/a"),
        ("10.0.0.5", "https://10.0.0.5/a"),
    ],
)
def test_a_rule_is_for_its_host_its_port_and_its_path(name, url):
    assert rule_of(url, **{name: SIGNED}) == name


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("hooks.example.com", "http://hooks.example.com/a"),
        ("hooks.example.com", "https://hooks.example.com:8443/a"),
        ("hooks.example.com:8443", "https://hooks.example.com/a"),
        ("hooks.example.com", "https://hooks.example.com.evil.example/a"),
        ("hooks.example.com", "https://evil-hooks.example.com/a"),
        ("hooks.example.com", "https://example.com/a"),
        ("hooks.example.com/a/*", "https://hooks.example.com/b"),
        ("hooks.example.com/a/*", "https://hooks.example.com/a"),
        ("hooks.example.com/a", "https://hooks.example.com/a/"),
        ("hooks.example.com/a", "https://hooks.example.com/A"),
        ("localhost", "http://localhost:8080/a"),
        ("127.0.0.1", "http://localhost/a"),
    ],
)
def test_a_rule_is_for_nothing_else(name, url):
    assert rule_of(url, **{name: SIGNED}) is None


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://hooks.example.com/a/../b",
            "https://hooks.example.com/a/%2e%2E/b",
            "https://hooks.example.com/a/./b",
        ),
        *("https://hooks.example.com/a//b", "https://hooks.example.com/a%2fb", "https://hooks.example.com/a%5Cb"),
        *("https://hooks.example.com/a\\b", "https://hooks.example.com/a b", "https://hooks.example.com/a#b"),
        *("https://u:p@hooks.example.com/a", "https://hooks.example.com@evil.example/", "//hooks.example.com/a"),
        *("ftp://hooks.example.com/a", "https:hooks.example.com", "https://hooks.example.com:0/", "https://"),
        *("https://hooks.example.com:65536/", "https://hooks.example.com:99999/", "https://hooks.example.com./"),
        *(
            "https://höoks.example.com/",
            "https://hooks.example.com/ä",
            "https://hooks.example.com/%zz",
            "https://[::1/",
        ),
        *("https://hooks.example.com/\n", "https://hooks.example.com/\x00", "https://127.1/", "https://0x7f.0.0.1/"),
        "https://hooks.example.com/" + "a" * 2000,
    ],
)
def test_an_address_has_one_spelling(url):
    with pytest.raises(ValueError, match="must"):
        read_target(url)


def test_the_longest_path_decides_so_that_each_receiver_has_a_secret_of_its_own():
    rules = {"hooks.example.com": BY_URL, "hooks.example.com/a/*": SIGNED, "hooks.example.com/a/b": BY_URL}

    assert rule_of("https://hooks.example.com/a/c", **rules) == "hooks.example.com/a/*"
    assert rule_of("https://hooks.example.com/a/b", **rules) == "hooks.example.com/a/b"
    assert rule_of("https://hooks.example.com/z", **rules) == "hooks.example.com"


def test_a_rule_may_be_for_some_callers_alone():
    rules = {"hooks.example.com": {**SIGNED, "callers": ["deploy-bot"]}}

    assert rule_of("https://hooks.example.com/a", "deploy-bot", **rules)
    assert not rule_of("https://hooks.example.com/a", "other", **rules)


def test_a_deployed_app_does_not_call_itself():
    for name in ("localhost", "127.0.0.1:8080", "[::1]"):
        with pytest.raises(BadSetting, match="CALLBACKS"):
            receivers(is_deployed=True, **{name: SIGNED})


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("https://hooks.example.com", SIGNED),
        ("hooks.example.com?x=secret", SIGNED),
        ("hooks.example.com/*/a", SIGNED),
        ("hooks.example.com/../a", SIGNED),
        ("user@hooks.example.com", SIGNED),
        ("0x7f.1", SIGNED),
        ("*.example.com", SIGNED),
        ("", SIGNED),
        ("hooks.example.com", {}),
        ("hooks.example.com", "standard-webhooks"),
        ("hooks.example.com", {"auth": "none"}),
        ("hooks.example.com", {"auth": "standard-webhooks"}),
        ("hooks.example.com", {"auth": "standard-webhooks", "secrets": ["short"]}),
        ("hooks.example.com", {"auth": "standard-webhooks", "secrets": ["whsec_c2hvcnQ="]}),
        ("hooks.example.com", {"auth": "standard-webhooks", "secrets": [SECRET.removeprefix("whsec_")]}),
        ("hooks.example.com", {"auth": "url", "secrets": [SECRET]}),
        ("hooks.example.com", {"auth": "entra"}),
        ("hooks.example.com", {"auth": "url", "audience": "api://x"}),
        ("hooks.example.com", {**SIGNED, "callers": []}),
        ("hooks.example.com", {**SIGNED, "privat": True}),
    ],
)
def test_a_rule_that_makes_no_sense_stops_the_app_and_its_secrets_are_not_told(name, rule):
    with pytest.raises(BadSetting) as refused:
        receivers(**{name: rule})

    said = str(refused.value)
    assert said.startswith("CALLBACKS")
    assert SECRET[6:] not in said
    assert "secret" not in said.replace("secrets", "")


@pytest.mark.parametrize("text", ["[]", "{", "1", '{"a.example": {}, "a.example": {}}', "[" * 100_000])
def test_what_is_no_object_stops_the_app(text):
    with pytest.raises(BadSetting, match="CALLBACKS"):
        read_rules(text, is_deployed=False)


def test_no_secret_is_in_the_rules_as_they_are_written():
    assert SECRET not in repr(receivers(**{"hooks.example.com": SIGNED}))

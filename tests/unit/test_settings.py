"""The environment: what may be set, and that a wrong setting is named."""

from __future__ import annotations

import dataclasses

import pytest

from approvals import settings
from approvals.settings import BadSetting, Settings
from tests.localhost import LocalHost


def test_nothing_set_is_a_valid_choice():
    assert settings.read({}) == Settings(public_base_url="", notify_log=False)


def test_what_is_not_ours_is_not_read():
    assert settings.read({"PATH": "/bin", "notify_log": "true", "NOTIFY_LOG_": "perhaps"}) == Settings()


@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "True", "YES", " on ", "TRUE\n"])
def test_a_switch_is_on(text):
    assert settings.read({"NOTIFY_LOG": text}).notify_log is True


@pytest.mark.parametrize("text", ["", " ", "0", "false", "no", "off", "False", "NO", " off "])
def test_a_switch_is_off(text):
    assert settings.read({"NOTIFY_LOG": text}).notify_log is False


@pytest.mark.parametrize("text", ["perhaps", "2", "-1", "tru", "true false", "null", "y", "\N{CHECK MARK}"])
def test_a_switch_that_is_neither_is_named(text):
    with pytest.raises(BadSetting, match=r"^NOTIFY_LOG must be true or false") as caught:
        settings.read({"NOTIFY_LOG": text})

    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ""),
        (" ", ""),
        ("https://approvals.example.com", "https://approvals.example.com"),
        ("https://approvals.example.com/", "https://approvals.example.com"),
        ("https://approvals.example.com///", "https://approvals.example.com"),
        (" https://approvals.example.com \n", "https://approvals.example.com"),
        ("http://localhost:7071", "http://localhost:7071"),
        ("http://127.0.0.1:7071/", "http://127.0.0.1:7071"),
        ("http://[::1]:7071", "http://[::1]:7071"),
        ("https://example.com/behind/a/gateway/", "https://example.com/behind/a/gateway"),
    ],
)
def test_links_begin_with_an_address_without_a_slash_at_its_end(text, address):
    assert settings.read({"PUBLIC_BASE_URL": text}).public_base_url == address


@pytest.mark.parametrize(
    "text",
    [
        "approvals.example.com",
        "//approvals.example.com",
        "/approvals",
        "ftp://approvals.example.com",
        "javascript:alert(1)",
        "file:///etc",
        "https:approvals.example.com",
        "https://",
        "https:///path",
        "https://approvals.example.com?x=1",
        "https://approvals.example.com/?x=1",
        "https://approvals.example.com#top",
        "nonsense",
    ],
)
def test_an_address_that_is_none_is_named(text):
    with pytest.raises(BadSetting, match=r"^PUBLIC_BASE_URL must be an address such as https://"):
        settings.read({"PUBLIC_BASE_URL": text})


def test_the_settings_never_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().notify_log = True


def test_the_environment_is_read_once(monkeypatch):
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://first.example.com")
    monkeypatch.setenv("NOTIFY_LOG", "true")
    settings.current.cache_clear()
    try:
        first = settings.current()
        monkeypatch.setenv("PUBLIC_BASE_URL", "https://second.example.com")

        assert (first.public_base_url, first.notify_log) == ("https://first.example.com", True)
        assert settings.current() is first
    finally:
        settings.current.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1",
        "https://[zz]",
        "https://a.example/?",
        "https://a.example/#",
        "https://a b",
        "https://a.\nexample",
        "https://a.example:99999",
        "https://:443",
        "https://u:p@a.example",
    ],
)
def test_an_address_no_link_can_begin_with_is_named(text):
    with pytest.raises(settings.BadSetting, match="PUBLIC_BASE_URL"):
        settings.read({"PUBLIC_BASE_URL": text})


def test_a_bad_setting_does_not_wait_for_the_first_caller():
    with pytest.raises(AssertionError, match="PUBLIC_BASE_URL"):
        LocalHost(PUBLIC_BASE_URL="nonsense").start()

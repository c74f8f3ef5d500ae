"""The environment, read once into one frozen object. Every setting is described in `docs/settings.md`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


class BadSetting(Exception):
    """A setting does not make sense; the app does not start with it."""


@dataclass(frozen=True)
class Settings:
    """What the operator may choose."""

    public_base_url: str = ""
    """`PUBLIC_BASE_URL`: the address links for people begin with; empty: the address the caller used."""
    notify_log: bool = False
    """`NOTIFY_LOG`: tell people by writing to the log, for development."""


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises BadSetting, naming the one that is wrong."""
    return Settings(
        public_base_url=base_url("PUBLIC_BASE_URL", environment.get("PUBLIC_BASE_URL", "")),
        notify_log=switch("NOTIFY_LOG", environment.get("NOTIFY_LOG", "")),
    )


@cache
def current() -> Settings:
    """Read the settings of this process, the first time."""
    return read(os.environ)


def switch(name: str, text: str) -> bool:
    """Read a yes or no."""
    word = text.strip().lower()
    if word in TRUE | FALSE:
        return word in TRUE
    raise BadSetting(f"{name} must be true or false, not '{text}'.")


def base_url(name: str, text: str) -> str:
    """Read an absolute http or https address without query or fragment."""
    text = text.strip().rstrip("/")
    if text and not is_address(text):
        raise BadSetting(f"{name} must be an address such as https://approvals.example.com, not '{text}'.")
    return text


def is_address(text: str) -> bool:
    """Tell whether links can begin with this."""
    try:
        parts = urlsplit(text)
        plain = not parts.username and parts.password is None and parts.port != 0
    except ValueError:  # not an address to Python, or a port out of range
        return False
    odd = re.search(r"[\s?#@\x00-\x1f\x7f]", text)
    return bool(parts.scheme in {"http", "https"} and parts.hostname and plain and not odd)

"""The environment, read once into one frozen object. Every setting is described in `docs/settings.md`."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import secrets
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRETS_OF_THE_HOST = (
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "AzureWebJobsStorage",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
)
"""Settings the app does not read, whose references it looks at: with one that is not resolved nothing would work."""
KEY_CHARACTERS = 32
"""The least a key for links may have."""
LOGO_CHARACTERS = 20_000
LOGO = re.compile(
    r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/%?&=+-]*|data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]+=*"
)
PAPERS, DARK_PAPERS = ("#ffffff", "#f4f2ee"), ("#1e2327", "#14171a")
"""What the page's text stands on, by day and by night (`web/static/page.css`)."""
LEAST_CONTRAST = 4.5
LOCAL = Path(__file__).parent.parent / ".local"
LOCAL_KEY = LOCAL / "approval-link-key"
"""Where a key made for this machine is kept; git does not see it."""
KEY_URL = re.compile(r"(https://[^/?#@\s]+)/keys/([0-9A-Za-z-]{1,127})(?:/([0-9a-f]{32}))?/?")
"""A key's address in a vault: the vault, the name, the version."""
TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


class BadSetting(Exception):
    """A setting does not make sense; the app does not start with it."""

    is_misconfiguration = True
    """Says to a host that the sentence is all there is to say; one that does not know this shows the traceback, too."""


@dataclass(frozen=True)
class Brand:
    """Whose pages these are, so that people know who asks them."""

    name: str = "Durable Approvals"
    """`BRAND_NAME`: the organisation."""
    contact: str = ""
    """`BRAND_CONTACT`: whom people ask, an address or words."""
    logo: str = ""
    """`BRAND_LOGO`: a picture, as an https address or as `data:image/…;base64,…`."""
    color: str = ""
    """`BRAND_COLOR`: of links, marks and the focus, on white."""
    color_dark: str = ""
    """`BRAND_COLOR_DARK`: the same where it is dark."""


@dataclass(frozen=True)
class Settings:
    """What the operator may choose."""

    public_base_url: str = ""
    """`PUBLIC_BASE_URL`: the address links for people begin with; empty: the address the caller used."""
    notify_log: bool = False
    """`NOTIFY_LOG`: write to the log that people would be told, for development."""
    notify_urls: tuple[str, ...] = field(default=(), repr=False)
    """`NOTIFY_URLS`: the services that tell people, as Apprise writes them. They hold passwords."""
    smtp_url: str = field(default="", repr=False)
    """`SMTP_URL`: the server that takes mail. It holds a password."""
    mail_endpoint: str = ""
    """`MAIL_ENDPOINT`: the Azure Communication Services that take mail, in place of a server."""
    mail_from: str = ""
    """`MAIL_FROM`: who writes, as `Name <address>` or an address alone."""
    mail_reply_to: str = ""
    """`MAIL_REPLY_TO`: who is answered; empty: whoever writes."""
    notify_rooms: tuple[str, ...] = field(default=(), repr=False)
    """`NOTIFY_ROOMS`: webhooks of rooms in Slack and Teams, which get cards. Whoever has one can write there."""
    notify_requester: bool = True
    """`NOTIFY_REQUESTER`: whether the requester is told the outcome, too."""
    link_keys: tuple[str, ...] = field(default=(), repr=False)
    """`APPROVAL_LINK_KEYS`: what links are signed with, the newest first."""
    callers: str = field(default="", repr=False)
    """`CALLERS`: who may call and what each may do, as JSON (see `people/callers.py`)."""
    records_table_endpoint: str = ""
    """`RECORDS_TABLE_ENDPOINT`: the Azure Table Storage that keeps the records; empty: a file of this machine."""
    records_file: str = ":memory:"
    """`RECORDS_FILE`: that file, `.local/records.sqlite` where it is not set, or `:memory:`."""
    retention_days: int | None = None
    """`RECORDS_RETENTION_DAYS`: after how many days content is erased; nothing: it is kept."""
    export_container: str = ""
    """`EXPORT_CONTAINER`: the container of a storage account that gets a file for each day; empty: none."""
    receipt_key: str = ""
    """`RECEIPT_KEY`: the key in a vault that signs receipts, by its address; for development a file; empty: none."""
    receipt_keys_retired: str = ""
    """`RECEIPT_KEYS_RETIRED`: further public keys that receipts were signed with, as a JWK Set."""
    callbacks: str = field(default="", repr=False)
    """`CALLBACKS`: where callbacks may go, as JSON (see `receivers/allowed.py`). It holds secrets."""
    event_type_prefix: str = "com.example.approvals"
    """`EVENT_TYPE_PREFIX`: what the types of callbacks' events begin with, in reverse-DNS form."""
    brand: Brand = Brand()
    """`BRAND_NAME` and those like it: whose pages and messages these are."""
    is_deployed: bool = False
    """`WEBSITE_SITE_NAME`, by the platform: whether this is Azure and not somebody's own machine."""
    trusts_sign_in: bool = False
    """`TRUST_EASY_AUTH`, and `WEBSITE_AUTH_ENABLED` by the platform: whether its word on who is signed in counts."""

    @property
    def tells(self) -> bool:
        """Whether there is any way to tell people."""
        return self.notify_log or bool(self.notify_urls or self.notify_rooms or self.mail_from)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises BadSetting, naming the one that is wrong."""
    read = functools.partial(read_setting, environment)
    for name in SECRETS_OF_THE_HOST:
        read(name)
    return Settings(
        public_base_url=parse_base_url("PUBLIC_BASE_URL", read("PUBLIC_BASE_URL")),
        notify_log=parse_switch("NOTIFY_LOG", read("NOTIFY_LOG")),
        notify_urls=parse_addresses("NOTIFY_URLS", read("NOTIFY_URLS")),
        smtp_url=parse_secret(read("SMTP_URL")),
        mail_endpoint=parse_base_url("MAIL_ENDPOINT", read("MAIL_ENDPOINT")),
        mail_from=read("MAIL_FROM").strip(),
        mail_reply_to=read("MAIL_REPLY_TO").strip(),
        notify_rooms=parse_addresses("NOTIFY_ROOMS", read("NOTIFY_ROOMS")),
        notify_requester=parse_switch("NOTIFY_REQUESTER", read("NOTIFY_REQUESTER") or "true"),
        link_keys=parse_keys("APPROVAL_LINK_KEYS", read("APPROVAL_LINK_KEYS")),
        callers=read("CALLERS"),
        records_table_endpoint=parse_base_url("RECORDS_TABLE_ENDPOINT", read("RECORDS_TABLE_ENDPOINT")),
        records_file=read("RECORDS_FILE").strip() or str(LOCAL / "records.sqlite"),
        retention_days=parse_days("RECORDS_RETENTION_DAYS", read("RECORDS_RETENTION_DAYS")),
        export_container=parse_base_url("EXPORT_CONTAINER", read("EXPORT_CONTAINER")),
        receipt_key=parse_key_url("RECEIPT_KEY", read("RECEIPT_KEY")),
        receipt_keys_retired=parse_public_keys("RECEIPT_KEYS_RETIRED", read("RECEIPT_KEYS_RETIRED")),
        callbacks=read("CALLBACKS"),
        event_type_prefix=parse_type_prefix("EVENT_TYPE_PREFIX", read("EVENT_TYPE_PREFIX")),
        brand=Brand(
            name=parse_words("BRAND_NAME", read("BRAND_NAME"), 60) or Brand.name,
            contact=parse_words("BRAND_CONTACT", read("BRAND_CONTACT"), 254),
            logo=parse_logo("BRAND_LOGO", read("BRAND_LOGO")),
            color=parse_color("BRAND_COLOR", read("BRAND_COLOR"), PAPERS),
            color_dark=parse_color("BRAND_COLOR_DARK", read("BRAND_COLOR_DARK"), DARK_PAPERS),
        ),
        is_deployed=bool(read("WEBSITE_SITE_NAME")),
        trusts_sign_in=parse_switch("TRUST_EASY_AUTH", read("TRUST_EASY_AUTH"))
        and read("WEBSITE_AUTH_ENABLED").strip().lower() == "true",
    )


def read_setting(environment: Mapping[str, str], name: str) -> str:
    """Give the text of a setting, empty when it is not set. Raises BadSetting when it is a reference to a secret.

    Where App Service cannot resolve a reference (the secret is not there, or may not be read), it hands the
    reference's own text on as the value: what anybody can guess would then be a key.
    Source: learn.microsoft.com/azure/app-service/app-service-key-vault-references, "Troubleshoot".
    """
    text = environment.get(name, "")
    if re.search(r"@Microsoft\.(KeyVault|AppConfiguration)\s*\(", text, re.IGNORECASE):
        raise BadSetting(
            f"{name} is a reference that Azure did not resolve: see that the secret exists and that the app's "
            "identity may read it, then restart the app."
        )
    return text


def of_this_process() -> Settings:
    """Read the settings of this process, for a command. Raises BadSetting."""
    return read_settings(os.environ)


def task_hub() -> tuple[str, str]:
    """Give the scheduler and the task hub that a command is pointed to (`ENDPOINT`, `TASKHUB`), or empty texts."""
    return os.environ.get("ENDPOINT", ""), os.environ.get("TASKHUB", "")


@functools.cache
def current() -> Settings:
    """Read the settings of this process, the first time. Raises BadSetting.

    Links are signed with a key of this machine where none is set, but not where the app is deployed: it has many
    instances there, and each must know the others' links.
    """
    found = read_settings(os.environ)
    if found.is_deployed and not found.records_table_endpoint:
        raise BadSetting("RECORDS_TABLE_ENDPOINT is not set: each instance of the app would remember for itself.")
    if not found.is_deployed and not found.receipt_key:
        found = replace(found, receipt_key=str(LOCAL / "receipt-key.json"))
    if found.link_keys:
        return found
    if found.is_deployed:
        raise BadSetting("APPROVAL_LINK_KEYS is not set: without it no link can be signed.")
    return replace(found, link_keys=(local_key(),))


def parse_switch(name: str, text: str) -> bool:
    """Read a yes or no."""
    word = text.strip().lower()
    if word in TRUE | FALSE:
        return word in TRUE
    raise BadSetting(f"{name} must be true or false, not '{text}'.")


def parse_words(name: str, text: str, most: int) -> str:
    """Read words that people are shown, on one line."""
    words = text.strip()
    if len(words) > most or not (words.isprintable() or not words):
        raise BadSetting(f"{name} must be one line of at most {most} characters.")
    return words


def parse_type_prefix(name: str, text: str) -> str:
    """Read what types of events begin with: words with dots between, as in com.example.approvals."""
    prefix = text.strip() or Settings.event_type_prefix
    if not re.fullmatch(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,9}", prefix):
        raise BadSetting(f"{name} must be in reverse-DNS form, such as com.example.approvals, not '{text}'.")
    return prefix


def parse_logo(name: str, text: str) -> str:
    """Read where a picture is, or the picture itself."""
    text = text.strip()
    if text and (len(text) > LOGO_CHARACTERS or not LOGO.fullmatch(text)):
        raise BadSetting(
            f"{name} must be an https address, or data:image/…;base64,… of a png, jpeg, gif, webp or svg+xml, "
            f"in at most {LOGO_CHARACTERS:,} characters."
        )
    return text


def parse_color(name: str, text: str, papers: tuple[str, ...]) -> str:
    """Read a colour that can be read on each of these papers: 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    color = text.strip().lower()
    if not color:
        return ""
    if not re.fullmatch(r"#[0-9a-f]{6}", color):
        raise BadSetting(f"{name} must be a colour such as #1f5fa8, not '{text}'.")
    least, paper = min((contrast(color, paper), paper) for paper in papers)
    if least < LEAST_CONTRAST:
        raise BadSetting(
            f"{name} {color} cannot be read on {paper}: its contrast is {least:.2f}, and {LEAST_CONTRAST} is the least."
        )
    return color


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours (WCAG 2.2, definition of contrast ratio): 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Give the relative luminance of a colour such as #1f5fa8 (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)  # noqa: PLR2004
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def parse_days(name: str, text: str) -> int | None:
    """Read a number of days; nothing where none is said."""
    if not text.strip():
        return None
    if not re.fullmatch(r"[1-9]\d{0,4}", text.strip(), re.ASCII):
        raise BadSetting(f"{name} must be a number of days from 1 to 99999, not '{text}'.")
    return int(text)


def parse_addresses(name: str, text: str) -> tuple[str, ...]:
    """Read addresses with blanks or line ends between them. What is wrong with one is said without it: it is secret.

    The word `none` stands for no address: a secret in a vault is never empty.
    """
    found = tuple(text.split()) if text.strip().lower() != "none" else ()
    for number, address in enumerate(found, start=1):
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", address):
            raise BadSetting(f"{name}: number {number} is not an address such as mailto://..., with blanks between.")
    return found


def parse_secret(text: str) -> str:
    """Read a secret; the word `none` stands for none, since one in a vault is never empty."""
    return "" if text.strip().lower() == "none" else text.strip()


def parse_keys(name: str, text: str) -> tuple[str, ...]:
    """Read keys with commas between them; none is not taken for a mistake here."""
    found = tuple(key for each in text.split(",") if (key := each.strip()))
    if any(len(key) < KEY_CHARACTERS for key in found):
        raise BadSetting(f"{name}: each key must have at least {KEY_CHARACTERS} characters.")
    return found


def parse_key_url(name: str, text: str) -> str:
    """Read the address of a key in a vault; nothing where none is said."""
    if text.strip() and not KEY_URL.fullmatch(text.strip()):
        raise BadSetting(f"{name} must be a key's address, such as https://name.vault.azure.net/keys/receipts.")
    return text.strip()


def parse_public_keys(name: str, text: str) -> str:
    """Read a JWK Set (RFC 7517) of public keys for ES256; nothing where none is said."""
    if not text.strip():
        return ""
    try:
        keys = json.loads(text)["keys"]
        fit = all(key["kty"] == "EC" and key["crv"] == "P-256" and key["x"] and key["y"] for key in keys)
        secret = any("d" in key for key in keys)
    except (ValueError, KeyError, TypeError):
        fit, secret = False, False
    if not fit or secret:
        raise BadSetting(f'{name} must be {{"keys": [...]}} with public keys of P-256, and nothing that is secret.')
    return text


def local_key(file: Path = LOCAL_KEY) -> str:
    """Give the key of this machine, made the first time. Raises BadSetting when it cannot be kept."""
    try:
        return keep_once(file, lambda: secrets.token_urlsafe(KEY_CHARACTERS))
    except OSError as error:
        raise BadSetting(f"APPROVAL_LINK_KEYS is not set, and no key can be kept in {file.parent.name}.") from error


def keep_once(file: Path, make: Callable[[], str]) -> str:
    """Give what a file of this machine says, made the first time. Raises OSError."""
    file.parent.mkdir(exist_ok=True)
    if not file.exists():
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as made:  # which only its owner may read
            made.write(make())
            made.flush()
            with contextlib.suppress(FileExistsError):
                os.link(made.name, file)
    return file.read_text()


def parse_base_url(name: str, text: str) -> str:
    """Read an absolute http or https address without query or fragment."""
    text = text.strip().rstrip("/")
    if text and not is_address(text):
        raise BadSetting(f"{name} must be an address such as https://approvals.example.com, not '{text}'.")
    return text


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name."""
    return host in {"localhost", "127.0.0.1", "::1"}


def is_address(text: str) -> bool:
    """Tell whether links can begin with this."""
    try:
        parts = urlsplit(text)
        plain = not parts.username and parts.password is None and parts.port != 0
    except ValueError:  # not an address to Python, or a port out of range
        return False
    odd = re.search(r"[\s?#@\x00-\x1f\x7f]", text)
    return bool(parts.scheme in {"http", "https"} and parts.hostname and plain and not odd)


def without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object, refusing a name that comes twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands in it twice")
    return dict(pairs)

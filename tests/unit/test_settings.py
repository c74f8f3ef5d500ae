"""The environment: what may be set, and that a wrong setting is named."""

from __future__ import annotations

import concurrent.futures
import dataclasses

import pytest

from approvals import settings
from approvals.settings import BadSetting, Settings
from tests.localhost import LocalHost

FILE = str(settings.LOCAL / "records.sqlite")
TABLES = "https://st.table.core.windows.net/"


def test_nothing_set_is_a_valid_choice():
    assert settings.read_settings({}) == Settings(public_base_url="", notify_log=False, records_file=FILE)


def test_what_is_not_ours_is_not_read():
    assert settings.read_settings({"PATH": "/bin", "notify_log": "true", "NOTIFY_LOG_": "perhaps"}) == Settings(
        records_file=FILE
    )


@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "True", "YES", " on ", "TRUE\n"])
def test_a_switch_is_on(text):
    assert settings.read_settings({"NOTIFY_LOG": text}).notify_log is True


@pytest.mark.parametrize("text", ["", " ", "0", "false", "no", "off", "False", "NO", " off "])
def test_a_switch_is_off(text):
    assert settings.read_settings({"NOTIFY_LOG": text}).notify_log is False


@pytest.mark.parametrize("text", ["perhaps", "2", "-1", "tru", "true false", "null", "y", "\N{CHECK MARK}"])
def test_a_switch_that_is_neither_is_named(text):
    with pytest.raises(BadSetting, match=r"^NOTIFY_LOG must be true or false") as caught:
        settings.read_settings({"NOTIFY_LOG": text})

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
    assert settings.read_settings({"PUBLIC_BASE_URL": text}).public_base_url == address


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
        settings.read_settings({"PUBLIC_BASE_URL": text})


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
        settings.read_settings({"PUBLIC_BASE_URL": text})


def test_a_bad_setting_does_not_wait_for_the_first_caller():
    with pytest.raises(AssertionError) as ended:
        LocalHost(PUBLIC_BASE_URL="nonsense").start()

    (said,) = str(ended.value).removeprefix("did not start:").strip().splitlines()
    assert said.startswith("Cannot start: PUBLIC_BASE_URL must be an address")


# --- keys for links, and services that tell people -------------------------------------------------

KEY, OLDER = "k" * 32, "o" * 40


@pytest.mark.parametrize("text", [f"{KEY},{OLDER}", f" {KEY} , {OLDER} ,", f"{KEY},,{OLDER}\n"])
def test_keys_for_links_stand_with_commas_between_them_the_newest_first(text):
    assert settings.read_settings({"APPROVAL_LINK_KEYS": text}).link_keys == (KEY, OLDER)


@pytest.mark.parametrize("text", ["short", f"{KEY},short", KEY[1:]])
def test_a_key_that_could_be_guessed_is_refused_and_not_repeated(text):
    with pytest.raises(settings.BadSetting, match=r"APPROVAL_LINK_KEYS: .* 32 characters") as caught:
        settings.read_settings({"APPROVAL_LINK_KEYS": text})

    assert text not in str(caught.value)


def test_services_stand_with_blanks_or_line_ends_between_them():
    urls = "mailto://a?to={approver}\n  slack://b/c/d\t json://e,f "

    assert settings.read_settings({"NOTIFY_URLS": urls}).notify_urls == (
        "mailto://a?to={approver}",
        "slack://b/c/d",
        "json://e,f",
    )


@pytest.mark.parametrize("text", ["mailto://a s3cret", "s3cret", "://s3cret", "1a://s3cret"])
def test_what_is_no_service_is_named_by_its_number_and_not_repeated(text):
    with pytest.raises(settings.BadSetting, match="NOTIFY_URLS: number") as caught:
        settings.read_settings({"NOTIFY_URLS": text})

    assert "s3cret" not in str(caught.value)


def test_no_secret_is_in_the_settings_as_they_are_written():
    found = settings.read_settings({"NOTIFY_URLS": "mailto://user:s3cret@host", "APPROVAL_LINK_KEYS": KEY})

    assert "s3cret" not in repr(found)
    assert KEY not in repr(found)


def test_the_key_of_this_machine_is_made_once_by_chance_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "new" / "key"

    first, again, other = settings.local_key(file), settings.local_key(file), settings.local_key(tmp_path / "other")

    assert first == again != other
    assert len(first) >= settings.KEY_CHARACTERS
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_the_key_of_this_machine(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(16) as machines:
        keys = set(machines.map(settings.local_key, [tmp_path / "key"] * 200))

    assert len(keys) == 1


def test_a_key_that_cannot_be_kept_is_a_setting_that_is_missing(tmp_path):
    (tmp_path / "taken").write_text("")

    with pytest.raises(settings.BadSetting, match="APPROVAL_LINK_KEYS is not set"):
        settings.local_key(tmp_path / "taken" / "key")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set the environment of a process that reads its settings: `environment(NAME="value")`."""
    monkeypatch.setattr(settings, "local_key", lambda: (tmp_path / "key").name.ljust(32, "-"))

    def chosen(**values):
        for name in ("APPROVAL_LINK_KEYS", "WEBSITE_SITE_NAME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings.current.cache_clear()
        return settings.current()

    yield chosen
    settings.current.cache_clear()


def test_without_a_key_links_are_signed_with_the_one_of_this_machine(environment):
    assert environment().link_keys == ("key".ljust(32, "-"),)
    assert environment(APPROVAL_LINK_KEYS=KEY).link_keys == (KEY,)


def test_a_deployed_app_without_a_key_does_not_start(environment):
    deployed = {"WEBSITE_SITE_NAME": "app", "RECORDS_TABLE_ENDPOINT": TABLES}
    assert environment(**deployed, APPROVAL_LINK_KEYS=KEY).link_keys == (KEY,)
    with pytest.raises(settings.BadSetting, match="APPROVAL_LINK_KEYS is not set"):
        environment(**deployed)


def test_a_deployed_app_without_a_table_does_not_start(environment):
    assert environment(APPROVAL_LINK_KEYS=KEY).records_table_endpoint == ""
    with pytest.raises(settings.BadSetting, match="RECORDS_TABLE_ENDPOINT is not set"):
        environment(WEBSITE_SITE_NAME="app", APPROVAL_LINK_KEYS=KEY)


# --- references that Azure did not resolve ---------------------------------------------------------

REFERENCES = [
    "@Microsoft.KeyVault(SecretUri=https://kv-x.vault.azure.net/secrets/approval-link-keys)",
    "@Microsoft.KeyVault(SecretUri=https://kv-x.vault.azure.net/secrets/approval-link-keys/0123456789abcdef)",
    "@Microsoft.KeyVault(VaultName=kv-x;SecretName=approval-link-keys)",
    "@microsoft.keyvault(VaultName=kv-x;SecretName=approval-link-keys)",
    " @Microsoft.KeyVault(VaultName=kv-x;SecretName=approval-link-keys)\n",
    "@Microsoft.KeyVault (VaultName=kv-x;SecretName=approval-link-keys)",
    f"{KEY},@Microsoft.KeyVault(VaultName=kv-x;SecretName=approval-link-keys)",
    "@Microsoft.AppConfiguration(Endpoint=https://x.azconfig.io; Key=approvals:keys)",
]


class Watched(dict):
    """An environment that notes what is asked for."""

    def __init__(self, *values):
        super().__init__(*values)
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def every_setting():
    watched = Watched()
    settings.read_settings(watched)
    return sorted(watched.asked)


def test_the_settings_that_are_read_are_known_here():
    assert {"APPROVAL_LINK_KEYS", "NOTIFY_URLS", "PUBLIC_BASE_URL", "TRUST_EASY_AUTH"} <= set(every_setting())


@pytest.mark.parametrize("name", every_setting())
@pytest.mark.parametrize("text", REFERENCES)
def test_a_reference_that_azure_did_not_resolve_is_never_taken_for_a_value(name, text):
    with pytest.raises(BadSetting, match=f"^{name} is a reference that Azure did not resolve") as caught:
        settings.read_settings({name: text})

    assert "kv-x" not in str(caught.value)


def test_a_deployed_app_whose_keys_were_not_resolved_does_not_start(environment):
    with pytest.raises(BadSetting, match="APPROVAL_LINK_KEYS is a reference that Azure did not resolve"):
        environment(WEBSITE_SITE_NAME="app", APPROVAL_LINK_KEYS=REFERENCES[0])


@pytest.mark.parametrize(
    "key", ["k" * 32, "@" + "k" * 31, "Microsoft.KeyVault" + "k" * 14, str(REFERENCES).encode().hex()]
)
def test_a_key_that_works_today_works(key):
    assert settings.read_settings({"APPROVAL_LINK_KEYS": key}).link_keys == (key,)


def test_a_brand_is_read():
    found = settings.read_settings(
        {
            "BRAND_NAME": " Umbrella Ltd ",
            "BRAND_CONTACT": "it@example.com",
            "BRAND_LOGO": "https://umbrella.example/logo.svg",
            "BRAND_COLOR": "#8A1538",
            "BRAND_COLOR_DARK": "#ffb3c7",
        }
    ).brand

    assert found == settings.Brand(
        "Umbrella Ltd", "it@example.com", "https://umbrella.example/logo.svg", "#8a1538", "#ffb3c7"
    )
    assert settings.read_settings({}).brand == settings.Brand()


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#ffffff", "#ffffff", 1),
    ],
)
def test_a_contrast_is_as_wcag_has_it(one, other, ratio):
    """Published pairs: #777 on white is 4.48 (WebAIM), red on white 4.00."""
    assert round(settings.contrast(one, other), 2) == round(settings.contrast(other, one), 2) == ratio


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("BRAND_COLOR", "#777777", "its contrast is 4"),
        ("BRAND_COLOR", "#ffe600", "cannot be read on #"),
        ("BRAND_COLOR_DARK", "#1f5fa8", "cannot be read on #"),
        ("BRAND_COLOR", "red", "must be a colour such as"),
        ("BRAND_COLOR", "#12345", "must be a colour such as"),
        ("BRAND_COLOR", "#1f5fa8; } body { display: none", "must be a colour such as"),
        ("BRAND_LOGO", "http://umbrella.example/logo.svg", "must be an https address"),
        ("BRAND_LOGO", "https://umbrella.example/x; script-src *", "must be an https address"),
        ("BRAND_LOGO", "javascript:alert(1)", "must be an https address"),
        ("BRAND_LOGO", "data:text/html;base64,AAAA", "must be an https address"),
        ("BRAND_LOGO", "data:image/png;base64," + "A" * 20_000, "must be an https address"),
        ("BRAND_NAME", "x" * 61, "at most 60 characters"),
        ("BRAND_NAME", "a\nb", "one line"),
        ("BRAND_CONTACT", "a\u202eb", "one line"),
    ],
)
def test_a_brand_that_could_not_be_read_or_shown_stops_the_app(name, text, said):
    with pytest.raises(BadSetting, match=f"^{name}") as caught:
        settings.read_settings({name: text})

    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["none", "None", " none\n"])
def test_a_vault_cannot_hold_an_empty_secret_so_none_stands_for_no_service(text):
    assert settings.read_settings({"NOTIFY_URLS": text}).notify_urls == ()


@pytest.mark.parametrize(
    "text",
    [
        "https://kv.vault.azure.net/keys/receipts",
        "https://kv.vault.azure.net/keys/receipts/",
        f"https://kv.vault.azure.net/keys/receipts/{'0a' * 16}",
    ],
)
def test_the_key_of_receipts_is_an_address_in_a_vault(text):
    assert settings.read_settings({"RECEIPT_KEY": f" {text}\n"}).receipt_key == text


@pytest.mark.parametrize(
    "text",
    [
        "receipts",
        "http://kv.vault.azure.net/keys/receipts",
        "https://kv.vault.azure.net/secrets/receipts",
        "https://kv.vault.azure.net/keys/",
        "https://kv.vault.azure.net/keys/receipts?x=1",
        "https://me@kv.vault.azure.net/keys/receipts",
        "/etc/passwd",
    ],
)
def test_another_key_of_receipts_stops_the_app(text):
    with pytest.raises(BadSetting, match=r"^RECEIPT_KEY must be"):
        settings.read_settings({"RECEIPT_KEY": text})


PUBLIC = '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}'


def test_retired_keys_are_a_set_of_public_ones():
    text = f'{{"keys": [{PUBLIC}]}}'

    assert settings.read_settings({"RECEIPT_KEYS_RETIRED": text}).receipt_keys_retired == text


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        PUBLIC,
        "no JSON",
        '{"keys": 1}',
        '{"keys": [1]}',
        '{"keys": [{"kty": "RSA", "n": "AA", "e": "AQAB"}]}',
        '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "s3cret"}]}',
    ],
)
def test_retired_keys_that_are_none_or_secret_stop_the_app_and_are_not_told(text):
    with pytest.raises(BadSetting, match=r"^RECEIPT_KEYS_RETIRED must be") as caught:
        settings.read_settings({"RECEIPT_KEYS_RETIRED": text})

    assert "s3cret" not in str(caught.value)


def test_without_a_vault_receipts_are_signed_by_a_file_here_and_by_nothing_where_the_app_is_deployed(environment):
    here = environment(APPROVAL_LINK_KEYS=KEY)
    deployed = environment(APPROVAL_LINK_KEYS=KEY, WEBSITE_SITE_NAME="app", RECORDS_TABLE_ENDPOINT=TABLES)

    assert here.receipt_key.endswith(".local/receipt-key.json")
    assert deployed.receipt_key == ""

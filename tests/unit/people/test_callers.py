"""Which system calls: what the setting may say, whose key it is, and what is no key at all."""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import subprocess
import sys

import pytest

from approvals.callers import main
from approvals.errors import KeyRequired
from approvals.people import callers
from approvals.people.callers import RIGHTS, Caller, hash_of, identify, is_well_formed, new_key, registered_callers
from approvals.people.services import AppriseChannel
from approvals.settings import BadSetting, Settings
from tests.builders import HOUR, NOON, a_principal
from tests.chance import SEED, sized

KEY, OTHER = "dak_" + "k" * 49, "dak_" + "o" * 49
CLIENT = "11111111-2222-3333-4444-555555555555"


def an_entry(key=KEY, **fields):
    return {"sha256": [hash_of(key)], "rights": ["request"], **fields}


def a_setting(**entries):
    """Write CALLERS; names with a hyphen are written with two underscores."""
    named = {name.replace("__", "-"): entry for name, entry in entries.items()}
    return json.dumps(named or {"deploy-bot": an_entry()})


def identified(headers, now=NOON, *, trusts_sign_in=False, **entries):
    lower = {name.lower(): value for name, value in headers.items()}
    return identify(lower, Settings(callers=a_setting(**entries), trusts_sign_in=trusts_sign_in), now)


def bearer(key=KEY):
    return {"Authorization": f"Bearer {key}"}


# --- the setting ----------------------------------------------------------------------------------


def test_an_entry_is_read():
    setting = a_setting(
        deploy__bot=an_entry(
            rights=["request", "read"],
            title="Deploy bot",
            approvers=["*@example.com"],
            expires="2027-01-01T00:00:00Z",
        )
    )

    (found,) = registered_callers(setting)

    assert found.caller == Caller("deploy-bot", frozenset({"request", "read"}), "Deploy bot", ("*@example.com",))
    assert found.expires == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "  ", "{}", " {} "])
def test_nobody_may_be_named(text):
    assert registered_callers(text) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "CALLERS is not JSON"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('"x"', "must be a JSON object"),
        ('{"a": {}, "a": {}}', "a name stands in it twice"),
        (a_setting(Bot=an_entry()), "'Bot' cannot be a caller's name"),
        (json.dumps({"": an_entry()}), "'' cannot be a caller's name"),
        (json.dumps({"app:x": an_entry()}), "'app:x' cannot be a caller's name"),
        (json.dumps({"key": an_entry()}), "'key' cannot be a caller's name"),
        (json.dumps({"a" * 64: an_entry()}), "cannot be a caller's name"),
        (a_setting(bot=[]), "bot: the entry"),
        (a_setting(bot={"rights": ["read"]}), "bot: sha256: Field required"),
        (a_setting(bot=an_entry(sha256=[])), "bot: sha256"),
        (a_setting(bot=an_entry(sha256=["0" * 64, "1" * 64, "2" * 64])), "bot: sha256"),
        (a_setting(bot=an_entry(sha256=["A" * 64])), "bot: sha256.0"),
        (a_setting(bot=an_entry(sha256=[KEY])), "bot: sha256.0"),
        (a_setting(bot=an_entry(rights=[])), "bot: rights"),
        (a_setting(bot=an_entry(rights=["admin"])), "bot: rights"),
        (a_setting(bot=an_entry(right="read")), "bot: right: Extra inputs"),
        (a_setting(bot=an_entry(title="a\nb")), "bot: title"),
        (a_setting(bot=an_entry(expires="soon")), "bot: expires"),
        (a_setting(bot=an_entry(expires="2027-01-01T00:00:00")), "bot: expires"),
        (a_setting(bot=an_entry(approvers=["a\u202eb"])), "bot: approvers.0"),
        (a_setting(bot=an_entry(), two=an_entry()), "the same hash twice"),
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused_without_what_is_secret_about_it(text, sentence):
    with pytest.raises(BadSetting) as caught:
        registered_callers(text)

    assert sentence in str(caught.value)
    assert KEY not in str(caught.value)
    assert hash_of(KEY) not in str(caught.value)


# --- whose key it is ------------------------------------------------------------------------------


def test_without_callers_any_key_may_do_everything():
    found = identify({}, Settings(), NOON)

    assert (found.name, found.rights, found.shown_as) == ("key", frozenset(RIGHTS), "")


@pytest.mark.parametrize(
    "headers",
    [
        bearer(),
        {"authorization": f"bearer  {KEY} "},
        {"x-approvals-key": KEY},
        {"x-approvals-key": f" {KEY} "},
        {**bearer(), "x-approvals-key": KEY},
        {"Authorization": "Bearer eyJhbGciOi.a.token", "x-approvals-key": KEY},
        {"Authorization": "Basic Zm9vOmJhcg==", "x-approvals-key": KEY},
    ],
    ids=str,
)
def test_a_key_is_taken_in_either_header(headers):
    assert identified(headers).name == "deploy-bot"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-approvals-key": ""},
        bearer(OTHER),
        bearer(KEY + "x"),
        bearer(KEY[:-1]),
        bearer(KEY.upper()),
        bearer(hash_of(KEY)),
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"x-functions-key": KEY},
        {**bearer(), "x-approvals-key": OTHER},
        {**bearer(), "x-approvals-key": ""},
        {"x-approvals-key": "\ud800"},
        {"x-approvals-key": "k" * 100_000},
    ],
    ids=lambda headers: ascii(headers)[:60],
)
def test_what_is_no_key_of_a_caller_is_none(headers):
    with pytest.raises(KeyRequired) as caught:
        identified(headers)

    assert KEY not in str(caught.value)


def test_two_keys_are_taken_while_one_is_rotated_and_the_old_one_is_not_afterwards():
    both = an_entry(sha256=[hash_of(KEY), hash_of(OTHER)])

    assert identified(bearer(KEY), bot=both) == identified(bearer(OTHER), bot=both)
    with pytest.raises(KeyRequired):
        identified(bearer(KEY), bot=an_entry(OTHER))


def test_a_key_is_taken_until_it_expires():
    entry = an_entry(expires=(NOON + HOUR).isoformat())

    assert identified(bearer(), NOON + HOUR - dt.timedelta(seconds=1), bot=entry).name == "bot"
    with pytest.raises(KeyRequired):
        identified(bearer(), NOON + HOUR, bot=entry)


@sized(300, 10_000)
def test_of_made_up_keys_and_headers_none_is_taken(times):
    chance = random.Random(SEED)
    taken = 0
    for _ in range(times):
        at, letter = chance.randrange(len(KEY)), chance.choice(callers.DIGITS)
        made_up = [
            new_key(),
            KEY[:at] + letter + KEY[at + 1 :] if KEY[at] != letter else KEY + letter,
            KEY[: chance.randrange(len(KEY))],
            chance.choice(["", "dak_", "null", "undefined", "*", "' or 1=1", hash_of(KEY)]),
            "".join(chance.choices(callers.DIGITS, k=49)),
        ]
        name = chance.choice(["Authorization", "x-approvals-key"])
        for key in made_up:
            value = chance.choice([key, f"Bearer {key}", f"bearer {key}", f"Bearer  {key},{KEY}"])
            if value in {f"Bearer {KEY}", KEY}:
                continue
            try:
                identified({name: value})
            except KeyRequired:
                continue
            taken += 1
    assert taken == 0


# --- applications ---------------------------------------------------------------------------------


def a_token(*roles, **claims):
    """Build what the platform says of a token: an application's, unless the claims say otherwise."""
    values = {"tid": "t", "oid": "o", "sub": "o", "azp": CLIENT, **claims}
    said = [{"typ": name, "val": value} for name, value in values.items() if value is not None]
    said += [{"typ": "roles", "val": role} for role in roles]
    return {"x-ms-client-principal": base64.b64encode(json.dumps({"claims": said}).encode()).decode()}


def test_an_applications_roles_are_its_rights():
    found = identified(a_token("Approvals.Request", "Approvals.Read", "Other.Role"), trusts_sign_in=True)

    assert (found.name, found.rights) == (f"app:{CLIENT}", {"request", "read"})


@pytest.mark.parametrize(
    ("claims", "is_application"),
    [
        ({"idtyp": "app"}, True),
        ({"idtyp": "app", "sub": "other"}, True),
        ({"idtyp": "user"}, False),
        ({}, True),
        ({"sub": "other"}, False),
        ({"scp": "user_impersonation"}, False),
        ({"oid": None, "sub": None}, False),
        ({"oid": "", "sub": ""}, False),
        ({"azp": None, "appid": CLIENT}, True),
        ({"azp": None}, False),
        ({"azp": "a b"}, False),
        ({"name": "Somebody", "scp": "x"}, False),
    ],
    ids=str,
)
def test_a_token_is_an_applications_only_when_it_surely_is(claims, is_application):
    if is_application:
        assert identified(a_token("Approvals.Operate", **claims), trusts_sign_in=True).rights == {"operate"}
    else:
        with pytest.raises(KeyRequired):
            identified(a_token("Approvals.Operate", **claims), trusts_sign_in=True)


def test_a_claim_that_comes_twice_and_differs_is_nobodys():
    said = json.loads(base64.b64decode(a_token("Approvals.Read")["x-ms-client-principal"]))
    for name in ("azp", "sub", "idtyp"):
        twice = {"claims": [*said["claims"], {"typ": name, "val": "x"}, {"typ": name, "val": "y"}]}
        header = {"x-ms-client-principal": base64.b64encode(json.dumps(twice).encode()).decode()}
        with pytest.raises(KeyRequired):
            identified(header, trusts_sign_in=True)


def test_a_persons_token_gives_no_callers_rights():
    person = a_principal("grace@example.com", roles="Approvals.Operate")

    with pytest.raises(KeyRequired):
        identified(person, trusts_sign_in=True)


def test_where_nobody_is_signed_in_a_token_is_only_a_header():
    with pytest.raises(KeyRequired):
        identified(a_token("Approvals.Operate"))


@pytest.mark.parametrize("text", ["", "!", "e30=", base64.b64encode(b'{"claims": [1]}').decode(), "x" * 40_000])
def test_what_is_no_principal_is_nobody(text):
    with pytest.raises(KeyRequired):
        identified({"x-ms-client-principal": text}, trusts_sign_in=True)


# --- whom a caller may name, and who it is --------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "person", "may"),
    [
        ("*@example.com", "grace@example.com", True),
        ("*@example.com", "GRACE@Example.com", True),
        ("*@example.com", "grace@example.com.evil.org", False),
        ("*@example.com", "grace@sub.example.com", False),
        ("*@example.com", "grace", False),
        ("grace@example.com", "grace@example.com", True),
        ("grace@example.com", "alan@example.com", False),
        ("*@bücher.example", "ada@xn--bcher-kva.example", True),
        ("*@example.com", "x@evil.org@example.com", True),
    ],
)
def test_whom_a_pattern_lets_a_caller_name(pattern, person, may):
    assert Caller("bot", frozenset(RIGHTS), approvers=(pattern,)).may_name(person) is may


def test_without_patterns_it_may_name_anyone():
    assert Caller("bot", frozenset()).may_name("anyone at all")


@pytest.mark.parametrize(
    "name", ["deploy-bot", "Deploy bot", "DEPLOY BOT", "deploy\u00adbot".replace("b", " b"), "Deploy Bot."]
)
def test_a_name_in_any_spelling_may_be_the_callers_own(name):
    assert Caller("deploy-bot", frozenset(), "Deploy bot").could_be(name)


def test_other_names_are_not_and_the_built_in_one_is_nobody():
    assert not Caller("deploy-bot", frozenset(), "Deploy bot").could_be("grace@example.com")
    assert not callers.ANY_KEY.could_be("key")


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_is_new_each_time_and_says_when_it_was_typed_wrongly():
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    for key in keys:
        assert len(key) == 53
        assert is_well_formed(key)
        assert not is_well_formed(key[:-1] + ("0" if key[-1] != "0" else "1"))
        assert not is_well_formed(key[:10] + key[11] + key[10] + key[12:]) or key[10] == key[11]


def test_the_command_prints_a_key_once_and_an_entry_that_is_taken(capsys):
    main(
        [
            "new",
            "deploy-bot",
            "--rights",
            "request",
            "read",
            "--title",
            "Deploy bot",
            "--expires",
            "2027-01-01T00:00:00Z",
        ]
    )

    said = capsys.readouterr().out
    key = next(line for line in said.splitlines() if line.startswith("dak_"))
    setting = said[said.index("{") :]
    assert said.count(key) == 1
    found = identify({"x-approvals-key": key}, Settings(callers=setting), NOON)
    assert (found.name, found.title, found.rights) == ("deploy-bot", "Deploy bot", {"request", "read"})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["new", "Bot", "--rights", "read"], "cannot be a caller's name"),
        (["new", "bot", "--rights", "admin"], "invalid choice"),
        (["new", "bot", "--rights", "read", "--expires", "soon"], "expires"),
        (["new", "bot"], "--rights"),
        ([], "required"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_who_may_call_is_one_line_at_the_start(capsys):
    callers.announce_callers(Settings())
    callers.announce_callers(Settings(callers=a_setting()))

    assert capsys.readouterr().err.splitlines() == [
        "CALLERS is not set: any key of the platform may do everything.",
        "Callers: deploy-bot.",
    ]


IMPORTS = """
import sys
import azure.durable_functions, azure.functions
from approvals.people import channels, identity, links, messages
from approvals.rules import restoring
before = set(sys.modules)
from approvals.people import callers
from approvals.web import rights
from approvals.service import reach
callers.registered_callers('{"bot": {"sha256": ["%s"], "rights": ["read"], "expires": "2027-01-01T00:00:00Z"}}')
callers.identify({"authorization": "Bearer dak_x"}, __import__("approvals.settings").settings.Settings(), None)
print(sorted(name for name in set(sys.modules) - before if not name.startswith("approvals")))
import function_app
dear = ("jsonschema", "argparse", "apprise", "smtplib", "aiosmtplib", "email_validator", "requests")
print([name for name in dear if name in sys.modules])
""" % ("0" * 64)


def test_nothing_more_is_imported_at_a_cold_start():
    run = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-2:] == ["[]", "[]"], "A cold start pays for what this call may never need."


# --- what nobody should be able to do by mistake --------------------------------------------------


@pytest.mark.parametrize("secret", [KEY, new_key(), hash_of(KEY), hash_of(KEY).upper(), hash_of(KEY)[:40]], ids=len)
@pytest.mark.parametrize("where", ["name", "field", "right", "hash", "title", "expires", "approver", "whole"])
def test_a_secret_in_the_wrong_place_is_not_repeated(secret, where):
    entry = an_entry(OTHER)
    setting = {
        "name": {secret: entry},
        "field": {"bot": {**entry, secret: 1}},
        "right": {"bot": {**entry, "rights": [secret]}},
        "hash": {"bot": {**entry, "sha256": secret}},
        "title": {"bot": {**entry, "title": secret + "\u0007"}},
        "expires": {"bot": {**entry, "expires": secret}},
        "approver": {"bot": {**entry, "approvers": [secret + "\u0007"]}},
        "whole": secret,
    }[where]

    for text in (json.dumps(setting), json.dumps(setting)[:-1], json.dumps(setting) + "}"):
        with pytest.raises(BadSetting) as caught:
            registered_callers(text)
        assert secret not in str(caught.value)
        assert "CALLERS" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (a_setting(bot=an_entry("")), "bot: sha256.0: is the hash of an empty key"),
        (a_setting(bot=an_entry(expires=1_800_000_000)), "bot: expires: must be a date and time such as"),
        (a_setting(bot=an_entry(expires="1800000000")), "bot: expires: must be a date and time such as"),
        (a_setting(bot=an_entry(expires="2027-13-01T00:00:00Z")), "bot: expires"),
        (a_setting(bot=an_entry(rights="read")), "bot: rights"),
        (a_setting(bot=an_entry(rights={"read": True})), "bot: rights"),
        (a_setting(bot=an_entry(approvers="*@example.com")), "bot: approvers"),
        (a_setting(bot=an_entry(approvers=[""])), "bot: approvers.0"),
        (a_setting(bot=an_entry(sha256=[hash_of(KEY)] * 2)), "the same hash twice"),
        (a_setting(bot=an_entry(title="x" * 300)), "bot: title"),
        ("[" * 100_000, "nested too deeply"),
        ('{"bot": {"expires": ' + "9" * 5000 + "}}", "CALLERS is not JSON"),
        ("\ufeff{}", "CALLERS is not JSON"),
    ],
    ids=range(13),
)
def test_what_would_open_or_shut_a_door_by_mistake_is_refused(text, sentence):
    with pytest.raises(BadSetting) as caught:
        registered_callers(text)

    assert sentence in str(caught.value)


@pytest.mark.parametrize("headers", [{"x-approvals-key": ""}, {"x-approvals-key": "  "}, {"Authorization": "Bearer "}])
def test_nothing_is_no_key_whatever_is_stored(headers):
    with pytest.raises((KeyRequired, BadSetting)):
        identified(headers, bot=an_entry(""))


def test_one_wrong_entry_keeps_every_caller_out():
    with pytest.raises(BadSetting):
        identified(bearer(), bot=an_entry(), other=an_entry(OTHER, rights=["root"]))


# --- made-up tokens -------------------------------------------------------------------------------


def is_surely_an_application(claims):
    """Say by Microsoft's access token reference, word for word, whether claims are an application's."""
    short = {
        "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": "sub",
        "http://schemas.microsoft.com/identity/claims/scope": "scp",
    }
    said = {}
    for name, value in claims:
        said.setdefault(short.get(name, name), set()).add(value)
    if any(len(said.get(name, ())) > 1 for name in ("idtyp", "sub", "oid", "scp", "azp", "appid")):
        return False
    if "idtyp" in said:
        return said["idtyp"] == {"app"}
    return bool(said.get("oid")) and said.get("sub") == said.get("oid") and "scp" not in said


@sized(500, 10_000)
def test_of_made_up_tokens_those_of_people_are_never_taken(times):
    chance = random.Random(SEED)
    people = applications = 0
    names = ["idtyp", "sub", "oid", "scp", "azp", "appid", "name", "upn", "email", "roles", "tid"]
    names += ["http://schemas.microsoft.com/identity/claims/objectidentifier"]
    names += ["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"]
    names += ["http://schemas.microsoft.com/identity/claims/scope"]
    values = {
        "idtyp": ["app", "user", "device", ""],
        "roles": ["Approvals.Operate", "Approvals.Read", "approvals.read"],
    }
    for _ in range(times):
        chosen = chance.choices(names, k=chance.randrange(1, 9))
        claims = [(name, chance.choice(values.get(name, ["o", "p"]))) for name in chosen]
        claims += [("azp", CLIENT)] if chance.random() < 0.7 else []
        said = json.dumps({"claims": [{"typ": name, "val": value} for name, value in claims]})
        header = {"x-ms-client-principal": base64.b64encode(said.encode()).decode()}
        try:
            found = identified(header, trusts_sign_in=True)
        except KeyRequired:
            people += 1
            continue
        applications += 1
        assert is_surely_an_application(claims), claims
        assert found.rights == {right for right in RIGHTS if ("roles", f"Approvals.{right.title()}") in claims}
    assert people > times / 4
    assert applications > times / 100, "this test made up no application at all"


# --- whom a pattern lets in, and whom a message then reaches --------------------------------------

NASTY = [
    "eve@evil.org,x@example.com",
    "eve@evil.org;x@example.com",
    "eve@evil.org x@example.com",
    "eve@evil.org@example.com",
    "<eve@evil.org>@example.com",
    "Eve <eve@evil.org>, x@example.com",
    '"eve@evil.org" x@example.com',
    "eve@evil.org?to=x@example.com",
    "eve@evil.org/@example.com",
    "eve@evil.org#@example.com",
    "eve@evil.org:x@example.com",
    "eve:evil.org@example.com",
    "eve%40evil.org@example.com",
    "mailto:eve@evil.org?cc=x@example.com",
    "eve@[127.0.0.1]@example.com",
    "eve@evil.org|x@example.com",
    "eve@evil.org&to=x@example.com",
    "eve!evil.org@example.com",
]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", NASTY)
def test_no_name_passes_a_pattern_and_is_then_mailed_elsewhere(name):
    bot = Caller("bot", frozenset(RIGHTS), approvers=("*@example.com",))
    channel = AppriseChannel("mailto://user:password@smtp.example.net?to={approver}", 1)

    if bot.may_name(name) and channel.reaches(name):
        recipients = [address for _, address in channel.service_for(name).targets]
        assert [each.rpartition("@")[2] for each in recipients] == ["example.com"], recipients
        assert [each.count("@") for each in recipients] == [1]

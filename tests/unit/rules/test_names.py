"""Whether two names are one person's: grants compare strictly, denials loosely."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from approvals.rules import names
from approvals.rules.names import could_be_same, is_same
from approvals.rules.policy import MAX_REMINDERS, policy_problems
from tests.builders import ADA, ALAN, EVE, GRACE, a_panel, a_policy, asked
from tests.chance import examples

WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
SURELY_ADA = [ADA, "ADA@EXAMPLE.COM", "Ada@example.com", "ada@EXAMPLE.com"]
PERHAPS_ADA = [
    "ada@example.com.",
    "ada@example.com。",
    "ada@example\u3002com",
    ",ada@example.com;",
    "'ada@example.com'",
    '"ada"@example.com',
    "<ada@example.com>",
    "ada@example.com>",
    "Ada <ada@example.com>",
    "Ada Lovelace <Ada@Example.com>",
    '"Lovelace, Ada" <ada@example.com>',
    "Grace <grace@example.com> <ada@example.com>",
    "ada@example.com (Ada)",
    "ada(countess (of Lovelace))@example.com",
    "ada @ example.com",
    "mailto:ada@example.com",
    "MAILTO:ada@example.com",
    "mailto:ada@example.com?subject=Approve",
    "mailto:%61da@example.com",
    "mailto:ada%40example.com",
    "Ada <mailto:ada@example.com>",
    "mailto:" * 30 + ADA,
    "<" * 40 + ADA + ">" * 40,
    "(" * 100 + "x" + ")" * 100 + ADA,
    "ada\u200d@example.com",
    "a\u00adda@example.com",
    "ada@exa\u200bmple.com",
    "\ufeffada@example.com\u2060",
    "ada\U000e0041@example.com",
    "a\ufe0fda@example.com",
    "\u3164ada@example.com",
    ADA.translate(WIDE),
    "\U0001d41a\U0001d41d\U0001d41a@example.com",
    "ⓐⓓⓐ@example.com",
    "ada@\uff45xample。com",
    "ada\u00a0@example.com",
    "\u3000ada@example.com",
]
TO_IDNA = ["ada@example\u3002com", "ada@\uff45xample。com", "ada@exa\u200bmple.com"]
"""These domains are one to IDNA, which knows several dots and ignores what nobody sees (UTS #46, 4)."""
OTHERS = [
    "ada@example.org",
    "ada@example.co",
    "ad@example.com",
    "lada@example.com",
    "ada+x@example.com",
    "ada",
    "",
    GRACE,
]


@pytest.mark.parametrize("name", SURELY_ADA)
def test_case_alone_makes_nobody_somebody_else(name):
    assert is_same(ADA, name)
    assert could_be_same(ADA, name)


@pytest.mark.parametrize("name", PERHAPS_ADA, ids=lambda name: ascii(name)[:40])
def test_what_a_reader_or_a_mail_server_takes_for_one_could_be_one_and_surely_is_not(name):
    assert could_be_same(ADA, name)
    assert could_be_same(name, ADA)
    assert is_same(ADA, name) is (name in TO_IDNA), name


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_others(name):
    assert not is_same(ADA, name)
    assert not could_be_same(ADA, name)


@pytest.mark.parametrize(
    ("one", "other", "surely"),
    [
        ("boss@maß.de", "boss@mass.de", False),  # two domains of two owners (IDNA 2008)
        ("boss@maß.de", "boss@xn--ma-hia.de", True),
        ("boss@MASS.de", "boss@mass.de", True),
        ("boss@xn--ma-hia.de", "boss@mass.de", False),
        ("boss@bücher.example", "boss@xn--bcher-kva.example", True),
        ("boss@BÜCHER.example", "boss@XN--BCHER-KVA.example", True),
        ("boss@bu\u0308cher.example", "boss@bücher.example", True),
        ("straße@example.com", "strasse@example.com", False),
        ("ﬁona@example.com", "fiona@example.com", False),
        ("Zoe\u0308", "Zo\u00eb", True),
        ("ΣΟΦΟΣ", "σοφοσ", True),
        ("ΣΟΦΟΣ", "σοφος", False),
        ("İ", "i", None),
        ("\u212a", "k", True),  # the Kelvin sign is a K by canonical equivalence
        ("Ada  Lovelace", "Ada Lovelace", False),
    ],
)
def test_what_is_surely_one_and_what_could_be(one, other, surely):
    if surely is not None:
        assert is_same(one, other) is is_same(other, one) is surely
    assert could_be_same(one, other) is (surely is not None)


def test_names_that_are_punctuation_alone_are_told_apart():
    assert not could_be_same("!!!", "???")
    assert not could_be_same("<>", "...")


def test_brackets_that_do_not_close_hide_nothing():
    assert not could_be_same("grace@example.com (", "ada@example.com (")
    assert could_be_same("ada@example.com (", ADA)


MANGLED = st.one_of(
    st.sampled_from([ADA, GRACE, "boss@maß.de", "José", "Ada Lovelace", "x@bücher.example"]),
    st.text(max_size=40),
    st.tuples(
        st.text(max_size=8), st.sampled_from([*"<>()@?. \u00ad\u200d。", "mailto:", ADA]), st.text(max_size=8)
    ).map("".join),
)


@examples(200, 5000)
@given(MANGLED, MANGLED)
@example("İ@İ", "i̇@i̇")
@example("a@xn--", "a@xn--")
@example("a@\u00ad", "a@")
def test_who_surely_is_somebody_could_be_them_and_both_hold_in_both_directions(one, other):
    assert is_same(one, one)
    assert could_be_same(one, one)
    assert is_same(one, other) == is_same(other, one)
    assert could_be_same(one, other) == could_be_same(other, one)
    assert could_be_same(one, other) or not is_same(one, other)
    assert is_same(one, unicodedata.normalize("NFD", one))


@examples(200, 5000)
@given(MANGLED)
def test_what_is_left_of_a_name_could_be_nothing_but_itself(name):
    assume("@" not in name or "xn--" not in name)

    assert names.lookalike_key(names.lookalike_key(name)) == names.lookalike_key(name)


@pytest.mark.parametrize(
    "unit", ["(", ")", "<", ">", "@", "(a@", "<a@", "mailto:", "mailto:<", "\ufdfa", "?", " ", ".", '"@']
)
def test_a_name_of_the_longest_is_compared_at_once(unit):
    """By the work it makes, counted in calls: a caller may send two hundred of them."""
    calls, real = [], names.unwrap
    name = (unit * 254)[:254]
    try:
        names.unwrap = lambda text: calls.append(len(text)) or real(text)
        names.lookalike_key.__wrapped__(name)
    finally:
        names.unwrap = real

    assert sum(calls) < 60_000


# --- by the rules of a request --------------------------------------------------------------------


def test_a_request_of_version_1_compares_as_it_did():
    first, second = asked(rules=1, policy=a_policy()), asked(policy=a_policy())

    assert first.is_same("boss@maß.de", "boss@mass.de")
    assert not second.is_same("boss@maß.de", "boss@mass.de")
    assert not first.forbids("ada@example.com.")
    assert second.forbids("ada@example.com.")


@pytest.mark.parametrize("name", [*SURELY_ADA, *PERHAPS_ADA], ids=lambda name: ascii(name)[:40])
def test_no_spelling_lets_a_requester_decide_on_their_own_request(name):
    assert asked(policy=a_policy()).forbids(name)
    assert asked(policy=a_policy(), requester=name).forbids(ADA)
    assert not asked(policy=a_policy(allow_self_approval=True)).forbids(name)


@pytest.mark.parametrize("name", PERHAPS_ADA, ids=lambda name: ascii(name)[:40])
def test_one_mailbox_is_not_asked_twice(name):
    twice = policy_problems(a_policy(a_panel(GRACE, ADA, name, required=3)), EVE, "")
    again = policy_problems(a_policy(a_panel(ADA, on_timeout="escalate"), escalation=a_panel(GRACE, name)), EVE, "")

    assert [problem.pointer for problem in twice] == ["/approvers/2"]
    assert [problem.pointer for problem in again] == ["/escalate_to/approvers/1"]


def test_a_requester_among_the_approvers_is_not_one_who_can_approve():
    (problem,) = policy_problems(a_policy(a_panel(GRACE, "Ada <ada@example.com>", required=2)), ADA, "")

    assert problem.pointer == "/required"
    assert policy_problems(a_policy(a_panel(GRACE, ALAN, "ada@example.com.", required=2)), ADA, "") == []
    assert MAX_REMINDERS == 10

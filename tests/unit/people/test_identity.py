"""Who answers: what the platform's word is worth, and who may answer what with which link."""

import base64
import itertools
import json
import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import settings
from approvals.errors import LinkVoid, NotAskedYet, OwnRequest, SignInRequired
from approvals.people import identity
from approvals.people.identity import Evidence, Person, assurance_of, authorize, holder_of, read_principal
from approvals.people.links import link_to
from approvals.rules.story import Found
from tests.builders import ADA, ALAN, EVE, GRACE, a_panel, a_policy, asked, found, passed_on
from tests.chance import examples

TENANT, OBJECT = "3f0c1f6e-5c1b-4a53-9f38-1d7b1a6d2c11", "8a2f8c1e-7c6f-4d0e-8b5a-6f5f4f3f2f1f"
SCHEMA = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
LONG = {
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "scp": "http://schemas.microsoft.com/identity/claims/scope",
    "sub": f"{SCHEMA}nameidentifier",
    "email": f"{SCHEMA}emailaddress",
    "name": f"{SCHEMA}name",
    "upn": f"{SCHEMA}upn",
}
CLAIMS = {
    "tid": TENANT,
    "oid": OBJECT,
    "sub": "pairwise",
    "name": "Grace",
    "email": GRACE,
    "xms_edov": "1",
}
GRACE_HERSELF = Person(TENANT, OBJECT, GRACE)


def a_header(*more, names=None, **claims):
    """Write the platform's header for Grace, with some claims otherwise, or (`None`) without; `more` come on top."""
    together = [*{**CLAIMS, **claims}.items(), *more]
    listed = [{"typ": (names or {}).get(n, n), "val": value} for n, value in together if value is not None]
    return encoded({"auth_typ": "aad", "claims": listed, "name_typ": "name", "role_typ": "roles"})


def encoded(principal):
    return {"x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode()}


# --- who is signed in -----------------------------------------------------------------------------


@pytest.mark.parametrize("names", [{}, LONG], ids=["short", "long"])
def test_a_person_is_read_by_short_and_by_long_names_of_claims(names):
    assert read_principal(a_header(names=names)) == GRACE_HERSELF


@pytest.mark.parametrize(
    "long", [{*chosen} for n in range(len(LONG) + 1) for chosen in itertools.combinations(LONG, n)]
)
def test_short_and_long_names_may_be_mixed(long):
    assert read_principal(a_header(names={name: LONG[name] for name in long})) == GRACE_HERSELF


def test_nobody_is_signed_in_without_the_header():
    assert read_principal({}) is None
    assert read_principal({"x-ms-client-principal-id": OBJECT, "x-ms-client-principal-name": GRACE}) is None
    assert read_principal({"x-ms-client-principal": ""}) is None


@pytest.mark.parametrize("name", ["tid", "oid"])
@pytest.mark.parametrize("value", [None, ""])
def test_without_tenant_or_object_nobody_is_named(name, value):
    assert read_principal(a_header(**{name: value})) is None


@pytest.mark.parametrize("idtyp", ["app", "App", "APP"])
def test_a_token_of_an_application_is_no_person_by_its_type(idtyp):
    assert read_principal(a_header(idtyp=idtyp)) is None


def test_another_type_of_token_is_a_persons():
    assert read_principal(a_header(idtyp="user")) == GRACE_HERSELF


def test_a_token_without_anything_personal_is_an_applications():
    assert read_principal(a_header(name=None, email=None)) is None
    assert read_principal(a_header(name=None, email=None, roles="Approver", appid="x", azp="y")) is None


@pytest.mark.parametrize("claim", ["scp", "name", "preferred_username", "upn", "unique_name", "email"])
def test_one_claim_that_only_people_have_makes_a_person(claim):
    assert read_principal(a_header(**{"name": None, "email": None, claim: "x"})).subject == f"{TENANT}/{OBJECT}"


@pytest.mark.parametrize("names", [{}, LONG], ids=["short", "long"])
def test_a_token_whose_subject_is_its_own_object_is_an_applications(names):
    assert read_principal(a_header(names=names, sub=OBJECT)) is None


@pytest.mark.parametrize(
    ("flags", "verified"),
    [
        ({"xms_edov": None}, False),
        ({"xms_edov": "0"}, False),
        ({"xms_edov": "false"}, False),
        ({"xms_edov": ""}, False),
        ({"xms_edov": "yes"}, False),
        ({"xms_edov": None, "email_verified": "false"}, False),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": "true"}, True),
        ({"xms_edov": "True"}, True),
        ({"xms_edov": True}, True),
        ({"xms_edov": 1}, True),
        ({"xms_edov": None, "email_verified": "true"}, True),
        ({"xms_edov": "1", "email_verified": "true"}, True),
        ({"xms_edov": "0", "email_verified": "1"}, False),
        ({"xms_edov": "1", "email_verified": "false"}, False),
    ],
    ids=str,
)
def test_an_email_counts_only_when_it_is_verified(flags, verified):
    person = read_principal(a_header(**flags))

    assert person.email == (GRACE if verified else None)
    assert person.is_called(GRACE) is verified
    assert person.is_called(person.subject)
    assert person.name == (GRACE if verified else person.subject)


@pytest.mark.parametrize("name", ["xms_edov", "email_verified"])
def test_every_claim_that_an_email_is_verified_has_to_agree(name):
    assert read_principal(a_header(("xms_edov", "1"), (name, "0"))).email is None
    assert read_principal(a_header((name, "0"), ("xms_edov", "1"))).email is None
    assert read_principal(a_header(("xms_edov", "1"), (name, "1"))).email == GRACE


@pytest.mark.parametrize("claim", ["upn", "preferred_username", "name", "unique_name", "emails"])
def test_no_other_claim_is_taken_for_an_email(claim):
    person = read_principal(a_header(**{"email": None, "email_verified": "true", claim: GRACE}))

    assert not person.is_called(GRACE)


@pytest.mark.parametrize(
    "name",
    [
        f"{TENANT}/{OBJECT}",
        f"{TENANT}/{OBJECT}".upper(),
        GRACE,
        GRACE.upper(),
    ],
)
def test_a_person_is_called_by_tenant_and_object_or_by_email_in_any_case(name):
    assert GRACE_HERSELF.is_called(name)


@pytest.mark.parametrize(
    "name",
    [
        OBJECT,
        TENANT,
        f"/{OBJECT}",
        f"{TENANT}/",
        f"{TENANT} / {OBJECT}",
        f"{OBJECT}/{TENANT}",
        f"00000000-0000-0000-0000-000000000000/{OBJECT}",
        f"{TENANT}/00000000-0000-0000-0000-000000000000",
        "Grace",
        f"{GRACE} ",
        f"x{GRACE}",
        "",
    ],
)
def test_a_person_is_called_nothing_else(name):
    assert not GRACE_HERSELF.is_called(name)


def test_who_has_no_verified_email_is_not_called_by_the_empty_name():
    assert not Person(TENANT, OBJECT).is_called("")
    assert not Person(TENANT, OBJECT, "").is_called("")


@pytest.mark.parametrize("claim", ["tid", "oid", "email"])
def test_a_claim_that_comes_twice_and_differs_names_nobody(claim):
    assert read_principal(a_header((claim, "another"))) is None
    assert read_principal(a_header((LONG[claim], "another"))) is None
    assert read_principal(a_header((LONG[claim], CLAIMS[claim]))) == GRACE_HERSELF


def test_what_comes_often_and_names_nobody_does_not_matter():
    assert read_principal(a_header(("groups", "a"), ("groups", "b"), ("roles", "c"), ("roles", "d"))) == GRACE_HERSELF


# --- garbage --------------------------------------------------------------------------------------

GARBAGE = [
    "not base64!",
    "äöü",
    "\ud800",
    "====",
    base64.b64encode(b"\xff\xfe").decode(),
    base64.b64encode(b"").decode() or "=",
    base64.b64encode(b"not JSON").decode(),
    base64.b64encode(b"[" * 20_000).decode(),
    base64.b64encode(b'{"claims":' * 5_000).decode(),
    base64.b64encode(b'{"claims":[{"typ":"tid","val":' + b"[" * 20_000).decode(),
    base64.b64encode(b'{"claims":[{"typ":"x","val":' + b"9" * 10_000 + b"}]}").decode(),
    base64.b64encode(b"x" * 100_000).decode(),
    base64.urlsafe_b64encode(
        json.dumps({"claims": [], "x": "\xff\xfe\xfb" * 10}, ensure_ascii=False).encode()
    ).decode(),
    "A" * 100_000,
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_names_nobody(text):
    assert read_principal({"x-ms-client-principal": text}) is None


def test_a_principal_of_a_hundred_kilobytes_is_not_read_though_it_is_one():
    assert read_principal(a_header(groups="g" * 100_000)) is None
    assert read_principal(a_header(groups="g" * 20_000)) == GRACE_HERSELF


NO_PRINCIPAL = [
    None, True, 1, "text", [], {}, {"claims": None}, {"claims": 1}, {"claims": "tid"}, {"claims": {"tid": TENANT}},
    {"claims": [None]}, {"claims": ["tid"]}, {"claims": [["tid", TENANT]]}, {"claims": [{}]},
    {"claims": [{"typ": "tid"}]}, {"claims": [{"val": "tid"}]}, {"claims": [{"typ": ["tid"], "val": "x"}]},
    {"claims": [{"typ": {"a": 1}, "val": "x"}]}, {"Claims": [{"typ": "tid", "val": TENANT}]},
]  # fmt: skip


@pytest.mark.parametrize("principal", NO_PRINCIPAL, ids=str)
def test_json_of_another_shape_names_nobody(principal):
    assert read_principal(encoded(principal)) is None


@pytest.mark.parametrize("claim", ["tid", "oid", "email"])
@pytest.mark.parametrize("value", [0, 1.5, True, False, [], ["a"], {}, {"a": "b"}], ids=str)
def test_a_claim_that_names_people_and_is_no_text_names_nobody(claim, value):
    assert read_principal(a_header(**{claim: value})) is None


def test_a_claim_of_null_names_nobody():
    listed = [{"typ": name, "val": None if name == "tid" else value} for name, value in CLAIMS.items()]

    assert read_principal(encoded({"claims": listed})) is None


@pytest.mark.parametrize(
    "text", ["a/b", "a" * 250, "a\nb", "a\0b", "\ud800", "a\u202eb", "a\u200bb", "\ufeffa"], ids=ascii
)
def test_a_tenant_that_cannot_stand_in_a_record_names_nobody(text):
    assert read_principal(a_header(tid=text)) is None


@pytest.mark.parametrize("text", ["a@" + "b" * 253, "a\nb", "a\0b", "\ud800", "a\u202eb", ""], ids=ascii)
def test_an_email_that_cannot_stand_in_a_record_is_nobodys(text):
    assert read_principal(a_header(email=text)) == Person(TENANT, OBJECT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from([*CLAIMS, *LONG.values(), "idtyp", "email_verified"]) | st.text(max_size=5)
CLAIM = st.fixed_dictionaries({}, optional={"typ": TYPES | JSON, "val": st.text(max_size=10) | JSON}) | JSON
PRINCIPAL = JSON | st.fixed_dictionaries({"claims": st.lists(CLAIM, max_size=8) | JSON})


@examples(50, 1000)
@given(PRINCIPAL)
def test_no_principal_raises_and_whoever_is_named_can_be_written_down(principal):
    person = read_principal(encoded(principal))

    if person:
        given_values = [claim["val"] for claim in principal["claims"]]
        assert person.tenant in given_values
        assert person.object_id in given_values
        assert person.subject.encode()
        assert person.name.encode()


@examples(50, 500)
@given(st.text(max_size=200) | st.text(string.ascii_letters + "+/=", max_size=200) | st.binary().map(base64.b64encode))
def test_no_text_raises_and_none_names_anybody(text):
    header = text.decode() if isinstance(text, bytes) else text

    assert read_principal({"x-ms-client-principal": header}) is None


def test_depth_is_refused_and_not_survived_by_luck():
    """The limit of a thread that serves is not that of the tests: a deep text is refused under a low one, too."""
    before = sys.getrecursionlimit()
    deep = base64.b64encode(b'{"claims":[{"typ":"x","val":' + b"[" * 3000 + b"]" * 3000 + b"}]}").decode()
    try:
        sys.setrecursionlimit(500)
        assert read_principal({"x-ms-client-principal": deep}) is None
    finally:
        sys.setrecursionlimit(before)


# --- whether the platform's word counts -----------------------------------------------------------

TRUST = {None: False, "": False, "false": False, "0": False, "off": False, "true": True, "1": True, "YES": True}
BY_THE_PLATFORM = {
    None: False,
    "": False,
    "False": False,
    "0": False,
    "1": False,
    "yes": False,
    "True": True,
    "true": True,
}


@pytest.mark.parametrize("trust", TRUST)
@pytest.mark.parametrize("platform", BY_THE_PLATFORM)
def test_a_sign_in_counts_where_the_operator_and_the_platform_both_say_so(trust, platform):
    given_values = {"TRUST_EASY_AUTH": trust, "WEBSITE_AUTH_ENABLED": platform}
    environment = {name: value for name, value in given_values.items() if value is not None}

    assert settings.read_settings(environment).trusts_sign_in is (TRUST[trust] and BY_THE_PLATFORM[platform])


def test_what_the_platform_says_in_other_words_does_not_count():
    others = ("WEBSITE_AUTH_ENABLED_", "APPSETTING_WEBSITE_AUTH_ENABLED", "website_auth_enabled")

    for name in others:
        assert not settings.read_settings({"TRUST_EASY_AUTH": "true", name: "True"}).trusts_sign_in


# --- who may answer what --------------------------------------------------------------------------

# Grace and Alan are asked in the first stage, which may escalate to Eve; then Barbara. Alan's answer was passed on to
# Carol. The tests of the open slot have a request that asks whoever comes.
BARBARA, CAROL = "barbara@example.com", "carol@example.com"

LINKS = ("none", "own", "another's", "old generation", "later stage", "escalated", "another request", "open", "newer")
PEOPLE = ("nobody", "the approver", "another approver", "the requester", "someone by subject only")
NAMES = (GRACE, ALAN, CAROL, EVE, ADA, "Grace@EXAMPLE.com")


def a_found(assurance, allow, *, open_slot):
    panel = a_panel(*(() if open_slot else (GRACE, ALAN)), assurance=assurance)
    policy = a_policy(panel, a_panel(BARBARA), allow_self_approval=allow)
    stages = (policy.stages[0].model_copy(update={"escalation": a_panel(EVE)}), policy.stages[1])
    one = found(policy.model_copy(update={"stages": stages}))
    if open_slot:
        return one
    story = one.story.model_copy(
        update={"holders": {"0-1": CAROL}, "generations": {"0-1": 1}, "changes": (passed_on(ALAN, CAROL),)}
    )
    return one.with_story(story)


def a_link_of(kind, one: Found):
    def link(stage=0, escalated=False, slot=0, generation=0, holder=GRACE, request=one.request):
        return link_to(request, stage=stage, escalated=escalated, slot=slot, generation=generation, holder=holder)

    match kind:
        case "none":
            return None
        case "own":
            return link()
        case "another's":
            return link(slot=1, generation=1, holder=CAROL)
        case "old generation":
            return link(slot=1, holder=ALAN)
        case "newer":
            return link(generation=1)
        case "later stage":
            return link(stage=1, holder=BARBARA)
        case "escalated":
            return link(escalated=True, holder=EVE)
        case "another request":
            return link(request=asked(request_id="e" * 32))
        case "open":
            return link(holder=None)
    raise AssertionError(kind)


def a_person(kind):
    return {
        "nobody": None,
        "the approver": Person(TENANT, OBJECT, GRACE),
        "another approver": Person(TENANT, "alan", ALAN),
        "the requester": Person(TENANT, "ada", ADA),
        "someone by subject only": Person(TENANT, "someone"),
    }[kind]


HOLDERS = {
    "own": GRACE, "another's": CAROL, "old generation": ALAN, "newer": GRACE, "later stage": BARBARA,
    "escalated": EVE, "another request": GRACE, "open": None,
}  # fmt: skip
MAILS = {"the approver": GRACE, "another approver": ALAN, "the requester": ADA}


def expected(link, person, assurance, allow, name, *, open_slot):
    """Say in other words what should be: a table of refusals, the first that fits."""
    same = name.lower()
    holder = HOLDERS.get(link)
    mine = link == "none" or holder is None or holder == same
    current = {"own": not open_slot, "another's": not open_slot, "open": open_slot}
    if not mine or link == "another request":
        return LinkVoid
    if link in ("later stage", "escalated"):
        return NotAskedYet
    if link != "none" and not current.get(link, False):
        return LinkVoid
    if not allow and ADA in (same, MAILS.get(person)):
        return OwnRequest
    sure = "signed-in" if MAILS.get(person) == same else "key" if link == "none" else "link"
    if assurance == "signed-in" and sure != "signed-in":
        return SignInRequired
    return sure


CASES = list(itertools.product(LINKS, PEOPLE, ("any", "signed-in"), (False, True), NAMES, (False, True)))


def test_the_matrix_is_as_large_as_it_is_thought_to_be():
    assert len(CASES) == 9 * 5 * 2 * 2 * 6 * 2 == 2160


@pytest.mark.parametrize("link", LINKS)
def test_who_may_answer_what_with_which_link_and_which_sign_in(link):
    outcomes = []
    for case in CASES:
        if case[0] != link:
            continue
        _, person, assurance, allow, name, open_slot = case
        one = a_found(assurance, allow, open_slot=open_slot)
        evidence = Evidence("page", a_link_of(link, one), a_person(person))
        try:
            outcome = authorize(one, name, evidence)
        except (LinkVoid, NotAskedYet, OwnRequest, SignInRequired) as error:
            outcome = type(error)
        wanted = expected(link, person, assurance, allow, name, open_slot=open_slot)
        assert outcome == wanted, case
        outcomes.append(outcome)

    assert len(outcomes) == 240


def test_whose_link_was_passed_on_is_told_to_whom_and_a_stranger_is_not():
    one = a_found("any", allow=False, open_slot=False)
    evidence = Evidence("page", a_link_of("old generation", one))

    with pytest.raises(LinkVoid) as told:
        authorize(one, ALAN, evidence)
    with pytest.raises(LinkVoid) as stranger:
        authorize(one, GRACE, evidence)

    assert told.value.passed_on_to == CAROL
    assert stranger.value.passed_on_to is None


def test_who_gets_an_answer_back_has_a_new_link_and_the_old_one_stays_void():
    one = a_found("any", allow=False, open_slot=False)
    changes = (passed_on(ALAN, CAROL), passed_on(CAROL, EVE), passed_on(EVE, CAROL))
    one = one.with_story(one.story.model_copy(update={"generations": {"0-1": 3}, "changes": changes}))
    links = [
        link_to(one.request, stage=0, escalated=False, slot=1, generation=generation, holder=CAROL)
        for generation in range(4)
    ]

    for link in links[:3]:
        with pytest.raises(LinkVoid):
            authorize(one, CAROL, Evidence("page", link))
    assert authorize(one, CAROL, Evidence("page", links[3])) == "link"


def test_a_link_of_a_stage_that_is_over_answers_nothing_any_more():
    one = a_found("any", allow=False, open_slot=False)
    later = one.with_story(one.story.model_copy(update={"stage": 1, "holders": {}, "generations": {}}))
    escalated = one.with_story(one.story.model_copy(update={"escalated": True, "holders": {}, "generations": {}}))

    for story in (later, escalated):
        with pytest.raises(LinkVoid):
            authorize(story, GRACE, Evidence("page", a_link_of("own", one)))
    assert authorize(later, BARBARA, Evidence("page", a_link_of("later stage", one))) == "link"
    assert authorize(escalated, EVE, Evidence("page", a_link_of("escalated", one))) == "link"
    with pytest.raises(LinkVoid):
        authorize(later, EVE, Evidence("page", a_link_of("escalated", one)))


def test_a_sign_in_makes_an_answer_surer_only_for_the_person_it_names():
    link = a_link_of("own", a_found("any", allow=False, open_slot=False))

    assert assurance_of(GRACE, Evidence()) == "key"
    assert assurance_of(GRACE, Evidence(link=link)) == "link"
    assert assurance_of(GRACE, Evidence(link=link, person=GRACE_HERSELF)) == "signed-in"
    assert assurance_of(GRACE, Evidence(person=GRACE_HERSELF)) == "signed-in"
    assert assurance_of(ALAN, Evidence(link=link, person=GRACE_HERSELF)) == "link"
    assert assurance_of(ALAN, Evidence(person=GRACE_HERSELF)) == "key"


def test_a_requester_named_by_tenant_and_object_is_found_behind_their_verified_email():
    one = Found(request=asked(policy=a_policy(a_panel(GRACE)), requester=f"{TENANT}/ada"), story=found().story)
    ada = Person(TENANT, "ada", "somebody@example.com")

    with pytest.raises(OwnRequest):
        authorize(one, GRACE, Evidence("page", a_link_of("own", one), ada))


@pytest.mark.parametrize("claim", ["email", "preferred_username", "upn", "unique_name", "name"])
@pytest.mark.parametrize("spelled", [ADA, "ADA@EXAMPLE.COM", "Ada <ada@example.com>", "ada@example.com."])
@pytest.mark.parametrize("order", [1, -1])
def test_a_requester_who_is_signed_in_by_whatever_name_does_not_decide(claim, spelled, order):
    """Not even with somebody else's link, with an e-mail that nobody has verified, or as one name of several."""
    one = a_found("any", allow=False, open_slot=False)
    several = [(claim, spelled)] if claim == "email" else [(claim, spelled), (claim, "someone else")][::order]
    header = a_header(*several, **dict.fromkeys(["email", "name", "xms_edov"]))
    person = read_principal(header)

    with pytest.raises(OwnRequest):
        authorize(one, GRACE, Evidence("page", a_link_of("own", one), person))
    allowed = a_found("any", allow=True, open_slot=False)
    assert authorize(allowed, GRACE, Evidence("page", a_link_of("own", allowed), person)) == "link"


# --- whose link it is -----------------------------------------------------------------------------


def test_a_link_names_its_person_before_and_after_it_was_passed_on():
    one = a_found("any", allow=False, open_slot=False)

    named = {kind: holder_of(a_link_of(kind, one), one) for kind in LINKS if kind != "none"}

    assert named == HOLDERS


def test_a_link_to_what_the_request_does_not_have_names_nobody():
    one = found(a_policy(a_panel(GRACE)))

    for stage, escalated in ((0, True), (1, False), (4, True)):
        link = link_to(one.request, stage=stage, escalated=escalated, slot=0, generation=0, holder=GRACE)
        assert holder_of(link, one) is None
    assert identity.has_panel(one, link_to(one.request, stage=0, escalated=False, slot=0, generation=0, holder=GRACE))

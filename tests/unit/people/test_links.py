"""Links: what is signed is believed as it was signed, and nothing else is. Every forgery here is counted."""

import base64
import concurrent.futures
import datetime as dt
import hashlib
import itertools
import json
import random
import threading
import zlib
from dataclasses import replace

import itsdangerous
import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer, base64_encode

from approvals.people import links
from approvals.people.links import Link, NotGenuine, Purpose, Signer, fingerprint, link_to, state_of
from approvals.rules.story import Status, Undelivered
from tests.builders import (
    ALAN,
    EVE,
    GRACE,
    HOUR,
    NOON,
    REQUEST_ID,
    a_panel,
    a_policy,
    asked,
    decided,
    found,
    passed_on,
)
from tests.chance import size, sized

KEY, OLDER, OTHER = "k" * 40, "o" * 40, "x" * 40
SIGNER = Signer((KEY,))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LOOK_ALIKES = str.maketrans(
    "aceiopxyABCEHIKMOPTX0123456789.-_",
    "асеіорхуАВСЕНІКМОРТХ０１２３４５６７８９․‐＿",  # noqa: RUF001 - they are meant to look so
)


def a_link(**fields):
    """Build Grace's link of the first slot."""
    values = {
        "request_id": REQUEST_ID,
        "stage": 0,
        "escalated": False,
        "slot": 0,
        "generation": 0,
        "holder": fingerprint(asked(), GRACE),
        "expires_at": int(NOON.timestamp()) + 86400,
    }
    return Link(**{**values, **fields})


def some_links(count, seed=1):
    chance = random.Random(seed)
    return [
        a_link(
            request_id=f"{chance.getrandbits(128):032x}",
            stage=chance.randrange(5),
            escalated=chance.random() < 0.5,
            slot=chance.randrange(20),
            generation=chance.randrange(11),
            holder=fingerprint(
                asked(), chance.choice([GRACE, ALAN, EVE, None, f"{chance.random()}@example.com", "Zoë 🦊"])
            ),
            expires_at=chance.randrange(1, 2**32),
        )
        for _ in range(count)
    ]


TOKENS = [SIGNER.sign(link) for link in some_links(200)]
GENUINE = set(TOKENS)


def accepted(signer, tokens):
    """Give those of the tokens that are taken for genuine, and how many there were."""
    taken, count = [], 0
    for token in tokens:
        count += 1
        try:
            taken.append((token, signer.verify(token)))
        except NotGenuine:
            continue
    return taken, count


# --- what is genuine ------------------------------------------------------------------------------


def test_a_link_is_read_as_it_was_signed():
    for link in some_links(200):
        assert SIGNER.verify(SIGNER.sign(link)) == link


def test_the_same_link_gives_the_same_token_and_another_gives_another():
    first, again = ([SIGNER.sign(link) for link in some_links(200)] for _ in range(2))

    assert first == again
    assert len(set(first)) == 200


def test_a_link_says_no_name_and_fits_into_an_address():
    token = SIGNER.sign(a_link())

    payload = base64.urlsafe_b64decode(token.partition(".")[0] + "==")
    assert GRACE.encode() not in payload
    assert len(max(TOKENS, key=len)) < 200
    assert set("".join(TOKENS)) <= set(ALPHABET + ".")


@pytest.mark.parametrize("place", range(4))
def test_a_link_of_an_older_key_is_good_wherever_the_key_stands_in_the_list(place):
    keys = [OTHER, "a" * 40, "b" * 40]
    keys.insert(place, KEY)

    for link, token in zip(some_links(200), TOKENS, strict=True):
        assert Signer(keys).verify(token) == link


def test_the_newest_key_signs():
    assert Signer((KEY, OLDER)).sign(a_link()) == SIGNER.sign(a_link())
    assert Signer((OLDER, KEY)).sign(a_link()) == Signer((OLDER,)).sign(a_link())


def test_a_link_expires_a_week_after_its_request_can_have_no_later_end():
    policy = a_policy(a_panel(GRACE, hours=2, on_timeout="approve"), a_panel(ALAN, hours=3), escalation=a_panel(EVE))

    link = links.link_to(asked(policy=policy), stage=0, escalated=False, slot=0, generation=0, holder=GRACE)

    expiry = NOON + dt.timedelta(days=7, hours=2 + 3 + 24)
    assert not link.is_expired(expiry - dt.timedelta(seconds=1))
    assert link.is_expired(expiry)


def test_people_are_told_apart_as_everywhere_else():
    assert fingerprint(asked(), "Grace@Example.com") == fingerprint(asked(), GRACE)
    assert fingerprint(asked(), "Zoe\u0308") == fingerprint(asked(), "Zo\u00eb")
    assert fingerprint(asked(), ALAN) != fingerprint(asked(), GRACE)
    assert fingerprint(asked(), None) == fingerprint(asked(), "") == ""


# --- what is forged -------------------------------------------------------------------------------


@sized(10)
def test_no_token_with_a_bit_turned_is_taken(few):
    tokens = few(TOKENS)
    forged = (t[:i] + chr(ord(t[i]) ^ 1 << bit) + t[i + 1 :] for t in tokens for i in range(len(t)) for bit in range(8))

    taken, count = accepted(SIGNER, forged)

    assert not taken
    assert count == sum(8 * len(token) for token in tokens) > size(10_000, 200_000)


def test_no_token_that_is_cut_is_taken():
    front = (token[:i] for token in TOKENS for i in range(len(token)))
    back = (token[i:] for token in TOKENS for i in range(1, len(token) + 1))

    taken, count = accepted(SIGNER, itertools.chain(front, back))

    assert not taken
    assert count == 2 * sum(map(len, TOKENS))


def test_no_token_with_a_character_more_or_less_or_another_is_taken():
    chance, characters = random.Random(2), ALPHABET + ".=+/ %\n\0é"

    def forged():
        for token in TOKENS:
            places = chance.sample(range(len(token)), 8)
            yield from (token[:i] + chance.choice(characters) + token[i:] for i in places)
            yield from (token[:i] + token[i + 1 :] for i in places)
            yield from (token[:i] + other(token[i]) + token[i + 1 :] for i in places)
            yield from (token + character for character in characters)
            yield from (character + token for character in characters)

    def other(character):
        return chance.choice([each for each in characters if each != character])

    taken, count = accepted(SIGNER, forged())

    assert not taken
    assert count == 200 * (3 * 8 + 2 * len(characters)) == 34_000


@sized(6, 24)
def test_no_two_tokens_spliced_are_taken(few):
    tokens = few(TOKENS)
    spliced = {
        one[:i] + two[j:]
        for one, two in itertools.permutations(tokens, 2)
        for i in range(1, len(one))
        for j in {i, i + len(two) - len(one)}  # from the front, and from the back
        if 0 < j < len(two)
    }
    swapped = {
        ".".join((one.rpartition(".")[0], two.rpartition(".")[2])) for one, two in itertools.permutations(TOKENS, 2)
    }

    taken, count = accepted(SIGNER, (spliced | swapped) - GENUINE)

    assert not taken
    assert len(swapped - GENUINE) == 200 * 199
    assert count > 200 * 199 + size(3_000, 60_000)


def test_no_other_spelling_of_a_token_is_taken():
    def spellings(token):
        payload, _, signature = token.rpartition(".")
        yield from (token.upper(), token.lower(), token.swapcase(), token[::-1])
        yield from (token + "=", token + "==", f"{payload}=.{signature}", f"{payload}==.{signature}=")
        yield from (token.replace(".", "%2E"), "".join(f"%{ord(c):02X}" for c in token), token.replace(".", "."[:0]))
        yield from (
            f" {token}",
            f"{token} ",
            f"{token}\n",
            f"{token}\r\n",
            f"\t{token}",
            f"{token}\0",
            f"{token}\u2028",
        )
        yield from (f"{payload} .{signature}", f"{payload}\n.{signature}", f"{payload}..{signature}", f".{token}")
        yield from (token + ".", f"{token}.{signature}", f"{payload}.{payload}.{signature}", f"{token}{token}")
        yield from (token.translate(LOOK_ALIKES), "".join(chr(ord(c) + 0xFEE0) for c in token), f"\ufeff{token}")
        yield from (f"{token}\u200b", f"{payload}\u200b.{signature}", f"{payload}\uff0e{signature}", f'"{token}"')
        yield from (f"{token}?a=b", f"{token}#a", f"{token}/", f"../{token}", f"{token};", f"{token}&", f"{token}%00")
        yield from (f"{payload}.{base64.b64encode(signature.encode()).decode()}", f"{signature}.{payload}")

    taken, count = accepted(SIGNER, (each for token in TOKENS for each in spellings(token)))

    assert not taken
    assert count == 200 * len(list(spellings(TOKENS[0]))) == 200 * 42


def test_the_spare_bits_of_base64_are_no_second_spelling():
    """The last character of each part may have bits that mean nothing to whoever decodes."""

    def tail(part):
        for character in ALPHABET:
            if character != part[-1] and decoded64(part[:-1] + character) == decoded64(part):
                yield part[:-1] + character

    def forged():
        for token in TOKENS:
            payload, _, signature = token.rpartition(".")
            yield from (f"{payload}.{other}" for other in tail(signature))
            yield from (f"{other}.{signature}" for other in tail(payload.removeprefix(".")) if payload[0] != ".")

    taken, count = accepted(SIGNER, forged())

    assert not taken
    assert count >= 200 * 3  # a signature of 32 bytes has two spare bits


def decoded64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


CHANGED = {
    "request_id": lambda link: f"{int(link.request_id, 16) ^ 1:032x}",
    "stage": lambda link: link.stage + 1,
    "escalated": lambda link: not link.escalated,
    "slot": lambda link: link.slot + 1,
    "generation": lambda link: link.generation + 1,
    "holder": lambda _: fingerprint(asked(), "mallory@example.com"),
    "expires_at": lambda link: link.expires_at + 3600,
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_token_says_cannot_be_changed_under_its_signature(name):
    """The payload is no secret: whoever has a link can read it and write it anew."""

    def forged():
        for link, token in zip(some_links(200), TOKENS, strict=True):
            payload = Signer((OTHER,)).sign(replace(link, **{name: CHANGED[name](link)})).rpartition(".")[0]
            yield f"{payload}.{token.rpartition('.')[2]}"

    taken, count = accepted(SIGNER, forged())

    assert not taken
    assert count == 200


def test_what_is_signed_for_one_purpose_is_good_for_no_other():
    token = SIGNER.sign(a_link())
    form = SIGNER.sign_form(token, "state", "")
    fields = SIGNER.verify_fields(Purpose.APPROVE, token)

    others = [SIGNER.sign_fields(Purpose.FORM, fields), form]
    others += [
        Plain(KEY, salt=salt, serializer=json, serializer_kwargs=SEPARATORS, signer_kwargs=OURS).dumps(fields)
        for salt in ("", "itsdangerous", "approval-link", "approval-link-v2", "APPROVAL-LINK-V1", "approval-link-v1 ")
    ]
    for other in others:
        with pytest.raises(NotGenuine):
            SIGNER.verify(other)
    for link in (token, SIGNER.sign_fields(Purpose.APPROVE, SIGNER.verify_fields(Purpose.FORM, form))):
        with pytest.raises(NotGenuine):
            SIGNER.verify_form(link, token, "")


SEPARATORS = {"separators": (",", ":")}


class Plain(URLSafeSerializer):
    """The library's own way, without its compression."""

    def dump_payload(self, obj):
        return base64_encode(json.dumps(obj, **SEPARATORS))


class PlainTimed(URLSafeTimedSerializer):
    """The same with a time stamp."""

    dump_payload = Plain.dump_payload


OURS = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def signed_by(serializer=Plain, key=KEY, **kwargs):
    """Sign what a link says as someone who guesses at the way, with our own key."""
    values = {"salt": Purpose.APPROVE.value, "serializer": json, "serializer_kwargs": SEPARATORS, **kwargs}
    return serializer(key, **values).dumps(SIGNER.verify_fields(Purpose.APPROVE, TOKENS[0]))


TRICKS = {
    "the library's defaults": {},
    "the library's defaults without our salt": {"salt": "itsdangerous"},
    "SHA-1": {"signer_kwargs": {**OURS, "digest_method": hashlib.sha1}},
    "MD5": {"signer_kwargs": {**OURS, "digest_method": hashlib.md5}},
    "SHA-384": {"signer_kwargs": {**OURS, "digest_method": hashlib.sha384}},
    "SHA-512": {"signer_kwargs": {**OURS, "digest_method": hashlib.sha512}},
    "SHA3": {"signer_kwargs": {**OURS, "digest_method": hashlib.sha3_256}},
    "key derivation: none": {"signer_kwargs": {**OURS, "key_derivation": "none"}},
    "key derivation: concat": {"signer_kwargs": {**OURS, "key_derivation": "concat"}},
    "key derivation: django-concat": {"signer_kwargs": {**OURS, "key_derivation": "django-concat"}},
    "no algorithm": {"signer_kwargs": {**OURS, "algorithm": itsdangerous.NoneAlgorithm()}},
    "another separator": {"signer_kwargs": {**OURS, "sep": ":"}},
    "a time stamp": {"serializer": PlainTimed, "signer_kwargs": OURS},
    "no salt": {"salt": "", "signer_kwargs": OURS},
    "an empty key": {"key": "", "signer_kwargs": OURS},
    "the salt as the key": {"key": Purpose.APPROVE.value, "signer_kwargs": OURS},
    "the key in capitals": {"key": KEY.upper(), "signer_kwargs": OURS},
    "half of the key": {"key": KEY[:20], "signer_kwargs": OURS},
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_other_way_to_sign_is_taken(trick):
    kwargs = dict(TRICKS[trick])
    serializer = kwargs.pop("serializer", Plain)

    token = signed_by(serializer, **kwargs)

    with pytest.raises(NotGenuine):
        SIGNER.verify(token)


def test_our_own_way_to_sign_is_taken_so_the_tricks_above_fail_for_what_they_change():
    assert signed_by(signer_kwargs=OURS) == TOKENS[0]


def test_no_part_of_an_address_begins_or_ends_with_a_dot():
    """Proxies and mail programs take a dot at an end for punctuation; the library's own compressed texts begin so."""
    for token in TOKENS:
        assert token[0] != "."
        assert token[-1] != "."
        assert token.count(".") == 1


@pytest.mark.parametrize(
    "fields",
    [
        None,
        {},
        "text",
        [],
        [REQUEST_ID],
        [REQUEST_ID, 0, 0, 0, ""],
        [REQUEST_ID, 0, 0, 0, "", 1, 1],
        [1, 0, 0, 0, "", 1],
        [REQUEST_ID, "0", 0, 0, "", 1],
        [REQUEST_ID, 0, 0, 0, None, 1],
        [REQUEST_ID, 0, 0, 0, "", "1"],
        [REQUEST_ID, 0, 0, 0, "", 1.5],
        [[REQUEST_ID], 0, 0, 0, "", 1],
    ],
)
def test_what_is_signed_and_is_no_link_is_none(fields):
    with pytest.raises(NotGenuine):
        SIGNER.verify(SIGNER.sign_fields(Purpose.APPROVE, fields))


@pytest.mark.parametrize("token", ["", ".", "..", "a", "a.b", "." * 400, "A" * 100_000, "\ud800", "eyJ.", ".eJw.x"])
def test_what_is_no_token_at_all_is_not_genuine(token):
    with pytest.raises(NotGenuine):
        SIGNER.verify(token)


def test_a_text_that_unpacks_to_much_is_not_unpacked():
    bomb = b"." + base64.urlsafe_b64encode(zlib.compress(b"[" * 200_000)).rstrip(b"=")

    with pytest.raises(NotGenuine):
        SIGNER.verify(itsdangerous.Signer(OTHER, salt=Purpose.APPROVE.value, **OURS).sign(bomb).decode())
    with pytest.raises(NotGenuine):  # and not when it is ours
        SIGNER.verify(itsdangerous.Signer(KEY, salt=Purpose.APPROVE.value, **OURS).sign(bomb).decode())


@pytest.mark.parametrize("keys", [(OTHER,), (OTHER, OLDER), (KEY + " ",), (KEY[:-1],), ()])
def test_without_the_key_that_signed_a_link_is_not_genuine(keys):
    taken, count = accepted(Signer(keys), TOKENS)

    assert not taken
    assert count == 200


# --- keys that change under load ------------------------------------------------------------------


def test_keys_change_twenty_times_while_links_are_read_and_no_good_link_is_refused():
    """A rotation puts a new key in front and drops the one that is three rotations old."""
    kept, rotations, readers = 3, 20, 4
    keys = [f"key-of-rotation-{n:02}-" + "r" * 20 for n in range(rotations + kept)]
    some = some_links(40, seed=3)
    issued = {key: [Signer((key,)).sign(link) for link in some] for key in keys}

    class Current:
        """What is set now. A reader takes one snapshot a reading, as a process has its settings."""

        at = 0

        def keys(self):
            return tuple(reversed(keys[self.at : self.at + kept]))

    current, wrong, read, ending = Current(), [], [0] * readers, threading.Event()
    progress = [threading.Event() for _ in range(readers)]

    def reads(number):
        while not ending.is_set():
            now = current.keys()
            signer = Signer(now)
            for key in keys:
                for link, token in zip(some[number::readers], issued[key][number::readers], strict=True):
                    try:
                        good = signer.verify(token) == link
                    except NotGenuine:
                        good = False
                    read[number] += 1
                    if good is not (key in now):
                        wrong.append((key, now))
            progress[number].set()

    with concurrent.futures.ThreadPoolExecutor(readers) as threads:
        running = [threads.submit(reads, number) for number in range(readers)]
        try:
            for current.at in range(rotations + 1):
                for each in progress:
                    each.clear()
                for each in progress:  # each reader has gone through all links under these keys, or the ones before
                    assert each.wait(30)
        finally:
            ending.set()
        for each in running:
            each.result()

    assert wrong == []
    assert sum(read) >= (rotations + 1) * len(keys) * len(some)


# --- forms ----------------------------------------------------------------------------------------

VIEWER = "tenant/object"


def test_a_form_is_bound_to_its_link_and_to_who_looks_and_tells_the_state():
    token, other = TOKENS[:2]
    form = SIGNER.sign_form(token, "state", VIEWER)

    assert SIGNER.verify_form(form, token, VIEWER) == "state"
    for link, viewer in [(other, VIEWER), (token, ""), (token, VIEWER + "x"), (other, ""), (token[:-1], VIEWER)]:
        with pytest.raises(NotGenuine):
            SIGNER.verify_form(form, link, viewer)


@pytest.mark.parametrize(
    "viewer", ["", VIEWER, "".join(random.Random(4).choices(ALPHABET, k=254)), "".join(map(chr, range(1000, 1254)))]
)
def test_a_form_is_taken_whoever_looks(viewer):
    form = SIGNER.sign_form(TOKENS[0], hashlib.sha256(b"").hexdigest()[:32], viewer)

    assert SIGNER.verify_form(form, TOKENS[0], viewer) == hashlib.sha256(b"").hexdigest()[:32]


def test_no_form_with_a_bit_turned_or_cut_is_taken():
    def verifies(form):
        try:
            SIGNER.verify_form(form, TOKENS[0], VIEWER)
        except NotGenuine:
            return False
        return True

    form = SIGNER.sign_form(TOKENS[0], "f" * 32, VIEWER)
    forged = [form[:i] + chr(ord(form[i]) ^ 1 << bit) + form[i + 1 :] for i in range(len(form)) for bit in range(8)]
    forged += [form[:i] for i in range(len(form))]

    assert verifies(form)
    assert not any(map(verifies, forged))
    assert len(forged) == 9 * len(form)


@pytest.mark.parametrize("fields", [None, [], ["a", "b"], ["a", "b", None], [1, "b", "c"], {"a": 1}, "abc"])
def test_what_is_signed_and_is_no_form_is_none(fields):
    with pytest.raises(NotGenuine):
        SIGNER.verify_form(SIGNER.sign_fields(Purpose.FORM, fields), TOKENS[0], "")


def test_a_form_of_an_older_key_is_good_and_of_a_dropped_one_is_not():
    form = Signer((OLDER,)).sign_form(TOKENS[0], "state", "")

    assert Signer((KEY, OLDER)).verify_form(form, TOKENS[0], "") == "state"
    with pytest.raises(NotGenuine):
        SIGNER.verify_form(form, TOKENS[0], "")


# --- what makes a page stale ----------------------------------------------------------------------


def changed(**update):
    pending = found(a_policy(a_panel(GRACE, ALAN), a_panel(GRACE), escalation=a_panel(EVE)))
    link = link_to(pending.request, stage=0, escalated=False, slot=0, generation=0, holder=GRACE)
    return state_of(pending.with_story(pending.story.model_copy(update=update)), link)


@pytest.mark.parametrize(
    "update",
    [
        {"votes": (decided(),)},
        {"holders": {"0-0": EVE}},
        {"generations": {"0-0": 1}},
        {"stage": 1},
        {"escalated": True},
        {"asked_at": NOON + HOUR},
        *({"status": status} for status in Status if status is not Status.PENDING),
    ],
    ids=str,
)
def test_a_page_is_stale_when_something_else_is_asked_or_of_somebody_else_or_by_another_time(update):
    assert changed(**update) != changed()


@pytest.mark.parametrize(
    "update",
    [
        {"votes": (decided(ALAN, slot=1),)},
        {"changes": (passed_on(ALAN, EVE),), "holders": {"0-1": EVE}, "generations": {"0-1": 1}},
        {"reminded": 3},
        {"notes": ("An answer came after the deadline and was not counted.",)},
        {"undelivered": (Undelivered(channel="log", key="k", occasion="asked"),), "attempts": 2, "deliver_at": NOON},
        {"waits": {"decision": 2}},
        {"abridged": True},
    ],
    ids=str,
)
def test_what_colleagues_answer_a_reminder_or_an_undelivered_message_does_not_make_a_page_stale(update):
    assert changed(**update) == changed()

"""Whether two names are one person's: strictly where it would let somebody do something, loosely where it would not.

*Is it you?* is asked before an answer is taken. Two names are the same only when nothing but case and Unicode's own
canonical spelling tells them apart; the domain of an address is compared by IDNA (UTS #46, non-transitional), in which
`maß.de` and `mass.de` are two. *Could it be you?* is asked before somebody is kept from deciding on their own request,
and of two places of one panel: then names that a reader, or a mail server, might take for one are one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from approvals.rules.text import DEFAULT_IGNORABLE

SCHEME = re.compile(r"(?:mailto:)+([^?]*)")
ANGLE = re.compile(r"<([^<>]*@[^<>]*)>")
"""The address behind a display name."""
DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
"""What IDNA takes for the dot of a domain (RFC 3490, 3.1)."""


@lru_cache(maxsize=4096)
def exact_key(name: str) -> str:
    """Give what is equal for two spellings of one name, and for nothing else."""
    name = unicodedata.normalize("NFC", name)
    local, at, domain = name.rpartition("@")
    return f"{lower(local)}@{ascii_domain(lower(domain))}" if at else lower(name)


@lru_cache(maxsize=4096)
def lookalike_key(name: str) -> str:
    """Give what is equal for all names that could be one person's."""
    for _ in range(len(name) + 8):  # a wrapping that is taken off makes it shorter
        before, name = name, unwrap(fold(name))
        if name == before:
            break
    local, at, domain = name.rpartition("@")
    return f"{local}@{fold(unicode_domain(domain.translate(DOTS)))}" if at else name


def is_same(one: str, other: str) -> bool:
    """Tell whether two names are certainly one person's."""
    return exact_key(one) == exact_key(other)


def could_be_same(one: str, other: str) -> bool:
    """Tell whether two names might be one person's."""
    return lookalike_key(one) == lookalike_key(other)


def lower(text: str) -> str:
    """Give a text in lower case, character by character, so that no length and no context plays a part."""
    return "".join(small if len(small := each.lower()) == 1 else each for each in text)


def fold(text: str) -> str:
    """Give a text without what only looks different: compatibility forms, case, and what is not seen."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", DEFAULT_IGNORABLE.sub("", text))


def unwrap(text: str) -> str:
    """Give a name without what is put around addresses: a scheme, a display name, a comment, punctuation."""
    text = " ".join(text.split())
    if scheme := SCHEME.match(text):
        text = unquote(scheme[1])  # RFC 6068, 2
    if "@" in text:
        text = (ANGLE.findall(text) or [text])[-1]
        text = without_comments(text).replace(" @", "@").replace("@ ", "@").replace('"@', "@")
    seen = [at for at, each in enumerate(text) if not is_edge(each)]
    return text[seen[0] : seen[-1] + 1] if seen else text


def without_comments(text: str) -> str:
    """Give an address without the words in brackets that it may have anywhere (RFC 5322, 3.2.2)."""
    depth, kept = 0, []
    for each in text:
        depth += each == "("
        if not depth:
            kept.append(each)
        depth -= each == ")" and depth > 0
    return text if depth else "".join(kept)


def is_edge(character: str) -> bool:
    """Tell whether a character at either end of a name means nothing: punctuation, an angle, a space."""
    return character in "<>" or unicodedata.category(character)[0] in "PZ"


def ascii_domain(domain: str) -> str:
    """Write a domain as IDNA has it; one that it does not know stays as it is."""
    if domain.isascii():
        return domain
    import idna  # noqa: PLC0415 - its tables are large, and most domains are plain

    try:
        return idna.encode(domain, uts46=True, transitional=False).decode().lower()
    except idna.IDNAError:
        return domain


def unicode_domain(domain: str) -> str:
    """Write a domain as people read it; one that IDNA does not know stays as it is."""
    if "xn--" not in domain:
        return domain
    import idna  # noqa: PLC0415 - as above

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain

"""The reader's own language: sentences by gettext, dates, durations and numbers as the CLDR has them (Babel).

Sentences are English where they are written; `locale/` has a catalogue for each other language, read when it is first
needed. Which language speaks is a context's (`speaking`): templates and filters ask `current`. Whoever answers
programs never sets one, and goes on in English.
"""

from __future__ import annotations

import datetime as dt
import gettext as translations
import io
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from approvals.rules.saying import in_other_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babel import Locale

    from approvals.rules.story import Request

FOLDER = Path(__file__).parent / "locale"
OFFERED = ("en", "de", "fr", "es", "ja", "ar")
WITHOUT_REGION = {"en": "en-GB"}
"""How dates are written where a language is asked for and no region: by the clock of twenty-four hours."""
HEADER_CHARACTERS, WISHES = 1000, 20
"""What is read of an Accept-Language, and how many languages of it."""
WISH = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII)
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True)
class Language:
    """A language, as BCP 47 names it, and the time zone (IANA) that instants are written in; UTC where it is empty."""

    tag: str = "en"
    zone: str = ""

    @property
    def code(self) -> str:
        """The language alone, without its region: what has a catalogue."""
        return self.tag.partition("-")[0]

    @cached_property
    def locale(self) -> Locale:
        """What the CLDR knows of it; a region that it does not know is left out."""
        from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - a call of a program never needs it

        try:
            return Locale.parse(WITHOUT_REGION.get(self.tag, self.tag), sep="-")
        except (UnknownLocaleError, ValueError):
            return Locale.parse(self.code)

    @property
    def spelled(self) -> str:
        """What HTML calls it: the language, and its region where one is known."""
        return self.code if self.tag == self.code else str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML has it."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    def gettext(self, sentence: str) -> str:
        """Say a sentence; in English where it was not translated."""
        return catalogue(self.code).gettext(sentence)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Say a sentence with a number in it, in the form that goes with the number."""
        return catalogue(self.code).ngettext(one, many, count)

    def instant(self, moment: dt.datetime) -> str:
        """Write an instant without its zone: Sat 28 Nov 2026, 23:44."""
        from babel.dates import format_skeleton, format_time, get_datetime_format, get_timezone  # noqa: PLC0415

        zone = get_timezone(self.zone or "UTC")
        day = format_skeleton("yMMMEd", moment, zone, locale=self.locale)
        time = format_time(moment, "short", zone, locale=self.locale)
        return str(get_datetime_format("medium", locale=self.locale)).replace("{1}", day).replace("{0}", time)

    def instant_with_zone(self, moment: dt.datetime) -> str:
        """Write an instant with its zone: Sat 28 Nov 2026, 22:44 UTC."""
        from babel.dates import format_datetime, get_timezone  # noqa: PLC0415

        zone = format_datetime(moment, "zzz", get_timezone(self.zone), locale=self.locale) if self.zone else "UTC"
        return f"{self.instant(moment)} {zone}"

    def duration(self, duration: dt.timedelta) -> str:
        """Write a duration in whole units, its two largest: 2 days 3 hours; less than a minute is said so."""
        from babel.units import format_unit  # noqa: PLC0415

        rest, said = int(duration.total_seconds()), []
        for name, seconds in UNITS:
            count, rest = divmod(rest, seconds)
            if count:
                said.append(format_unit(count, f"duration-{name}", locale=self.locale))
        return " ".join(said[:2]) or self.gettext("less than a minute")

    def from_now(self, duration: dt.timedelta) -> str:
        """Write how soon something is, never later than it is: in 2 days, in 36 hours."""
        from babel.dates import format_timedelta  # noqa: PLC0415

        seconds = max(0, int(duration.total_seconds()))
        unit = next((size for _, size in UNITS if seconds >= 2 * size), 60)
        if seconds < unit:
            return self.gettext("in less than a minute")
        whole = dt.timedelta(seconds=seconds - seconds % unit)
        threshold = 2 if seconds >= 2 * unit else 1
        return str(format_timedelta(whole, threshold=threshold, add_direction=True, locale=self.locale))

    def number(self, number: int) -> str:
        """Write a number with its separators."""
        from babel.numbers import format_decimal  # noqa: PLC0415

        return str(format_decimal(number, locale=self.locale))

    def names(self, words: Iterable[str]) -> str:
        """Write names in a row: Ada, Grace and Alan."""
        from babel.lists import format_list  # noqa: PLC0415

        return str(format_list(list(words), locale=self.locale))


ENGLISH = Language()
spoken: ContextVar[Language] = ContextVar("spoken", default=ENGLISH)


def current() -> Language:
    """Give the language that is spoken here and now."""
    return spoken.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language within this context."""
    token = spoken.set(language)
    try:
        yield
    finally:
        spoken.reset(token)


def gettext(sentence: str) -> str:
    """Say a sentence in the language that is spoken."""
    return current().gettext(sentence)


def ngettext(one: str, many: str, count: int) -> str:
    """Say a sentence with a number in it in the language that is spoken."""
    return current().ngettext(one, many, count)


def in_words(text: object) -> str:
    """Say what a rule found in the language that is spoken."""
    return in_other_words(text, gettext, ngettext)


@cache
def catalogue(code: str) -> translations.NullTranslations:
    """Read the sentences of a language; English has none of its own."""
    if code not in OFFERED or code == "en":
        return translations.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with (FOLDER / code / "LC_MESSAGES" / "approvals.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return translations.GNUTranslations(compiled)


def offered(tag: str) -> str | None:
    """Give a language that is asked for, as it is written, if it is one of ours."""
    return tag if tag.partition("-")[0].lower() in OFFERED else None


def choose(*tags: str, zone: str = "") -> Language:
    """Give the first of these languages that is one of ours, or English."""
    known = next((tag for each in tags if (tag := offered(each))), "en")
    language, _, region = known.partition("-")
    return Language(f"{language.lower()}{'-' * bool(region)}{region}", zone)


def accepted(header: str) -> list[str]:
    """Read an Accept-Language (RFC 9110, 12.5.4): the languages, those that are liked most first."""
    found = []
    for each in header[:HEADER_CHARACTERS].split(",")[:WISHES]:
        wish = WISH.fullmatch(each)
        if wish and wish[1] != "*" and float(wish[2] or 1) > 0:
            found.append((float(wish[2] or 1), wish[1]))
    return [tag for _, tag in sorted(found, key=lambda each: -each[0])]


def language_of(request: Request, *others: str) -> Language:
    """Give the language of those who are asked: what the request says, else what a browser accepts."""
    return choose(request.presentation.locale, *others, zone=request.presentation.time_zone)


def is_zone(name: str) -> bool:
    """Tell whether the IANA database has such a time zone."""
    import zoneinfo  # noqa: PLC0415

    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name, one with a path in it, or a folder
        return False
    return True

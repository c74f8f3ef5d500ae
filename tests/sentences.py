"""Collect every sentence that people read, and keep the catalogues of `approvals/people/locale` by it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from approvals.people.languages import FOLDER, OFFERED

ROOT = Path(__file__).parent.parent
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "noted": None,
    "noted_count": (1, 2),
    "say": None,
    "say_count": (1, 2),
}


def found_sentences() -> Catalog:
    """Give all sentences, and where each is."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(each["pattern"], each["method"]) for each in mappings]
    options = {each["pattern"]: {k: v for k, v in each.items() if k not in ("pattern", "method")} for each in mappings}
    catalog = Catalog(domain="approvals", project="Durable Approvals", charset="utf-8", fuzzy=False)
    for name, _, sentence, _, _ in extract_from_dir(ROOT, methods, options, KEYWORDS):
        if name.endswith("templates/home.html") or name.startswith("approvals/rebuilding"):  # for operators
            continue
        catalog.add(sentence, None, [(name, None)])
    return catalog


def catalogue_file(code: str) -> Path:
    """Give the file of a language."""
    return FOLDER / code / "LC_MESSAGES" / "approvals.po"


def read_catalogue(code: str) -> Catalog:
    """Read what a language has; nothing where there is no file."""
    file = catalogue_file(code)
    if not file.exists():
        return Catalog(locale=code)
    with file.open("rb") as opened:
        return read_po(opened, locale=code)


def is_translated(message: Message) -> bool:
    """Tell whether a sentence has a translation, in every form."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def write_catalogue(code: str, catalog: Catalog) -> None:
    """Write a language's catalogue: sentences in the order in which they are found, and nothing that changes."""
    file = catalogue_file(code)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.write(b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n')
        opened.write(f'"Language: {code}\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'.encode())
        write_po(opened, catalog, width=120, omit_header=True, include_lineno=False, ignore_obsolete=True)


def main() -> None:
    """Put what is new into every catalogue, and take out what is said no more."""
    template = found_sentences()
    for code in OFFERED[1:]:
        catalog = read_catalogue(code)
        catalog.update(template, no_fuzzy_matching=True)
        write_catalogue(code, catalog)
        missing = sum(not is_translated(m) for m in catalog if m.id)
        print(f"{code}: {len(catalog)} sentences, {missing} to translate.")


if __name__ == "__main__":
    main()

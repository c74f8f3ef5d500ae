"""`python -m verify`: go through docs/unverified.md row by row, try what can be tried, and say what cannot.

`URL`, `KEY` (a function key), `CALLER_KEY` where callers have names, and `CALLBACK`, a receiver, are read from the
environment: what stands in a command line is seen by everyone on the machine. 1 when something is not as it should be.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from verify.checks import CHECKS, Failed, NotFromHere, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parent.parent / "docs/unverified.md"
NAMED = re.compile(r"`make verify`: ([a-z-]+)")


def rows(text: str) -> Iterator[tuple[str, str]]:
    """Give the rows of the tables: what could not be verified, and how to."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 2 and cells[0] != "What" and set(cells[0]) != {"-"}:  # noqa: PLR2004 - what, how
            yield cells[0], cells[1].removesuffix(" |")


def verify(service: Service) -> int:
    """Try every row; give 1 when one failed."""
    counted = {"ok": 0, "FAILED": 0, "not from here": 0}

    def tell(mark: str, what: str, more: str) -> None:
        counted[mark] += 1
        print(f"{mark:>13}  {what}\n{'':>13}  {more}")

    for what, how in rows(DOCUMENT.read_text(encoding="utf-8")):
        name = NAMED.search(how)
        if not name:
            tell("not from here", what, how)
            continue
        try:
            tell("ok", what, CHECKS[name[1]](service))
        except Failed as error:
            tell("FAILED", what, str(error))
        except NotFromHere as error:
            tell("not from here", what, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it answered, the other rows are told, too
            tell("FAILED", what, f"what was answered makes no sense: {type(error).__name__}")
    print(", ".join(f"{count} {mark}" for mark, count in counted.items()))
    return int(counted["FAILED"] > 0)


def main() -> int:
    """Be the command."""
    said = {name: os.environ.get(name, "") for name in ("URL", "KEY", "CALLER_KEY", "CALLBACK")}
    if not re.match(r"https?://[^/]+", said["URL"]):
        print("Say where the app is: make verify URL=https://….azurewebsites.net KEY=…", file=sys.stderr)
        return 2
    service = Service(said["URL"], said["KEY"], said["CALLER_KEY"], said["CALLBACK"])
    try:
        return verify(service)
    finally:
        if left := service.clean_up():
            print(f"Not taken back, perhaps for want of a right: {', '.join(left)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

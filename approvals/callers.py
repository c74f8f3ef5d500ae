"""`python -m approvals.callers new deploy-bot --rights request`: make a key for a caller, and the entry to store.

The key is printed once and kept nowhere; `CALLERS` gets its hash.
"""

from __future__ import annotations

import argparse
import json
import sys

from approvals.people.callers import RIGHTS, hash_of, new_key, registered_callers
from approvals.settings import BadSetting


def main(arguments: list[str] | None = None) -> None:
    """Read the command line; print the key and its entry."""
    parser = argparse.ArgumentParser(prog="python -m approvals.callers", description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(required=True)
    new = commands.add_parser("new", help="make a key")
    new.add_argument("name", help="the caller's name: lower-case letters, digits and . _ -")
    new.add_argument("--rights", nargs="+", required=True, choices=RIGHTS, help="what it may do")
    new.add_argument("--title", default="", help="what people read instead of the name")
    new.add_argument("--approvers", nargs="+", default=[], help="whom it may name, such as *@example.com")
    new.add_argument("--expires", default="", help="until when the key is taken: 2027-01-01T00:00:00Z")
    chosen = parser.parse_args(arguments)

    key = new_key()
    entry = {
        "sha256": [hash_of(key)],
        "rights": chosen.rights,
        **({"title": chosen.title} if chosen.title else {}),
        **({"approvers": chosen.approvers} if chosen.approvers else {}),
        **({"expires": chosen.expires} if chosen.expires else {}),
    }
    text = json.dumps({chosen.name: entry}, ensure_ascii=False, indent=2)
    try:
        registered_callers(text)
    except BadSetting as error:
        parser.error(str(error))
    lines = [
        f"The key of {chosen.name}, shown this once. Give it to the caller and to nobody else:",
        key,
        "The entry for CALLERS (to rotate a key, a caller may have two hashes for a while):",
        text,
    ]
    sys.stdout.write("\n\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""What azd would send, by the rules of .funcignore, which are those of .gitignore files."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pathspec

# azd leaves these out by itself; everything else is up to .funcignore.
NEVER_SENT = (".azure/", ".funcignore", "local.settings.json")
PRODUCT = {"function_app.py", "host.json", "requirements.txt"}


def sent(root, rules=None):
    """Name the files of a folder that azd would send."""
    lines = (rules or root / ".funcignore").read_text().splitlines()
    ignored = pathspec.GitIgnoreSpec.from_lines([*NEVER_SENT, *lines])
    for folder, below, names in os.walk(root):
        here = Path(folder).relative_to(root)
        below[:] = [name for name in below if not ignored.match_file(f"{(here / name).as_posix()}/")]
        yield from (path for name in names if not ignored.match_file((path := here / name).as_posix()))


def wrongly_packed(root, rules):
    """Say what would be sent and should not be, and what should be and would not."""
    # what `pip install -r requirements.txt` reads besides packages
    read_along = re.findall(r"^-[cr] (\S+)", (root / "requirements.txt").read_text(), re.MULTILINE)
    files = (path.relative_to(root) for path in (root / "approvals").rglob("*") if path.is_file())
    product = PRODUCT | set(read_along) | {path.as_posix() for path in files if "__pycache__" not in path.parts}
    found = {path.as_posix() for path in sent(root, rules)}
    yield from (f"{name} would not be deployed." for name in sorted(product - found))
    for name in sorted(found - product):
        if not name.startswith("approvals/"):
            yield f"{name} would be deployed: name it in .funcignore."

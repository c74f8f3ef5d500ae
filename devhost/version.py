"""Which versions of an orchestration this host runs: `CurrentOrOlder`, the extension's default.

The comparison is DurableTask.Core's: as .NET versions when both are such, otherwise as words without case;
none is older than any.
"""

from __future__ import annotations

import re

DOTNET_VERSION = re.compile(r"\s*\d+(\s*\.\s*\d+){1,3}\s*")


def is_accepted(version: str | None, current: str | None) -> bool:
    """Tell whether an instance of `version` is run by a host whose `defaultVersion` is `current`."""
    theirs, ours = (version or "").strip(), (current or "").strip()
    if not theirs:
        return True
    if not ours:
        return False
    if DOTNET_VERSION.fullmatch(theirs) and DOTNET_VERSION.fullmatch(ours):
        return parts(theirs) <= parts(ours)
    return theirs.upper() <= ours.upper()


def parts(version: str) -> tuple[int, ...]:
    """Read a .NET version; a part that is missing is older than 0."""
    numbers = [int(part) for part in version.split(".")]
    return (*numbers, *[-1] * (4 - len(numbers)))

"""The store of this process, opened the first time it is asked for.

Its libraries are imported then, and not before: azure-identity costs a start 430 ms and azure-data-tables 230 ms.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from approvals import settings

if TYPE_CHECKING:
    from approvals.records.store import Store
    from approvals.settings import Settings


@functools.cache
def store_of(chosen: Settings) -> Store:
    """Open the store that the operator chose. Nothing is asked of it yet, so that this neither waits nor fails."""
    if chosen.records_table_endpoint:
        from approvals.records.tables import TableStore  # noqa: PLC0415 - see above

        return TableStore(chosen.records_table_endpoint)
    from approvals.records.sqlite import SqliteStore  # noqa: PLC0415 - as above

    return SqliteStore(chosen.records_file)


def current_store() -> Store:
    """Give the store of this process."""
    return store_of(settings.current())

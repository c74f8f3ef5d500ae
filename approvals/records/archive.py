"""Files of days in a container of a storage account. What is there is never written over.

Whether nobody can change them afterwards is the container's own policy of immutability: see docs/deploy.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob.aio import ContainerClient

from approvals.records.store import StoreUnavailable
from approvals.records.tables import credential_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Container:
    """A container, by its address."""

    url: str

    async def put(self, name: str, lines: AsyncIterator[bytes]) -> None:
        """Write a file, unless it is there. Raises StoreUnavailable."""
        container = ContainerClient.from_container_url(self.url, credential=credential_for(self.url))
        try:
            async with container:
                await container.upload_blob(name, lines, overwrite=False)
        except ResourceExistsError:
            return
        except AzureError as error:
            host = urlsplit(self.url).hostname
            raise StoreUnavailable(f"{host} did not take {name}: {type(error).__name__}") from error

"""What the tests of values and stores share: the emulator of Azure's tables."""

from __future__ import annotations

import pytest

from tests import azurite
from tests.browser.conftest import GET_AXE, not_here


@pytest.fixture(scope="module")
def tables():
    if not azurite.is_here():
        not_here("Without Azurite nobody tries the store in Azure's tables.", GET_AXE)
    with azurite.azurite() as endpoint:
        yield endpoint

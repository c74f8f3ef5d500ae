"""Writes the descriptions of the API from the models that read and write it; never deployed. `make openapi`."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
DESCRIPTION = ROOT / "approvals/web/openapi.json"
RELEASED = ROOT / "openapi/released.json"
"""The description of the version that was released last; a release copies the present one over it."""
CONNECTOR = ROOT / "connector/apiDefinition.swagger.json"

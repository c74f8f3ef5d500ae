"""The pages' templates, filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from approvals.people.wording import templates

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill in a template, such as `form.html`."""
    return templates(TEMPLATES).get_template(template).render(**values)

"""The pages' templates, filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from approvals.people.evidence import describe
from approvals.people.wording import templates

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Fill in a template, such as `form.html`."""
    made = templates(TEMPLATES)
    made.filters.setdefault("markdown", describe)
    return made.get_template(template).render(**values)

"""`make openapi`: write the descriptions anew."""

from __future__ import annotations

from openapi import CONNECTOR, DESCRIPTION, ROOT, connector, description

for path, write in {DESCRIPTION: description.describe, CONNECTOR: connector.describe}.items():
    path.write_text(write(), encoding="utf-8")
    print(path.relative_to(ROOT))

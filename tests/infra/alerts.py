"""The alerts' queries, made from the app's own table of signals. `make infra` writes them to `infra/alerts.json`."""

from __future__ import annotations

import json

from approvals.signals import ALERTS


def query(alert):
    """Give the query of an alert in KQL: the lines the app writes, and what only the host records."""
    begins = " or ".join(f'Message startswith_cs "{signal.code} "' for signal in alert.signals)
    lines = f"AppTraces | where {begins}"
    return f"union ({lines}), ({alert.of_the_host})" if alert.of_the_host else lines


def written():
    """Give the text of `infra/alerts.json`."""
    rules = [{"name": each.name, "says": each.says, "severity": each.severity, "query": query(each)} for each in ALERTS]
    return json.dumps(rules, indent=2) + "\n"

"""The workbook that operators look at, made from the app's own table of measures. `make infra` writes it."""

from __future__ import annotations

import json

from approvals.signals import MEASURES


def query(measure):
    """Give the query of a measure in KQL: the fields of its lines are read, and then shown over time."""
    signal = measure.signal
    fields = ", ".join(f"{name}: {'real' if name in measure.numbers else 'string'}" for name in signal.fields)
    lines = f'AppTraces | where Message startswith_cs "{signal.code} "'
    after = f"extend said = substring(Message, {len(signal.code) + 1})"
    read = f"{after} | parse-kv said as ({fields}) with (pair_delimiter=' ', kv_delimiter='=', quote='\"')"
    shows = measure.shows.replace("{grain}", "bin(TimeGenerated, {TimeRange:grain})")
    return f"{lines} | {read} | {shows} | render {measure.chart}"


def item(number, measure):
    """Give a chart of the workbook."""
    return {
        "type": 3,
        "name": f"measure-{number}",
        "customWidth": "50",
        "content": {
            "version": "KqlItem/1.0",
            "query": query(measure),
            "size": 1,
            "title": measure.title,
            "queryType": 0,
            "resourceType": "microsoft.operationalinsights/workspaces",
            "timeContextFromParameter": "TimeRange",
        },
    }


TIME = {
    "type": 9,
    "name": "time",
    "content": {
        "version": "KqlParameterItem/1.0",
        "parameters": [
            {
                "id": "9d1d2f34-0c5b-4f5e-8a3c-6b0f3d9c1a01",
                "version": "KqlParameterItem/1.0",
                "name": "TimeRange",
                "type": 4,
                "isRequired": True,
                "value": {"durationMs": 604800000},
                "typeSettings": {
                    "selectableValues": [{"durationMs": hours * 3600000} for hours in (4, 24, 72, 168, 720)]
                },
            }
        ],
    },
}


def written():
    """Give the text of `infra/workbook.json`."""
    items = [TIME, *(item(number, measure) for number, measure in enumerate(MEASURES, start=1))]
    return json.dumps({"version": "Notebook/1.0", "items": items, "isLocked": False}, indent=2) + "\n"

"""Durable Approvals: ask, wait, hear the answer exactly once, tell the caller.

The journey, with `make run` in another terminal:

curl -s http://localhost:7071/api/requests -H 'Content-Type: application/json' -d '{"requester": "ada@example.com", "item": "New laptop", "timeout_hours": 24}'

(its answer has an approval_url: open it in a browser, or decide as a system does)

curl -s http://localhost:7071/api/approvals/REQUEST_ID -H 'Content-Type: application/json' -d '{"is_approved": true, "approver": "grace@example.com", "comments": "Enjoy"}'

curl -s http://localhost:7071/api/requests/REQUEST_ID
"""  # noqa: E501 - each line is one command to paste

import azure.durable_functions as df

from approvals import settings, timers
from approvals.durable import activities, callback_workflow, callbacks, workflow
from approvals.people import callers, outlets
from approvals.receivers.allowed import Receivers
from approvals.web import api, documents, grants, home, page, records
from approvals.web import callbacks as callback_routes

# an app with a setting that makes no sense does not start
outlets.configured_channels(settings.current())
callers.announce_callers(settings.current())
Receivers.of(settings.current())

app = df.DFApp()
app.register_functions(api.blueprint)
app.register_functions(grants.blueprint)
app.register_functions(records.blueprint)
app.register_functions(callback_routes.blueprint)
app.register_functions(page.blueprint)
app.register_functions(home.blueprint)
app.register_functions(documents.blueprint)
app.register_functions(workflow.blueprint)
app.register_functions(activities.blueprint)
app.register_functions(callback_workflow.blueprint)
app.register_functions(callbacks.blueprint)
app.register_functions(timers.blueprint)

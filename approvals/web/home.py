"""The root: what answers here, for whoever comes by; a page for people, JSON for machines."""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

from approvals import VERSION, errors
from approvals.people import languages
from approvals.rules.saying import noted
from approvals.web.brand import HEADERS
from approvals.web.calls import log_call
from approvals.web.headers import prefers_html
from approvals.web.responses import METHODS, json_response, problem_response
from approvals.web.rights import route
from approvals.web.showing import html_response

blueprint = df.Blueprint()

ALLOWED = ("GET", "HEAD", "OPTIONS")
DESCRIPTION = "Asks people for approval, waits for their answer, and tells the system that asked."
DOCUMENTS = {
    "README.md": "what this is, and the first approval",
    "docs/api.md": "every call, its answers and its errors",
    "docs/use-cases.md": "four whole requests to copy",
    "docs/settings.md": "every setting",
    "docs/deploy.md": "to Azure, and running it there",
}
"""Where what is written: in the repository of this service, which is not deployed with it."""
SENT_A_LINK = noted("Were you sent a link?")
OPEN_IT = noted(
    "Open the link itself, from your message. It shows what you are asked. There is nothing to answer on this page."
)


# not "": the Functions host takes that for no route, and names the route after the function
@blueprint.route(route=route("/"), methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def home(req: func.HttpRequest) -> func.HttpResponse:
    """`/`: say what this is, which version, and where the documents are."""
    return await log_call(req, introduce(req))


async def introduce(req: func.HttpRequest) -> func.HttpResponse:
    """Answer in the form that the caller prefers; it says nothing of anyone, and asks nobody."""
    if req.method == "OPTIONS":
        return func.HttpResponse(status_code=204, headers={**HEADERS, "Allow": ", ".join(ALLOWED)})
    if req.method not in ALLOWED:
        return problem_response(errors.MethodNotOffered(ALLOWED))
    if prefers_html(req.headers):
        return front_page(languages.choose(*languages.accepted(req.headers.get("accept-language", ""))))
    body = {
        "name": "Durable Approvals",
        "description": DESCRIPTION,
        "version": VERSION,
        "requests": "/api/requests",
        "health": "/api/health",
        "openapi": "/api/openapi.json",
        "docs": "/api/docs",
        "documents": DOCUMENTS,
    }
    return json_response(200, body, {"Vary": "Accept"})


def front_page(reader: languages.Language) -> func.HttpResponse:
    """Give the page: what it says to someone who is asked is in their language, the rest is for those who run it."""
    return html_response(
        200,
        "home",
        {"Vary": "Accept, Accept-Language"},
        version=VERSION,
        description=DESCRIPTION,
        documents=DOCUMENTS,
        reader=reader,
        sent_a_link=SENT_A_LINK,
        open_it=OPEN_IT,
    )

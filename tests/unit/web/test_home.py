"""The root: a page for people, JSON for machines, and nothing of anyone."""

from __future__ import annotations

import json

import azure.functions as func
import pytest

from approvals import VERSION
from approvals.web import home, page

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def answer(method="GET", **headers):
    call = func.HttpRequest(method, "http://localhost/", body=b"", headers=headers, params={}, route_params={})
    return await home.introduce(call)


async def test_a_browser_is_shown_a_page_as_safe_as_the_others():
    shown = await answer(accept=CHROME)

    assert shown.status_code == 200
    assert shown.mimetype == "text/html"
    assert {name: shown.headers[name] for name in page.HEADERS} == page.HEADERS
    assert shown.headers["Vary"] == "Accept, Accept-Language"
    html = shown.get_body().decode()
    assert f"Version {VERSION}" in html
    assert "docs/api.md" in html
    assert "<form" not in html


@pytest.mark.parametrize(
    ("wish", "section"),
    [
        ("en", '<section lang="en" dir="ltr">\n<h2>Were you sent a link?'),
        ("de-CH, en;q=0.5", '<section lang="de-CH" dir="ltr">\n<h2>Hat man Ihnen einen Link geschickt?'),
        ("ar", '<section lang="ar" dir="rtl">\n<h2>هل وصلك رابط؟'),
    ],
)
async def test_whoever_was_sent_a_link_is_told_in_their_language_what_to_open(wish, section):
    shown = await answer(**{"accept": CHROME, "accept-language": wish})

    html = shown.get_body().decode()
    assert '<html lang="en"' in html
    assert section in html


@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": "application/json"}])
async def test_a_machine_is_told_what_this_is_which_version_and_where_the_documents_are(headers):
    told = await answer(**headers)

    body = json.loads(told.get_body())
    assert told.mimetype == "application/json"
    assert told.headers["Vary"] == "Accept"
    assert body["name"] == "Durable Approvals"
    assert body["version"] == VERSION
    assert body["documents"]["docs/api.md"]


@pytest.mark.parametrize("name", home.DOCUMENTS)
async def test_the_documents_it_names_are_there(name, pytestconfig):
    assert (pytestconfig.rootpath / name).is_file()


async def test_other_methods_are_told_which_there_are():
    assert (await answer("OPTIONS")).headers["Allow"] == "GET, HEAD, OPTIONS"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        refused = await answer(method)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert json.loads(refused.get_body())["code"] == "method_not_allowed"

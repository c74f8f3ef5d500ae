"""The description over HTTP: open to everyone, the same for everyone, and safe to open."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.localhost import ROOT

WEB = ROOT / "approvals/web"


def test_the_description_is_the_committed_file_and_any_page_may_read_it(caller):
    answer = caller.http.get("/api/openapi.json")

    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json() == json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))


def test_the_page_of_the_description_asks_this_address_alone(caller):
    answer = caller.http.get("/api/docs")

    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert "http" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_other_page_has_so_loose_a_policy(caller):
    page = caller.http.get("/", headers={"Accept": "text/html"})

    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_the_viewer_comes_packed_or_not(caller, accepted):
    answer = caller.http.get("/assets/viewer.js", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == ("gzip" if accepted == "gzip" else None)
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.content == gzip.decompress((WEB / "static/viewer.js.gz").read_bytes())


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs", "/assets/viewer.js"])
def test_whoever_has_it_is_not_sent_it_again_and_nobody_changes_it(caller, path):
    etag = caller.http.get(path).headers["ETag"]

    again = caller.http.get(path, headers={"If-None-Match": etag})
    posted = caller.http.post(path, json={})

    assert (again.status_code, again.content) == (304, b"")
    assert (posted.status_code, posted.json()["code"]) == (405, "method_not_allowed")

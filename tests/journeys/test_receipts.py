"""A receipt, over real HTTP, in the hands of a stranger who has the script and nothing else of ours."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.builders import GRACE, an_answer
from tests.localhost import ROOT


def verified(file, address):
    done = subprocess.run(
        [sys.executable, ROOT / "docs/verify_receipt.py", file, address],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_a_stranger_verifies_who_agreed_to_what_and_nothing_that_was_changed(caller, tmp_path):
    made = caller.ask(approvers=[GRACE], item="Deploy the secret project", action={"deploy": "shop"}).json()
    request_id, link = made["request_id"], made["approvals"][0]["approval_url"]
    address, file = made["status_url"].partition("/api/")[0], tmp_path / "receipt.jws"
    too_early = caller.http.get(f"/api/requests/{request_id}/receipt")
    caller.http.post(link, data=an_answer(caller.http.get(link).text))

    receipt = caller.http.get(f"/api/requests/{request_id}/receipt")
    file.write_bytes(receipt.content)

    assert (too_early.status_code, too_early.json()["code"]) == (409, "still_open")
    assert (receipt.status_code, receipt.headers["Content-Type"].partition(";")[0]) == (200, "application/jose")
    said, story = verified(file, address), caller.look(request_id).json()
    assert (said["sub"], said["outcome"], said["settled_at"]) == (request_id, "Approved", story["settled_at"])
    (vote,) = said["votes"]
    assert (vote["approver"], vote["channel"], vote["assurance"]) == (GRACE, "page", "link")
    assert vote["content_digest"] == said["content_digest"] == story["content_digest"]
    assert "secret project" not in json.dumps(said)

    assert verified(file, f"{address}/") is None
    file.write_bytes(receipt.content.swapcase())
    assert verified(file, address) is None


def test_the_public_keys_are_for_everyone_and_nothing_of_them_is_secret(caller):
    answer = caller.http.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert caller.http.post("/.well-known/jwks.json").status_code == 405

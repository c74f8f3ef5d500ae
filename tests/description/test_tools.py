"""Other people's tools read the description without a word: a linter, and a maker of types."""

from __future__ import annotations

import subprocess

import pytest

import openapi
from tests.browser.conftest import GET_AXE, not_here

pytestmark = pytest.mark.large
TOOLS = openapi.ROOT / "node_modules/.bin"

PROGRAM = """
import type { paths, components } from "./approvals";

type Story = components["schemas"]["Story"];
type Ask = paths["/api/requests"]["post"];
type Made = Ask["responses"][201]["content"]["application/json"];
type Asked = Ask["requestBody"]["content"]["application/json"];

export async function ask(address: string, key: string): Promise<boolean> {
  const who = { requester: "ada@example.com", approvers: ["grace@example.com"] };
  const asked: Asked = { ...who, item: "Deploy 1.4", timeout: "PT4H" };
  const headers = { "x-functions-key": key, "Content-Type": "application/json", "Idempotency-Key": "deploy-1.4" };
  const answer = await fetch(`${address}/api/requests`, { method: "POST", headers, body: JSON.stringify(asked) });
  const made = (await answer.json()) as Made;
  for (;;) {
    const looked = await fetch(made.status_url, { headers: { ...headers, Prefer: "wait=25" } });
    const story = (await looked.json()) as Story;
    if (story.status !== "Pending") return story.decision?.is_approved ?? false;
  }
}
"""
WRONG = 'const asked: Asked = { requester: "ada@example.com", item: "x", timeout_hour: 4 };'


def run(folder, name, *arguments):
    if not (TOOLS / name).exists():
        not_here("Without its tools nobody checks what others make of the description.", GET_AXE)
    return subprocess.run([TOOLS / name, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_redocly_lints_it_without_a_warning(tmp_path):
    done = run(tmp_path, "redocly", "lint", "--format=stylish", str(openapi.DESCRIPTION))
    said = done.stdout + done.stderr

    assert done.returncode == 0, said
    assert "is valid" in said, said
    assert "warning" not in said.lower().replace("deprecation warning: node.js", ""), said


def test_a_program_of_the_types_that_openapi_typescript_makes_compiles(tmp_path):
    made = run(tmp_path, "openapi-typescript", str(openapi.DESCRIPTION), "-o", "approvals.ts")
    assert made.returncode == 0, made.stderr
    assert "warn" not in (made.stdout + made.stderr).lower()
    (tmp_path / "ask.ts").write_text(PROGRAM, encoding="utf-8")
    options = ("--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--lib", "es2022,dom")

    compiled = run(tmp_path, "tsc", *options, "ask.ts")
    assert compiled.returncode == 0, compiled.stdout

    (tmp_path / "ask.ts").write_text(f"{PROGRAM}\n{WRONG}\n", encoding="utf-8")
    assert "timeout_hour" in run(tmp_path, "tsc", *options, "ask.ts").stdout

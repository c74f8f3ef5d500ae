"""`make demo`: one approval, one rejection and one timeout on a fresh local host, as a person would see them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import aiohttp

from devhost import index
from devhost.host import Host

SECOND = 1 / 3600


async def play(host: Host) -> None:
    """Play three requests against a running host."""
    async with aiohttp.ClientSession(host.url) as http:

        async def call(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
            sent = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'" if body else ""
            prefer = "".join(f" -H '{name}: {value}'" for name, value in headers.items())
            print(f"\n$ curl -X {method} {host.url}{path}{prefer}{sent}")
            async with http.request(method, path, json=body, headers=headers) as answer:
                text = await answer.text()
                print(f"{answer.status} {answer.reason}\n{text}")
                said: dict[str, Any] = json.loads(text)
                return said

        print("1. Ada asks for a laptop, Grace approves.")
        asked = await call("POST", "/api/requests", {"requester": "ada", "item": "New laptop", "timeout_hours": 24})
        decision = {"is_approved": True, "approver": "grace", "comments": "Enjoy"}
        await call("POST", f"/api/approvals/{asked['request_id']}", decision)

        print("\n2. Ada asks for a yacht, Alan rejects, and Grace comes too late to disagree.")
        asked = await call("POST", "/api/requests", {"requester": "ada", "item": "Yacht", "timeout_hours": 24})
        decision = {"is_approved": False, "approver": "alan", "comments": "We have one"}
        await call("POST", f"/api/approvals/{asked['request_id']}", decision)
        await call("POST", f"/api/approvals/{asked['request_id']}", {"is_approved": True, "approver": "grace"})

        print("\n3. Ada asks for a holiday within two seconds; nobody answers. The look waits for the end.")
        body = {"requester": "ada", "item": "Holiday", "timeout_hours": 2 * SECOND}
        asked = await call("POST", "/api/requests", body)
        await call("GET", f"/api/requests/{asked['request_id']}", Prefer="wait=10")


async def main() -> None:
    """Start a host on free ports, play, end."""
    logging.basicConfig(level=logging.WARNING)
    os.environ["NOTIFY_LOG"] = "false"
    host = Host(index.load(Path()), port=0, rpc_port=0)
    try:
        await host.start()
        await play(host)
    finally:
        await host.stop()


if __name__ == "__main__":
    asyncio.run(main())

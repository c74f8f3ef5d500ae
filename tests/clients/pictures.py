"""Pictures of the command line in a terminal: `python -m tests.clients.pictures` writes docs/screenshots/cli.svg."""

from __future__ import annotations

import contextlib
import sys

from durable_approvals import Approvals, cli
from rich.console import Console

from tests.builders import ADA, ALAN, GRACE
from tests.localhost import ROOT, LocalHost

WIDTH = 118


def main():
    host = LocalHost().start()
    terminal = Console(record=True, width=WIDTH, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    cli.out = lambda: terminal

    def run(*arguments):
        terminal.print(f"[bold]$ approvals {' '.join(arguments)}[/bold]", highlight=False)
        sys.argv = ["approvals", "--url", host.url, *arguments]
        sys.stdout.isatty = lambda: True
        with contextlib.suppress(SystemExit):
            cli.main()
        terminal.print()

    try:
        with Approvals(host.url) as approvals:
            asked = {"requester": ADA, "approvers": [GRACE, ALAN]}
            first = approvals.create("Deploy shop 1.4", **asked, timeout="PT4H")
            approvals.create("New laptop", requester=ALAN, approvers=[GRACE], timeout="P2D")
            third = approvals.create("Access to the ledger", **asked)
            third.decide(approver=ALAN, is_approved=False, comments="Not this quarter")
        run("list")
        run("inbox", GRACE)
        run("approve", first.id, "--approver", GRACE, "--comment", "Go ahead")
        run("history", first.id)
    finally:
        host.stop()
    terminal.save_svg(str(ROOT / "docs/screenshots/cli.svg"), title="approvals")


if __name__ == "__main__":
    main()

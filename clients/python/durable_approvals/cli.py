"""`approvals`: ask, wait and decide from a terminal or a script.

Tables in a terminal, JSON in a pipe or with `--json`. Exit codes: 0 approved, 10 rejected, 11 timed out, 12 cancelled,
13 failed or unknown; 1 and 2 are the shell's and the command line's own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from durable_approvals import models
from durable_approvals.client import Approvals, Request
from durable_approvals.errors import ApprovalsError, WaitedTooLong
from durable_approvals.receipts import NotAReceipt, verify_receipt

app = typer.Typer(no_args_is_help=True, help=(__doc__ or "").replace("\n\n", "\n\n"), rich_markup_mode=None)

EXIT = {"Approved": 0, "Rejected": 10, "Timeout": 11, "Cancelled": 12, "Failed": 13, "Unknown": 13}
STILL_OPEN = 14
"""`wait --timeout` was over before the request had ended."""
COLOURS = {"Approved": "green", "Rejected": "red", "Pending": "yellow"}

Url = Annotated[str, typer.Option(envvar="APPROVALS_URL", help="The service's address.")]
Key = Annotated[str | None, typer.Option(envvar="APPROVALS_KEY", help="The caller's key.", show_default=False)]
FunctionKey = Annotated[
    str | None, typer.Option(envvar="APPROVALS_FUNCTION_KEY", help="The platform's key.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, also in a terminal.")]
Id = Annotated[str, typer.Argument(help="The request's id.")]


class Session:
    """The service and how to speak, for one command."""

    approvals: Approvals | None = None
    as_json: bool = False


session = Session()


@app.callback()
def connect(
    url: Url = "http://localhost:7071",
    key: Key = None,
    function_key: FunctionKey = None,
    as_json: AsJson = False,  # noqa: FBT002 - a switch
) -> None:
    """Ask people for approval, wait, decide."""
    session.approvals = Approvals(url, key=key, function_key=function_key)
    session.as_json = as_json or not sys.stdout.isatty()


def service() -> Approvals:
    """Give the service that was chosen."""
    assert session.approvals, "typer calls `connect` first"  # noqa: S101 - narrows the type
    return session.approvals


def out() -> Console:
    """Give the terminal."""
    return Console()


def say(value: models.Answer) -> None:
    """Write a value as JSON."""
    typer.echo(value.model_dump_json(by_alias=True))


def coloured(status: str) -> Text:
    """Give a status in its colour."""
    return Text(status, style=COLOURS.get(status, "magenta"))


def story_table(story: models.Story) -> Table:
    """Lay a story out."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("Request", story.request_id)
    table.add_row("Status", coloured(story.status))
    table.add_row("Item", Text(story.item))
    table.add_row("Asked by", Text(story.requester))
    table.add_row("Until", f"{story.deadline:%Y-%m-%d %H:%M} UTC")
    for vote in story.votes:
        said = f"{vote.approver} {'approved' if vote.is_approved else 'rejected'}, {vote.decided_at:%Y-%m-%d %H:%M} UTC"
        table.add_row("Answer", Text(said + (f": {vote.comments}" if vote.comments else "")))
    return table


def show_story(story: models.Story) -> None:
    """Write a story."""
    if session.as_json:
        say(story)
    else:
        out().print(story_table(story))


def show_list(summaries: Iterable[models.Summary], most: int) -> None:
    """Write a list as it comes, `most` requests of it."""
    table = Table("Id", "Status", "Asked by", "Item", "Created")
    for number, each in enumerate(summaries):
        if number == most:
            break
        if session.as_json:
            say(each)
        else:
            status = coloured(each.status)
            table.add_row(
                each.request_id, status, Text(each.requester), Text(each.item), f"{each.created_at:%Y-%m-%d %H:%M}"
            )
    if not session.as_json:
        out().print(table)


def end_as(story: models.Story) -> None:
    """Write how it ended, and leave with the code for it."""
    show_story(story)
    raise typer.Exit(EXIT.get(story.status, STILL_OPEN))


def wait_for(request: Request, timeout: float | None) -> None:
    """Wait with a sign of life, and leave with the code of the outcome."""
    try:
        if session.as_json:
            end_as(request.wait(timeout))
        with out().status(f"Waiting for {request.id} ..."):
            story = request.wait(timeout)
        end_as(story)
    except WaitedTooLong as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(STILL_OPEN) from None


@app.command()
def create(
    item: Annotated[str, typer.Argument(help="What is asked for.")],
    requester: Annotated[str, typer.Option(envvar="APPROVALS_REQUESTER", help="Who asks.")],
    approver: Annotated[list[str] | None, typer.Option(help="Who may say yes; again for more.")] = None,
    timeout: Annotated[str | None, typer.Option(help="How long, such as PT4H.")] = None,
    description: Annotated[str, typer.Option(help="More about it.")] = "",
    key: Annotated[str | None, typer.Option(help="An Idempotency-Key of your own.")] = None,
    fields: Annotated[str | None, typer.Option(help="Further fields, as a JSON object.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcome.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Ask for an approval."""
    more: dict[str, Any] = json_object(fields) if fields else {}
    if description:
        more["description"] = description
    request = service().create(item, requester=requester, approvers=approver, timeout=timeout, key=key, **more)
    if wait:
        typer.echo(request.id, err=True)
        wait_for(request, None)
    if request.made and session.as_json:
        say(request.made)
    elif request.made:
        out().print(Text(request.id))
        for each in request.made.approvals:
            out().print(Text(f"{each.get('approver') or 'anybody'}: {each['approval_url']}"), soft_wrap=True)


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object of the command line."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"is no JSON: {error}", param_hint="--fields") from None
    if not isinstance(found, dict):
        raise typer.BadParameter("must be a JSON object", param_hint="--fields")
    return found


@app.command("list")
def list_requests(
    status: Annotated[str | None, typer.Option()] = None,
    requester: Annotated[str | None, typer.Option()] = None,
    approver: Annotated[str | None, typer.Option()] = None,
    tag: Annotated[str | None, typer.Option()] = None,
    reference: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(help="How many at most.")] = 50,
) -> None:
    """List requests, the newest first, by one of these."""
    given = {"status": status, "requester": requester, "approver": approver, "tag": tag, "reference": reference}
    filters = {name: value for name, value in given.items() if value is not None}
    show_list(service().list(limit=min(limit, 100), **filters), limit)


@app.command()
def inbox(approver: str, limit: Annotated[int, typer.Option(help="How many at most.")] = 50) -> None:
    """List what awaits a person, the most urgent first."""
    show_list(service().inbox(approver, limit=min(limit, 100)), limit)


@app.command()
def show(
    request_id: Id,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until it has ended.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Show a request, and what has become of it."""
    request = service().request(request_id)
    story = request.story()
    if not watch or session.as_json:
        show_story(request.wait() if watch else story)
        return
    with Live(story_table(story), console=out()) as live:
        while story.is_open:
            try:
                story = request.wait(5)
            except WaitedTooLong:
                story = request.story()
            live.update(story_table(story))


@app.command()
def wait(
    request_id: Id, timeout: Annotated[float | None, typer.Option(help="Seconds to wait at most.")] = None
) -> None:
    """Wait until a request has ended; the exit code says how."""
    wait_for(service().request(request_id), timeout)


@app.command()
def approve(request_id: Id, approver: Annotated[str, typer.Option()], comment: str = "") -> None:
    """Record a person's yes."""
    show_story(service().request(request_id).decide(approver=approver, is_approved=True, comments=comment))


@app.command()
def reject(request_id: Id, approver: Annotated[str, typer.Option()], comment: str = "") -> None:
    """Record a person's no."""
    show_story(service().request(request_id).decide(approver=approver, is_approved=False, comments=comment))


@app.command()
def cancel(request_id: Id, by: Annotated[str, typer.Option()], reason: str = "") -> None:
    """Take a request back."""
    show_story(service().request(request_id).cancel(by=by, reason=reason))


@app.command()
def reassign(
    request_id: Id,
    by: Annotated[str, typer.Option()],
    holder: Annotated[str, typer.Option("--from")],
    to: Annotated[str, typer.Option()],
    reason: str = "",
) -> None:
    """Have someone else asked."""
    show_story(service().request(request_id).reassign(by=by, holder=holder, to=to, reason=reason))


@app.command()
def history(request_id: Id) -> None:
    """Show every step of a request."""
    table = Table("When (UTC)", "What", "Who", "Said")
    for each in service().request(request_id).history():
        if session.as_json:
            say(each)
            continue
        who = each.by or ", ".join(each.people) or each.to or ""
        said = ": ".join(word for word in (each.outcome, each.reason) if word)
        table.add_row(f"{each.at:%Y-%m-%d %H:%M:%S}", each.kind, Text(who), Text(said))
    if not session.as_json:
        out().print(table)


receipts = typer.Typer(no_args_is_help=True, help="Signed receipts of how requests ended.")
app.add_typer(receipts, name="receipt")


@receipts.command("get")
def get_receipt(request_id: Id) -> None:
    """Write the receipt of a request that has ended, as a compact JWS."""
    typer.echo(service().request(request_id).receipt())


@receipts.command("verify")
def verify(
    file: Annotated[typer.FileText, typer.Argument(help="The receipt; - is the standard input.")],
    issuer: Annotated[str | None, typer.Option(help="Who must have signed it; else the service.")] = None,
) -> None:
    """Say what a receipt says, if the service signed it and nothing of it was changed; else leave with 1."""
    approvals = service()
    try:
        said = verify_receipt(file.read(), approvals.receipt_keys(), issuer or str(approvals.http.base_url).rstrip("/"))
    except NotAReceipt as error:
        typer.echo(f"approvals: {error}", err=True)
        raise typer.Exit(1) from None
    if session.as_json:
        typer.echo(json.dumps(said))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in said.items():
        table.add_row(name, Text(value if isinstance(value, str) else json.dumps(value)))
    out().print(table)


@app.command()
def redeliver(
    request_id: Id,
    by: Annotated[str, typer.Option(help="Who wishes it.")],
    everything: Annotated[bool, typer.Option("--everything", help="What was taken, too.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Send callbacks and messages again that were not taken."""
    done = service().request(request_id).redeliver(by=by, everything=everything)
    if session.as_json:
        say(done)
        return
    failed = f", {done.messages_failed} failed" if done.messages_failed else ""
    out().print(f"{len(done.callbacks)} callbacks on their way, {done.messages} messages sent{failed}")


@app.command()
def export(day: Annotated[str, typer.Argument(help="A day that is over, such as 2026-11-24.")]) -> None:
    """Write a day's ended requests, a line of JSON each."""
    for line in service().export(day):
        typer.echo(line)


@app.command()
def preview(fields: Annotated[str, typer.Argument(help="The request, as a JSON object.")]) -> None:
    """Show what would happen if nobody answered."""
    seen = service().preview(json_object(fields))
    if session.as_json:
        say(seen)
        return
    table = Table("When (UTC)", "What")
    for each in seen.if_nobody_answers.events:
        what = " ".join(str(value) for name, value in each.items() if name != "at" and value not in (None, [], ""))
        table.add_row(str(each.get("at", ""))[:19].replace("T", " "), Text(what))
    out().print(table)
    out().print("In the end:", coloured(seen.if_nobody_answers.status))


def main() -> None:
    """Be the command."""
    try:
        app()
    except ApprovalsError as error:
        typer.echo(f"approvals: {error}", err=True)
        sys.exit(1)
    finally:
        if session.approvals:
            session.approvals.close()

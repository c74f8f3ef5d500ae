"""A function that runs only after a yes for exactly its arguments, once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from durable_approvals import models
from durable_approvals.client import Approvals, AsyncApprovals
from durable_approvals.errors import ApprovalsError

P = ParamSpec("P")
R = TypeVar("R")


class Refused(ApprovalsError):
    """Nobody said yes: the function did not run. `story` says why."""

    def __init__(self, story: models.Story) -> None:
        self.story = story
        super().__init__(f"{story.item}: {story.status}: {story.reason}")


def needs_approval(
    approvals: Approvals | AsyncApprovals,
    *,
    requester: str,
    approvers: Sequence[str],
    item: Callable[..., str],
    key: Callable[..., str] | None = None,
    **more: Any,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run only after a yes for exactly these arguments, which people are shown.

    `item` makes the title of the arguments, `key` a key by which a program that is started again means the same
    request. The yes is used right before the function runs: one that fails after that is not run again by itself.
    A no, or silence, raises Refused. Arguments must be JSON.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        def asked(arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            action = {"call": f"{function.__module__}.{function.__qualname__}", "arguments": dict(bound.arguments)}
            fields = {"requester": requester, "approvers": approvers, "action": action, **more}
            told = fields | {"key": key(*arguments, **named)} if key else fields
            return told | {"item": item(*arguments, **named)}, action

        if isinstance(approvals, AsyncApprovals):
            client = approvals

            @functools.wraps(function)
            async def run_later(*arguments: P.args, **named: P.kwargs) -> Any:
                fields, action = asked(arguments, named)
                request = await client.create(fields.pop("item"), **fields)
                story = await request.wait()
                if not story.approved:
                    raise Refused(story)
                await request.consume(action)
                return await function(*arguments, **named)  # type: ignore[misc]

            return run_later  # type: ignore[return-value]

        threaded = approvals

        @functools.wraps(function)
        def run(*arguments: P.args, **named: P.kwargs) -> R:
            fields, action = asked(arguments, named)
            request = threaded.create(fields.pop("item"), **fields)
            story = request.wait()
            if not story.approved:
                raise Refused(story)
            request.consume(action)
            return function(*arguments, **named)

        return run

    return wrap

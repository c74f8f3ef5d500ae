"""Tasks as .NET has them, for what must run in the order in which .NET runs it: on the spot, without a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator


class Promise:
    """A task as .NET has it: awaited once or often, completed once, resuming its awaiters on the spot."""

    def __init__(self) -> None:
        self.done = False
        self.error: Exception | None = None
        self._then: list[Callable[[], None]] = []

    def complete(self, error: Exception | None = None) -> None:
        """Complete, well or with an error, and run what waited. A second completion changes nothing."""
        if self.done:
            return
        self.done, self.error = True, error
        for continuation in self._then:
            continuation()

    def then(self, continuation: Callable[[], None]) -> None:
        """Run `continuation` when done; now, if done already."""
        if self.done:
            continuation()
        else:
            self._then.append(continuation)

    def __await__(self) -> Generator[Promise, None, None]:
        if not self.done:
            yield self
        if self.error:
            raise self.error


def failed(error: Exception) -> Promise:
    """Give a promise that has failed already."""
    promise = Promise()
    promise.complete(error)
    return promise


def when_any(children: list[Promise]) -> Promise:
    """Complete with the first child, however it ended, as Task.WhenAny does."""
    whole = Promise()
    for child in children:
        child.then(whole.complete)
    if not children:
        whole.complete(ValueError("WhenAny of nothing"))
    return whole


def when_all(children: list[Promise]) -> Promise:
    """Complete when every child has, failed ones too, as Task.WhenAll does."""
    whole, left = Promise(), len(children)

    def one_less() -> None:
        nonlocal left
        left -= 1
        if not left:
            whole.complete(next((c.error for c in children if c.error), None))

    for child in children:
        child.then(one_less)
    if not children:
        whole.complete()
    return whole


def run(story: Coroutine[Promise, None, Any]) -> tuple[Promise, list[Any]]:
    """Start a coroutine of promises; the list receives its value."""
    ended, value = Promise(), []

    def step() -> None:
        try:
            awaited = story.send(None)
        except StopIteration as stop:
            value.append(stop.value)
            ended.complete()
        except Exception as error:  # noqa: BLE001 - whatever the story raised is how it ended
            ended.complete(error)
        else:
            awaited.then(step)

    step()
    return ended, value

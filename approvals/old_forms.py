"""Forms of requests in flight that lie outside the vocabulary, judged in a process of their own.

Before there was a vocabulary (`vocabulary.read_form`) any JSON Schema without patterns and outside references was
taken, and some of those take for ever to judge. Requests live for 30 days at most: 30 days after the first deployment
that has a vocabulary, delete this file, `vocabulary.read_form_in_flight`, `forms.Anything`, the kind "json" of the
page's fields, and the requirement `jsonschema`.

Everything that was admitted is judged as before: draft 2020-12, nothing fetched, `multipleOf` in decimals. The
process has limits on CPU time and memory and no environment of ours; when it comes to no end, the answer is refused.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from approvals.rules.forms import PROBLEMS_TOLD
from approvals.rules.saying import noted, say
from approvals.rules.value import Problem, compact, exact, load_json, pointer_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError

CPU_SECONDS = 1
WALL_SECONDS = 8.0
MEMORY_BYTES = 1 << 30
AT_ONCE = 2
"""How many forms are judged at the same time; others wait."""
UNJUDGED = say("could not be judged: its form takes too long")

UNFIT = noted("does not satisfy the form: {rule}")
TOO_DEEP = noted("is nested too deeply for the form")

Told = tuple[str, str, dict[str, str]]
"""A problem as it goes from process to process: where, and the sentence as it was made."""

THREADS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="old-forms")


async def answer_problems(schema: dict[str, Any], answer: object) -> list[Problem]:
    """Say what is wrong with an answer, never what was answered; the pointers are into the answer."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, judge_in_child, schema, answer)


def judge_in_child(schema: dict[str, Any], answer: object) -> list[Problem]:
    """Judge an answer in a process of its own, and wait for it, a limited time."""
    try:
        judged = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __name__],
            input=compact([schema, answer]),
            env={"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=WALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return [Problem("", UNJUDGED)]
    if judged.returncode:  # killed by a limit, or out of memory
        return [Problem("", UNJUDGED)]
    return [Problem(pointer, say(pattern, **values)) for pointer, pattern, values in json.loads(judged.stdout)]


def main() -> None:
    """Judge what comes on standard input, within limits: a pair of a schema and an answer."""
    import resource  # noqa: PLC0415 - here alone, and not on every system
    import time  # noqa: PLC0415

    schema, answer = load_json(sys.stdin.read())
    judge = validator()
    spent = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, spent + CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.stdout.write(json.dumps(judge(schema, answer)))


def validator() -> Any:
    """Load the library, and give what judges an answer by a schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 0.3 s, and only where it is needed
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415

    def multiple_of(_validator: Any, step: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(instance, bool) or not isinstance(instance, int | float):
            return
        try:
            left = exact(instance) % exact(step)
        except ArithmeticError:
            left = exact(1)
        if left:
            yield ValidationError("is no multiple")

    judge = extend(Draft202012Validator, {"multipleOf": multiple_of})

    def problems(schema: dict[str, Any], answer: object) -> list[Told]:
        checked = judge(schema, registry=Registry(), format_checker=judge.FORMAT_CHECKER)
        try:
            return [tell(error) for error in islice(checked.iter_errors(answer), PROBLEMS_TOLD)]
        except RecursionError:
            return [("", TOO_DEEP, {})]

    return problems


def tell(error: ValidationError) -> Told:
    """Say which word of the schema an answer does not satisfy, and where."""
    at = pointer_to(*error.absolute_path)
    if error.validator == "required":
        missing = (name for name in error.validator_value if error.message.startswith(f"{name!r} is "))
        return at + pointer_to(*islice(missing, 1)), "is required", {}
    return at, UNFIT, {"rule": f"{error.validator} {compact(error.validator_value)[:100]}"}


if __name__ == "__main__":
    main()

"""JSON and text as they come in, and JSON as it goes out: limits, hygiene, and the spelling of every field.

Behind this module values are trusted. Limits are stated once, here.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from approvals import model
from approvals.errors import BadHeader, BodyMissing, BodyTooLarge, Invalid, NotJsonMedia, Problem, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BODY_BYTES = 64 * 1024
JSON_DEPTH = 16
ITEM_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 8000
DETAILS_BYTES = 16 * 1024
TIMEOUT_SECONDS = (1, 30 * 24 * 3600)
DEFAULT_TIMEOUT_HOURS = 24.0
KEY_CHARACTERS = 255
PROBLEMS_TOLD = 20
WAIT_SECONDS = 25

# C0 and C1 controls, the two separators that end a line, and what turns the direction of text around
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
CONTROLS_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
# what is not seen, but for the two joiners that scripts and emoji need
INVISIBLE = re.compile(r"[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]")
DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
WAIT = re.compile(r'\s*wait\s*=\s*("?)([0-9]{1,9})\1\s*(;.*)?', re.IGNORECASE)
PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')


# --- text -----------------------------------------------------------------------------------------


def line(most: int, *, least: int = 1) -> Callable[[str], str]:
    """Accept one line for people: NFC, trimmed, no controls, nothing that turns the direction of text."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS.search(text):
            raise ValueError("must be one line without control characters")
        if DIRECTION.search(text):
            raise ValueError("must not contain characters that change the direction of text")
        if INVISIBLE.search(text):
            raise ValueError("must not contain characters that cannot be seen")
        return of_length(text, least, most)

    return check


def prose(most: int) -> Callable[[str], str]:
    """Accept text of several lines: NFC, trimmed, line ends and tabs allowed, other controls not."""

    def check(text: str) -> str:
        text = unicodedata.normalize("NFC", text).strip()
        if CONTROLS_IN_PROSE.search(text):
            raise ValueError("must not contain control characters other than line ends and tabs")
        return of_length(text, 0, most)

    return check


def of_length(text: str, least: int, most: int) -> str:
    """Give the text back if its length fits. Lengths are in characters (code points)."""
    if len(text) < least:
        raise ValueError("must not be empty")
    if len(text) > most:
        raise ValueError(f"must have at most {most:,} characters, not {len(text):,}")
    return text


def compact(value: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def details_text(details: dict[str, Any]) -> dict[str, Any]:
    """Accept a JSON object of limited size."""
    size = len(compact(details).encode())
    if size > DETAILS_BYTES:
        raise ValueError(f"must have at most {DETAILS_BYTES:,} bytes of JSON, not {size:,}")
    return details


def timeout(hours: float) -> float:
    """Accept a duration between one second and thirty days, given in hours."""
    least, most = TIMEOUT_SECONDS
    if not least <= round(hours * 3600, 3) <= most:
        raise ValueError(f"must be between one second (1/3600) and 30 days ({most // 3600})")
    return hours


def number(value: Any) -> Any:
    """Refuse true and false where a number is meant, and integers no float can hold."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reports ValueErrors
    if isinstance(value, int) and abs(value) > 2**53:
        raise ValueError("is out of range")
    return value


Name = Annotated[str, AfterValidator(line(model.NAME_CHARACTERS))]
Item = Annotated[str, AfterValidator(line(ITEM_CHARACTERS))]
Description = Annotated[str, AfterValidator(prose(DESCRIPTION_CHARACTERS))]
Comments = Annotated[str, AfterValidator(prose(model.COMMENTS_CHARACTERS))]
Details = Annotated[dict[str, Any], AfterValidator(details_text)]
Hours = Annotated[float, BeforeValidator(number), Field(allow_inf_nan=False), AfterValidator(timeout)]


# --- bodies ---------------------------------------------------------------------------------------


class Body(BaseModel):
    """A body: strict types, no field that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RequestBody(Body):
    """`POST /api/requests`."""

    requester: Name
    item: Item
    timeout_hours: Hours = DEFAULT_TIMEOUT_HOURS
    description: Description = ""
    details: Details | None = None

    @property
    def timeout(self) -> dt.timedelta:
        """How long the request is open."""
        return dt.timedelta(seconds=round(self.timeout_hours * 3600, 3))

    def canonical(self) -> str:
        """Write the body so that bodies that mean the same are the same text."""
        return json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False)


class DecisionBody(Body):
    """`POST /api/approvals/{request_id}`."""

    is_approved: bool
    approver: Name
    comments: Comments = ""


class CancellationBody(Body):
    """`POST /api/requests/{request_id}/cancel`."""

    by: Name
    reason: Comments = ""


B = TypeVar("B", bound=Body)


def parse(kind: type[B], headers: Mapping[str, str], body: bytes) -> B:
    """Read a body.

    Raises BodyMissing, BodyTooLarge, NotJsonMedia or Unreadable when it is no JSON to us, Invalid with a pointer
    to every field that is wrong otherwise.
    """
    if not body:
        raise BodyMissing
    if len(body) > BODY_BYTES:
        raise BodyTooLarge(BODY_BYTES)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJsonMedia
    value = read_json(body)
    if not isinstance(value, dict):
        raise Invalid((Problem("", "must be a JSON object"),))
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:PROBLEMS_TOLD]
        raise Invalid(tuple(problem(dict(each)) for each in found)) from None


def problem(error: dict[str, Any]) -> Problem:
    """Say what pydantic found, with a JSON pointer and in our words where its own are technical."""
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error["loc"])
    said = {"missing": "is required", "extra_forbidden": "is not a field here"}.get(error["type"])
    return Problem(pointer, said or error["msg"].removeprefix("Value error, "))


def read_json(body: bytes) -> Any:
    """Read JSON strictly. Raises Unreadable.

    Refused beyond RFC 8259's grammar: doubled keys, NaN and infinities (also by size), lone surrogates, more than
    sixteen levels. Python's own reader lets all of these pass, and ends a deep text with a RecursionError.
    """
    try:
        text = body.decode("utf-8")
        if text.startswith("\ufeff"):
            raise Unreadable("The body begins with a byte order mark. Send UTF-8 without one.")
        value = json.loads(text, object_pairs_hook=without_doubles, parse_constant=no_constant)
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except RecursionError:
        raise Unreadable(f"The JSON is nested deeper than {JSON_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except ValueError:  # an integer of more digits than Python reads
        raise Unreadable("The JSON holds a number that is too long.") from None
    inspect(value)
    return value


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("The JSON has an object with the same key twice.")
    return found


def no_constant(word: str) -> Any:
    """Refuse NaN, Infinity and -Infinity."""
    raise Unreadable(f"{word} is not JSON.")


def inspect(value: Any) -> None:
    """Look through a value for what must not be in it; iterative, so that depth costs no stack."""
    level, depth = [value], 0
    while level:
        following: list[Any] = []
        for each in level:
            if isinstance(each, str):
                unbroken(each)
            elif isinstance(each, float) and not math.isfinite(each):
                raise Unreadable("The JSON holds a number that is out of range.")
            elif isinstance(each, dict):
                for key in each:
                    unbroken(key)
                following.extend(each.values())
            elif isinstance(each, list):
                following.extend(each)
        depth += any(isinstance(each, dict | list) for each in level)
        if depth > JSON_DEPTH:
            raise Unreadable(f"The JSON is nested deeper than {JSON_DEPTH} levels.")
        level = following


def unbroken(text: str) -> None:
    """Refuse half a surrogate pair: no UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unreadable("The JSON holds half of a surrogate pair.") from None


# --- headers --------------------------------------------------------------------------------------


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """Read `Idempotency-Key`. Raises BadHeader for one that is empty, too long or not visible ASCII."""
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not VISIBLE_ASCII.fullmatch(key) or len(key) > KEY_CHARACTERS:
        raise BadHeader(f"Idempotency-Key must be 1 to {KEY_CHARACTERS} visible ASCII characters.")
    return key


def preferred_wait(headers: Mapping[str, str]) -> int:
    """Read `Prefer: wait=N` (RFC 7240), at most 25 seconds; a preference that cannot be read is not one."""
    for preference in PREFERENCE.findall(headers.get("prefer", "")):
        if found := WAIT.fullmatch(preference):
            return min(int(found[2]), WAIT_SECONDS)
    return 0


def is_known(etag: str, headers: Mapping[str, str]) -> bool:
    """Tell whether `If-None-Match` names this ETag; compared weakly, as RFC 9110 has it for this header."""
    named = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in named or named == ["*"]


# --- answers --------------------------------------------------------------------------------------


def created(request: model.Request, story: model.Story) -> dict[str, Any]:
    """Write what the caller who creates a request is told."""
    return {
        "request_id": request.request_id,
        "status": story.status,
        "approval_url": request.approval_url,
        "status_url": request.status_url,
        "deadline": model.rfc3339(request.deadline),
    }


def told(found: model.Found) -> dict[str, Any]:
    """Write the whole story of a request."""
    request, story = found.request, found.story
    settled = story.model_dump(mode="json", include={"settled_at", "decision", "cancellation"})
    return {
        "request_id": request.request_id,
        "status": story.status,
        "requester": request.requester,
        "item": request.item,
        "description": request.description,
        "details": None if request.details is None else json.loads(request.details),
        "created_at": model.rfc3339(request.created_at),
        "deadline": model.rfc3339(request.deadline),
        **settled,
        "notes": story.notes,
    }

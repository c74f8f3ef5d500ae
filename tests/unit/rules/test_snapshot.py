"""What must fit in the custom status, and is read back from the history."""

from __future__ import annotations

import datetime as dt
import json
import sys

import pytest

from approvals import errors
from approvals.rules import events, hearing, restoring, value
from approvals.rules.events import MAX_CHANGES, event_name
from approvals.rules.intake import Answer
from approvals.rules.policy import MAX_REMINDERS, Policy, Stage
from approvals.rules.story import MAX_NOTES, OUTPUT_BYTES, Found, Mark, Status, Story, utf16_size
from approvals.rules.text import STAGE_NAME_CHARACTERS, prose
from approvals.rules.value import COMMENTS_CHARACTERS, NAME_CHARACTERS
from approvals.web import bodies, headers
from tests.builders import (
    ALAN,
    EVE,
    GRACE,
    HOUR,
    NOON,
    a_decision,
    a_panel,
    a_policy,
    asked,
    cancelled,
    decided,
    found,
    passed_on,
    undelivered,
)

CUSTOM_STATUS_BYTES = 16 * 1024  # what the extension takes, in UTF-16
CAT = "\N{CAT FACE}"  # beyond the BMP: one code point, two UTF-16 units, four bytes
WORST = ["x", '"', "\\", "\n", CAT, "\N{EURO SIGN}", "/", "<"]


def person(number, one):
    return f"{number:04}".ljust(NAME_CHARACTERS, '"' if one == "\n" else one)


def the_largest(one, ending):
    """Build a story with all that can be in one, of a request with all that can be asked; longer than any that is."""
    panels = [a_panel(*(person(20 * p + s, one) for s in range(20)), hours=72, required=20) for p in range(10)]
    stages = tuple(
        Stage(name=f"{n}".ljust(STAGE_NAME_CHARACTERS, '"' if one == "\n" else one), panel=ask, escalation=instead)
        for n, (ask, instead) in enumerate(zip(panels[::2], panels[1::2], strict=True))
    )
    request = asked(policy=Policy(stages=stages))
    text = "x" + one * (COMMENTS_CHARACTERS - 2) + "x"
    filled_in = value.compact({"k": ('"' * 2044) if one in '"\\\n' else one * 4088})
    votes = tuple(
        decided(
            person(20 * p + s if p < 9 or s >= 10 else 1000 + s, one),
            decision_id=f"{20 * p + s:032x}",
            yes=(p, s) != (9, 19) or ending != "decided",
            after=(p + 1) * HOUR,
            stage=p // 2,
            escalated=bool(p % 2),
            slot=s,
            on_behalf_of=person(180 + s, one) if p == 9 and s < 10 else None,
            comments=text,
            option=stages[0].name,
            form=filled_in,
        )
        for p in range(10)
        for s in range(20)
    )
    changes = tuple(
        passed_on(person(180 + s, one), person(1000 + s, one), after=10 * HOUR, change_id=f"c{s:031x}", reason=text)
        for s in range(MAX_CHANGES)
    )
    keys = [f"decision-{p}-{s}" for p in range(10) for s in range(20)] + ["cancel", "change", "decision"]
    story = Story(
        stage=4,
        escalated=True,
        asked_at=NOON + 9 * HOUR,
        reminded=10,
        holders={f"9-{s}": person(1000 + s, one) for s in range(MAX_CHANGES)},
        votes=votes if ending == "decided" else votes[:-1],
        changes=changes,
        generations={f"9-{s}": 1 for s in range(MAX_CHANGES)},
        undelivered=tuple(undelivered(person(1000 + s, one), key="k" * 120) for s in range(2)),
        attempts=5,
        deliver_at=NOON + 10 * HOUR,
        marks=tuple(
            Mark(kind=kind, at=NOON + n * HOUR + dt.timedelta(milliseconds=123 + n), stage=4)
            for n, kind in enumerate(["asked", "escalated", *["reminded"] * (MAX_REMINDERS - 1)] * 10)
        ),
        waits=dict.fromkeys(keys, events.MAX_SPENT_WAITS + MAX_CHANGES + 2),
    )
    for stage in stages * 3:
        story = story.with_note(f"Silence approved stage '{stage.name}', and this is longer than any that is written.")
    if ending == "decided":
        story = story.model_copy(
            update={"status": Status.REJECTED, "settled_at": NOON + 11 * HOUR, "decision": votes[-1]}
        )
    if ending == "cancelled":
        wish = cancelled(person(0, one), reason=text)
        story = story.model_copy(
            update={"status": Status.CANCELLED, "settled_at": NOON + 11 * HOUR, "cancellation": wish}
        )
    return Found(request=request, story=story)


def history(found, encode):
    """Give the events that a history has of a story, among others that counted for nothing."""
    request_id, story = found.request.request_id, found.story

    def event(key, heard, number=1):
        return event_name(request_id, key, number), encode(heard.model_dump(mode="json"))

    votes = [
        event(
            f"decision-{2 * vote.stage + vote.escalated}-{vote.slot}" if vote.slot or vote.stage else "decision", vote
        )
        for vote in story.votes
    ]
    yield "decision-1-somebody-elses", encode({"decision_id": "x"})
    yield event("decision", decided(decision_id="that counted for nothing"), 2)
    yield event_name(request_id, "decision", 3), encode("unreadable")
    yield event_name(request_id, "decision", 4), None
    yield event_name(request_id, "change", 1), encode({"change_id": 5})
    yield from votes[:3]
    yield from (event("change", change, 2 + n) for n, change in enumerate(story.changes))
    yield from votes  # the first three twice, as a service that insists raises them
    yield event("change", passed_on(EVE, GRACE, change_id="that was not allowed"), 12)
    if story.cancellation:
        yield event("cancel", story.cancellation)


ENCODED = {
    "not at all": lambda data: data,
    "once": json.dumps,
    "twice": lambda data: json.dumps(json.dumps(data)),
}
ENDINGS = ["open", "decided", "cancelled"]


@pytest.mark.parametrize("one", WORST, ids=ascii)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_largest_story_fits_in_the_custom_status(ending, one):
    story = the_largest(one, ending).story

    published = story.snapshot()

    assert len(story.votes) >= 199
    assert len(story.notes) == MAX_NOTES
    assert published["abridged"] is True
    assert len(value.compact(published).encode("utf-16-le")) < CUSTOM_STATUS_BYTES


@pytest.mark.parametrize("encoded", ENCODED)
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_left_out_is_read_back_from_the_history(ending, encoded):
    largest = the_largest(CAT, ending)
    story = largest.story

    back = restoring.restore_story(largest.request, story.snapshot(), history(largest, ENCODED[encoded]))

    assert back.votes == story.votes
    assert [vote.form for vote in back.votes] == [vote.form for vote in story.votes]
    assert back.changes == story.changes
    assert back.holders == story.holders
    assert back.marks == story.marks
    assert back.revision == story.revision
    assert back.decision == story.decision
    assert back.cancellation == story.cancellation
    *notes, undelivered = back.notes
    assert all(whole.startswith(cut) for whole, cut in zip(story.notes, notes, strict=True))
    assert undelivered == "Messages not delivered: 2."
    same = {"status", "settled_at", "stage", "escalated", "asked_at", "reminded", "generations", "deliver_at"}
    assert back.model_dump(include=same) == story.model_dump(include=same)
    assert events.awaited_events(largest.with_story(back)) == events.awaited_events(largest)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_largest_story_fits_in_the_output_and_is_read_back_from_the_history(ending):
    largest = the_largest(CAT, ending)

    output = largest.output()

    assert output == largest.story.snapshot()
    assert restoring.restore_story(largest.request, output, history(largest, json.dumps)).votes == largest.story.votes


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_output_of_a_request_of_version_1_has_its_texts_as_long_as_they_fit(ending):
    largest = the_largest(CAT, ending)
    largest = largest.model_copy(update={"request": largest.request.model_copy(update={"rules": 1})})
    small = largest.with_story(largest.story.model_copy(update={"votes": largest.story.votes[:20], "marks": ()}))

    output = largest.output()

    assert output["abridged"]
    assert len(value.compact(output).encode("utf-16-le")) <= OUTPUT_BYTES
    assert small.output()["votes"][19]["comments"] == small.story.votes[19].comments


def test_a_story_as_text_is_read_back_as_well():
    largest = the_largest("x", "decided")

    back = restoring.restore_story(largest.request, json.dumps(largest.story.snapshot()), history(largest, json.dumps))

    assert back.votes == largest.story.votes


def test_a_story_that_fits_is_published_whole_and_needs_no_history():
    one = hearing.apply_event(found(a_policy(a_panel(GRACE, ALAN, required=2))), decided(), "decision", NOON)

    published = one.story.snapshot()

    assert "abridged" not in published
    assert restoring.restore_story(one.request, published, iter([])) == one.story


def test_a_story_is_abridged_when_it_outgrows_the_custom_status_and_not_before():
    largest = the_largest("x", "open").story
    sizes = []
    for count in range(12):
        story = Story(votes=largest.votes[:count])
        published = story.snapshot()
        sizes.append(utf16_size(published))
        assert published.get("abridged", False) == (
            utf16_size(story.model_dump(mode="json", exclude_defaults=True, exclude_none=True)) > 15_000 - 40
        )
    assert max(sizes) < CUSTOM_STATUS_BYTES


def test_a_change_whose_time_is_a_moment_before_its_panels_is_read_back_too():
    """The service took it when it came, and the stage changed before the story was looked at."""
    one = found(a_policy(a_panel(GRACE), a_panel(ALAN)))
    one = hearing.apply_event(one, decided(comments="x" * 2000), "decision", NOON + 2 * HOUR)
    change = passed_on(ALAN, EVE, after=2 * HOUR - dt.timedelta(milliseconds=3))
    one = hearing.apply_event(one, change, "change", NOON + 3 * HOUR)
    events = [
        (event_name(one.request.request_id, "decision", 1), one.story.votes[0].model_dump(mode="json")),
        (event_name(one.request.request_id, "change", 1), change.model_dump(mode="json")),
    ]

    back = restoring.restore_story(one.request, one.story.abridged_snapshot(), events)

    assert one.story.holders == {"2-0": EVE}
    assert back.holders == one.story.holders


def lets_in(check, given):
    try:
        check(given)
    except ValueError:
        return False
    return True


def test_no_single_character_is_worse_than_those_that_were_tried():
    """A character that prose allows takes at most two units of UTF-16 in JSON, and so do these."""
    let_in = prose(9)
    for point in [*range(0x3000), 0xFFFD, 0x10000, sys.maxunicode]:
        if lets_in(let_in, f"a{chr(point)}b"):
            assert len(value.compact(chr(point))[1:-1].encode("utf-16-le")) <= 4
    assert max(len(value.compact(one)[1:-1].encode("utf-16-le")) for one in WORST) == 4


def test_a_preference_within_quotes_is_none():
    assert headers.preferred_wait({"prefer": 'foo="a, wait=5"'}) == 0


def test_a_byte_order_mark_is_explained():
    with pytest.raises(errors.Unreadable, match="byte order mark"):
        bodies.parse_body(bodies.RequestBody, {"content-type": "application/json"}, b"\xef\xbb\xbf{}")


@pytest.mark.parametrize("name", ["\u200b", "\ufeff", "\u2060", "\U000e0041", "Ada\u200b"], ids=ascii)
def test_a_name_of_what_cannot_be_seen_is_no_name(name):
    body = json.dumps(a_decision(approver=name)).encode()

    with pytest.raises(errors.Invalid):
        bodies.parse_body(Answer, {"content-type": "application/json"}, body)

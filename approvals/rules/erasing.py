"""What is left of a request whose content is erased: outcome, people and instants. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from approvals.rules.presentation import Presentation

if TYPE_CHECKING:
    import datetime as dt

    from approvals.rules.story import Decision, Found


def without_content(found: Found, at: dt.datetime) -> Found:
    """Give a request without what was asked, shown and said, in anybody's words; reference and tags stay."""
    policy = found.request.policy
    request = found.request.model_copy(
        update={
            "item": "",
            "description": "",
            "details": None,
            "presentation": Presentation(),
            "action": None,
            "salt": "",
            "callback": found.request.callback and found.request.callback.without_secret,
            "policy": policy and policy.model_copy(update={"form": None}),
        }
    )
    story = found.story
    taken_back = story.cancellation
    story = story.model_copy(
        update={
            "decision": story.decision and wordless(story.decision),
            "votes": tuple(map(wordless, story.votes)),
            "changes": tuple(each.model_copy(update={"reason": ""}) for each in story.changes),
            "cancellation": taken_back and taken_back.model_copy(update={"reason": ""}),
            "notes": (),
        }
    )
    return found.model_copy(update={"request": request, "story": story, "erased_at": at})


def wordless(vote: Decision) -> Decision:
    """Give an answer without its words and its form."""
    return vote.model_copy(update={"comments": "", "form": None})

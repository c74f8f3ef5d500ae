"""What was agreed at the start: who must say yes, by when, and what silence means. Values, and what is nonsense.

A policy is data in the request and never changes while it runs. Its stages are asked one after another; a stage
asks a panel of people, and may escalate to another panel that is asked *instead*. Pure.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Literal

from approvals.rules.names import could_be_same, fold, lookalike_key
from approvals.rules.saying import say
from approvals.rules.text import is_blank
from approvals.rules.value import Problem, Value

LONGEST_TIMER = dt.timedelta(days=5)
"""No single timer is longer: beyond six days the SDK makes one whose cancellation never arrives (measured)."""
LONGEST_REQUEST = dt.timedelta(days=30)
MAX_REMINDERS = 10

Silence = Literal["timeout", "approve", "reject", "escalate"]
RejectWhen = Literal["any", "impossible"]
CommentRequired = Literal["never", "on_reject", "always"]
FormRequired = Literal["on_approve", "always"]
Assurance = Literal["key", "link", "signed-in"]
"""How sure it is who answered: a trusted system's word, a link's holder, or the platform's sign-in."""
Demand = Literal["any", "signed-in"]


def identity_key(person: str) -> str:
    """Give what told people apart in version 1 of the rules: their name without case, after NFC. See `names`."""
    return unicodedata.normalize("NFC", person).casefold()


class Panel(Value):
    """The people asked at once. Without approvers one open slot, which whoever the caller names may take."""

    approvers: tuple[str, ...] = ()
    required: int = 1
    reject_when: RejectWhen = "any"
    timeout_seconds: float
    on_timeout: Silence = "timeout"
    remind_every_seconds: float | None = None
    assurance: Demand = "any"
    """How sure it must be who answers."""

    def accepts(self, assurance: Assurance) -> bool:
        """Tell whether an answer is sure enough."""
        return self.assurance in ("any", assurance)

    @property
    def slots(self) -> int:
        """How many may answer."""
        return len(self.approvers) or 1

    @property
    def timeout(self) -> dt.timedelta:
        """How long it is waited for."""
        return dt.timedelta(seconds=self.timeout_seconds)

    @property
    def remind_every(self) -> dt.timedelta | None:
        """How often people are reminded; a panel that may last longer than the longest timer is, unasked."""
        if self.remind_every_seconds is not None:
            return dt.timedelta(seconds=self.remind_every_seconds)
        return LONGEST_TIMER if self.timeout > LONGEST_TIMER else None


class Stage(Value):
    """One step: a panel, and the panel that is asked instead when the first stays silent."""

    name: str = ""
    panel: Panel
    escalation: Panel | None = None

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels in the order in which they may be asked."""
        return (self.panel, *((self.escalation,) if self.escalation else ()))


class Option(Value):
    """A named answer beyond yes and no, such as "for this week only"."""

    name: str
    approves: bool


class Policy(Value):
    """The whole agreement."""

    stages: tuple[Stage, ...]
    allow_self_approval: bool = False
    comment_required: CommentRequired = "never"
    options: tuple[Option, ...] = ()
    options_only: bool = False
    """Whether a plain yes or no is not enough: an option has to be chosen."""
    form: str | None = None
    """What an approver must fill in, as text: JSON Schema in the words of `vocabulary`."""
    form_required: FormRequired = "always"
    """Which answers owe the form; requests of before the choice owe it with every answer."""

    def panel(self, stage: int, *, escalated: bool) -> Panel:
        """Give the panel of a stage that is or was asked."""
        it = self.stages[stage]
        return it.escalation if escalated and it.escalation else it.panel

    @property
    def places(self) -> list[tuple[int, bool, int, str | None]]:
        """Every slot there can be: stage, whether escalated, slot, and who is asked; nobody named for an open one."""
        return [
            (number, panel is stage.escalation, slot, person)
            for number, stage in enumerate(self.stages)
            for panel in stage.panels
            for slot, person in enumerate(panel.approvers or (None,))
        ]

    def owes_form(self, *, is_approved: bool) -> bool:
        """Tell whether an answer owes the form: an approval does, a rejection where the policy says so."""
        return self.form is not None and (is_approved or self.form_required == "always")

    def comment_missing(self, *, is_approved: bool, comments: str) -> bool:
        """Tell whether a comment is owed."""
        owed = self.comment_required == "always" or (self.comment_required == "on_reject" and not is_approved)
        return owed and is_blank(comments)

    def problems_with(self, *, is_approved: bool, comments: str, option: str | None) -> list[Problem]:
        """Find what an answer owes to the policy, but for the form: an option that fits, a comment."""
        found = []
        if option is None and self.options_only:
            found.append(Problem("/option", say("is required: one of the options has to be chosen")))
        elif option is not None:
            named = next((each for each in self.options if each.name == option), None)
            if not named:
                found.append(Problem("/option", say("is not an option of this request")))
            elif named.approves != is_approved:
                found.append(
                    Problem("/option", say("is one that approves") if named.approves else say("is one that rejects"))
                )
        if self.comment_missing(is_approved=is_approved, comments=comments):
            found.append(Problem("/comments", say("is required")))
        return found


def policy_problems(policy: Policy, requester: str, where: str = "/stages") -> list[Problem]:
    """Find what cannot be meant; a pointer for each. `where` is `""` when the short form was used."""
    found: list[Problem] = []
    for number, stage in enumerate(policy.stages):
        at = f"{where}/{number}" if where else ""
        found += panel_problems(policy, stage.panel, requester, at)
        if stage.escalation:
            found += panel_problems(policy, stage.escalation, requester, f"{at}/escalate_to")
            asked = {lookalike_key(person) for person in stage.panel.approvers}
            found += [
                Problem(f"{at}/escalate_to/approvers/{i}", "has been asked already in this stage")
                for i, person in enumerate(stage.escalation.approvers)
                if lookalike_key(person) in asked
            ]
    names = [stage.name for stage in policy.stages]
    found += [
        Problem(f"{where}/{i}/name", "is the name of another stage, too")
        for i, name in enumerate(names)
        if name and name in names[:i]
    ]
    if policy.options_only and {option.approves for option in policy.options} != {True, False}:
        found.append(Problem("/options_only", "needs an option that approves and one that rejects"))
    options = [fold(option.name) for option in policy.options]
    found += [
        Problem(f"/options/{i}/name", "is the name of another option, too")
        for i, name in enumerate(options)
        if name in options[:i]
    ]
    return found


def panel_problems(policy: Policy, panel: Panel, requester: str, at: str) -> list[Problem]:
    """Find what cannot be meant about the people of a panel."""
    found = []
    people = [lookalike_key(person) for person in panel.approvers]
    found += [
        Problem(f"{at}/approvers/{i}", f"is asked already, as {panel.approvers[people.index(person)]}")
        for i, person in enumerate(people)
        if person in people[:i]
    ]
    able = [each for each in panel.approvers if policy.allow_self_approval or not could_be_same(requester, each)]
    if panel.approvers and not able:
        found.append(Problem(f"{at}/approvers", "names nobody but the requester, who cannot decide"))
    elif panel.approvers and panel.required > len(able):
        why = "" if len(able) == len(people) else " (the requester cannot decide)"
        found.append(Problem(f"{at}/required", f"is more than the {len(able)} who can approve{why}"))
    return found


def time_problems(policy: Policy, where: str = "/stages") -> list[Problem]:
    """Find what cannot be meant about times; pointers name the fields in hours."""
    found: list[Problem] = []
    total = dt.timedelta()
    for number, stage in enumerate(policy.stages):
        at = f"{where}/{number}" if where else ""
        for place, panel in ((at, stage.panel), (f"{at}/escalate_to", stage.escalation)):
            if panel is None:
                continue
            total += panel.timeout
            if panel.remind_every_seconds is not None and panel.remind_every_seconds >= panel.timeout_seconds:
                found.append(Problem(f"{place}/remind_every_hours", "is not shorter than what is waited for"))
    if total > LONGEST_REQUEST:
        found.append(Problem(where or "/timeout_hours", "all stages together may last at most 30 days (720 hours)"))
    return found

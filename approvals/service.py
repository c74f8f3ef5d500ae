"""The use cases. Every way in meets here, JSON routes and pages alike."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from approvals import old_forms
from approvals.errors import (
    AlreadyDecided,
    AlreadyVoted,
    Invalid,
    KeyReused,
    NoLongerOpen,
    NotFound,
    NotYours,
    OtherStage,
    OwnRequest,
    PassedOnTooOften,
    StageUnclear,
    Stale,
    TooLate,
)
from approvals.people import links
from approvals.people.identity import Evidence, assurance_of, authorize, read_principal
from approvals.people.links import Invitation, Signer
from approvals.people.wording import silence_sentence
from approvals.rules import events, forms, hearing, judging, vocabulary
from approvals.rules.deliveries import SEND_AGAIN_AFTER
from approvals.rules.preview import Preview, play
from approvals.rules.story import RULES, Cancellation, Change, Decision, Found, Request, Status, Story
from approvals.rules.value import Problem, compact, load_json, rfc3339, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from approvals.durable.instances import Instances
    from approvals.people.identity import Person
    from approvals.rules.intake import Answer, Delegation, Proposal, Reassignment, Withdrawal
    from approvals.rules.preview import ImaginedAnswer
    from approvals.settings import Settings

logger = logging.getLogger("approvals.service")

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
KEYS = uuid.UUID("5e1a7d3c-52a8-4f0e-9d7b-2f1f0c9e8b6a")

CONFIRM_SECONDS = 10.0
"""How long a decision is waited for before the caller is told where to look."""
RAISE_AGAIN_SECONDS = 2.0
"""An event that was taken may still be lost while its instance is young (12 of 200 on the real extension)."""
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.5
STARTS = 3


logger = logging.getLogger("approvals.service")


class Clock(Protocol):
    """The time, and waiting in it."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""

    def elapsed(self) -> float:
        """Give seconds since some moment; never runs backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Give the instant, in UTC."""
        return dt.datetime.now(dt.UTC)

    def elapsed(self) -> float:
        """Give seconds on the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, letting others run."""
        await asyncio.sleep(seconds)


ANYBODY = Evidence()
"""Nothing but the word of a system that holds a key."""


@dataclass(frozen=True)
class Creation:
    """A request, and whether this call made it."""

    found: Found
    fresh: bool


@dataclass(frozen=True)
class Standing:
    """What stands after an answer was given; not `confirmed`: it was handed over and not yet seen recorded."""

    found: Found
    confirmed: bool = True


@dataclass(frozen=True)
class Approvals:
    """The service, for one call."""

    instances: Instances
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    received_at: dt.datetime = field(init=False)
    """When the call arrived, which is when its answer counts, whatever is read before it is handed on."""

    def __post_init__(self) -> None:
        """Take the time, once."""
        object.__setattr__(self, "received_at", utc(self.clock.now()))

    def signed_in(self, headers: Mapping[str, str]) -> Person | None:
        """Give who is signed in, where the platform's word on it counts."""
        return read_principal(headers) if self.settings.trusts_sign_in else None

    # --- creating ---------------------------------------------------------------------------------

    async def create(
        self, proposal: Proposal, key: str | None, base_url: str, evidence: Evidence = ANYBODY
    ) -> Creation:
        """Make a request, or find the one this key made.

        Raises KeyReused when the key came with another body, Invalid when this service could not keep to it,
        SchedulerUnavailable.
        """
        request_id = uuid.uuid5(KEYS, key).hex if key is not None else uuid.uuid4().hex
        # Look, then start: a start that meets an unfinished instance is refused; a finished one would be replaced,
        # which is why an instance with a key does not finish while a caller may be between these two steps
        # (events.guard_end).
        for _ in range(STARTS):
            if key is not None and (found := await self.instances.read(request_id)):
                return repeated_creation(found, proposal)
            self.check_answerable(proposal)
            request = self.build_request(
                proposal, request_id, keyed=key is not None, base_url=base_url, evidence=evidence
            )
            if await self.instances.start(request):
                logger.info("Request %s: created", request_id)
                return Creation(Found(request=request, story=Story()), fresh=True)
        found = await self.find(request_id)
        return repeated_creation(found, proposal)

    def check_answerable(self, proposal: Proposal, at: str = "") -> None:
        """See that people can answer here at all. Raises Invalid; `at` is the pointer to the proposal."""
        try:
            if proposal.policy.form is not None:
                vocabulary.read_form(load_json(proposal.policy.form))
        except vocabulary.NotOffered as error:
            raise Invalid(tuple(Problem(f"{at}/form{each.pointer}", each.detail) for each in error.problems)) from None
        if not self.settings.trusts_sign_in and (wanting := proposal.sign_in_demands):
            detail = "nobody is signed in at this service (TRUST_EASY_AUTH): nobody could answer"
            raise Invalid(tuple(Problem(f"{at}{pointer}", detail) for pointer in wanting))

    def build_request(
        self,
        proposal: Proposal,
        request_id: str,
        *,
        keyed: bool,
        base_url: str,
        evidence: Evidence = ANYBODY,
    ) -> Request:
        """Build the orchestration's input. Configuration that steers it is copied in, so that it never changes."""
        created_at = self.received_at
        return Request(
            request_id=request_id,
            requester=proposal.requester,
            item=proposal.item,
            description=proposal.description,
            details=None if proposal.details is None else compact(proposal.details),
            created_at=created_at,
            deadline=created_at + proposal.policy.stages[0].panel.timeout,
            policy=proposal.policy,
            base_url=self.settings.public_base_url or base_url,
            tell=self.settings.tells,
            keyed=keyed,
            retries=len(SEND_AGAIN_AFTER) if self.settings.tells else 0,
            requester_assurance=assurance_of(proposal.requester, evidence),
            fingerprint=proposal.fingerprint,
            rules=RULES,
            links_expire_at=links.expiry(created_at, proposal.policy),
        )

    def invitations(self, request: Request) -> list[Invitation]:
        """Give everyone's link, as it was when the request was made: for its caller, and for nobody else."""
        signer = Signer(self.settings.link_keys)
        return [
            Invitation(holder, stage, escalated, signer.address(request, link))
            for stage, escalated, slot, holder in request.effective_policy.places
            for link in [
                links.link_to(request, stage=stage, escalated=escalated, slot=slot, generation=0, holder=holder)
            ]
        ]

    # --- looking ----------------------------------------------------------------------------------

    async def find(self, request_id: str) -> Found:
        """Read a request. Raises NotFound, SchedulerUnavailable."""
        # ids are ours and go into the client's URLs unquoted: nothing else gets there
        found = await self.instances.read(request_id) if REQUEST_ID.fullmatch(request_id) else None
        if not found:
            raise NotFound
        return found

    async def wait_for_change(self, request_id: str, wait_seconds: int) -> Found:
        """Read a request; hold the answer until its status changes or the time has passed.

        While it waits it only looks where the request stands: the texts of a long story are read once, at the end.
        """
        end, pause = self.clock.elapsed() + wait_seconds, 0.1
        while self.clock.elapsed() < end and REQUEST_ID.fullmatch(request_id):
            seen = await self.instances.look(request_id)
            if not seen or not seen.story.is_open:
                break
            await self.clock.sleep(min(pause, max(0.0, end - self.clock.elapsed())))
            pause = min(pause * 1.5, 1.0)
        return await self.find(request_id)

    # --- answering --------------------------------------------------------------------------------

    async def decide(self, request_id: str, answer: Answer, evidence: Evidence = ANYBODY) -> Standing:
        """Give a decision and read back what the orchestration made of it.

        Raises NotFound, Invalid, OwnRequest, NotYours, LinkVoid, NotAskedYet, SignInRequired, AlreadyVoted,
        OtherStage, AlreadyDecided, NoLongerOpen, TooLate, SchedulerUnavailable.
        """
        stage, form, wrong = None, answer.form, list[Problem]()
        if answer.stage is not None or form is not None:
            found = await self.find(request_id)
            stage = None if answer.stage is None else resolve_stage(found, answer.stage)
            if found.policy.form is not None and form is not None:
                form, wrong = await judge_form(found.policy.form, form)
        decision = Decision(
            decision_id=uuid.uuid4().hex,
            **answer.model_dump(exclude={"stage", "form"}),
            form=None if form is None else compact(form),
            channel=evidence.channel,
            assurance=assurance_of(answer.approver, evidence),
            signed_in_as=evidence.person.subject if evidence.person else None,
            decided_at=self.received_at,
        )

        place = (evidence.link.stage, evidence.link.escalated, evidence.link.slot) if evidence.link else None
        meant: list[tuple[int, bool]] = []

        def judge(found: Found) -> str:
            judgement = judging.judge_decision(found, decision, stage=stage, place=place)
            # the panel that was being asked when this was first looked at is the one that is answered
            meant.append((found.story.stage, found.story.escalated))
            if judgement == "open" and meant[0] != meant[-1]:
                return "elsewhere"
            if judgement == "open":
                authorize(found, answer.approver, evidence)
            if judgement == "open" and (problems := answer_problems(found, answer, wrong)):
                raise Invalid(tuple(problems))
            return judgement

        def event(found: Found) -> tuple[str, Decision]:
            slot = place[2] if place else found.slot_of(decision.approver) or 0
            story = found.story
            here: dict[str, object] = {"stage": story.stage, "escalated": story.escalated, "slot": slot}
            holder = found.panel.approvers[slot] if found.panel.approvers else None
            if holder and not found.request.is_same(holder, decision.approver):
                here["on_behalf_of"] = holder
            return events.slot_key(story, slot), decision.model_copy(update=here)

        standing = await self.raise_until_recorded(request_id, judge, event, decision.approver)
        what = "approval" if decision.is_approved else "rejection"
        log_answer(request_id, f"{what} ({decision.channel}, {decision.assurance})", standing)
        return standing

    async def cancel(self, request_id: str, withdrawal: Withdrawal, if_revision: int | None = None) -> Standing:
        """Take a request back, and read back what the orchestration made of it.

        `if_revision`: the revision of the story that the caller acts on. Raises as `decide` does, and Stale.
        """
        wish = Cancellation(**withdrawal.model_dump(), cancelled_at=self.received_at, if_revision=if_revision)
        standing = await self.raise_until_recorded(
            request_id, lambda found: judging.judge_cancellation(found, wish), lambda _: ("cancel", wish), wish.by
        )
        log_answer(request_id, "cancellation", standing)
        return standing

    async def reassign(self, request_id: str, reassignment: Reassignment, if_revision: int | None = None) -> Standing:
        """Pass a slot on to someone else, as one in charge. Raises as `cancel` does, and PassedOnTooOften."""
        wish = reassignment
        change = self.build_change("reassign", wish.by, wish.holder, wish.to, wish.reason, if_revision)
        return await self.pass_on(request_id, change, "/from", wish.stage)

    async def delegate(self, request_id: str, delegation: Delegation, evidence: Evidence = ANYBODY) -> Standing:
        """Pass one's own slot on. Raises as `reassign` does, and what `authorize` raises."""
        wish = delegation
        change = self.build_change("delegate", wish.approver, wish.approver, wish.to, wish.comments)
        return await self.pass_on(request_id, change, "/approver", wish.stage, evidence)

    def build_change(
        self,
        kind: Literal["reassign", "delegate"],
        by: str,
        holder: str,
        to: str,
        reason: str,
        if_revision: int | None = None,
    ) -> Change:
        """Build a change, received now."""
        return Change(
            change_id=uuid.uuid4().hex,
            kind=kind,
            by=by,
            holder=holder,
            to=to,
            reason=reason,
            changed_at=self.received_at,
            if_revision=if_revision,
        )

    async def pass_on(
        self, request_id: str, change: Change, pointer: str, stage: int | str | None, evidence: Evidence | None = None
    ) -> Standing:
        """Pass a slot on and read back that it was; with evidence, as its holder. `stage`: the one that is meant."""
        found = await self.find(request_id)
        named = None if stage is None else resolve_stage(found, stage)
        if found.request.has_first_rules and named not in (None, found.story.stage):
            raise OtherStage(found.stage_name)  # these pass on what is asked now, and nothing else
        if not found.request.has_first_rules:
            meant = judging.locate(found, change, named)
            here = {"stage": meant.story.stage, "escalated": meant.story.escalated} if meant else {"stage": named}
            change = change.model_copy(update=here)

        def judge(found: Found) -> str:
            judgement = judging.judge_change(found, change)
            if judgement == "asked":
                raise Invalid((Problem("/to", "is asked already"),))
            if judgement == "nobody" and change.kind == "reassign":
                raise Invalid((Problem(pointer, "is not asked to decide now"),))
            if judgement == "self":
                raise OwnRequest(change.to)
            if judgement == "open" and evidence:
                authorize(hearing.panel_of(found, change) or found, change.holder, evidence)
            return judgement

        standing = await self.raise_until_recorded(request_id, judge, lambda _: ("change", change), change.holder)
        log_answer(request_id, "reassignment" if change.kind == "reassign" else "delegation", standing)
        return standing

    async def raise_until_recorded(
        self,
        request_id: str,
        judge: Callable[[Found], str],
        event: Callable[[Found], tuple[str, Decision | Cancellation | Change]],
        person: str,
    ) -> Standing:
        """Raise, read back, and raise again, until the orchestration has recorded it or time is up.

        A second event of a name is harmless: the name is waited on once.
        """
        started, raise_at, pause = self.clock.elapsed(), 0.0, FIRST_LOOK_SECONDS
        raised = ""
        while True:
            looked = self.clock.elapsed()
            found = await self.find(request_id)
            # a busy scheduler answers slowly, and is asked less often: no look is wasted that could not succeed
            pause = max(pause, 2 * (self.clock.elapsed() - looked))
            judgement = judge(found)
            if judgement == "recorded" and not found.suspended:
                return Standing(found)
            if judgement not in ("open", "late", "recorded"):
                raise refusal(found, judgement, person)
            spent = self.clock.elapsed() - started
            if spent >= CONFIRM_SECONDS:
                break
            if judgement == "open":
                key, answer = event(found)
                name = events.event_name(request_id, key, found.story.event_number(key))
                if spent >= raise_at or name != raised:
                    if name == raised:  # a measure of events that were lost, or of a scheduler that is slow
                        logger.info("Request %s: raised again after %.1f s: %s", request_id, spent, key)
                    await self.instances.raise_event(request_id, name, answer.model_dump(mode="json"))
                    raise_at, raised = spent + RAISE_AGAIN_SECONDS, name
            await self.clock.sleep(min(pause, LONGEST_PAUSE_SECONDS))
            pause *= 1.5
        if judgement == "late":
            raise TooLate(found, f"The deadline was {rfc3339(found.due_at)}; this came after it.")
        return Standing(found, confirmed=False)

    # --- imagining --------------------------------------------------------------------------------

    def preview(self, proposal: Proposal, answers: list[ImaginedAnswer], at: str = "") -> tuple[Preview, Preview]:
        """Say what would happen with these answers, and when nobody answers: the same rules, and no scheduler.

        Raises Invalid as `create` does.
        """
        self.check_answerable(proposal, at)
        request = self.build_request(proposal, "0" * 32, keyed=False, base_url="")
        return play(request, answers), play(request, [])


def log_answer(request_id: str, what: str, standing: Standing) -> None:
    """Write to the log that an answer was taken; not whose, which is in the record."""
    logger.info("Request %s: %s %s", request_id, what, "recorded" if standing.confirmed else "not yet seen recorded")


def resolve_stage(found: Found, named: int | str) -> int:
    """Give the stage that is named by its name, or by its number from 1. Raises Invalid for one there is not."""
    stages = found.policy.stages
    if isinstance(named, int) and named <= len(stages):
        return named - 1
    for number, stage in enumerate(stages):
        if stage.name and stage.name == named:
            return number
    raise Invalid((Problem("/stage", "is not a stage of this request"),))


async def judge_form(text: str, answer: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Give the answer to a form with the defaults filled in, and say what is wrong with it."""
    schema = load_json(text)
    try:
        form = vocabulary.read_form(schema)
    except vocabulary.NotOffered:  # of a request that was made before there was a vocabulary
        return answer, await old_forms.answer_problems(schema, answer)
    filled_in = forms.fill_in(form, answer)
    return filled_in, forms.answer_problems(form, filled_in)


def answer_problems(found: Found, answer: Answer, wrong: list[Problem]) -> list[Problem]:
    """Find what a decision owes to the policy: an option that fits, a comment, the form and what is `wrong` in it."""
    policy = found.policy
    problems = policy.problems_with(is_approved=answer.is_approved, comments=answer.comments, option=answer.option)
    if answer.form is None and policy.owes_form(is_approved=answer.is_approved):
        problems.append(Problem("/form", "is required"))
    elif policy.form is not None:
        problems += [Problem(f"/form{problem.pointer}", problem.detail) for problem in wrong]
    elif answer.form is not None:
        problems.append(Problem("/form", "is not asked for"))
    return problems


def repeated_creation(found: Found, proposal: Proposal) -> Creation:
    """Give the request that exists as made from this proposal. Raises KeyReused when it was made from another."""
    if found.request.fingerprint not in (proposal.fingerprint, proposal.fingerprint_before):
        raise KeyReused(found.request.request_id)
    return Creation(found, fresh=False)


def refusal(found: Found, judgement: str, person: str) -> Exception:
    """Say why an answer does not count, and what stands."""
    story, request = found.story, found.request
    match judgement:
        case "self":
            return OwnRequest(person)
        case "not_yours" | "nobody":
            passed_on = (change.to for change in reversed(story.changes) if request.is_same(change.holder, person))
            return NotYours(person, next(passed_on, None))
        case "voted":
            votes = (vote for vote in reversed(story.votes) if request.is_same(vote.approver, person))
            return AlreadyVoted(next(votes, None), person)
        case "unclear":
            return StageUnclear(person, found.stage_name)
        case "elsewhere":
            return OtherStage(found.stage_name)
        case "stale":
            return Stale(story.revision)
        case "exhausted":
            return PassedOnTooOften(events.MAX_CHANGES)
    return closure(found)


def closure(found: Found) -> Exception:
    """Say how a request ended that takes no answer any more."""
    story = found.story
    if story.decision:
        verdict = "approved" if story.decision.is_approved else "rejected"
        at = rfc3339(story.decision.decided_at)
        return AlreadyDecided(found, f"{story.decision.approver} {verdict} this request at {at}.")
    if story.cancellation:
        at = rfc3339(story.cancellation.cancelled_at)
        return NoLongerOpen(found, f"This request was cancelled by {story.cancellation.by} at {at}.")
    if story.status is Status.FAILED:
        return NoLongerOpen(found, "This request failed inside the service and takes no decision any more.")
    return NoLongerOpen(found, f"{silence_sentence(found)} The deadline was {rfc3339(found.due_at)}.")

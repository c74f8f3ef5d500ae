"""The use cases, for one call."""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from approvals.errors import Invalid, KeyReused, NotFound, OtherStage, OwnRequest, RightMissing, TooLate
from approvals.people import links
from approvals.people.callers import ANY_KEY
from approvals.people.delivery import Dispatch
from approvals.people.identity import Evidence, assurance_of, authorize, read_principal
from approvals.people.links import Invitation, Signer
from approvals.rules import events, hearing, judging, vocabulary
from approvals.rules.deliveries import SEND_AGAIN_AFTER
from approvals.rules.intake import Untimely
from approvals.rules.preview import Preview, play
from approvals.rules.story import RULES, Cancellation, Change, Decision, Found, Request, Story
from approvals.rules.value import Problem, compact, load_json, rfc3339, utc
from approvals.service.clock import SystemClock
from approvals.service.reach import NAMELESS, Reach
from approvals.service.refusals import answer_problems, judge_form, refusal, resolve_stage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from approvals.durable.instances import Instances
    from approvals.people.callers import Caller
    from approvals.people.delivery import Addressees
    from approvals.people.identity import Person
    from approvals.rules.intake import Answer, Delegation, Proposal, Reassignment, Withdrawal
    from approvals.rules.preview import ImaginedAnswer
    from approvals.service.clock import Clock
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

ANYBODY = Evidence()
"""Nothing but the word of a system that holds a key."""


@dataclass(frozen=True)
class Creation:
    """A request, and whether this call made it."""

    found: Found
    fresh: bool
    addressees: Addressees
    """Who is told of it, and who never can be."""


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
    reach: Reach = field(default_factory=lambda: Reach(ANY_KEY, "operate"))
    """What the caller may reach; a page's visitor is let in by their link alone."""
    received_at: dt.datetime = field(init=False)
    """When the call arrived, which is when its answer counts, whatever is read before it is handed on."""

    def __post_init__(self) -> None:
        """Take the time, once."""
        object.__setattr__(self, "received_at", utc(self.clock.now()))

    def signed_in(self, headers: Mapping[str, str]) -> Person | None:
        """Give who is signed in, where the platform's word on it counts."""
        return read_principal(headers) if self.settings.trusts_sign_in else None

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return self.reach.caller

    # --- creating ---------------------------------------------------------------------------------

    async def create(
        self, proposal: Proposal, key: str | None, base_url: str, evidence: Evidence = ANYBODY
    ) -> Creation:
        """Make a request, or find the one this key made.

        Raises KeyReused when the key came with another body, Invalid when this service could not keep to it,
        RightMissing for people this caller may not name, SchedulerUnavailable.
        """
        request_id = uuid.uuid5(KEYS, self.own_key(key)).hex if key is not None else uuid.uuid4().hex
        # Look, then start: a start that meets an unfinished instance is refused; a finished one would be replaced,
        # which is why an instance with a key does not finish while a caller may be between these two steps
        # (events.guard_end).
        for _ in range(STARTS):
            if key is not None and (found := await self.instances.read(request_id)):
                return await self.repeat_creation(found, proposal)
            if key is not None and (found := await self.find_made_before_callers(key, proposal)):
                return await self.repeat_creation(found, proposal)
            timed = self.timed(proposal)
            self.check_answerable(timed)
            self.check_namable(timed)
            request = self.build_request(timed, request_id, keyed=key is not None, base_url=base_url, evidence=evidence)
            addressees = await self.addressees(request)
            if not self.sees_links and not addressees.reach_anyone(Found(request=request, story=Story())):
                raise Invalid((Problem("", "nobody can be told of it: no channel reaches anyone who is asked first"),))
            if await self.instances.start(request):
                logger.info("Request %s: created by %s", request_id, self.caller.name)
                return Creation(Found(request=request, story=Story()), fresh=True, addressees=addressees)
        return await self.repeat_creation(await self.find(request_id), proposal)

    def own_key(self, key: str) -> str:
        """Give what an Idempotency-Key is to its caller alone: keys are visible ASCII, so no two can be the same."""
        return key if self.caller.is_built_in else f"{self.caller.name}\0{key}"

    async def find_made_before_callers(self, key: str, proposal: Proposal) -> Found | None:
        """Find what this key made of this very proposal while callers had no names: then it is whoever's has both."""
        if self.caller.is_built_in:
            return None
        found = await self.instances.read(uuid.uuid5(KEYS, key).hex)
        return (
            found if found and found.request.created_by in NAMELESS and proposal.is_origin_of(found.request) else None
        )

    async def repeat_creation(self, found: Found, proposal: Proposal) -> Creation:
        """Give the request that exists as made from this proposal. Raises KeyReused when it was made from another."""
        if not proposal.is_origin_of(found.request):
            raise KeyReused(found.request.request_id)
        return Creation(found, fresh=False, addressees=await self.addressees(found.request))

    async def addressees(self, request: Request) -> Addressees:
        """Say who is told of a request, and who never can be."""
        return await Dispatch.of(self.settings).addressees(Found(request=request, story=Story()))

    @property
    def sees_links(self) -> bool:
        """Whether the caller is shown people's links: whoever has one can answer."""
        return "decide" in self.caller.rights

    def timed(self, proposal: Proposal, at: str = "") -> Proposal:
        """Give the proposal with its deadline worked out. Raises Invalid; `at` is the pointer to the proposal."""
        try:
            return proposal.timed(self.received_at)
        except Untimely as error:
            raise Invalid(tuple(Problem(f"{at}{each.pointer}", each.detail) for each in error.problems)) from None

    def check_namable(self, proposal: Proposal, at: str = "") -> None:
        """See that this caller may have these people asked. Raises RightMissing or Invalid, with a pointer."""
        for number, stage in enumerate(proposal.policy.stages):
            here = f"{at}{proposal.pointer}/{number}" if proposal.pointer else at
            for where, panel in ((here, stage.panel), (f"{here}/escalate_to", stage.escalation)):
                if panel and not panel.approvers:
                    self.check_name(None, f"{where}/approvers")
                for i, person in enumerate(panel.approvers if panel else ()):
                    self.check_name(person, f"{where}/approvers/{i}")

    def check_name(self, person: str | None, pointer: str) -> None:
        """See that this caller may have a person asked, or anybody at all. Raises RightMissing."""
        if person is None and self.caller.approvers:
            raise RightMissing("approvers", "This caller may not let just anyone answer: name approvers.", pointer)
        if person is not None and not self.caller.may_name(person):
            raise RightMissing("approvers", f"This caller may not have {person} asked.", pointer)
        if person is not None and self.caller.could_be(person):
            raise Invalid((Problem(pointer, "is the calling system itself, which cannot decide"),))

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
            created_by=self.caller.name,
            created_by_title=self.caller.shown_as,
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
        self.reach.check(found)
        return found

    async def wait_for_change(self, request_id: str, wait_seconds: int) -> Found:
        """Read a request; hold the answer until its status changes or the time has passed.

        While it waits it only looks where the request stands: the texts of a long story are read once, at the end.
        """
        end, pause = self.clock.elapsed() + wait_seconds, 0.1
        while self.clock.elapsed() < end and REQUEST_ID.fullmatch(request_id):
            seen = await self.instances.look(request_id)
            if not seen:
                raise NotFound  # as soon as of somebody else's: how long it takes says nothing
            self.reach.check(seen)
            if not seen.story.is_open:
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
        if not evidence.link and self.caller.could_be(answer.approver):
            raise OwnRequest(answer.approver, f"{answer.approver} is the calling system itself, which cannot decide.")
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
            caller="" if evidence.link else self.caller.name,
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
        wish = Cancellation(
            **withdrawal.model_dump(),
            cancelled_at=self.received_at,
            if_revision=if_revision,
            caller=self.caller.name,
        )
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
            caller=self.caller.name,
        )

    async def pass_on(
        self, request_id: str, change: Change, pointer: str, stage: int | str | None, evidence: Evidence | None = None
    ) -> Standing:
        """Pass a slot on and read back that it was; with evidence, as its holder. `stage`: the one that is meant."""
        self.check_name(change.to, "/to")
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

        Raises Invalid and RightMissing as `create` does.
        """
        self.check_answerable(proposal, at)
        self.check_namable(proposal, at)
        request = self.build_request(self.timed(proposal, at), "0" * 32, keyed=False, base_url="")
        return play(request, answers), play(request, [])


def log_answer(request_id: str, what: str, standing: Standing) -> None:
    """Write to the log that an answer was taken; not whose, which is in the record."""
    logger.info("Request %s: %s %s", request_id, what, "recorded" if standing.confirmed else "not yet seen recorded")

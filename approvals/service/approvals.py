"""The use cases, for one call: asking and looking are made elsewhere; answering is here."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from approvals import signals
from approvals.errors import Invalid, LinkVoid, OtherStage, OwnRequest, TooLate
from approvals.grant_errors import OtherContent
from approvals.people import links
from approvals.people.callers import registered_callers
from approvals.people.delivery import Dispatch
from approvals.people.identity import ANYBODY, assurance_of, authorize
from approvals.records import trail
from approvals.records.announced import announced
from approvals.rules import events, hearing, judging
from approvals.rules.digest import content_digest
from approvals.rules.saying import say
from approvals.rules.story import Cancellation, Change, Decision, Found
from approvals.rules.trail import entry
from approvals.rules.value import Problem, compact, rfc3339
from approvals.service.calling import Calling
from approvals.service.creation import Creating
from approvals.service.desk import records_at_hand
from approvals.service.granting import Granting
from approvals.service.reach import Reach
from approvals.service.refusals import answer_problems, judge_form, refusal, resolve_stage
from approvals.service.remembering import Remembering

if TYPE_CHECKING:
    from collections.abc import Callable

    from approvals.people.identity import Evidence
    from approvals.rules.intake import Answer, Delegation, Reassignment, Withdrawal

logger = logging.getLogger("approvals.service")

CONFIRM_SECONDS = 10.0
"""How long a decision is waited for before the caller is told where to look."""
RAISE_AGAIN_SECONDS = 2.0
"""An event that was taken may still be lost while its instance is young (12 of 200 on the real extension)."""
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.5


@dataclass(frozen=True)
class Standing:
    """What stands after an answer was given; not `confirmed`: it was handed over and not yet seen recorded."""

    found: Found
    confirmed: bool = True


@dataclass(frozen=True)
class Approvals(Creating, Granting, Calling, Remembering):
    """The service, for one call."""

    async def decide(self, request_id: str, answer: Answer, evidence: Evidence = ANYBODY) -> Standing:
        """Give a decision and read back what the orchestration made of it.

        Raises NotFound, Invalid, OwnRequest, NotYours, LinkVoid, NotAskedYet, SignInRequired, AlreadyVoted,
        OtherStage, AlreadyDecided, NoLongerOpen, TooLate, SchedulerUnavailable.
        """
        try:
            return await self.take_decision(request_id, answer, evidence)
        except (OwnRequest, LinkVoid) as error:
            await self.note_refusal(request_id, answer, error)
            raise

    async def take_decision(self, request_id: str, answer: Answer, evidence: Evidence) -> Standing:
        """Give a decision; `decide` notes who was refused."""
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
                check_content(found, answer)
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

    async def cancel(
        self, request_id: str, withdrawal: Withdrawal, if_revision: int | None = None, *, on_page: bool = False
    ) -> Standing:
        """Take a request back, and read back what the orchestration made of it.

        `if_revision`: the revision of the story that the caller acts on. `on_page`: no system says so, but whoever
        asked, by their link. Raises as `decide` does, and Stale.
        """
        wish = Cancellation(
            **withdrawal.model_dump(),
            cancelled_at=self.received_at,
            if_revision=if_revision,
            caller="" if on_page else self.caller.name,
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
        if evidence.link:  # no system says it: a person does
            change = change.model_copy(update={"caller": ""})
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
        if evidence and evidence.link:  # nobody is asked whom the system that asked may not name
            self.as_creator_of(found).check_name(change.to, "/to")
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
                raise Invalid((Problem("/to", say("is asked already")),))
            if judgement == "nobody" and change.kind == "reassign":
                raise Invalid((Problem(pointer, say("is not asked to decide now")),))
            if judgement == "self":
                raise OwnRequest(change.to)
            if judgement == "open" and evidence:
                authorize(hearing.panel_of(found, change) or found, change.holder, evidence)
            return judgement

        standing = await self.raise_until_recorded(request_id, judge, lambda _: ("change", change), change.holder)
        log_answer(request_id, "reassignment" if change.kind == "reassign" else "delegation", standing)
        return standing

    def as_creator_of(self, found: Found) -> Approvals:
        """Give the service as the caller that made a request sees it; as any does, where it is not known any more."""
        known = (each.caller for each in registered_callers(self.settings.callers))
        maker = next((caller for caller in known if caller.name == found.request.created_by), self.caller)
        return replace(self, reach=Reach(maker))

    async def note_misdirected(self, found: Found, name: str) -> bool:
        """Note that somebody says they should not have been asked, and tell whoever asked, once.

        Nothing of the request changes. Give whether the requester was told, now or before. Raises RecordsUnavailable.
        """
        request = found.request
        said = entry(self.received_at, "misdirected", by=name, stage=found.story.stage + 1)
        with records_at_hand():
            earlier = await trail.entries_of(self.store, request.request_id, trail.MISDIRECTED)
            if any(each.get("by") == name for each in earlier):
                return True
            await trail.note_misdirected(self.store, request.request_id, said)
        logger.info("Request %s: somebody says they should not have been asked", request.request_id)
        key = f"{request.request_id}-misdirected-{links.fingerprint(request, name)}"
        return await Dispatch.of(self.settings).tell_requester(found, "misdirected", key, name)

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
        with announced(request_id) as writing:
            standing = await self.raise_and_look(request_id, judge, event, person)
            if standing.confirmed and await self.keep(standing.found):
                writing.end = not standing.found.story.is_open
            return standing

    async def raise_and_look(
        self,
        request_id: str,
        judge: Callable[[Found], str],
        event: Callable[[Found], tuple[str, Decision | Cancellation | Change]],
        person: str,
    ) -> Standing:
        """Raise, read back, and raise again."""
        started, raise_at, pause = self.clock.elapsed(), 0.0, FIRST_LOOK_SECONDS
        raised = ""
        while True:
            looked = self.clock.elapsed()
            found = await self.look_up(request_id)
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
                        signals.EVENT_RAISED_AGAIN.write(request=request_id, kind=key, seconds=f"{spent:.1f}")
                    await self.instances.raise_event(request_id, name, answer.model_dump(mode="json"))
                    raise_at, raised = spent + RAISE_AGAIN_SECONDS, name
            await self.clock.sleep(min(pause, LONGEST_PAUSE_SECONDS))
            pause *= 1.5
        if judgement == "late":
            raise TooLate(found, f"The deadline was {rfc3339(found.due_at)}; this came after it.")
        return Standing(found, confirmed=False)


def check_content(found: Found, answer: Answer) -> None:
    """See that an answer is for what is asked, where it says what it is for. Raises OtherContent."""
    asked = content_digest(found.request)
    if answer.content_digest is not None and answer.content_digest != asked:
        raise OtherContent(asked)


def log_answer(request_id: str, what: str, standing: Standing) -> None:
    """Write to the log that an answer was taken; not whose, which is in the record."""
    logger.info("Request %s: %s %s", request_id, what, "recorded" if standing.confirmed else "not yet seen recorded")

"""Making a request, exactly once: an insert into the records is the lock, and the start follows it."""

from __future__ import annotations

import logging
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from approvals.errors import Invalid, KeyReused, RightMissing, StillStarting
from approvals.people import links
from approvals.people.delivery import Dispatch
from approvals.people.identity import ANYBODY, assurance_of
from approvals.people.languages import is_zone
from approvals.people.links import Invitation, Signer
from approvals.records.requests import START_WITHIN, as_unknown
from approvals.rules import digest, vocabulary
from approvals.rules.deliveries import SEND_AGAIN_AFTER
from approvals.rules.intake import Untimely
from approvals.rules.preview import Preview, play
from approvals.rules.story import RULES, Found, Request, Story
from approvals.rules.value import Problem, compact, load_json
from approvals.service.desk import records_at_hand
from approvals.service.reach import NAMELESS
from approvals.service.subscribing import Subscribing

if TYPE_CHECKING:
    import datetime as dt

    from approvals.people.delivery import Addressees
    from approvals.people.identity import Evidence
    from approvals.records.requests import Entry
    from approvals.rules.intake import Proposal
    from approvals.rules.preview import ImaginedAnswer

logger = logging.getLogger("approvals.service")

LISTING_SECONDS = 5.0
"""How long a creation waits until its request is listed; it needs the records anyway."""
STARTING_SECONDS = 2.0
"""How long a repetition waits for a start that is under way."""
KEYS = uuid.UUID("5e1a7d3c-52a8-4f0e-9d7b-2f1f0c9e8b6a")


@dataclass(frozen=True)
class Creation:
    """A request, and whether this call made it."""

    found: Found
    fresh: bool
    addressees: Addressees
    """Who is told of it, and who never can be."""


@dataclass(frozen=True)
class Creating(Subscribing):
    """Asking, and imagining what would become of it."""

    async def create(
        self, proposal: Proposal, key: str | None, base_url: str, evidence: Evidence = ANYBODY
    ) -> Creation:
        """Make a request, or find the one this key made.

        Raises KeyReused when the key came with another body, Invalid when this service could not keep to it,
        RightMissing for people this caller may not name, StillStarting, SchedulerUnavailable, RecordsUnavailable.
        """
        request_id = uuid.uuid5(KEYS, self.own_key(key)).hex if key is not None else uuid.uuid4().hex
        if key is not None:
            with records_at_hand():
                entry = await self.requests.entry(request_id)
            if entry:
                return await self.repeat_entry(entry, proposal)
            if found := await self.find_made_before_callers(key, proposal):
                return await self.repeat_creation(found, proposal)
        timed = self.timed(proposal)
        self.check_answerable(timed)
        self.check_namable(timed)
        self.check_callback(timed)
        request = self.build_request(timed, request_id, base_url=base_url, evidence=evidence)
        found = Found(request=request, story=Story())
        addressees = await self.addressees(request)
        if not self.sees_links and not addressees.reach_anyone(found):
            raise Invalid((Problem("", "nobody can be told of it: no channel reaches anyone who is asked first"),))
        inserted_at = self.clock.now()
        with records_at_hand():
            # a secret of the caller's is kept in the orchestration's input alone: nobody else could start it
            can_be_inherited = key is not None and request.without_secrets == request
            is_mine = await self.requests.insert(found, inserted_at, keyed=can_be_inherited)
        if not is_mine:  # a caller with this key was faster
            return await self.create(proposal, key, base_url, evidence)
        # a request of before there were records has no row, and a start would wipe it out
        if key is not None and (earlier := await self.instances.read(request_id)):
            await self.keep(earlier)
            return await self.repeat_creation(earlier, proposal)
        await self.start(found, inserted_at)
        logger.info("Request %s: created by %s", request_id, self.caller.name)
        return Creation(found, fresh=True, addressees=addressees)

    async def start(self, found: Found, leased_at: dt.datetime) -> None:
        """Start a request whose lease one has had since then. Raises StillStarting, SchedulerUnavailable."""
        if self.clock.now() - leased_at > START_WITHIN:
            raise StillStarting  # an heir may be about to look: whoever comes later starts it
        await self.instances.start(found.request)  # one that was started already is as good
        await self.keep(found, LISTING_SECONDS)

    async def repeat_entry(self, entry: Entry, proposal: Proposal) -> Creation:
        """Give the request of a row that exists; start it if whoever began to do so has not, and its lease is over.

        Raises KeyReused, StillStarting, and what `create` raises.
        """
        found = await self.instances.read(entry.request_id) or await self.await_start(entry)
        if found:
            if not entry.is_started:
                await self.keep(found)
            return await self.repeat_creation(found, proposal)
        with records_at_hand():
            written = await self.requests.record(entry.request_id)
        if not written:
            raise StillStarting
        if entry.is_started:  # and it is gone: it is never started again
            return await self.repeat_creation(as_unknown(written) if written.story.is_open else written, proposal)
        if not proposal.is_origin_of(written.request):
            raise KeyReused(entry.request_id)
        request = written.request.model_copy(update={"callback": proposal.callback})  # which the record has not whole
        await self.take_over(entry, written.model_copy(update={"request": request}))
        return await self.repeat_creation(written, proposal)

    async def await_start(self, entry: Entry) -> Found | None:
        """Wait a moment for whoever is starting a request, and give it if it comes."""
        end, pause = self.clock.elapsed() + STARTING_SECONDS, 0.02
        while not entry.is_started and not entry.has_lapsed(self.clock.now()) and self.clock.elapsed() < end:
            await self.clock.sleep(pause)
            if found := await self.instances.read(entry.request_id):
                return found
            pause *= 2
        return None

    async def take_over(self, entry: Entry, written: Found) -> None:
        """Start what nobody has started, once its lease is over. Raises StillStarting, SchedulerUnavailable."""
        if not entry.has_lapsed(self.clock.now()):
            raise StillStarting
        leased_at = self.clock.now()
        with records_at_hand():
            mine = await self.requests.inherit(entry, leased_at)
        if mine is None:
            raise StillStarting
        if there := await self.instances.read(entry.request_id):
            await self.keep(there)
            return
        await self.start(written, leased_at)

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
        """See that people can be shown it, and answer here. Raises Invalid; `at` is the pointer to the proposal."""
        shown = proposal.presentation
        for name, schema in (("form", proposal.policy.form), ("details_schema", shown.details_schema)):
            try:
                if schema is not None:
                    vocabulary.read_form(load_json(schema))
            except vocabulary.NotOffered as error:
                found = tuple(Problem(f"{at}/{name}{each.pointer}", each.detail) for each in error.problems)
                raise Invalid(found) from None
        if shown.time_zone and not is_zone(shown.time_zone):
            detail = "is not a time zone of the IANA database, such as Europe/Berlin"
            raise Invalid((Problem(f"{at}/time_zone", detail),))
        if not self.settings.trusts_sign_in and (wanting := proposal.sign_in_demands):
            detail = "nobody is signed in at this service (TRUST_EASY_AUTH): nobody could answer"
            raise Invalid(tuple(Problem(f"{at}{pointer}", detail) for pointer in wanting))

    def check_callback(self, proposal: Proposal, at: str = "") -> None:
        """See that the operator lets this caller be told there. Raises Invalid."""
        if proposal.callback:
            self.check_receiver(proposal.callback.url, f"{at}/callback_url")

    def build_request(
        self,
        proposal: Proposal,
        request_id: str,
        *,
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
            action=None if proposal.action is None else compact(proposal.action),
            grant_ttl_seconds=proposal.grant_ttl_seconds,
            salt=secrets.token_hex(16),
            digest_version=digest.VERSION,
            reference=proposal.reference,
            tags=proposal.tags,
            presentation=proposal.presentation,
            callback=proposal.callback,
            created_at=created_at,
            deadline=created_at + proposal.policy.stages[0].panel.timeout,
            policy=proposal.policy,
            base_url=self.settings.public_base_url or base_url,
            tell=self.settings.tells,
            retries=len(SEND_AGAIN_AFTER),
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

    def requester_url(self, request: Request) -> str:
        """Give the link of who asked: what whoever made the request may do by the API, and no more."""
        return Signer(self.settings.link_keys).requester_address(request)

    # --- imagining --------------------------------------------------------------------------------

    def preview(self, proposal: Proposal, answers: list[ImaginedAnswer], at: str = "") -> tuple[Preview, Preview]:
        """Say what would happen with these answers, and when nobody answers: the same rules, and no scheduler.

        Raises Invalid and RightMissing as `create` does.
        """
        self.check_answerable(proposal, at)
        self.check_namable(proposal, at)
        self.check_callback(proposal, at)
        request = self.build_request(self.timed(proposal, at), "0" * 32, base_url="")
        return play(request, answers), play(request, [])

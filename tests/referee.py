"""The rules of a policy written anew, in another manner, to be compared with `approvals.rules`.

It is told what was heard, in order, and keeps score in plain sets and lists. Whether two names are one person's is
not worked out but looked up, in a table written by hand. Where version 2 of the rules differs it says so.
"""

import datetime as dt
import unicodedata

from approvals.rules.story import Cancellation, Change, Decision

ADA, GRACE, JOSE = "ada@example.com", "grace@example.com", "José"
SPELLINGS = {
    # who it surely is, and who it could be
    "ADA@Example.com": (ADA, ADA),
    "Ada Lovelace <ada@example.com>": ("only this", ADA),
    "ada@example.com.": ("only that", ADA),
    "Grace@EXAMPLE.com": (GRACE, GRACE),
    "mailto:grace@example.com": ("only so", GRACE),
    "jose\u0301": (JOSE, JOSE),
    "boss@maß.de": ("boss@maß.de", "a boss"),
    "boss@mass.de": ("boss@mass.de", "a boss"),
}
"""Who is meant by a name that is not the only one of its kind, from version 2 on."""


def to_the_millisecond(at):
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class Referee:
    def __init__(self, request):
        self.request = request
        self.first = request.rules == 1
        self.policy = request.effective_policy
        self.status = "Pending"
        self.settled_at = None
        self.by = None
        self.reminders = 0
        self.passed_on = 0
        self.revision = 1
        self.marks = []
        self.seats_of = {}
        self.begin(0, False, request.created_at)

    # --- people

    def surely(self, one, other):
        if self.first:
            return unicodedata.normalize("NFC", one).casefold() == unicodedata.normalize("NFC", other).casefold()
        return SPELLINGS.get(one, (one,))[0] == SPELLINGS.get(other, (other,))[0]

    def perhaps(self, one, other):
        return self.surely(one, other) if self.first else self.likes(one) == self.likes(other)

    def likes(self, one):
        return SPELLINGS.get(one, (one, one))[1]

    def own(self, person):
        return not self.policy.allow_self_approval and self.perhaps(person, self.request.requester)

    # --- panels

    def panel(self, stage, escalated):
        it = self.policy.stages[stage]
        return it.escalation if escalated else it.panel

    def seats_at(self, stage, escalated):
        named = list(self.panel(stage, escalated).approvers) or [None]
        return self.seats_of.setdefault((stage, escalated), named)

    def begin(self, stage, escalated, at):
        at = to_the_millisecond(at)
        self.stage, self.escalated, self.began, self.reminders = stage, escalated, at, 0
        if self.first:  # each panel forgot the ones before
            self.seats_of = {}
        self.rules = self.panel(stage, escalated)
        self.seats = self.seats_at(stage, escalated)
        self.answers = {}
        self.due = at + dt.timedelta(seconds=self.rules.timeout_seconds)

    def go_on_to(self, stage, escalated, at):
        self.revision += 2 if stage > self.stage and not self.escalated else 1  # an escalation counts, asked or not
        self.begin(stage, escalated, at)
        self.mark("escalated" if escalated else "asked", at)

    def mark(self, kind, at):
        self.marks += [] if self.first else [(kind, to_the_millisecond(at), self.stage)]

    def end(self, status, at, by=None):
        self.status, self.settled_at, self.by = status, to_the_millisecond(at), by
        self.revision += 1

    def advance(self, at, by=None):
        if self.stage + 1 < len(self.policy.stages):
            self.go_on_to(self.stage + 1, False, at)
        else:
            self.end("Approved", at, by)

    @property
    def waiting(self):
        """The seats whose answer is waited for; from version 2 on the requester's own is not."""
        return {
            i
            for i, seat in enumerate(self.seats)
            if i not in self.answers and (self.first or seat is None or not self.own(seat))
        }

    # --- what is heard

    def hear(self, thing, at):
        if self.status != "Pending":
            return
        if isinstance(thing, Decision):
            self.answer(thing, at)
        elif isinstance(thing, Cancellation):
            if thing.cancelled_at < self.due and not self.is_stale(thing):
                self.end("Cancelled", at, thing)
        elif isinstance(thing, Change):
            self.pass_on(thing)
        else:
            self.silence(thing.heard_at, at)

    def is_stale(self, wish):
        return wish.if_revision not in (None, self.revision)

    def answer(self, vote, at):
        if (vote.stage, vote.escalated) != (self.stage, self.escalated) or vote.decided_at >= self.due:
            return
        if vote.slot not in self.waiting or self.own(vote.approver):
            return
        seat = self.seats[vote.slot]
        if seat is not None and not self.surely(seat, vote.approver):
            return
        self.answers[vote.slot] = vote
        self.revision += 1
        yes = [one.is_approved for one in self.answers.values()].count(True)
        no = len(self.answers) - yes
        could = yes + len(self.waiting)
        if no and (self.rules.reject_when == "any" or could < self.rules.required):
            self.end("Rejected", at, vote)
        elif yes == self.rules.required:
            self.advance(at, vote)

    def pass_on(self, change):
        here = self.first or change.stage is None
        where = (self.stage, self.escalated) if here else (change.stage, change.escalated)
        if self.is_stale(change) or where < (self.stage, self.escalated) or where not in self.places():
            return
        seats = self.seats_at(*where)
        answered = self.answers if where == (self.stage, self.escalated) else {}
        free = [
            i
            for i, seat in enumerate(seats)
            if seat is not None and self.surely(seat, change.holder) and i not in answered
        ]
        taken = [s for s in seats if s] + (list(self.rules.approvers) if self.first else [])
        if not free or self.own(change.to) or any(self.perhaps(t, change.to) for t in taken):
            return
        if change.changed_at < self.due and self.passed_on < 10:
            seats[free[0]] = change.to
            self.passed_on += 1
            self.revision += 1

    def places(self):
        both = [(number, escalated) for number in range(len(self.policy.stages)) for escalated in (False, True)]
        return [place for place in both if self.panel(*place)]

    def silence(self, woke_for, at):
        if woke_for < self.due:
            every = self.rules.remind_every_seconds or (5 * 86400 if self.rules.timeout_seconds > 5 * 86400 else None)
            if every and self.reminders < 10:
                next_ = self.began + dt.timedelta(seconds=every * (self.reminders + 1))
                if woke_for >= next_ and next_ < self.due:
                    missed = int((to_the_millisecond(at) - self.began).total_seconds() // every)
                    self.reminders = min(10, max(self.reminders + 1, missed))
                    self.mark("reminded", at)
            return
        meaning = self.rules.on_timeout
        against = [vote for vote in self.answers.values() if not vote.is_approved]
        if meaning == "approve" and against and not self.first:
            self.end("Rejected", at, against[-1])
        elif meaning == "approve":
            self.advance(at)
        elif meaning == "reject":
            self.end("Rejected", at)
        elif meaning == "escalate":
            self.go_on_to(self.stage, True, at)
        else:
            self.end("Timeout", at)

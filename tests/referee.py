"""The rules of a policy written anew, in another manner, to be compared with `approvals.rules`.

It is told what was heard, in order, and keeps score in plain sets and lists.
"""

import datetime as dt
import unicodedata

from approvals.rules.story import Cancellation, Change, Decision


def same_person(one, other):
    return unicodedata.normalize("NFC", one).casefold() == unicodedata.normalize("NFC", other).casefold()


def to_the_millisecond(at):
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class Referee:
    def __init__(self, request):
        self.request = request
        self.policy = request.effective_policy
        self.status = "Pending"
        self.settled_at = None
        self.by = None
        self.reminders = 0
        self.passed_on = 0
        self.begin(0, False, request.created_at)

    def begin(self, stage, escalated, at):
        at = to_the_millisecond(at)
        self.stage, self.escalated, self.began, self.reminders = stage, escalated, at, 0
        it = self.policy.stages[stage]
        self.rules = it.escalation if escalated else it.panel
        self.seats = list(self.rules.approvers) or [None]
        self.answers = {}
        self.due = at + dt.timedelta(seconds=self.rules.timeout_seconds)

    def end(self, status, at, by=None):
        self.status, self.settled_at, self.by = status, to_the_millisecond(at), by

    def own(self, person):
        return not self.policy.allow_self_approval and same_person(person, self.request.requester)

    def advance(self, at, by=None):
        if self.stage + 1 < len(self.policy.stages):
            self.begin(self.stage + 1, False, at)
        else:
            self.end("Approved", at, by)

    def hear(self, thing, at):
        if self.status != "Pending":
            return
        if isinstance(thing, Decision):
            self.answer(thing, at)
        elif isinstance(thing, Cancellation):
            if thing.cancelled_at < self.due:
                self.end("Cancelled", at, thing)
        elif isinstance(thing, Change):
            self.pass_on(thing)
        else:
            self.silence(thing.heard_at, at)

    def answer(self, vote, at):
        if (vote.stage, vote.escalated) != (self.stage, self.escalated) or vote.decided_at >= self.due:
            return
        if vote.slot >= len(self.seats) or vote.slot in self.answers or self.own(vote.approver):
            return
        seat = self.seats[vote.slot]
        if seat is not None and not same_person(seat, vote.approver):
            return
        self.answers[vote.slot] = vote.is_approved
        yes = list(self.answers.values()).count(True)
        no = len(self.answers) - yes
        could = len(self.seats) - no
        if no and (self.rules.reject_when == "any" or could < self.rules.required):
            self.end("Rejected", at, vote)
        elif yes == self.rules.required:
            self.advance(at, vote)

    def pass_on(self, change):
        free = [
            i
            for i, seat in enumerate(self.seats)
            if seat is not None and same_person(seat, change.holder) and i not in self.answers
        ]
        taken = [*(s for s in self.seats if s), *self.rules.approvers]
        if not free or self.own(change.to) or any(same_person(t, change.to) for t in taken):
            return
        if change.changed_at < self.due and self.passed_on < 10:
            self.seats[free[0]] = change.to
            self.passed_on += 1

    def silence(self, woke_for, at):
        if woke_for < self.due:
            every = self.rules.remind_every_seconds or (5 * 86400 if self.rules.timeout_seconds > 5 * 86400 else None)
            if every and self.reminders < 10:
                next_ = self.began + dt.timedelta(seconds=every * (self.reminders + 1))
                if woke_for >= next_ and next_ < self.due:
                    missed = int((to_the_millisecond(at) - self.began).total_seconds() // every)
                    self.reminders = min(10, max(self.reminders + 1, missed))
            return
        meaning = self.rules.on_timeout
        if meaning == "approve":
            self.advance(at)
        elif meaning == "reject":
            self.end("Rejected", at)
        elif meaning == "escalate":
            self.begin(self.stage, True, at)
        else:
            self.end("Timeout", at)

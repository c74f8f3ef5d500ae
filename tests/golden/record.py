"""Record golden histories: `python -m tests.golden.record VERSION`. Refuses to touch a file that exists.

An approval lives for days, across deployments: what an old version began, a new one must go on with. When the
workflow changes, give it a new version in host.json, record that version's histories, and keep the old ones.
"""

import datetime as dt
import json
import sys
from pathlib import Path

from approvals.rules.callbacks import Callback
from approvals.rules.story import Undelivered
from tests.builders import ADA, ALAN, EVE, GRACE, a_panel, a_policy, asked, cancelled, decided, passed_on, undelivered
from tests.simulation import Instance

HOUR = dt.timedelta(hours=1)


def finished(instance):
    """Let everything that runs complete, and the guard of a key pass."""
    while not instance.end:
        for number in list(instance.running):
            instance.finish(number)
        if not instance.end and instance.due():
            instance.deliver(instance.fire())
    return instance


def approved():
    instance = Instance(asked()).start()
    return finished(instance.deliver(instance.decision(decided(comments="Enjoy"))))


def rejected_while_being_told():
    instance = Instance(asked(tell=True)).start()
    return finished(instance.deliver(instance.decision(decided(yes=False))))


def cancelled_after_a_contrary_pair():
    instance = Instance(asked()).start()
    return finished(instance.deliver(instance.cancellation(cancelled()), instance.decision(decided())))


def timed_out():
    return finished(Instance(asked(hours=1)).start())


def timed_out_after_a_late_answer():
    instance = Instance(asked(hours=1)).start()
    return finished(instance.deliver(instance.decision(decided(after=2 * HOUR))))


def approved_in_the_third_round():
    instance = Instance(asked(hours=24 * 13)).start()
    for _ in range(2):
        instance.deliver(instance.fire())
        instance.finish(next(iter(instance.running)))
    return finished(instance.deliver(instance.decision(decided(after=250 * HOUR))))


def approved_after_an_event_that_could_not_be_read():
    instance = Instance(asked()).start()
    instance.deliver(instance.raised("decision", "nonsense"))
    instance.finish(next(iter(instance.running)))
    return finished(instance.deliver(instance.decision(decided(), number=2)))


def approved_with_a_key():
    instance = Instance(asked(keyed=True)).start()
    return finished(instance.deliver(instance.decision(decided())))


def approved_though_nobody_could_be_told():
    instance = Instance(asked(tell=True)).start()
    instance.finish(1, failure="no network")
    instance.deliver(instance.decision(decided()))
    instance.finish(2, failure="no network")
    return instance


def two_stages_with_a_quorum():
    policy = a_policy(a_panel(GRACE, ALAN, EVE, required=2), a_panel(ALAN, hours=1))
    instance = Instance(asked(policy=policy, tell=True)).start()
    instance.deliver(instance.decision(decided(GRACE)), instance.result(1))
    instance.running.pop(1)
    instance.deliver(instance.decision(decided(EVE, slot=2), key="decision-0-2"))
    instance.finish(next(iter(instance.running)))
    vote = decided(ALAN, stage=1, after=HOUR / 2)
    return finished(instance.deliver(instance.decision(vote, key="decision-2-0")))


def escalated_after_reminders():
    policy = a_policy(
        a_panel(GRACE, hours=3, remind_hours=1, on_timeout="escalate"), escalation=a_panel(EVE, on_timeout="reject")
    )
    return finished(Instance(asked(policy=policy)).start())


def passed_on_and_decided():
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, ALAN, required=2)))).start()
    instance.deliver(instance.change(passed_on(GRACE, EVE)))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.decision(decided(EVE), number=2))
    return finished(instance.deliver(instance.decision(decided(ALAN, slot=1), key="decision-0-1")))


def approved_after_a_message_was_sent_again():
    instance = Instance(asked(tell=True, retries=5)).start()
    instance.finish(1, undelivered=[undelivered()])
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.fire())
    instance.finish(next(iter(instance.running)), undelivered=[undelivered()])
    instance.finish(next(iter(instance.running)))
    return finished(instance.deliver(instance.decision(decided())))


def told_the_outcome_at_the_third_time():
    instance = Instance(asked(tell=True, retries=5)).start()
    instance.finish(1)
    instance.deliver(instance.decision(decided()))
    instance.finish(next(iter(instance.running)), undelivered=[undelivered(occasion="outcome")])
    instance.deliver(instance.fire())
    instance.finish(next(iter(instance.running)), failure="no network")
    instance.deliver(instance.fire())
    return finished(instance)


def timed_out_by_a_timer_that_came_early():
    instance = Instance(asked(hours=1)).start()
    instance.deliver(instance.fire(early=0.92))
    return finished(instance.deliver(instance.fire(early=0.5)))


def approved_after_a_timer_that_came_early():
    policy = a_policy(a_panel(GRACE, hours=3, remind_hours=1, on_timeout="escalate"), escalation=a_panel(EVE))
    instance = Instance(asked(policy=policy, tell=True)).start()
    instance.finish(1)
    for _ in range(2):  # a reminder
        instance.deliver(instance.fire(early=0.92))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.fire(early=0.92))
    instance.deliver(instance.decision(decided(after=2 * HOUR - dt.timedelta(seconds=0.5))))
    return finished(instance.deliver(instance.fire()))


def replaced_before_their_stage_began():
    policy = a_policy(a_panel(GRACE, hours=1), a_panel(ALAN, hours=1))
    instance = Instance(asked(policy=policy, tell=True)).start()
    instance.finish(1)
    instance.deliver(instance.change(passed_on(ALAN, EVE, after=HOUR / 4, stage=1, if_revision=1)))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.decision(decided(GRACE, after=HOUR / 2)))
    instance.finish(next(iter(instance.running)))
    vote = decided(EVE, stage=1, after=HOUR * 3 / 4)
    return finished(instance.deliver(instance.decision(vote, key="decision-2-0", number=2)))


def given_back_after_a_stale_change():
    instance = Instance(asked(policy=a_policy(a_panel(GRACE, ALAN, required=2)))).start()
    instance.deliver(instance.change(passed_on(GRACE, EVE, stage=0, if_revision=1)))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.change(passed_on(ALAN, ADA, stage=0, if_revision=1, change_id="stale"), number=2))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.cancellation(cancelled(if_revision=1)))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.change(passed_on(EVE, GRACE, stage=0, if_revision=2), number=3))
    instance.finish(next(iter(instance.running)))
    instance.deliver(instance.decision(decided(GRACE), number=3))
    return finished(instance.deliver(instance.decision(decided(ALAN, slot=1), key="decision-0-1")))


def rejected_though_silence_approves():
    panel = a_panel(GRACE, ALAN, EVE, required=2, reject_when="impossible", hours=3, on_timeout="approve")
    instance = Instance(asked(policy=a_policy(panel), tell=True)).start()
    instance.finish(1)
    instance.deliver(instance.decision(decided(GRACE, yes=False)))
    return finished(instance.deliver(instance.fire()))


def told_its_caller_of_every_change():
    """Version 1.4: a change of a panel is a round, and what could not be begun is begun with the outcome."""
    policy = a_policy(a_panel(GRACE, ALAN, required=2), a_panel(EVE))
    wanted = Callback(url="https://hooks.example.com/1?sig=secret", on="every_change")
    instance = Instance(asked(policy=policy, callback=wanted, retries=5, tell=True)).start()
    instance.finish(1)
    instance.deliver(instance.decision(decided(GRACE)))
    owed = [Undelivered(**each) for each in instance.activities_of("submit_approval_request")[-1]["callbacks"]]
    instance.finish(next(iter(instance.running)), undelivered=owed)
    instance.deliver(instance.decision(decided(ALAN, slot=1), key="decision-0-1"))
    instance.finish(next(iter(instance.running)))
    return finished(instance.deliver(instance.decision(decided(EVE, stage=1), key="decision-2-0")))


PATHS = [
    told_its_caller_of_every_change,
    timed_out_by_a_timer_that_came_early,
    approved_after_a_timer_that_came_early,
    replaced_before_their_stage_began,
    given_back_after_a_stale_change,
    rejected_though_silence_approves,
    approved_after_a_message_was_sent_again,
    told_the_outcome_at_the_third_time,
    two_stages_with_a_quorum,
    escalated_after_reminders,
    passed_on_and_decided,
    approved,
    rejected_while_being_told,
    cancelled_after_a_contrary_pair,
    timed_out,
    timed_out_after_a_late_answer,
    approved_in_the_third_round,
    approved_after_an_event_that_could_not_be_read,
    approved_with_a_key,
    approved_though_nobody_could_be_told,
]


def main():
    folder = Path(__file__).parent / sys.argv[1]
    folder.mkdir(exist_ok=True)
    for path in PATHS:
        file = folder / f"{path.__name__}.json"
        if file.exists():
            print(f"kept     {file.name}")
            continue
        instance = path()
        golden = {
            "request": instance.request.model_dump(mode="json"),
            "history": instance.history,
            "answers": instance.answers,
            "output": json.loads(instance.end.output),
        }
        file.write_text(json.dumps(golden, indent=1) + "\n")
        print(f"recorded {file.name}")


if __name__ == "__main__":
    main()

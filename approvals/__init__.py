"""Human approval as a service: ask, wait, hear the answer exactly once, tell the caller.

============  =================================================================================
`rules`       what an approval is and every rule about it: values and pure functions
`errors`      the error tree: a stable code, a sentence for people, the evidence
`settings`    the environment, read once
`people`      who may speak for whom, and how people are told
`durable`     the orchestrator, its activities and the durable client
`old_forms`   forms of before there was a vocabulary, judged in a process of their own
`service`     the use cases: create, find, decide, cancel, pass on
`web`         JSON routes and the approver's page
============  =================================================================================

Each may know those above it in this table; `tests/test_house.py` says which, and why. Rules are asked from two sides:
by the orchestrator, which has the last word, and by the service, for an early answer. Nothing here knows on what host
it runs.
"""

VERSION = "0.1.0"

"""Human approval as a service: ask, wait, hear the answer exactly once, tell the caller.

==============  ==============================================================================
`policy`        what was agreed: who must say yes, by when, what silence means; pure
`model`         what becomes of a request, and every rule about it; pure
`preview`       the same rules over answers that are only imagined; pure
`value`         what every value is
`forms`         a caller's JSON Schema, and answers to it
`jsontext`      JSON text, read strictly
`errors`        the error tree: a stable code, a sentence for people, the evidence
`wire`          JSON and text in, limits, JSON out
`fields`        a form's schema as fields of a page
`links`         signed links and forms
`identity`      who answers, and how sure that is
`service`       the use cases: request, find, decide, cancel
`instances`     the durable client, with its answers made plain
`workflow`      the orchestrator, and only it: the one writer of an outcome
`activities`    what an orchestration does to the world
`delivery`      who is told what, and what could not be delivered
`messages`      what they are told, in words
`channels`      how people are told
`api`           the JSON routes; error to status in one place
`page`          the approver's page: GET shows, POST decides
`rendering`     the templates
`settings`      the environment, read once
==============  ==============================================================================

Rules live in `model` and are asked from two sides: by the orchestrator, which has the last word, and by the
service, for an early answer. Nothing here knows on what host it runs.
"""

VERSION = "0.1.0"

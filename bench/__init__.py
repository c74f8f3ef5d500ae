"""This app measured against Microsoft's human-interaction sample, in one run on one machine.

===========  =========================================================================================
`seed`       that shape, small: an orchestrator, two activities and a FastAPI client in one process
`sample`     the same as a function app, for the local host
`floor`      the least that confirms what it answers: our calls and turns, and no code of ours
`systems`    the four systems as processes: an app and a task hub each
`peer`       Restate, where `make bench-restate` has installed it
`load`       the callers: bounded in number and in time
`trial`      what is measured, and how
`table`      the figures as ratios
`policies`   what a policy costs
`records`    what the records cost
`alone`      an app's own code, with a client that answers at once, without a host
`growth`     what grows with votes and pending requests, and the cold start
===========  =========================================================================================

Only ratios of one run say something: the systems share the machine and its mood. Absolute times do not travel.
"""

"""This app measured against the shape of Microsoft's human-interaction sample, in one run on one machine.

===========  =========================================================================================
`seed`       that shape, small: an orchestrator, two activities and a FastAPI client in one process
`systems`    the two systems as processes: an app and a task hub each
`load`       the callers: bounded in number and in time
`trial`      what is measured, and how
`table`      the figures as ratios
===========  =========================================================================================

Only ratios of one run say something: both systems share the machine and its mood. Absolute times do not travel.
"""

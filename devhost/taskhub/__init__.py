"""The scheduler's side of a local run, in memory: from this process, or `python -m devhost.taskhub --port 4001`.

It speaks TaskHubSidecarService, so whatever drives a Durable Task Scheduler drives it.

============  ======================================================================
`agenda`      what is due later
`executions`  what is delivered to an instance, and what becomes of what it asks for
`leases`      who holds which work, and how it comes back
`hub`         what a client asks for, and the server
`unkind`      the same hub on a bad day
`direct`      its calls for its own process, without a socket
============  ======================================================================

durabletask is pinned, and its private names are used in this package only.
"""

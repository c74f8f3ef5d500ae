"""A local host for development and tests: it runs a function app without Azure's tools. Never deployed.

=================  ==========================================================================
`index`            what the app registered: routes, orchestrators, activities; refuses the rest
`hostjson`         what host.json says; refuses what nobody reads
`invocations`      one call of a function: its context, and which of its log lines are kept
`processes`        the app's functions in worker processes (`--workers`)
`web`, `routes`    HTTP in and out, as the Functions host and the Python worker hand it on
`rpc`, `newtonsoft`  the durable extension's local RPC, and JSON as it reads it
`worker`           work items from the task hub to the app's functions and back
`replay`           what the extension schedules of what an orchestrator asked for: the gate; on `promises`, .NET's tasks
`history`          the task hub's history, as the SDK and as the status call want it
`taskhub`          the embedded task hub; in it `unkind`, the same on a bad day
`outbox`           the mail that the app sends, kept and shown
`demo`, `reading`  a play in seven parts, and pages as a terminal shows them
`connection`       to the embedded task hub, the scheduler's emulator, or a deployed scheduler
=================  ==========================================================================

The app knows nothing of this package; this package knows no app.
"""

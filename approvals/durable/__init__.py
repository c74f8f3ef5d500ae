"""The orchestration: the only room that knows the durable SDK, but for the lines that register routes."""

import warnings

# An event that is raised again is harmless, since its name is waited on once, and the SDK warns of it in every replay.
# How often that happens is counted where events are raised (`service`).
warnings.filterwarnings(
    "ignore",
    message="Potential duplicate Task completion",
    category=UserWarning,
    module=r"azure\.durable_functions\.models\.TaskOrchestrationExecutor",
)

NAME = "approval_workflow"
"""The orchestration of a request: instances in flight have it in their history."""
CALLBACK_NAME = "callback_workflow"
"""That of a callback."""
SUBSCRIPTION_NAME = "subscription_workflow"
"""That which keeps an address to which callbacks go."""

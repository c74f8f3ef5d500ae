"""The orchestration: the only room that knows the durable SDK, but for the lines that register routes."""

"""The systems that are told: which the operator allows, what is sent to them, and which addresses are never called."""

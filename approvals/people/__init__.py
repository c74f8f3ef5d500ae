"""Who may speak for whom, and how people are told: identity, links, messages and their channels."""

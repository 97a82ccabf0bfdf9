"""Events: who listens, what is on its way, and who gets it."""

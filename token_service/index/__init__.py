"""The clients of this service, in tables of `agentidp.index` and some of its own."""

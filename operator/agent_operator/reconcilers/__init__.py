"""One reconciler for each kind, and the gatherer and executor of credentials. Policy lives in `agentidp.domain`, none here."""

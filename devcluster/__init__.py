"""A throw-away Kubernetes control plane on this machine, for the demo, `make up` and the tests.

What lives here starts, installs into and ends clusters that this package started itself. Nothing here is shipped, nothing here
knows how AgentIdP works inside, and nothing here touches a cluster that somebody else started unless a person asks for it.
"""

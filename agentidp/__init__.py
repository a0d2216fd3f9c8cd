"""AgentIdP for Kubernetes: the library that its programs share.

`domain` is pure policy and data, `kube` is how the programs read and write a Kubernetes API server, `runtime` is what every
program needs to run (settings, logs). Dependencies point one way: runtime, kube, domain. No program lives here.
"""

"""A real Prometheus on this machine: what the dashboard and the alerts of the chart are asked of.

It is compiled from its Go module like the control plane, and knows nothing of AgentIdP.
"""

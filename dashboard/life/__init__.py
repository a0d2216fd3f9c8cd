"""A life for the dashboard to show: workloads that ask for tokens, owners of agents, callers of the REST API, and troubles."""

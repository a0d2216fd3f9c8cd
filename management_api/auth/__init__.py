"""Who asks, and what they may do: agents by their own access tokens, people and pipelines by tokens of the cluster."""

"""Authentication and authorization: who the caller is, and what the caller may do. Nothing here writes to the cluster."""

"""Who may write: the Lease, the one operator of a cluster, and writes that only the leader makes."""

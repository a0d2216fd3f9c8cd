"""The Lease, the one operator of a cluster, and fenced writes, which only the leader makes. No policy lives here."""

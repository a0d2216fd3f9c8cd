"""What the API server has: the cache that watches feed, live reads, and keys. Nothing here reads requests or has OAuth errors."""

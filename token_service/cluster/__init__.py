"""What the API server has: the watch-fed cache, live reads, and keys. Nothing here reads requests or raises OAuth errors."""

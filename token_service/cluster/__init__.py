"""What the API server has: the watch-fed cache, live reads, and keys. No OAuth errors and no HTTP requests."""

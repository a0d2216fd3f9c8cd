"""Metrics, counts, loop lag and probes. Nothing here writes to the API server or the cache."""

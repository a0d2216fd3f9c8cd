"""Metrics, counts, loop lag and probes. They only read."""

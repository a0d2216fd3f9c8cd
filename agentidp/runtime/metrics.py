"""Metrics that every program has: its version, its process and its interpreter.

Each program has a registry of its own, and none uses the global one of the Prometheus client.
"""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, GCCollector, Info, PlatformCollector, ProcessCollector

DISTRIBUTION = "agentidp"


def program_registry() -> CollectorRegistry:
    """A registry with `agentidp_build_info`, `process_*`, `python_info` and `python_gc_*`; the program adds its own metrics."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    build = Info("agentidp_build", "The version of AgentIdP and of Python.", registry=registry)
    build.info({"version": version(DISTRIBUTION), "python": platform.python_version()})
    return registry

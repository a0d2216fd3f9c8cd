"""Metrics that every program has."""

import sys
from importlib.metadata import version

from prometheus_client import REGISTRY, generate_latest

from agentidp.runtime.metrics import program_registry


def test_program_registry_has_version_process_and_interpreter() -> None:
    """In a registry of its own, beside the global one."""
    registry = program_registry()
    text = generate_latest(registry).decode()
    assert f'version="{version("agentidp")}"' in text
    assert f'agentidp_build_info{{python="{sys.version.split()[0]}"' in text
    assert "process_cpu_seconds_total" in text
    assert "python_gc_collections_total" in text
    assert registry is not REGISTRY

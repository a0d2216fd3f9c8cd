"""A connection of the benchmark itself, by a kubeconfig and not by the environment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import KubeconfigSource


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[KubeClient]:
    """Keep a connection open while the block runs."""
    cluster = KubeClient(ClientIdentity(KubeconfigSource((kubeconfig,))), "benchmarks")
    try:
        yield cluster
    finally:
        await cluster.close()

"""A connection of the benchmark itself, by a kubeconfig and not by the environment."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from agentidp.kube.cluster import Cluster


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Cluster]:
    """While the block runs."""

    async def read() -> Configuration:
        found = Configuration()
        await config.load_kube_config(str(kubeconfig), client_configuration=found, persist_config=False)  # type: ignore[no-untyped-call]
        return found

    cluster = Cluster(await read(), "benchmarks", read)
    try:
        yield cluster
    finally:
        await cluster.close()

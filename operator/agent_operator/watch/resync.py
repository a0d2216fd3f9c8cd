"""Resync: lists of all kinds, at the start and at an interval.

The first sync fills the cache before the first reconciliation. A watch that starts over reports the objects that exist, not the
deleted ones; the resync removes these from the cache.
"""

import asyncio
from datetime import timedelta

import structlog

from agent_operator.cache.cluster_cache import ClusterCache
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from agentidp.kube.pager import Pager

RETRY_SECONDS = 1.0

log = structlog.get_logger()


async def resync(cluster: KubeClient, cache: ClusterCache) -> dict[str, int]:
    """List all kinds into the cache, and return the version of each list. Agents come first: credentials need them."""
    organizations, agents, credentials = Pager(cluster, ORGANIZATIONS), Pager(cluster, AGENTS), Pager(cluster, CREDENTIALS)
    await cache.organizations.replace(organizations)
    await cache.agents.replace(agents)
    await cache.credentials.replace(credentials)
    return {
        ORGANIZATIONS.plural: organizations.version,
        AGENTS.plural: agents.version,
        CREDENTIALS.plural: credentials.version,
    }


async def first_sync(cluster: KubeClient, cache: ClusterCache) -> dict[str, int]:
    """Resync, retry until it succeeds, and return the versions from which watches go on."""
    while True:
        try:
            versions = await resync(cluster, cache)
        except ApiError as error:
            log.warning("the API server cannot be read yet", why=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            log.info("read the cluster", agents=len(cache.agents), credentials=len(cache.credentials))
            return versions


async def keep_in_sync(cluster: KubeClient, cache: ClusterCache, every: timedelta) -> None:
    """Resync at this interval, without end."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await resync(cluster, cache)
        except ApiError as error:
            log.warning("could not list everything again", why=str(error))

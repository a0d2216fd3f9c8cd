"""Everything listed again: at the start, so that the first look is complete, and now and then, in case an event was missed.

A watch that has to start over tells what is there, not what is gone; without this an object that was deleted meanwhile would
be remembered for ever.
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


async def resync(cluster: KubeClient, world: ClusterCache) -> dict[str, int]:
    """The world as the API server has it now, and each kind's version. Agents come first: credentials are decided with them."""
    organizations, agents, credentials = Pager(cluster, ORGANIZATIONS), Pager(cluster, AGENTS), Pager(cluster, CREDENTIALS)
    await world.organizations.replace(organizations)
    await world.agents.replace(agents)
    await world.credentials.replace(credentials)
    return {
        ORGANIZATIONS.plural: organizations.version,
        AGENTS.plural: agents.version,
        CREDENTIALS.plural: credentials.version,
    }


async def first_sync(cluster: KubeClient, world: ClusterCache) -> dict[str, int]:
    """Until it has worked once. From the versions that it returns, watches go on."""
    while True:
        try:
            versions = await resync(cluster, world)
        except ApiError as trouble:
            log.warning("the API server cannot be read yet", why=str(trouble))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            log.info("read the cluster", agents=len(world.agents), credentials=len(world.credentials))
            return versions


async def keep_in_sync(cluster: KubeClient, world: ClusterCache, every: timedelta) -> None:
    """For ever."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await resync(cluster, world)
        except ApiError as trouble:
            log.warning("could not list everything again", why=str(trouble))

"""Resync: everything is listed again, and what is gone leaves the cache."""

from pathlib import Path

import pytest

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.watch.resync import first_sync, resync
from agent_operator.work_queue import WorkQueue
from agentidp.kube.client import KubeClient
from agentidp.kube.config.identity import ClientIdentity
from agentidp.kube.config.rest_config import KubeconfigSource
from tests.support.kubeconfigs import Home, a_kubeconfig
from tests.support.object_server import serving
from tests.support.worlds import a_uid, an_agent, an_issued_credential, an_organization

GONE = an_agent("gone", uid=a_uid(9))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A folder for a kubeconfig."""
    return Home(tmp_path)


async def test_resync_lists_every_kind_and_forgets_what_is_gone(home: Home) -> None:
    """A watch that starts over reports no deletions."""
    agent, credential, organization = an_agent(), an_issued_credential(), an_organization()
    cache = ClusterCache(WorkQueue())
    cache.agents.put(GONE)
    with serving(agent, credential, organization) as url:
        file = home.write(a_kubeconfig({"server": url}, {"token": "t"}))
        cluster = KubeClient(ClientIdentity(KubeconfigSource((file,))), "test")
        await resync(cluster, cache)
        await first_sync(cluster, cache)
        await cluster.close()
    assert cache.agents.get(agent.key)
    assert cache.credentials.get(credential.key)
    assert cache.organizations.get(organization.key)
    assert cache.agents.get(GONE.key) is None

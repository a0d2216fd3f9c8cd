"""Read the ServiceAccount that has a name now, from the API server itself."""

from agentidp.domain.resources import ObjectMeta
from agentidp.domain.tokens.client_assertions import Workload
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import SERVICE_ACCOUNTS


class ClusterServiceAccounts:
    """Reads from one cluster."""

    def __init__(self, cluster: KubeClient) -> None:
        self._cluster = cluster

    async def __call__(self, workload: Workload) -> ObjectMeta | None:
        """Its metadata, None where there is none. Raises ApiError."""
        account = await self._cluster.find(SERVICE_ACCOUNTS, workload.namespace, workload.service_account)
        return account.metadata if account else None

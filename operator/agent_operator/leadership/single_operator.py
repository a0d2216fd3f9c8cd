"""One cluster has one operator: one of another release, in another namespace, would undo all that this one writes.

Each operator's Lease names its ServiceAccount in an annotation. The operator whose Lease is the oldest leads; a younger one
waits until the older one is uninstalled. Tenants may make Leases, too, so one counts only where the API server says that the
ServiceAccount that it names may write our statuses in every namespace, and where it is in that ServiceAccount's own namespace.
Such rights only an administrator gives (decision 35).
"""

from datetime import UTC, datetime

import structlog

from agent_operator.leadership.leases import LEASES, Lease
from agentidp.authentication.reviews import UserInfo, review_access, review_self
from agentidp.domain.resources import GROUP
from agentidp.domain.resources.meta import age_of
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Forbidden
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import Pager

SERVICE_ACCOUNT = f"{GROUP}/service-account"
NEVER = (datetime.max.replace(tzinfo=UTC), "")

log = structlog.get_logger()


class OtherOperators:
    """Looks for the Leases of other releases' operators."""

    def __init__(self, cluster: KubeClient, namespace: str, lease: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._lease = lease
        self._username = ""

    async def username(self) -> str:
        """As whom this operator acts, as the API server says."""
        if not self._username:
            self._username = (await review_self(self._cluster)).username
        return self._username

    async def ahead_of(self, own: Lease | None) -> str | None:
        """A sentence that names the operator that was here before this one, if there is one. Raises ApiError."""
        try:
            async for leases in Pager(self._cluster, LEASES, selector={"fieldSelector": f"metadata.name={self._lease}"}):
                for lease in leases:
                    if self._is_older(lease, own) and await self._is_an_operators(lease):
                        return _sentence(lease)
        except Forbidden as refusal:  # rules of an earlier version of the chart
            log.warning("whether another operator runs in this cluster cannot be seen", why=refusal.message)
        return None

    def _is_older(self, lease: Lease, own: Lease | None) -> bool:
        return lease.metadata.namespace != self._namespace and age_of(lease) < (age_of(own) if own else NEVER)

    async def _is_an_operators(self, lease: Lease) -> bool:
        namespace, user = lease.metadata.namespace, lease.metadata.annotations.get(SERVICE_ACCOUNT, "")
        if not user.startswith(f"system:serviceaccount:{namespace}:"):
            return False
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        wanted = {"group": GROUP, "resource": AGENTS.plural, "subresource": "status", "verb": "update"}
        return await review_access(self._cluster, UserInfo(username=user, groups=groups), wanted)


def _sentence(lease: Lease) -> str:
    account = lease.metadata.annotations[SERVICE_ACCOUNT]
    return (
        f"the operator of namespace {lease.metadata.namespace!r} ({account}) was in this cluster before this one, and a cluster"
        " has one: uninstall one of the two"
    )

"""Single operator: a second operator, of another release, would revert every write of this one.

The Lease of each operator names its ServiceAccount in an annotation. The operator with the oldest Lease leads; a younger
operator waits until the older one is uninstalled. Tenants may create Leases, so a Lease counts only if it is in the namespace
of the ServiceAccount that it names, and if the API server confirms that this ServiceAccount may write statuses in every
namespace. Only an administrator grants that right (decision 35).
"""

from datetime import UTC, datetime

import msgspec
import structlog

from agentidp.authentication.reviews import UserInfo, review_access, review_self
from agentidp.domain.resources import GROUP
from agentidp.domain.resources.meta import Object, age_of
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Forbidden
from agentidp.kube.kinds import AGENTS, Kind
from agentidp.kube.pager import Pager

SERVICE_ACCOUNT = f"{GROUP}/service-account"
NEVER = (datetime.max.replace(tzinfo=UTC), "")

log = structlog.get_logger()


class LeaseSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`LeaseSpec`: the holder, and the times by which it holds the Lease."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int = 0


class Lease(Object, frozen=True, kw_only=True):
    """`Lease`, with the fields that leader election reads."""

    spec: LeaseSpec = LeaseSpec()


LEASES = Kind("coordination.k8s.io", "v1", "leases", "Lease", Lease)


class OtherOperators:
    """Finds the Leases of other releases' operators."""

    def __init__(self, cluster: KubeClient, namespace: str, lease: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._lease = lease
        self._username = ""

    async def username(self) -> str:
        """Return this operator's username, as the API server authenticates it."""
        if not self._username:
            self._username = (await review_self(self._cluster)).username
        return self._username

    async def ahead_of(self, own: Lease | None) -> str | None:
        """Return a sentence that names an older operator, or None. Raises ApiError."""
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

"""The model of the API server with Leases of several operators: lists, access reviews and the name of the caller."""

import json
from typing import Any

from agent_operator.leadership.single_operator import LEASES, SERVICE_ACCOUNT, Lease, LeaseSpec
from agentidp.domain.resources import ObjectMeta
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import DAY, NOW

HOME = "agentidp-system"
NAME = "agentidp-operator"


class LeaseCluster(ModelCluster):
    """Answers the requests of leader election; `operators` are the ServiceAccounts that may write statuses."""

    operators: frozenset[str] = frozenset()

    async def request(self, _method: str, path: str, *, body: Any = None, **_: Any) -> bytes:
        """List Leases, or review an access; the caller is the operator of HOME."""
        if path.endswith("/selfsubjectreviews"):
            answer: Any = {"status": {"userInfo": {"username": account(HOME)}}}
        elif path.endswith("/subjectaccessreviews"):
            answer = {"status": {"allowed": body["spec"]["user"] in self.operators}}
        else:
            answer = {"metadata": {"resourceVersion": "1"}, "items": [LEASES.encode(lease) for lease in self.all(LEASES)]}
        return json.dumps(answer).encode()

    async def add_lease(self, namespace: str, holder: str | None = "another", *, user: str = "") -> Lease:
        """Create the Lease of an operator of a namespace."""
        user = user or account(namespace)
        meta = ObjectMeta(name=NAME, namespace=namespace, annotations={SERVICE_ACCOUNT: user}, creation_timestamp=NOW - DAY)
        spec = LeaseSpec(holder_identity=holder, lease_duration_seconds=10)
        return await self.create(LEASES, Lease(metadata=meta, spec=spec))


def account(namespace: str) -> str:
    """Return the name of the operator's ServiceAccount in a namespace."""
    return f"system:serviceaccount:{namespace}:{NAME}"

"""The single operator: which Lease of another release counts."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agent_operator.leadership.single_operator import LEASES, SERVICE_ACCOUNT, Lease, OtherOperators
from agentidp.domain.resources import ObjectMeta
from tests.support.worlds import HOUR, NOW

NAME = "agentidp-operator"
OTHER = "system:serviceaccount:other:agentidp-operator"


class Api:
    """Lists one Lease, and says of every ServiceAccount whether it has an operator's rights."""

    def __init__(self, lease: Lease, allowed: bool) -> None:
        self._lease, self._allowed = lease, allowed

    async def request(self, method: str, path: str, **_: Any) -> bytes:
        """The list, or a review."""
        if method == "POST":
            return msgspec.json.encode({"status": {"allowed": self._allowed}})
        assert path == LEASES.path()
        return msgspec.json.encode({"metadata": {"resourceVersion": "1"}, "items": [LEASES.encode(self._lease)]})


def a_lease(namespace: str, age: timedelta, account: str = OTHER) -> Lease:
    """A Lease that was created so long ago."""
    meta = ObjectMeta(
        name=NAME, namespace=namespace, uid=namespace, creation_timestamp=NOW - age, annotations={SERVICE_ACCOUNT: account}
    )
    return Lease(metadata=meta)


LEASES_OF_OTHERS = {
    "an older operator": (a_lease("other", 2 * HOUR), True, True),
    "a younger operator": (a_lease("other", HOUR / 2), True, False),
    "a tenant's, without an operator's rights": (a_lease("other", 2 * HOUR), False, False),
    "a tenant's, which names a ServiceAccount of another namespace": (a_lease("tenant", 2 * HOUR), True, False),
    "its own": (a_lease("home", 2 * HOUR, "system:serviceaccount:home:agentidp-operator"), True, False),
}


@pytest.mark.parametrize(("lease", "allowed", "is_ahead"), LEASES_OF_OTHERS.values(), ids=LEASES_OF_OTHERS)
async def test_single_operator_yields_to_an_older_operator_alone(lease: Lease, allowed: bool, is_ahead: bool) -> None:
    """Decision 35: tenants may create Leases, so a Lease counts by the rights of its ServiceAccount."""
    api: Any = Api(lease, allowed)
    blocked_by = await OtherOperators(api, "home", NAME).ahead_of(a_lease("home", HOUR))
    assert (blocked_by is not None) == is_ahead

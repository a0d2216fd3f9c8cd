"""Single operator: whose Lease keeps this operator from leading (decision 35)."""

from typing import Any

from agent_operator.leadership.single_operator import OtherOperators
from tests.support.lease_cluster import HOME, NAME, LeaseCluster, account


def others(cluster: LeaseCluster) -> OtherOperators:
    """Look for other operators from HOME."""
    kube: Any = cluster
    return OtherOperators(kube, HOME, NAME)


async def test_single_operator_yields_to_an_older_one() -> None:
    """The sentence names the namespace of the other one."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account("elsewhere")})
    await cluster.add_lease("elsewhere")
    sentence = await others(cluster).ahead_of(None)
    assert sentence
    assert "the operator of namespace 'elsewhere'" in sentence


async def test_single_operator_ignores_the_lease_of_a_tenant() -> None:
    """A ServiceAccount without the rights of an operator does not count, nor one of another namespace than its Lease."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account(HOME)})
    await cluster.add_lease("tenant")
    await cluster.add_lease("other-tenant", user=account(HOME))
    assert await others(cluster).ahead_of(None) is None


async def test_single_operator_ignores_its_own_lease() -> None:
    """The Lease of its own namespace is for its own replicas."""
    cluster = LeaseCluster()
    cluster.operators = frozenset({account(HOME)})
    await cluster.add_lease(HOME)
    assert await others(cluster).ahead_of(None) is None


async def test_single_operator_knows_its_own_name() -> None:
    """The API server says it (SelfSubjectReview)."""
    assert await others(LeaseCluster()).username() == account(HOME)

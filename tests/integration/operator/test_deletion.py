"""Deleting resources, in any order and at any time: nothing is left, and nothing waits for the operator."""

from collections.abc import Callable

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, Programs
from tests.support.manifests import AGENT_ID
from tests.support.tenants import Tenant
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("operator")


def test_nothing_carries_a_finalizer(tenant: Tenant) -> None:
    """So no deletion can hang."""
    tenant.issue()
    for kind in ("Agent", "AgentCredential", "Secret"):
        assert "finalizers" not in tenant.get(kind)["metadata"]


def test_a_secret_goes_with_its_credential(tenant: Tenant) -> None:
    """By Kubernetes' own garbage collection."""
    tenant.issue()
    tenant.remove("AgentCredential")
    eventually("the Secret is gone", lambda: tenant.find("Secret") is None)


def test_a_credential_of_a_deleted_agent_says_so(tenant: Tenant) -> None:
    """It is not accepted meanwhile; its Secret is kept for when the agent comes back."""
    tenant.issue()
    secret = tenant.version("Secret")
    tenant.remove("Agent")
    credential = tenant.until("AgentCredential", "AgentNotFound")
    assert credential["status"]["phase"] == "Pending"
    assert tenant.version("Secret") == secret


def test_an_agent_that_comes_back_with_its_id_goes_on(tenant: Tenant) -> None:
    """The same identity, the same secret."""
    tenant.create("Agent", agentId=AGENT_ID)
    before = tenant.issue()
    tenant.remove("Agent")
    tenant.until("AgentCredential", "AgentNotFound")
    tenant.create("Agent", agentId=AGENT_ID)
    tenant.until("AgentCredential", "Issued")
    assert tenant.pair() == before


def test_an_agent_that_comes_back_as_another_inherits_nothing(tenant: Tenant) -> None:
    """Another id is another identity: the hashes and the Secret go."""
    tenant.issue()
    tenant.remove("Agent")
    tenant.create("Agent")
    credential = tenant.until("AgentCredential", "AgentReplaced")
    assert "secretHashes" not in credential["status"]
    eventually("the Secret is gone", lambda: tenant.find("Secret") is None)


def test_a_namespace_goes_at_once(tenant: Tenant, cluster: ControlPlane) -> None:
    """With everything that is in it, although its Secrets vanish before its credentials."""
    tenant.issue()
    cluster.kubectl("delete", "namespace", tenant.namespace, "--timeout=60s")


def test_a_namespace_goes_while_the_operator_is_down(
    tenant: Tenant, cluster: ControlPlane, operator: Programs, without_operator: Callable[[], None]
) -> None:
    """Nobody has to give its consent; and the operator, back again, is not confused."""
    tenant.issue()
    without_operator()
    cluster.kubectl("delete", "namespace", tenant.namespace, "--timeout=60s")
    operator.start(OPERATOR.name)
    Tenant.new(tenant.objects).issue()


def test_a_credential_deleted_while_the_operator_is_down_leaves_no_secret(
    tenant: Tenant, operator: Programs, without_operator: Callable[[], None]
) -> None:
    """Nor does the operator make another one when it is back."""
    tenant.issue()
    without_operator()
    tenant.remove("AgentCredential")
    eventually("the Secret is gone", lambda: tenant.find("Secret") is None)
    operator.start(OPERATOR.name)
    Tenant.new(tenant.objects).issue()
    assert tenant.find("Secret") is None


@pytest.fixture
def without_operator(operator: Programs) -> Callable[[], None]:
    """Stops the operator, which a test starts again."""
    return lambda: operator.stop(OPERATOR.name)

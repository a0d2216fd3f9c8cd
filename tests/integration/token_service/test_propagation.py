"""Whether a change is in force is asked of the real token service."""

import asyncio
import json

import msgspec
import pytest

from agentidp.domain.identity.propagation import AUDIENCE
from agentidp.domain.resources import AgentCredential
from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import TOKEN_SERVICE, Programs
from management_api.limits import Limits
from management_api.operations.propagation import PropagationFailure, Replicas, SupersededChange
from tests.support.crd_schema import Manifest
from tests.support.objects import Objects
from tests.support.replicated import frozen
from tests.support.tenants import Tenant
from tests.support.workload import is_refused, is_served

SERVICE_ACCOUNT = "agentidp-management-api"
SECONDS = 10.0


@pytest.fixture
async def replicas(programs: Programs, cluster: ControlPlane) -> Replicas:
    """The only one, asked as the management API."""
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": 3600},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{SERVICE_ACCOUNT}/token"
    made = json.loads(cluster.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(request)).stdout)

    async def token() -> str:
        return str(made["status"]["token"])

    return Replicas([programs.token_url], token, Limits(propagation_seconds=SECONDS))


def resource(seen: Manifest) -> AgentCredential:
    """As the programs have it."""
    return msgspec.convert(seen, AgentCredential)


async def test_what_is_confirmed_is_in_force(replicas: Replicas, objects: Objects) -> None:
    """A revocation, ten times: at the moment of the confirmation the secret is not accepted."""
    await replicas.require_ready()
    for _ in range(10):
        tenant = await asyncio.to_thread(Tenant.new, objects)
        pair = await asyncio.to_thread(tenant.issue)
        await replicas.wait(resource(tenant.get("AgentCredential")))
        assert is_served(pair)
        await replicas.wait(resource(tenant.change("AgentCredential", state="Revoked")))
        assert is_refused(pair)


async def test_a_replica_that_hangs_confirms_nothing(replicas: Replicas, programs: Programs, objects: Objects) -> None:
    """It may go on with what it knew; the wait has an end, and the service confirms again when it goes on."""
    tenant = await asyncio.to_thread(Tenant.new, objects)
    await asyncio.to_thread(tenant.issue)
    revoked = resource(tenant.change("AgentCredential", state="Revoked"))
    with frozen(programs.process(TOKEN_SERVICE.name)):
        with pytest.raises(PropagationFailure) as raised:
            await asyncio.wait_for(replicas.wait(revoked), 6 * SECONDS)
        with pytest.raises(PropagationFailure):
            await replicas.require_ready()
    assert raised.value.replicas == (programs.token_url,)
    await replicas.wait(revoked)


async def test_a_version_that_was_overtaken_is_told(replicas: Replicas, objects: Objects) -> None:
    """Its secret is not in force any more."""
    tenant = await asyncio.to_thread(Tenant.new, objects)
    await asyncio.to_thread(tenant.issue)
    before = resource(tenant.get("AgentCredential"))
    await replicas.wait(resource(tenant.change("AgentCredential", state="Revoked")))
    with pytest.raises(SupersededChange):
        await replicas.wait(before)


async def test_a_service_that_is_not_there_serves_nobody(replicas: Replicas, programs: Programs, tenant: Tenant) -> None:
    """So there is nothing to wait for; what starts later knows the change from its list."""
    written = resource(tenant.create("AgentCredential", state="Revoked"))
    programs.stop(TOKEN_SERVICE.name)
    await replicas.wait(written)
    programs.start(TOKEN_SERVICE.name)
    await replicas.wait(written)

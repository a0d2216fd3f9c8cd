"""The token service on a real control plane, fed by the real operator."""

import threading
from collections.abc import Callable

from devcluster.programs import Programs
from tests.support.objects import Objects
from tests.support.tenants import Tenant
from tests.support.workload import ask, pair_in, verified

ROUNDS = 100


def test_a_pod_that_uses_its_secret_at_once_is_served(tenant: Tenant, programs: Programs, tell: Callable[[str], None]) -> None:
    """A hundred times of a hundred, asked the moment the Secret appears: nobody is ever told invalid_client."""
    tenant.create("Agent")
    tenant.until("Agent", "Registered")
    statuses = [_first_answer(tenant, f"key-{number}") for number in range(ROUNDS)]
    tell(f"{statuses.count(200)} of {ROUNDS} served at once")
    assert statuses == [200] * ROUNDS


def _first_answer(tenant: Tenant, name: str) -> int:
    with tenant.objects.watch("Secret", tenant.namespace) as changes:
        tenant.create("AgentCredential", name, agentRef={"name": "screener"})
        secret = next(one.object for one in changes if one.object["metadata"]["name"] == name)
    return ask(pair_in(secret)).status_code

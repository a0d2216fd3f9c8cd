"""A workload that uses its Secret the instant it appears, before any cache can know of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import islice

import pytest

from tests.support.tenants import Tenant
from tests.support.workload import ask, pair_in

COUNT = 100


@pytest.mark.usefixtures("programs")
def test_whoever_has_just_been_given_its_secret_is_served(tenant: Tenant, tell: Callable[[str], None]) -> None:
    """A hundred times out of a hundred, each a new agent with its first credential."""
    with tenant.objects.watch("Secret", tenant.namespace) as changes, ThreadPoolExecutor(COUNT) as workloads:
        appearing = (change for change in changes if change.type == "ADDED")
        declared = workloads.submit(declare, tenant)
        answers = [workloads.submit(ask, pair_in(change.object)) for change in islice(appearing, COUNT)]
        declared.result()
        served = sum(answer.result().status_code == HTTPStatus.OK for answer in answers)
    tell(f"served at first sight: {served} of {len(answers)}")
    assert [answer.result().text for answer in answers if answer.result().status_code != HTTPStatus.OK] == []
    assert served == COUNT


def declare(tenant: Tenant) -> None:
    """The agents and their credentials, as fast as the API server takes them."""
    for number in range(COUNT):
        name = f"agent-{number}"
        tenant.create("Agent", name)
        tenant.create("AgentCredential", name, agentRef={"name": name})

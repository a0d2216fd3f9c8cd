"""A tenant whose agent may manage all agents of its namespace over REST."""

from collections.abc import Iterator

import pytest

from devcluster.programs import Programs
from tests.support.management import Api, access_token, an_agent, as_agent
from tests.support.objects import Objects
from tests.support.tenants import Tenant


@pytest.fixture(scope="module")
def home(objects: Objects) -> Tenant:
    """One tenant for all tests of a module."""
    return Tenant.new(objects)


@pytest.fixture(scope="module")
def api(home: Tenant, all_programs: Programs) -> Iterator[Api]:
    """As an agent of the tenant with both scopes."""
    with as_agent(all_programs, access_token(home)) as api:
        yield api


@pytest.fixture(scope="module")
def agent_id(home: Tenant, all_programs: Programs) -> str:
    """An agent of the tenant, to try things on."""
    return an_agent(home)

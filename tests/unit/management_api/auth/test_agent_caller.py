"""An agent as the caller: what its scopes and its organization let it do."""

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.administration import READ, WRITE
from agentidp.domain.identity.clients import ClientOrganization, client_organization
from agentidp.domain.resources import Administrator, AdministratorScope
from management_api.auth.agent_caller import AgentCaller
from management_api.auth.authorization import Action, Placement
from management_api.errors import ApiFailure, Code
from tests.support.management_parts import a_cached_agent
from tests.support.worlds import AGENT_ID, NAMESPACE, a_uid, an_organization

SISTER = "sister"
BOTH = frozenset({READ, WRITE})
OWN = a_cached_agent(a_uid(1), name="own", organization_id="acme")
OF_SISTER = a_cached_agent(a_uid(2), name="sister", namespace=SISTER, organization_id="acme")
OF_OTHERS = a_cached_agent(a_uid(3), name="other", namespace="others")


def acme(*scopes: AdministratorScope) -> ClientOrganization:
    """The organization of two namespaces, which gives the caller's namespace these scopes over the other."""
    organization = an_organization(admits=(NAMESPACE, SISTER))
    administrators = (Administrator(namespace=NAMESPACE, scopes=scopes),) if scopes else ()
    return client_organization(replace(organization, spec=replace(organization.spec, administrators=administrators)))


def a_caller(scopes: frozenset[str] = BOTH, organization: ClientOrganization | None = None) -> AgentCaller:
    """An agent of the organization."""
    return AgentCaller(a_cached_agent(organization_id="acme"), scopes, organization)


async def outcome(caller: AgentCaller, action: Action, agent: object) -> Code | None:
    """The code of the error, None if the caller is authorized."""
    try:
        await caller.authorize(action, agent, "an-id")  # type: ignore[arg-type]
    except ApiFailure as failure:
        return failure.code
    return None


CASES = {
    "own namespace": (a_caller(BOTH, acme()), Action.CHANGE_AGENT, OWN, None),
    "without the scope": (a_caller(frozenset({READ})), Action.CHANGE_AGENT, OWN, Code.FORBIDDEN),
    "without the scope, of an agent that does not exist": (a_caller(frozenset()), Action.READ_AGENT, None, Code.FORBIDDEN),
    "another namespace without administrators": (a_caller(BOTH, acme()), Action.READ_AGENT, OF_SISTER, Code.AGENT_NOT_FOUND),
    "another namespace that it may read": (a_caller(BOTH, acme(READ)), Action.READ_AGENT, OF_SISTER, None),
    "another namespace that it may only read": (a_caller(BOTH, acme(READ)), Action.CHANGE_AGENT, OF_SISTER, Code.FORBIDDEN),
    "another namespace that it may change": (a_caller(BOTH, acme(READ, WRITE)), Action.CHANGE_AGENT, OF_SISTER, None),
    "a stranger's namespace": (a_caller(BOTH, acme(READ, WRITE)), Action.READ_AGENT, OF_OTHERS, Code.AGENT_NOT_FOUND),
    "no such agent": (a_caller(BOTH, acme(READ, WRITE)), Action.READ_AGENT, None, Code.AGENT_NOT_FOUND),
}


@pytest.mark.parametrize("case", CASES)
async def test_agent_caller_is_authorized_by_scope_and_reach(case: str) -> None:
    """Decision 14: an agent that the caller may not read does not exist for it."""
    caller, action, agent, code = CASES[case]
    assert await outcome(caller, action, agent) == code


async def test_agent_caller_registers_in_its_own_namespace_and_organization() -> None:
    """Naming them is no error, naming others is."""
    caller = a_caller()
    here = Placement(NAMESPACE, "acme")
    assert await caller.placement(None, None) == await caller.placement(NAMESPACE, "acme") == here
    for namespace, organization_id in ((SISTER, None), (None, "others")):
        with pytest.raises(ApiFailure) as raised:
            await caller.placement(namespace, organization_id)
        assert raised.value.code is Code.FORBIDDEN


def test_agent_callers_of_a_namespace_share_a_tenant() -> None:
    """An agent can register more agents: together they have one budget."""
    another = AgentCaller(OWN, BOTH, None)
    assert another.tenant == a_caller().tenant
    assert (another.name, a_caller().name) == (f"agent:{a_uid(1)}", f"agent:{AGENT_ID}")

"""Whose agents an agent may act on: every combination of who asks, about whom, and what the Organization says."""

from itertools import product
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.administration import READ, WRITE, includes, reaches
from agentidp.domain.identity.clients import ClientAgent, ClientOrganization, client_agent, client_organization
from agentidp.domain.resources import Administrator, AdministratorScope
from tests.support.worlds import a_registered_agent, an_organization

HOME, BRANCH, ABROAD = "home", "branch", "abroad"
ORGANIZATIONS = (None, "acme", "other")
SCOPES = tuple(AdministratorScope)


class Case(NamedTuple):
    """Who asks about whom."""

    claims: str | None
    target_claims: str | None
    target_in: str
    entry_of: str | None
    entry: tuple[AdministratorScope, ...]
    needed: AdministratorScope


ENTRIES = ((), (READ,), (WRITE,), tuple(scope for scope in SCOPES if scope not in {READ, WRITE}))
CASES = [
    Case(*case)
    for case in product((None, "acme"), ORGANIZATIONS, (HOME, BRANCH, ABROAD), (HOME, BRANCH), ENTRIES, (READ, WRITE))
]


def an_agent_in(namespace: str, claims: str | None) -> ClientAgent:
    """Registered there."""
    return client_agent(a_registered_agent(namespace=namespace, organization_id=claims))


def acme(*administrators: Administrator) -> ClientOrganization:
    """It admits HOME and BRANCH."""
    one = an_organization(admits=(HOME, BRANCH))
    return client_organization(replace(one, spec=replace(one.spec, administrators=administrators)))


def promised(case: Case) -> bool:
    """As docs/guides/manage-credentials.md says it, in its order."""
    if case.claims != case.target_claims:
        return False  # "belongs to its Organization, or, like itself, to none"
    if case.target_in == HOME:
        return True  # "its own namespace"
    if case.claims is None or case.target_in == ABROAD:
        return False  # there is no Organization that could say so, or the agent is not admitted to it
    if case.entry_of != HOME:
        return False  # "names the caller's namespace"
    return case.needed in case.entry or (case.needed is READ and WRITE in case.entry)  # "and the scope"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reaches_by_namespace_and_organization(case: Case) -> None:
    """No more and no less than what is promised."""
    entries = [Administrator(namespace=case.entry_of, scopes=case.entry)] if case.entry_of and case.entry else []
    organization = acme(*entries) if case.claims else None
    caller, target = an_agent_in(HOME, case.claims), an_agent_in(case.target_in, case.target_claims)
    assert reaches(caller, target, organization, case.needed) == promised(case)


def test_reaches_nothing_by_an_entry_whose_namespace_is_not_admitted() -> None:
    """Nor is its agent's own namespace reached by it: it does not belong to the Organization."""
    entry = Administrator(namespace=ABROAD, scopes=SCOPES)
    caller = an_agent_in(ABROAD, "acme")
    assert not any(reaches(caller, an_agent_in(place, "acme"), acme(entry), READ) for place in (HOME, BRANCH, ABROAD))


@pytest.mark.parametrize("needed", SCOPES)
@pytest.mark.parametrize("given", SCOPES)
def test_includes_the_scope_itself_and_writing_includes_reading(given: AdministratorScope, needed: AdministratorScope) -> None:
    """Of agents; nothing else includes anything, and nothing is a wildcard."""
    assert includes([given], needed) == (given is needed or (given is WRITE and needed is READ))
    assert not includes(["*", "agents:*", ""], needed)

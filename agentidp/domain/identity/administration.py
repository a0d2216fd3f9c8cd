"""Administration over the APIs: an agent reaches agents of its own namespace, and others as its Organization declares.

The scope of a token says what its client may do. Everybody who may write Agents in a namespace declares scopes there, so a
scope alone gives no right over another namespace. Only the Organization does (`spec.administrators`), which tenants may not
write.
"""

from collections.abc import Collection

from agentidp.domain.identity.clients import ClientAgent, ClientOrganization
from agentidp.domain.identity.registration import admission_failure
from agentidp.domain.resources import AdministratorScope

READ, WRITE = AdministratorScope.AGENTS_READ, AdministratorScope.AGENTS_WRITE


def includes(scopes: Collection[str], needed: str) -> bool:
    """Whether the needed scope is among these; `agents:write` includes `agents:read`, and nothing else includes anything."""
    return needed in scopes or (needed == READ and WRITE in scopes)


def reaches(caller: ClientAgent, agent: ClientAgent, organization: ClientOrganization | None, needed: str) -> bool:
    """Whether the caller may use the needed scope on this agent. `organization` is the caller's own.

    Both belong to one Organization, or to none. The agent is in the caller's namespace, or the Organization gives that scope to
    the caller's namespace.
    """
    if not _belong_together(caller, agent, organization):
        return False
    return agent.namespace == caller.namespace or includes(_granted_to(caller.namespace, organization), needed)


def _belong_together(caller: ClientAgent, agent: ClientAgent, organization: ClientOrganization | None) -> bool:
    if organization is None:
        return caller.organization_id is None and agent.organization_id is None
    return all(
        client.organization_id == organization.organization_id and _is_admitted(client, organization)
        for client in (caller, agent)
    )


def _is_admitted(agent: ClientAgent, organization: ClientOrganization) -> bool:
    return admission_failure(agent.namespace, agent.organization_id, organization.namespaces) is None


def _granted_to(namespace: str, organization: ClientOrganization | None) -> frozenset[str]:
    entries = organization.administrators if organization else ()
    return frozenset(scope for entry in entries if entry.namespace == namespace for scope in entry.scopes)

"""Whether the token service accepts an agent or a credential now, decided by the same functions.

The status may be about an earlier spec while the operator is down. The token service applies the stricter of spec and status.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from agentidp.domain.identity.client_status import agent_failure, credential_end, token_failure, valid_after_failure
from agentidp.domain.identity.clients import (
    ClientAgent,
    ClientOrganization,
    client_agent,
    client_credential,
    client_organization,
)
from agentidp.domain.resources import Agent, AgentCredential, NamespacedName, Organization
from agentidp.domain.resources.reasons import Reason


class TokenDecisions:
    """The decisions at one time; without `organizations` (the caller may not list them) no organization refuses an agent."""

    def __init__(self, agents: Sequence[Agent], organizations: Sequence[Organization] | None, now: datetime) -> None:
        self._agents = {agent.key: agent for agent in agents}
        self._organizations = (
            None if organizations is None else {item.metadata.name: client_organization(item) for item in organizations}
        )
        self._now = now.timestamp()

    def of_agent(self, agent: Agent) -> Reason | None:
        """Return the reason why the agent gets no token, if there is one."""
        client, organization = self._client(agent)
        return agent_failure(client, organization) or valid_after_failure(client, self._now)

    def of_credential(self, credential: AgentCredential) -> Reason | None:
        """Return the reason why no secret of the credential gets a token, if there is one."""
        client = client_credential(credential)
        agent = self._agents.get(NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name))
        if agent is None:
            return credential_end(client, self._now) or Reason.AGENT_NOT_FOUND
        return token_failure(*self._client(agent), client, self._now)

    def _client(self, agent: Agent) -> tuple[ClientAgent, ClientOrganization | None]:
        client = client_agent(agent)
        if self._organizations is None:
            return replace(client, organization_id=None), None
        return client, self._organizations.get(client.organization_id or "")

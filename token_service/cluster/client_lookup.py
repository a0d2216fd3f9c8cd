"""Client lookup: reads one client from the API server, by its id, in one round trip through selectable fields of the CRDs.

The same requests are made for every id, whether a client has it or not, so that time tells no difference.
"""

import asyncio

from agentidp.domain.identity.clients import client_agent, client_credential, client_organization
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, Projection
from agentidp.kube.pager import ItemT, Source, list_all
from token_service.cluster.clients import ClientIndex

MOST_BYTES = 2**20
"""Of a client's agents, and of its credentials: several hundred of them as they are where nobody makes them large."""

CLIENT_AGENTS = Projection(AGENTS, client_agent)
CLIENT_CREDENTIALS = Projection(CREDENTIALS, client_credential)


class ClientLookup:
    """Reads from one cluster."""

    def __init__(self, cluster: KubeClient) -> None:
        self._cluster = cluster

    async def __call__(self, client_id: str) -> ClientIndex:
        """All that the API server has of this client now. Raises ApiError: TooLarge where others would have to wait for it."""
        found = ClientIndex()
        agents, credentials = await asyncio.gather(
            self._objects(CLIENT_AGENTS, f"status.agentId={client_id}"),
            self._objects(CLIENT_CREDENTIALS, f"status.clientId={client_id}"),
        )
        for agent in agents:
            found.agents.put(agent)
        for credential in credentials:
            found.credentials.put(credential)
        await self._add_organization(found, client_id)
        return found

    async def _objects(self, source: Source[ItemT], selector: str) -> list[ItemT]:
        return await list_all(self._cluster, source, selector={"fieldSelector": selector}, max_bytes=MOST_BYTES)

    async def _add_organization(self, found: ClientIndex, client_id: str) -> None:
        """The agent's; for want of one it is asked for one that has the client's id as its name, and means nothing."""
        agent = found.agent(client_id)
        name = (agent.organization_id if agent else None) or client_id
        organization = await self._cluster.find(ORGANIZATIONS, "", name)
        if organization:
            found.organizations.put(client_organization(organization))

"""Lookups at the API server: one client by its id, and the ServiceAccount that has a name now.

A client takes one round trip through selectable fields of the CRDs. The same requests are made for every id, whether a client
has it or not, so that time tells no difference.
"""

import asyncio

from msgspec import Struct
from msgspec.json import Decoder

from agentidp.domain.identity.clients import client_agent, client_credential, client_organization
from agentidp.domain.tokens.client_assertions import ServiceAccountIdentity, Workload
from agentidp.kube.client import KubeClient
from agentidp.kube.deep_json import decoded_at_any_depth
from agentidp.kube.errors import NotFound, TooLarge
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, SERVICE_ACCOUNTS, Projection
from agentidp.kube.pager import ItemT, Source, list_all
from token_service.cluster.cache import ClientIndex

MAX_BYTES = 2**20
"""Bytes that are read of a client's agents, and of its credentials: several hundred of them in their usual size.

As many are read of a ServiceAccount.
"""

CLIENT_AGENTS = Projection(AGENTS, client_agent)
CLIENT_CREDENTIALS = Projection(CREDENTIALS, client_credential)


class ClientLookup:
    """Reads one client from the API server."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def __call__(self, client_id: str) -> ClientIndex:
        """The API server's state of this client. Raises ApiError: TooLarge where it has more than `MAX_BYTES`."""
        clients = ClientIndex()
        agents, credentials = await asyncio.gather(
            self._objects(CLIENT_AGENTS, f"status.agentId={client_id}"),
            self._objects(CLIENT_CREDENTIALS, f"status.clientId={client_id}"),
        )
        for agent in agents:
            clients.agents.put(agent)
        for credential in credentials:
            clients.credentials.put(credential)
        await self._add_organization(clients, client_id)
        return clients

    async def _objects(self, source: Source[ItemT], selector: str) -> list[ItemT]:
        return await list_all(self._client, source, selector={"fieldSelector": selector}, max_bytes=MAX_BYTES)

    async def _add_organization(self, clients: ClientIndex, client_id: str) -> None:
        """Add the agent's organization. Without one, an organization named like the client's id is read, and means nothing."""
        agent = clients.agent(client_id)
        name = (agent.organization_id if agent else None) or client_id
        organization = await self._client.find(ORGANIZATIONS, "", name)
        if organization:
            clients.organizations.put(client_organization(organization))


class _ServiceAccount(Struct, frozen=True):
    metadata: ServiceAccountIdentity


_decode_service_account = Decoder(_ServiceAccount).decode


class ServiceAccountLookup:
    """Reads one ServiceAccount from the API server."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def __call__(self, workload: Workload) -> ServiceAccountIdentity | None:
        """The ServiceAccount that has this name now; None where there is none. Raises ApiError.

        One with more than `MAX_BYTES` counts as none. Were it an error, what was read of its predecessor would serve on.
        """
        path = SERVICE_ACCOUNTS.path(workload.namespace, workload.service_account)
        try:
            body = await self._client.request("GET", path, max_bytes=MAX_BYTES)
        except (NotFound, TooLarge):
            return None
        return (await decoded_at_any_depth(_decode_service_account, body)).metadata

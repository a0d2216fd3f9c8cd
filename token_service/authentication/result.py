"""The result of client authentication: the client, with everything by which its tokens are granted."""

from msgspec import Struct

from agentidp.domain.identity.clients import ClientAgent, ClientCredential, ClientHash, ClientOrganization


class AuthenticatedClient(Struct, frozen=True, gc=False):
    """The client is this agent, by the token of one of its workloads or by a secret."""

    agent: ClientAgent
    organization: ClientOrganization | None
    until: float
    """When the client has to authenticate anew even if nothing changes, in seconds since the epoch."""

    @property
    def credential_id(self) -> str | None:
        """The id of the credential that accepted the secret; None for a workload."""
        return None


class ClientBySecret(AuthenticatedClient, frozen=True, gc=False):
    """The client is this agent by a secret of this credential, which `hash` has accepted."""

    credential: ClientCredential
    hash: ClientHash

    @property
    def credential_id(self) -> str:
        """The id of the credential."""
        return self.credential.credential_id

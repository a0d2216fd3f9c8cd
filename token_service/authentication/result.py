"""What judging a client comes to: who it is, why it is refused, or why that cannot be said now."""

from msgspec import Struct

from agentidp.domain.identity.clients import ClientAgent, ClientCredential, ClientHash, ClientOrganization
from agentidp.domain.tokens.oauth_errors import OAuthError
from token_service.authentication.failure import FailureReason


class AuthenticatedClient(Struct, frozen=True, gc=False):
    """The client is this agent, as one of its workloads has shown, or by a secret."""

    agent: ClientAgent
    organization: ClientOrganization | None
    until: float
    """When it has to be judged anew, even if nothing changes; in seconds since the epoch."""

    @property
    def credential_id(self) -> str | None:
        """Of the credential that accepted its secret; a workload has none."""
        return None


class ClientBySecret(AuthenticatedClient, frozen=True, gc=False):
    """The client is this agent by a secret of this credential, whose `hash` has accepted it."""

    credential: ClientCredential
    hash: ClientHash

    @property
    def credential_id(self) -> str:
        """Of the credential."""
        return self.credential.credential_id


AuthenticationResult = AuthenticatedClient | FailureReason | OAuthError
"""The client; or why it is refused, for the log; or why it cannot be judged now, for the caller."""

"""All that this service knows: reflectors feed it, and every answer comes from it."""

from agentidp.cache.revocations import RevocationIndex, RevokedToken
from agentidp.cache.store import IndexedStore
from token_service.cluster.clients import ClientIndex
from token_service.cluster.signing_keys import SigningKeys


class ClusterCache:
    """Clients, signing keys and revoked tokens."""

    def __init__(self) -> None:
        self.clients = ClientIndex()
        self.keys = SigningKeys()
        self.revocations: IndexedStore[RevokedToken, RevocationIndex] = IndexedStore(RevocationIndex())

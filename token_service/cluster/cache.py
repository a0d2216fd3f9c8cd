"""All that this service knows: reflectors feed it, and every answer comes from it."""

from agentidp.cache.revocations import RevocationTable, RevokedToken
from agentidp.cache.store import Feed
from token_service.cluster.clients import ClientIndex
from token_service.cluster.signing_keys import KeyRing


class Known:
    """Clients, signing keys and revoked tokens."""

    def __init__(self) -> None:
        self.clients = ClientIndex()
        self.keys = KeyRing()
        self.revocations: Feed[RevokedToken, RevocationTable] = Feed(RevocationTable())

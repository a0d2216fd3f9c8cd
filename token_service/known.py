"""All that this service knows: reflectors feed it, and every answer comes from it."""

from agentidp.index.feed import Feed
from agentidp.index.revocations import RevocationTable, RevokedToken
from token_service.index.clients import ClientIndex
from token_service.keys import KeyRing


class Known:
    """Clients, signing keys and revoked tokens."""

    def __init__(self) -> None:
        self.clients = ClientIndex()
        self.keys = KeyRing()
        self.revocations: Feed[RevokedToken, RevocationTable] = Feed(RevocationTable())

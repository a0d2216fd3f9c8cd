"""Requests that were served before, by a keyed digest of all that they say: agents send the same bytes again and again.

What was decided then stands for as long as it would be decided again: while the index holds the very same agent, credential
and organization, and until what was shown ends. Then nothing has to be parsed, looked for or compared.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from token_service.authentication.result import AuthenticatedClient, ClientBySecret
from token_service.cluster.clients import ClientIndex
from token_service.http.request import RawRequest
from token_service.issuance.grant import PreparedGrant

MOST_BYTES = 64 * 1024 * 1024
BYTES_OF_OBJECTS = 2560
"""Of an entry's objects, an agent and a credential with its names and hashes among them; more than they take."""
BYTES_OF_TEXT = 128
"""What a text takes beside its characters, where it is interned and in a tuple."""


class CachedRequest(Struct, frozen=True, gc=False):
    """Who was served, and with what; `proof` is the half of the digest that is compared."""

    proof: bytes
    client: AuthenticatedClient
    offer: PreparedGrant

    @property
    def size(self) -> int:
        """How many bytes it may keep from being freed: the index may have another agent and credential by now.

        Not another organization each time: a tenant changes nothing of what is kept of one.
        """
        agent = self.client.agent
        texts = (self.offer.draft.payload, self.offer.rest, *agent.scopes, *agent.audiences, *agent.workloads)
        return BYTES_OF_OBJECTS + BYTES_OF_TEXT * len(texts) + sum(map(len, texts))


class RequestCache:
    """A cache bounded in bytes; the oldest go first. The key is made when the process starts and never leaves it."""

    def __init__(self, index: ClientIndex, clock: Callable[[], float] = time.time) -> None:
        self._index = index
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._served: dict[bytes, CachedRequest] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._served)

    def digest(self, sent: RawRequest) -> bytes:
        """HMAC-SHA256 of a request. No header holds a line break, so nothing else has the same."""
        said = sent.body if sent.authorization is None else sent.authorization + b"\n" + sent.body
        return hmac.digest(self._key, said, "sha256")

    def find(self, digest: bytes) -> CachedRequest | None:
        """How the same request was served, if that still stands."""
        served = self._served.get(digest[:16])
        if served is None or not hmac.compare_digest(served.proof, digest[16:]):
            return None
        if self._stands(served.client) and self._clock() < served.client.until:
            return served
        self._forget(digest[:16])
        return None

    def add(self, sent: RawRequest, client: AuthenticatedClient, offer: PreparedGrant) -> None:
        """The request was served. One with a secret that is being retired is looked at each time: its use has to be noted."""
        now, valid_after = self._clock(), client.agent.tokens_valid_after
        retiring = isinstance(client, ClientBySecret) and client.hash.not_after is not None
        if retiring or (valid_after is not None and valid_after > now) or not self._stands(client):
            return
        digest = self.digest(sent)
        self._forget(digest[:16])
        served = self._served[digest[:16]] = CachedRequest(digest[16:], client, offer)
        self._bytes += served.size
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._served)))

    def _forget(self, key: bytes) -> None:
        served = self._served.pop(key, None)
        self._bytes -= served.size if served else 0

    def _stands(self, client: AuthenticatedClient) -> bool:
        """All that decided about the client is as it was."""
        index, agent = self._index, client.agent
        return (
            index.agent(agent.agent_id) is agent
            and index.organization(agent) is client.organization
            and (
                not isinstance(client, ClientBySecret)
                or index.credential(agent, client.credential.credential_id) is client.credential
            )
        )

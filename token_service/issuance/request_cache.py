"""Request cache: HMAC of (Authorization header, body) → authenticated client and prepared grant.

Agents send the same bytes again and again. A hit skips parsing, authentication and scope evaluation. An entry is valid while
the cluster cache holds the identical agent, credential and organization, and until the client has to authenticate anew. Only
granted requests are added. Requests with a secret hash that is being retired stay out, and so do those before a future
`tokensValidAfter`. Bounded to `request_cache_bytes`; the oldest entry goes first. Digests are keyed with a key that never
leaves the process.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from msgspec import Struct

from agentidp.runtime.bounded_cache import BoundedCache
from token_service.authentication.result import AuthenticatedClient, ClientBySecret
from token_service.cluster.cache import ClientIndex
from token_service.http.request import RawRequest
from token_service.issuance.grant import PreparedGrant
from token_service.limits import LIMITS, Limits

BYTES_OF_OBJECTS = 2560
"""Upper bound of an entry's objects, an agent and a credential with its names and hashes among them."""
BYTES_OF_TEXT = 128
"""What a text takes beside its characters, where it is interned and in a tuple."""


class CachedRequest(Struct, frozen=True, gc=False):
    """The client and its grant; `proof` is the half of the digest that is compared."""

    proof: bytes
    client: AuthenticatedClient
    grant: PreparedGrant

    @property
    def size(self) -> int:
        """Bytes that the entry may keep in memory: the cluster cache may have replaced the agent and the credential.

        Organizations do not count: a tenant cannot change what is kept of one.
        """
        agent = self.client.agent
        texts = (self.grant.claims.payload, self.grant.response_end, *agent.scopes, *agent.audiences, *agent.workloads)
        return BYTES_OF_OBJECTS + BYTES_OF_TEXT * len(texts) + sum(map(len, texts))


class RequestCache:
    """Entries by half of their digest; the other half is compared in constant time."""

    def __init__(self, clients: ClientIndex, limits: Limits = LIMITS, clock: Callable[[], float] = time.time) -> None:
        self._clients = clients
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._entries: BoundedCache[bytes, CachedRequest] = BoundedCache(limits.request_cache_bytes, lambda entry: entry.size)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, request: RawRequest) -> CachedRequest | None:
        """The valid entry of a request, if there is one."""
        digest = self._digest(request)
        entry = self._entries.get(digest[:16])
        if entry is None or not hmac.compare_digest(entry.proof, digest[16:]):
            return None
        if self._is_unchanged(entry.client) and self._clock() < entry.client.until:
            return entry
        self._entries.discard(digest[:16])
        return None

    def add(self, request: RawRequest, client: AuthenticatedClient, grant: PreparedGrant) -> None:
        """Keep the result of a request, unless it has to be decided anew each time."""
        now, valid_after = self._clock(), client.agent.tokens_valid_after
        is_retiring = isinstance(client, ClientBySecret) and client.hash.not_after is not None
        if is_retiring or (valid_after is not None and valid_after > now) or not self._is_unchanged(client):
            return
        digest = self._digest(request)
        self._entries.put(digest[:16], CachedRequest(digest[16:], client, grant))

    def _digest(self, request: RawRequest) -> bytes:
        """HMAC-SHA256 of what is told apart of a request."""
        return hmac.digest(self._key, request_text(request), "sha256")

    def _is_unchanged(self, client: AuthenticatedClient) -> bool:
        """Whether the cluster cache holds the very objects by which the client was authenticated."""
        clients, agent = self._clients, client.agent
        return (
            clients.agent(agent.agent_id) is agent
            and clients.organization(agent) is client.organization
            and (
                not isinstance(client, ClientBySecret)
                or clients.credential(agent, client.credential.credential_id) is client.credential
            )
        )


def request_text(request: RawRequest) -> bytes:
    """Return a text of header and body that no other pair of them has.

    A header value holds neither CR nor LF (RFC 9110, section 5.5). So a text that begins with CR has no header, and the first
    LF of any other text ends its header.
    """
    body, authorization = request.body, request.authorization
    return b"\r" + body if authorization is None else authorization + b"\n" + body

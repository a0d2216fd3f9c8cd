"""Read who signs the cluster's ServiceAccount tokens, from the API server itself: its discovery document and its JWK Set.

The API server's own paths are used, whatever `jwks_uri` the document names: that may be an address for others.
"""

import asyncio

import msgspec

from agentidp.domain.tokens.client_assertions import TokenIssuer, token_issuer
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Unreachable

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"


class IssuerDiscovery:
    """Reads from one cluster."""

    def __init__(self, cluster: KubeClient) -> None:
        self._cluster = cluster

    async def __call__(self) -> TokenIssuer:
        """The issuer and its keys as they are now. Raises ApiError."""
        discovery, keys = await asyncio.gather(*(self._cluster.request("GET", path) for path in (DISCOVERY, KEYS)))
        try:
            return token_issuer(discovery, keys)
        except msgspec.DecodeError as trouble:
            raise Unreachable(f"{DISCOVERY} or {KEYS} is not what it should be: {trouble}") from trouble

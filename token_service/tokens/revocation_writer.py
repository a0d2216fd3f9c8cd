"""Writes TokenRevocations: what one replica revokes, all of them learn from the API server."""

from datetime import UTC, datetime

from agentidp.domain.resources import ObjectMeta, TokenRevocation, TokenRevocationSpec
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import TOKEN_REVOCATIONS


class RevocationWriter:
    """In the token service's namespace."""

    def __init__(self, cluster: KubeClient, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    async def __call__(self, read: AccessToken, namespace: str) -> None:
        """Record that this token of an agent in `namespace` is revoked, unless it is recorded already. Raises ApiError."""
        spec = TokenRevocationSpec(
            expires_at=datetime.fromtimestamp(read.expires, UTC),
            client_id=read.client_id,
            namespace=namespace or None,
            revoked_at=datetime.now(UTC),
        )
        meta = ObjectMeta(name=read.jti, namespace=self._namespace)
        try:
            await self._cluster.create(TOKEN_REVOCATIONS, TokenRevocation(metadata=meta, spec=spec))
        except Conflict:
            return

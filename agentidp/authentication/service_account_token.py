"""Token of the program's own ServiceAccount, for requests to other programs of the cluster (the TokenRequest API).

Flows in: an audience. Flows out: a token that is good for some minutes at least, requested anew after 80 % of its life. The API
server itself does not accept it, because it has another audience.
"""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from agentidp.authentication.reviews import SERVICE_ACCOUNT, review_self
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Forbidden

LIFETIME_SECONDS = 3600
USED_PART = 0.8
"""The part of its life for which a token is used: clocks differ, and a request takes its time."""


class _RequestStatus(msgspec.Struct, frozen=True, rename="camel"):
    token: str
    expiration_timestamp: datetime


class _Request(msgspec.Struct, frozen=True):
    status: _RequestStatus


class ServiceAccountToken:
    """The token of the program for one audience."""

    def __init__(self, cluster: KubeClient, audience: str, clock: Callable[[], float] = time.time) -> None:
        self._cluster = cluster
        self._audience = audience
        self._clock = clock
        self._token = ""
        self._until = 0.0

    async def __call__(self) -> str:
        """The token, requested anew where it ends soon. Raises ApiError."""
        if self._clock() >= self._until:
            requested_at = self._clock()
            response = await self._request(await self._path())
            self._token = response.token
            self._until = requested_at + USED_PART * (response.expiration_timestamp.timestamp() - requested_at)
        return self._token

    async def _request(self, path: str) -> _RequestStatus:
        spec = {"audiences": [self._audience], "expirationSeconds": LIFETIME_SECONDS}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return msgspec.json.decode(await self._cluster.request("POST", path, body=body), type=_Request).status

    async def _path(self) -> str:
        """The path for tokens of the own ServiceAccount, by a SelfSubjectReview. Raises Forbidden for another identity."""
        user = await review_self(self._cluster)
        if user.namespace is None:
            raise Forbidden(
                403, "Forbidden", f"{user.username} is not a ServiceAccount, so it gets no token for {self._audience}"
            )
        namespace, _, name = user.username.removeprefix(SERVICE_ACCOUNT).partition(":")
        return f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"

"""Token of the program's own ServiceAccount: for whom it is requested, and how long it is used."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from agentidp.authentication.reviews import SELF_REVIEWS
from agentidp.authentication.service_account_token import ServiceAccountToken
from agentidp.domain.resources.meta import rfc3339
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Forbidden
from tests.support.clocks import ManualClock

LIFETIME = 600


class ApiServer:
    """Issues tokens to one user, numbered."""

    def __init__(self, username: str, clock: ManualClock) -> None:
        self._username = username
        self._clock = clock
        self.requests: list[tuple[str, Any]] = []

    async def request(self, _method: str, path: str, *, body: Mapping[str, Any]) -> bytes:
        """A review of itself, or a token."""
        if path == SELF_REVIEWS:
            return msgspec.json.encode({"status": {"userInfo": {"username": self._username}}})
        self.requests.append((path, body["spec"]))
        expires = rfc3339(datetime.fromtimestamp(self._clock.now + LIFETIME, UTC))
        return msgspec.json.encode({"status": {"token": f"token {len(self.requests)}", "expirationTimestamp": expires}})


async def test_service_account_token_is_requested_again_after_most_of_its_life() -> None:
    """Not before: the API server has better things to do."""
    clock = ManualClock()
    server = ApiServer("system:serviceaccount:talent:api", clock)
    token = ServiceAccountToken(cast("KubeClient", server), "audience", clock)
    assert [await token(), await token()] == ["token 1", "token 1"]
    clock.now += 0.8 * LIFETIME - 1
    assert await token() == "token 1"
    clock.now += 1
    assert await token() == "token 2"
    path, spec = server.requests[0]
    assert path == "/api/v1/namespaces/talent/serviceaccounts/api/token"
    assert spec["audiences"] == ["audience"]


async def test_service_account_token_is_for_service_accounts_only() -> None:
    """Another user is told so."""
    clock = ManualClock()
    token = ServiceAccountToken(cast("KubeClient", ApiServer("jane", clock)), "audience", clock)
    with pytest.raises(Forbidden, match="jane is not a ServiceAccount"):
        await token()

"""Reviews by the API server: what is sent, and what an answer means."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from agentidp.authentication.reviews import (
    ACCESS_REVIEWS,
    SELF_REVIEWS,
    TOKEN_REVIEWS,
    UserInfo,
    review_access,
    review_self,
    review_token,
)
from agentidp.kube.client import KubeClient

JANE = {"username": "jane", "uid": "7", "groups": ["people"], "extra": {"scopes": ["read"]}}


class ApiServer:
    """Answers one review."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._status = status
        self.path = ""
        self.spec: Any = None

    async def request(self, _method: str, path: str, *, body: Mapping[str, Any]) -> bytes:
        """The object that was sent, with its status."""
        self.path, self.spec = path, body.get("spec")
        return msgspec.json.encode({**body, "status": self._status})

    @property
    def client(self) -> KubeClient:
        """In place of a client of it."""
        return cast("KubeClient", self)


@pytest.mark.parametrize(
    ("status", "user"),
    [
        ({"authenticated": True, "user": JANE}, UserInfo("jane", "7", ("people",), {"scopes": ("read",)})),
        ({"authenticated": False, "user": JANE}, None),
        ({"authenticated": True, "user": {}}, None),
        ({"error": "expired"}, None),
    ],
)
async def test_review_token_has_a_user_only_where_the_token_authenticates(status: Any, user: UserInfo | None) -> None:
    """`status.user` counts only with `status.authenticated` (authentication.k8s.io/v1 TokenReviewStatus)."""
    server = ApiServer(status)
    assert await review_token(server.client, "a token") == user
    assert (server.path, server.spec) == (TOKEN_REVIEWS, {"token": "a token"})


async def test_review_self_has_the_user_of_the_client() -> None:
    """Of a ServiceAccount, with its namespace."""
    server = ApiServer({"userInfo": {"username": "system:serviceaccount:talent:default"}})
    user = await review_self(server.client)
    assert (server.path, user.namespace) == (SELF_REVIEWS, "talent")
    assert UserInfo("jane").namespace is None


@pytest.mark.parametrize(
    ("status", "allowed"), [({"allowed": True}, True), ({"allowed": False, "denied": True}, False), ({}, False)]
)
async def test_review_access_is_allowed_only_where_the_answer_says_so(status: Any, allowed: bool) -> None:
    """All of the user goes with the question: webhooks may decide by groups or extras."""
    server = ApiServer(status)
    user = UserInfo("jane", "7", ("people",), {"scopes": ("read",)})
    assert await review_access(server.client, user, {"verb": "list", "resource": "agents"}) is allowed
    assert server.path == ACCESS_REVIEWS
    attributes = {"verb": "list", "resource": "agents"}
    assert server.spec == {
        "user": "jane",
        "uid": "7",
        "groups": ("people",),
        "extra": {"scopes": ("read",)},
        "resourceAttributes": attributes,
    }

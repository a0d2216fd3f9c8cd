"""Reviews by the API server: whose a token is, who the program is, and what a user may do.

These are TokenReview and SelfSubjectReview (`authentication.k8s.io/v1`) and SubjectAccessReview (`authorization.k8s.io/v1`).
Nothing is cached or limited here: callers know what they may keep, and for whom.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from agentidp.kube.client import KubeClient

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 a path
SELF_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SERVICE_ACCOUNT = "system:serviceaccount:"


class UserInfo(Struct, frozen=True):
    """`authentication.k8s.io/v1` UserInfo: the user of a request."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}

    @property
    def namespace(self) -> str | None:
        """The namespace of a ServiceAccount; None for any other user."""
        if not self.username.startswith(SERVICE_ACCOUNT):
            return None
        return self.username.removeprefix(SERVICE_ACCOUNT).partition(":")[0]


class _TokenStatus(Struct, frozen=True):
    authenticated: bool = False
    user: UserInfo = UserInfo()


class _TokenReview(Struct, frozen=True):
    status: _TokenStatus = _TokenStatus()


class _SelfStatus(Struct, frozen=True, rename="camel"):
    user_info: UserInfo = UserInfo()


class _SelfReview(Struct, frozen=True):
    status: _SelfStatus = _SelfStatus()


class _AccessStatus(Struct, frozen=True):
    allowed: bool = False


class _AccessReview(Struct, frozen=True):
    status: _AccessStatus = _AccessStatus()


async def review_token(kube: KubeClient, token: str) -> UserInfo | None:
    """The user of a token; None where the API server does not accept it. Raises ApiError."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status = msgspec.json.decode(await kube.request("POST", TOKEN_REVIEWS, body=body), type=_TokenReview).status
    return status.user if status.authenticated and status.user.username else None


async def review_self(kube: KubeClient) -> UserInfo:
    """The user as whom the client sends its requests. Raises ApiError."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return msgspec.json.decode(await kube.request("POST", SELF_REVIEWS, body=body), type=_SelfReview).status.user_info


async def review_access(kube: KubeClient, user: UserInfo, attributes: Mapping[str, str]) -> bool:
    """Whether the user may do what the resource attributes (group, resource, verb …) describe. Raises ApiError."""
    spec: dict[str, Any] = {"user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": spec | {"resourceAttributes": attributes},
    }
    return msgspec.json.decode(await kube.request("POST", ACCESS_REVIEWS, body=body), type=_AccessReview).status.allowed

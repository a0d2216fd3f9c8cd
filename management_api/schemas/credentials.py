"""Credentials as JSON. A secret is in `CredentialWithSecret` alone."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from management_api.cache.agents import CachedAgent
from management_api.cache.credentials import CachedCredential, Status
from management_api.schemas.base import UNSET, RequestModel, ResponseModel, format_timestamp, future_timestamp, request_config

_TIME = {"type": "string", "format": "date-time"}
_EXAMPLE: dict[str, Any] = {
    "credentialId": "0f3b6c2e-5d0a-4f57-9a41-1f1f9d6c2b11",
    "clientId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "status": "active",
    "createdAt": "2026-03-01T12:00:00.000Z",
    "expiresAt": "2027-03-01T12:00:00.000Z",
    "revokedAt": None,
}


def _response_config(**example: Any) -> ConfigDict:
    return ConfigDict(alias_generator=to_camel, populate_by_name=True, json_schema_extra={"example": _EXAMPLE | example})


def _in_the_future(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("it should be a time, as a string")  # noqa: TRY004 pydantic asks for a ValueError
    return future_timestamp(value)


Future = Annotated[datetime | None, BeforeValidator(_in_the_future), WithJsonSchema(_TIME)]


class CredentialRequest(RequestModel):
    """The optional expiry of a new secret."""

    model_config = request_config({"expiresAt": "2099-01-31T12:00:00Z"})

    expires_at: Future = Field(default=UNSET, description="When it stops working; in the future.")


class RotationRequest(CredentialRequest):
    """The options of one rotation."""

    end_overlaps: bool = Field(
        default=False,
        description="Ends every overlap: no earlier secret is accepted any more. For a secret that leaked.",
    )


class Credential(ResponseModel):
    """A credential, without its secret. An expired one is listed as active, with its past `expiresAt`."""

    model_config = _response_config()

    credential_id: str
    client_id: str = Field(description="The agent's id.")
    status: Status
    created_at: Annotated[str, WithJsonSchema(_TIME)]
    expires_at: Annotated[str | None, WithJsonSchema({"anyOf": [_TIME, {"type": "null"}]})]
    revoked_at: Annotated[str | None, WithJsonSchema({"anyOf": [_TIME, {"type": "null"}]})]


class CredentialWithSecret(Credential):
    """A credential and its secret, which no other answer has."""

    model_config = _response_config(clientSecret="sk_live_" + "0123456789abcdef" * 2)

    client_secret: str = Field(repr=False, pattern="^sk_live_[0-9a-f]{32}$")


class SecretRef(ResponseModel):
    """Where a secret was delivered."""

    namespace: str
    name: str


class CredentialInSecret(Credential):
    """A credential whose secret is in a Secret of the cluster, which this API cannot read."""

    model_config = _response_config(secretRef={"namespace": "agents-demo", "name": "screener-credentials"})

    secret_ref: SecretRef


class CredentialPage(ResponseModel):
    """Some of an agent's credentials, newest first."""

    data: list[Credential]
    total: int
    page: int
    limit: int


def credential_fields(credential: CachedCredential, agent: CachedAgent) -> dict[str, Any]:
    """Return what every answer says of a credential. The credentials of a decommissioned agent are revoked with it."""
    revoked = credential.revoked or (agent.updated if agent.is_decommissioned else None)
    return {
        "credential_id": credential.credential_id,
        "client_id": agent.agent_id,
        "status": Status.REVOKED if agent.is_decommissioned else credential.status,
        "created_at": format_timestamp(credential.created),
        "expires_at": format_timestamp(credential.expires) if credential.expires else None,
        "revoked_at": format_timestamp(revoked) if revoked else None,
    }

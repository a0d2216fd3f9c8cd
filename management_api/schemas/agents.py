"""Agents as JSON. The bounds of the fields are those of the custom resource: `test_schemas` compares the two."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from agentidp.domain.resources import AgentState
from agentidp.domain.resources.agent import AgentType, DeploymentEnvironment
from management_api.cache.agents import CachedAgent
from management_api.schemas.base import (
    UNSET,
    RequestModel,
    ResponseModel,
    format_timestamp,
    lower,
    one_of,
    request_config,
    schema_of,
)

EMAIL = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"
)
SEMVER = (
    r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$"
)
CAPABILITY = r"^[a-z0-9][a-z0-9._-]*:([a-z0-9][a-z0-9._-]*|\*)$"
OWNER = r"^[^\x00-\x20\x7F]([^\x00-\x1F\x7F]*[^\x00-\x20\x7F])?$"
ORGANIZATION = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
FORMS = {
    "email": "It should be one address without a display name, for example screener@agents.example.",
    "version": "It should be three numbers with dots (semver.org), for example 1.4.0 or 2.0.0-rc.1; no leading v.",
    "capabilities": "It should be resource:action in lower case, for example resume:read or email:*.",
    "owner": "It should be one line of text without spaces around it, for example talent-platform.",
    "organizationId": "It should be the name of an Organization: lower-case letters, digits and -, for example acme.",
    "namespace": "It should be the name of a namespace: lower-case letters, digits and -, for example agents-demo.",
}
"""What a text should be, by the field whose regular expression it does not match."""


class SettableState(StrEnum):
    """The states that an update may set; decommissioning is DELETE."""

    ACTIVE = AgentState.ACTIVE.value
    SUSPENDED = AgentState.SUSPENDED.value


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("each of them should be there once")
    return values


Email = Annotated[str, Field(max_length=254, pattern=EMAIL)]
Kind = Annotated[str, AfterValidator(one_of(AgentType)), WithJsonSchema(schema_of(AgentType))]
Version = Annotated[str, Field(max_length=64, pattern=SEMVER)]
Capability = Annotated[str, Field(max_length=128, pattern=CAPABILITY)]
Capabilities = Annotated[
    list[Capability],
    AfterValidator(_distinct),
    Field(min_length=1, max_length=64, json_schema_extra={"uniqueItems": True}),
]
OwnerName = Annotated[str, Field(max_length=128, pattern=OWNER)]
Environment = Annotated[str, AfterValidator(one_of(DeploymentEnvironment)), WithJsonSchema(schema_of(DeploymentEnvironment))]
State = Annotated[str, AfterValidator(one_of(AgentState)), WithJsonSchema(schema_of(AgentState))]
Settable = Annotated[str, AfterValidator(one_of(SettableState)), WithJsonSchema(schema_of(SettableState))]
OrganizationId = Annotated[str, Field(max_length=63, pattern=ORGANIZATION)]

_FACTS: dict[str, Any] = {
    "email": "screener@agents.example",
    "agentType": "screener",
    "version": "1.4.0",
    "capabilities": ["resume:read", "candidate:score"],
    "owner": "talent-platform",
    "deploymentEnv": "production",
}
_EXAMPLE = _FACTS | {
    "agentId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "organizationId": "acme",
    "status": "active",
    "createdAt": "2026-03-01T12:00:00.000Z",
    "updatedAt": "2026-03-01T12:00:00.000Z",
}
_RESOURCE_NAMES = {"agent_type": "type", "deployment_env": "deploymentEnv", "status": "state"}


class AgentRequest(RequestModel):
    """A new agent. It has no scopes and no audiences until a writer of the resource gives it some."""

    model_config = request_config(_FACTS)

    email: Email
    agent_type: Kind
    version: Version
    capabilities: Capabilities
    owner: OwnerName
    deployment_env: Environment
    organization_id: OrganizationId = UNSET


class AgentUpdate(RequestModel):
    """What changes of an agent; what is left out stays. Its id and its organization never change."""

    model_config = request_config({"version": "1.5.0"})

    email: Email = UNSET
    agent_type: Kind = UNSET
    version: Version = UNSET
    capabilities: Capabilities = UNSET
    owner: OwnerName = UNSET
    deployment_env: Environment = UNSET
    status: Settable = UNSET


class Agent(ResponseModel):
    """An agent: a machine identity."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, json_schema_extra={"example": _EXAMPLE})

    agent_id: str
    email: str
    agent_type: Annotated[str, WithJsonSchema(schema_of(AgentType))]
    version: str
    capabilities: list[str]
    owner: str
    deployment_env: Annotated[str, WithJsonSchema(schema_of(DeploymentEnvironment))]
    organization_id: str | None
    status: Annotated[str, WithJsonSchema(schema_of(AgentState))]
    created_at: Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
    updated_at: Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class AgentPage(ResponseModel):
    """Some of the agents, newest first."""

    data: list[Agent]
    total: int
    page: int
    limit: int


def spec_fields(body: AgentRequest | AgentUpdate) -> dict[str, Any]:
    """Return the fields that the request sets, by the names of the resource."""
    fields = body.model_dump(exclude_unset=True)
    return {_RESOURCE_NAMES.get(name, name): value for name, value in fields.items() if name != "organization_id"}


def agent_response(agent: CachedAgent) -> Agent:
    """Return the agent as JSON."""
    spec = agent.spec
    return Agent(
        agent_id=agent.agent_id,
        email=spec.email,
        agent_type=lower(spec.type),
        version=spec.version,
        capabilities=list(spec.capabilities),
        owner=spec.owner,
        deployment_env=lower(spec.deployment_env),
        organization_id=spec.organization_id,
        status=lower(spec.state),
        created_at=format_timestamp(agent.created),
        updated_at=format_timestamp(agent.updated),
    )

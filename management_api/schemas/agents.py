"""Agents as JSON. The bounds are those of the custom resource; a test compares them."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from agentidp.domain.resources import AgentState
from agentidp.domain.resources.agent import AgentType, DeploymentEnvironment
from management_api.cache.agents import CachedAgent
from management_api.http.timestamps import shown
from management_api.schemas.base import UNSAID, RequestModel, ResponseModel, lower, one_of, schema_of, taken

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


class ChosenState(StrEnum):
    """What an update may set; decommissioning has a call of its own."""

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
Settable = Annotated[str, AfterValidator(one_of(ChosenState)), WithJsonSchema(schema_of(ChosenState))]
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
    """A new agent. It has no scopes and no audiences; who may write the resource gives it some."""

    model_config = taken(_FACTS)

    email: Email
    agent_type: Kind
    version: Version
    capabilities: Capabilities
    owner: OwnerName
    deployment_env: Environment
    organization_id: OrganizationId = UNSAID


class AgentUpdate(RequestModel):
    """What changes of an agent; what is left out stays. Its id and its organization never change."""

    model_config = taken({"version": "1.5.0"})

    email: Email = UNSAID
    agent_type: Kind = UNSAID
    version: Version = UNSAID
    capabilities: Capabilities = UNSAID
    owner: OwnerName = UNSAID
    deployment_env: Environment = UNSAID
    status: Settable = UNSAID


class Agent(ResponseModel):
    """A machine identity."""

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


def spec_of(taken: AgentRequest | AgentUpdate) -> dict[str, Any]:
    """What was said, as the resource has it."""
    said = taken.model_dump(exclude_unset=True)
    return {_RESOURCE_NAMES.get(name, name): value for name, value in said.items() if name != "organization_id"}


def agent_document(agent: CachedAgent) -> Agent:
    """An agent as JSON."""
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
        created_at=shown(agent.created),
        updated_at=shown(agent.updated),
    )

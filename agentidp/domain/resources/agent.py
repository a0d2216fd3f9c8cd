"""The kind Agent: a machine identity, and what its tokens may carry."""

from enum import StrEnum

from msgspec import field

from agentidp.domain.resources.meta import Condition, Object, Part, Time


class AgentType(StrEnum):
    """The task of the agent."""

    SCREENER = "Screener"
    CLASSIFIER = "Classifier"
    ORCHESTRATOR = "Orchestrator"
    EXTRACTOR = "Extractor"
    SUMMARIZER = "Summarizer"
    ROUTER = "Router"
    MONITOR = "Monitor"
    CUSTOM = "Custom"


class DeploymentEnvironment(StrEnum):
    """The environment that the agent runs in."""

    DEVELOPMENT = "Development"
    STAGING = "Staging"
    PRODUCTION = "Production"


class AgentState(StrEnum):
    """The state that its owner declares. Decommissioned is final."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    DECOMMISSIONED = "Decommissioned"


class AgentPhase(StrEnum):
    """The state of the agent in the operator's view."""

    PENDING = "Pending"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    DECOMMISSIONED = "Decommissioned"


class CredentialPolicy(StrEnum):
    """The ways in which the agent may authenticate."""

    SECRETS_ALLOWED = "SecretsAllowed"
    WORKLOAD_ONLY = "WorkloadOnly"


class Workload(Part, frozen=True, kw_only=True):
    """A ServiceAccount of the agent's namespace, which authenticates as the agent without a secret."""

    service_account_name: str


class AgentSpec(Part, frozen=True, kw_only=True):
    """The declared fields of an agent."""

    agent_id: str | None = None
    email: str
    type: AgentType
    version: str
    capabilities: tuple[str, ...]
    owner: str
    deployment_env: DeploymentEnvironment
    organization_id: str | None = None
    scopes: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    workloads: tuple[Workload, ...] = ()
    credential_policy: CredentialPolicy = CredentialPolicy.SECRETS_ALLOWED
    access_token_ttl_seconds: int = field(default=3600, name="accessTokenTTLSeconds")
    state: AgentState = AgentState.ACTIVE
    tokens_valid_after: Time | None = None


class CredentialCount(Part, frozen=True, kw_only=True, omit_defaults=False):
    """The number of credentials of an agent, and of those that work."""

    active: int = 0
    total: int = 0


class AgentStatus(Part, frozen=True, kw_only=True):
    """The fields that the operator writes; `agent_id` is given once."""

    agent_id: str | None = None
    organization_id: str | None = None
    phase: AgentPhase | None = None
    credentials: CredentialCount | None = None
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = -1


class Agent(Object, frozen=True, kw_only=True):
    """An Agent with spec and status."""

    spec: AgentSpec
    status: AgentStatus = AgentStatus()

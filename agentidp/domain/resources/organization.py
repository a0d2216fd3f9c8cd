"""The kind Organization: the namespaces that may claim its id, and the limits of their agents."""

from enum import StrEnum

from agentidp.domain.resources.meta import Condition, Object, Part


class OrganizationTier(StrEnum):
    """The plan of an organization."""

    FREE = "Free"
    STANDARD = "Standard"
    ENTERPRISE = "Enterprise"


class AdministratorScope(StrEnum):
    """The scopes that can reach agents of another namespace."""

    AGENTS_READ = "agents:read"
    AGENTS_WRITE = "agents:write"
    AUDIT_READ = "audit:read"
    TOKENS_READ = "tokens:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Administrator(Part, frozen=True, kw_only=True):
    """A namespace whose agents reach those of the organization's other namespaces, by these scopes."""

    namespace: str
    scopes: tuple[AdministratorScope, ...]


class OrganizationLimits(Part, frozen=True, kw_only=True):
    """The limits of an organization; an absent one is none."""

    agents: int | None = None
    credentials_per_agent: int | None = None
    tokens_per_day: int | None = None


class OrganizationSpec(Part, frozen=True, kw_only=True):
    """The declared fields of an organization. Without `allowed_scopes` its scopes are not restricted."""

    display_name: str | None = None
    namespaces: tuple[str, ...] = ()
    allowed_scopes: tuple[str, ...] | None = None
    administrators: tuple[Administrator, ...] = ()
    tier: OrganizationTier | None = None
    limits: OrganizationLimits = OrganizationLimits()


class OrganizationStatus(Part, frozen=True, kw_only=True):
    """The number of admitted agents, and the conditions."""

    agents: int = 0
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = -1


class Organization(Object, frozen=True, kw_only=True):
    """An Organization, whose name is its id."""

    spec: OrganizationSpec = OrganizationSpec()
    status: OrganizationStatus = OrganizationStatus()

"""The kind AgentCredential: client credentials (RFC 6749, section 2.3.1), whose hashes are in the status."""

from enum import StrEnum

from agentidp.domain.resources.meta import Condition, Object, Part, Time


class CredentialState(StrEnum):
    """The state that its owner declares. Revoked is final."""

    ACTIVE = "Active"
    REVOKED = "Revoked"


class CredentialPhase(StrEnum):
    """The state of the credential in the operator's view."""

    PENDING = "Pending"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    EXPIRED = "Expired"
    REVOKED = "Revoked"


class Retirement(StrEnum):
    """The rule by which an old secret ends."""

    AFTER_OVERLAP = "AfterOverlap"
    WHEN_UNUSED = "WhenUnused"


class AgentRef(Part, frozen=True, kw_only=True):
    """The agent in the credential's own namespace."""

    name: str


class Rotation(Part, frozen=True, kw_only=True):
    """The rotation of the secret. Durations are written like `720h` or `1h30m`."""

    every: str | None = None
    overlap: str | None = None
    retire: Retirement = Retirement.AFTER_OVERLAP
    max_overlap: str | None = None
    end_overlaps_at: Time | None = None
    requested_at: Time | None = None


class SecretKeys(Part, frozen=True, kw_only=True, omit_defaults=False):
    """The keys of the Secret's data."""

    client_id: str = "client_id"
    client_secret: str = "client_secret"  # noqa: S105 the name of a key, not a secret
    token_endpoint: str = "token_endpoint"  # noqa: S105 the name of a key, not a secret
    issuer: str = "issuer"


class SecretTemplate(Part, frozen=True, kw_only=True):
    """The Secret that the client credentials are delivered into."""

    name: str | None = None
    keys: SecretKeys = SecretKeys()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ProvidedHash(Part, frozen=True, kw_only=True):
    """A bcrypt hash that the secret's owner made: no plaintext ever reaches the cluster."""

    hash: str
    hint: str | None = None


class CredentialSpec(Part, frozen=True, kw_only=True):
    """The declared fields of a credential."""

    agent_ref: AgentRef
    expires_at: Time | None = None
    state: CredentialState = CredentialState.ACTIVE
    rotation: Rotation = Rotation()
    secret: SecretTemplate = SecretTemplate()
    secret_hash: ProvidedHash | None = None


class SecretHash(Part, frozen=True, kw_only=True):
    """A hash under which a secret is accepted, until `not_after` if there is one; `last_used_at` is known to some minutes."""

    hash: str
    hint: str | None = None
    created_at: Time
    not_after: Time | None = None
    last_used_at: Time | None = None


class Reissues(Part, frozen=True, kw_only=True):
    """The number of repairs since the current window began."""

    count: int
    since: Time


class Binding(Part, frozen=True, kw_only=True):
    """The Secret with the client credentials: a Service Binding "provisioned service" (`status.binding.name`)."""

    name: str


class CredentialStatus(Part, frozen=True, kw_only=True):
    """What the operator has made; `secret_hashes` are in the order in which they were made, at most five."""

    credential_id: str | None = None
    client_id: str | None = None
    phase: CredentialPhase | None = None
    secret_hashes: tuple[SecretHash, ...] = ()
    created_at: Time | None = None
    rotated_at: Time | None = None
    rotation_requested_at: Time | None = None
    next_rotation_at: Time | None = None
    expires_at: Time | None = None
    revoked_at: Time | None = None
    last_used_at: Time | None = None
    binding: Binding | None = None
    reissues: Reissues | None = None
    conditions: tuple[Condition, ...] = ()
    observed_generation: int = -1


class AgentCredential(Object, frozen=True, kw_only=True):
    """An AgentCredential with spec and status."""

    spec: CredentialSpec
    status: CredentialStatus = CredentialStatus()

    @property
    def secret_name(self) -> str:
        """The name of the Secret that the client credentials are delivered into."""
        return self.spec.secret.name or self.metadata.name

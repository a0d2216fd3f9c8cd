"""The kind PendingChange: a change of a credential that is not confirmed yet, and what it takes to roll it back."""

from enum import StrEnum

from agentidp.domain.resources.meta import Object, Part, Time


class Operation(StrEnum):
    """The operations that return a new secret."""

    GENERATE = "Generate"
    ROTATE = "Rotate"


class PendingState(StrEnum):
    """Whether the change may still be confirmed, or is being rolled back."""

    PENDING = "Pending"
    ROLLING_BACK = "RollingBack"


class CredentialRef(Part, frozen=True, kw_only=True):
    """A credential of any namespace; without a uid while it does not exist yet."""

    namespace: str
    name: str
    uid: str | None = None


class PreviousSecret(Part, frozen=True, kw_only=True):
    """The secret of a credential before its rotation."""

    hash: str
    hint: str | None = None
    expires_at: Time | None = None
    end_overlaps_at: Time | None = None


class PendingChangeSpec(Part, frozen=True, kw_only=True):
    """The operation and its request, the new hash, when all overlaps end (if so), and the secret before it."""

    credential: CredentialRef
    operation: Operation
    hash: str
    end_overlaps_at: Time | None = None
    previous: PreviousSecret | None = None
    request_id: str
    state: PendingState = PendingState.PENDING


class PendingChange(Object, frozen=True, kw_only=True):
    """A change that is not confirmed yet."""

    spec: PendingChangeSpec

"""The kind PendingChange: a change of a credential that is not confirmed yet, and what it takes to roll it back."""

from enum import StrEnum

from agentidp.domain.resources.meta import Object, Part, Time


class Operation(StrEnum):
    """Kinds of changes that have a secret which somebody has to be told."""

    GENERATE = "Generate"
    ROTATE = "Rotate"


class PendingState(StrEnum):
    """Whether the change may still be confirmed."""

    PENDING = "Pending"
    ROLLING_BACK = "RollingBack"


class CredentialRef(Part, frozen=True, kw_only=True):
    """A credential of any namespace; without a uid while it does not exist yet."""

    namespace: str
    name: str
    uid: str | None = None


class PreviousSecret(Part, frozen=True, kw_only=True):
    """What a rotated credential had before."""

    hash: str
    hint: str | None = None
    expires_at: Time | None = None


class PendingChangeSpec(Part, frozen=True, kw_only=True):
    """What was begun in which request, the hash that came by it, and what was there before it."""

    credential: CredentialRef
    operation: Operation
    hash: str
    previous: PreviousSecret | None = None
    request_id: str
    state: PendingState = PendingState.PENDING


class PendingChange(Object, frozen=True, kw_only=True):
    """A change that is under way."""

    spec: PendingChangeSpec

"""Input of a decision, and the steps that a decision can return."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from agentidp.domain.resources import Agent, AgentCredential, AgentState, CredentialSpec, CredentialStatus, SecretHash
from agentidp.domain.resources.conditions import is_registered
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import Uses
from agentidp.domain.secrets.secret_delivery import Delivery, SecretOwnership


class Input(Struct, frozen=True):
    """A credential, its agent, the Secret of its name, and a Secret of an earlier name that still holds the pair."""

    credential: AgentCredential
    agent: Agent | None
    delivery: Delivery
    earlier: Delivery | None = None
    crowded: bool = False
    """Whether other credentials of the agent take all of its places."""

    uses: Uses | None = None
    """The last use of each secret; None where uses are not known."""

    uses_lag: timedelta = timedelta()
    """The time after which a use is in `uses`."""

    @property
    def spec(self) -> CredentialSpec:
        """The spec of the credential."""
        return self.credential.spec

    @property
    def status(self) -> CredentialStatus:
        """The status of the credential."""
        return self.credential.status

    @property
    def generation(self) -> int:
        """The generation of the spec."""
        return self.credential.metadata.generation

    @property
    def spec_is_new(self) -> bool:
        """Whether the status is about an earlier spec."""
        return self.status.observed_generation != self.generation

    @property
    def agent_id(self) -> str | None:
        """The id of the agent, if the agent may use it."""
        return self.agent.status.agent_id if self.agent and is_registered(self.agent.status.conditions) else None

    @property
    def agent_state(self) -> AgentState | None:
        """The state that the spec of the agent declares."""
        return self.agent.spec.state if self.agent else None

    @property
    def tokens_valid_after(self) -> datetime | None:
        """The time before which the agent gets no token."""
        return self.agent.spec.tokens_valid_after if self.agent else None

    @property
    def held(self) -> SecretHash | None:
        """The hash without an end that accepts the value in the Secret."""
        return self.accepting(self.delivery)

    def accepting(self, delivery: Delivery) -> SecretHash | None:
        """Return the hash without an end that accepts the value in this Secret."""
        if delivery.holding is not SecretOwnership.OURS or not delivery.hint:
            return None
        return next((entry for entry in self.status.secret_hashes if entry.hint == delivery.hint and not entry.not_after), None)

    @property
    def issued_at(self) -> datetime | None:
        """The time when the secret in use was made, also before it is recorded."""
        timestamps = (self.status.created_at, self.status.rotated_at, self.held.created_at if self.held else None)
        return max((timestamp for timestamp in timestamps if timestamp), default=None)

    @property
    def ours(self) -> str | None:
        """The name of a Secret that is this credential's, while there is one."""
        return next((delivery.name for delivery in self._deliveries_of_ours), None)

    @property
    def removable(self) -> str | None:
        """The name of a Secret that is this credential's, and is not being deleted yet."""
        return next((delivery.name for delivery in self._deliveries_of_ours if not delivery.terminating), None)

    @property
    def _deliveries_of_ours(self) -> Iterator[Delivery]:
        deliveries = (self.delivery, self.earlier)
        return (delivery for delivery in deliveries if delivery and delivery.holding is SecretOwnership.OURS)


class EventNote(Struct, frozen=True):
    """An event beside those of the conditions."""

    reason: Reason
    note: str
    warning: bool = True


class WriteStatus(Struct, frozen=True):
    """Write this status, then record the event."""

    status: CredentialStatus
    story: EventNote | None = None


class IssueSecret(Struct, frozen=True):
    """Make a secret: publish its hash beside the hashes of `status`, then put the value into the Secret."""

    reason: Reason
    status: CredentialStatus


class RepairSecret(Struct, frozen=True):
    """Record `status`, then write the Secret as declared, keeping the value that `source` holds."""

    reason: Reason
    source: str
    status: CredentialStatus


class RemoveSecret(Struct, frozen=True):
    """Remove the credential's Secret of this name."""

    reason: Reason
    name: str


class Wait(Struct, frozen=True):
    """Do nothing; decide again at this time, or when something changes."""

    until: datetime | None = None


Step = WriteStatus | IssueSecret | RepairSecret | RemoveSecret | Wait

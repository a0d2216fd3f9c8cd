"""What a decision sees, and the steps that it can ask for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from agentidp.domain.resources import Agent, AgentCredential, AgentState, CredentialSpec, CredentialStatus, SecretHash
from agentidp.domain.resources.conditions import is_registered
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import Uses
from agentidp.domain.secrets.secret_delivery import Delivery, SecretOwnership


class Input(Struct, frozen=True):
    """A credential, its agent, the Secret of its name, and one of another name that holds the pair from before."""

    credential: AgentCredential
    agent: Agent | None
    delivery: Delivery
    earlier: Delivery | None = None
    crowded: bool = False
    """As many others of the agent's credentials as it may have come first."""

    uses: Uses | None = None
    """When its secrets were last used; None where nobody knows."""

    uses_lag: timedelta = timedelta()
    """How long a use may have happened before it is in `uses`."""

    @property
    def spec(self) -> CredentialSpec:
        """What is declared."""
        return self.credential.spec

    @property
    def status(self) -> CredentialStatus:
        """What was recorded."""
        return self.credential.status

    @property
    def generation(self) -> int:
        """Of the spec."""
        return self.credential.metadata.generation

    @property
    def spec_is_new(self) -> bool:
        """Nothing was recorded of this spec yet."""
        return self.status.observed_generation != self.generation

    @property
    def agent_id(self) -> str | None:
        """The id that the agent was given, if it may use it."""
        return self.agent.status.agent_id if self.agent and is_registered(self.agent.status.conditions) else None

    @property
    def agent_state(self) -> AgentState | None:
        """What its owner wants of the agent."""
        return self.agent.spec.state if self.agent else None

    @property
    def tokens_valid_after(self) -> datetime | None:
        """Before this time its agent gets no token."""
        return self.agent.spec.tokens_valid_after if self.agent else None

    @property
    def held(self) -> SecretHash | None:
        """The hash that accepts what the Secret holds, and goes on accepting it."""
        return self.accepting(self.delivery)

    def accepting(self, delivery: Delivery) -> SecretHash | None:
        """The hash that accepts what this Secret holds, and goes on accepting it."""
        if delivery.holding is not SecretOwnership.OURS or not delivery.hint:
            return None
        return next((one for one in self.status.secret_hashes if one.hint == delivery.hint and not one.not_after), None)

    @property
    def issued_at(self) -> datetime | None:
        """When the secret in use was made, also if that was not recorded yet."""
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
    """Something that people should be told, beside what the conditions say."""

    reason: Reason
    note: str
    warning: bool = True


class WriteStatus(Struct, frozen=True):
    """Record this."""

    status: CredentialStatus
    story: EventNote | None = None


class IssueSecret(Struct, frozen=True):
    """Make a secret: publish its hash beside `status`' hashes, then put the value into the Secret."""

    reason: Reason
    status: CredentialStatus


class RepairSecret(Struct, frozen=True):
    """Record `status`, then write the Secret as declared, keeping the value that `source` holds."""

    reason: Reason
    source: str
    status: CredentialStatus


class RemoveSecret(Struct, frozen=True):
    """Remove our Secret of this name."""

    reason: Reason
    name: str


class Wait(Struct, frozen=True):
    """Nothing to do; look again then, or when something changes."""

    until: datetime | None = None


Step = WriteStatus | IssueSecret | RepairSecret | RemoveSecret | Wait

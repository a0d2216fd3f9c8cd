"""Clients: the fields of agents, credentials and organizations that decide about tokens. Flat, so 100,000 take little memory.

They are made once from each version of a resource. Timestamps are seconds since the epoch, as in the claims of a token
(NumericDate).
"""

import re
import sys

from msgspec import Struct

from agentidp.domain.resources import (
    Administrator,
    Agent,
    AgentCredential,
    AgentPhase,
    AgentState,
    CredentialPolicy,
    CredentialState,
    Organization,
    Rotation,
    SecretHash,
    Time,
)
from agentidp.domain.resources.conditions import READY, condition, is_registered
from agentidp.domain.resources.reasons import Reason

_CLIENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BCRYPT = re.compile(r"\$2b\$1[0-4]\$[./A-Za-z0-9]{53}")


class ClientAgent(Struct, frozen=True, gc=False):
    """An agent: id, place, the content of its tokens, and the reason why it gets none, if there is one."""

    agent_id: str
    namespace: str
    name: str
    uid: str
    created: float
    refusal: Reason | None
    organization_id: str | None
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    token_lifetime: int
    tokens_valid_after: float | None
    workloads: tuple[str, ...] = ()
    """ServiceAccounts of its namespace that authenticate as it."""
    takes_secrets: bool = True

    @property
    def precedence(self) -> tuple[float, str]:
        """The order by which the older of two agents with one id has it: the lower value comes first."""
        return self.created, self.uid


class ClientHash(Struct, frozen=True, gc=False):
    """A hash under which a secret is accepted, until `not_after` if there is one."""

    hash: str
    hint: str | None
    not_after: float | None


class ClientCredential(Struct, frozen=True, gc=False):
    """A credential: its agent, its hashes, youngest first, and the reason why it is not accepted, if there is one."""

    credential_id: str
    namespace: str
    agent_name: str
    client_id: str | None
    refusal: Reason | None
    expires: float | None
    hashes: tuple[ClientHash, ...]


class ClientOrganization(Struct, frozen=True, gc=False):
    """An organization: the namespaces that it admits, and what their agents may have. Its status decides nothing."""

    organization_id: str
    uid: str
    namespaces: tuple[str, ...]
    allowed_scopes: tuple[str, ...] | None
    """None where its scopes are not restricted."""
    tokens_per_day: int | None
    administrators: tuple[Administrator, ...] = ()


class Client(Struct, frozen=True, gc=False):
    """Everything that decides about a client at one time."""

    agent: ClientAgent
    credentials: tuple[ClientCredential, ...] = ()
    organization: ClientOrganization | None = None


def is_client_id(text: str) -> bool:
    """Whether this may be the id of an agent: a UUID in lower case."""
    return _CLIENT_ID.fullmatch(text) is not None


def client_agent(agent: Agent) -> ClientAgent:
    """The client of an agent: the fields that decide."""
    meta, spec = agent.metadata, agent.spec
    return ClientAgent(
        agent_id=sys.intern(agent.status.agent_id or ""),
        namespace=sys.intern(meta.namespace),
        name=sys.intern(meta.name),
        uid=sys.intern(meta.uid),
        created=_seconds(meta.creation_timestamp) or 0.0,
        refusal=_agent_refusal(agent),
        organization_id=sys.intern(spec.organization_id) if spec.organization_id else None,
        scopes=tuple(map(sys.intern, spec.scopes)),
        audiences=tuple(map(sys.intern, spec.audiences)),
        token_lifetime=spec.access_token_ttl_seconds,
        tokens_valid_after=_seconds(spec.tokens_valid_after),
        workloads=tuple(sys.intern(one.service_account_name) for one in spec.workloads),
        takes_secrets=spec.credential_policy is not CredentialPolicy.WORKLOAD_ONLY,
    )


def client_credential(credential: AgentCredential) -> ClientCredential:
    """The credential of a client: the fields that decide."""
    meta, status = credential.metadata, credential.status
    return ClientCredential(
        credential_id=meta.uid,
        namespace=sys.intern(meta.namespace),
        agent_name=sys.intern(credential.spec.agent_ref.name),
        client_id=sys.intern(status.client_id) if status.client_id else None,
        refusal=_credential_refusal(credential),
        expires=_seconds(min(filter(None, (credential.spec.expires_at, status.expires_at)), default=None)),
        hashes=tuple(_client_hash(one, credential.spec.rotation) for one in _published_hashes(credential)),
    )


def accepted_until(one: SecretHash, rotation: Rotation) -> Time | None:
    """When a hash stops accepting: `notAfter`, or earlier where `spec.rotation.endOverlapsAt` ends all overlaps."""
    ends = rotation.end_overlaps_at
    if one.not_after is None or ends is None or one.created_at >= ends:
        return one.not_after
    return min(one.not_after, ends)


def client_organization(organization: Organization) -> ClientOrganization:
    """The organization of clients: the fields that decide."""
    meta, spec = organization.metadata, organization.spec
    return ClientOrganization(
        organization_id=sys.intern(meta.name),
        uid=sys.intern(meta.uid),
        namespaces=tuple(map(sys.intern, spec.namespaces)),
        allowed_scopes=None if spec.allowed_scopes is None else tuple(map(sys.intern, spec.allowed_scopes)),
        tokens_per_day=spec.limits.tokens_per_day,
        administrators=spec.administrators,
    )


def allowed_scopes(agent: ClientAgent, organization: ClientOrganization | None) -> tuple[str, ...]:
    """The scopes that the agent declares, without those that its Organization does not allow."""
    allowed = organization.allowed_scopes if organization else None
    return agent.scopes if allowed is None else tuple(scope for scope in agent.scopes if scope in allowed)


def _agent_refusal(agent: Agent) -> Reason | None:
    """Spec or status, whichever is stricter. Whether its Organization still admits it is decided where both are known."""
    status = agent.status
    if agent.spec.state is AgentState.DECOMMISSIONED or status.phase is AgentPhase.DECOMMISSIONED:
        return Reason.AGENT_DECOMMISSIONED
    if agent.spec.state is AgentState.SUSPENDED or status.phase is AgentPhase.SUSPENDED:
        return Reason.AGENT_SUSPENDED
    if agent.metadata.deletion_timestamp:
        return Reason.AGENT_DELETED
    if not status.agent_id or not is_registered(status.conditions):
        ready = condition(status.conditions, READY)
        known = {reason.value: reason for reason in Reason}
        return known.get(ready.reason, Reason.AGENT_NOT_READY) if ready else Reason.AGENT_NOT_READY
    return None if agent.spec.organization_id in {None, status.organization_id} else Reason.ORGANIZATION_NOT_ADMITTED


def _credential_refusal(credential: AgentCredential) -> Reason | None:
    """Spec or status, whichever is stricter. Whether it has expired is decided when it is used."""
    status = credential.status
    if credential.spec.state is CredentialState.REVOKED or status.revoked_at:
        return Reason.CREDENTIAL_REVOKED
    if credential.metadata.deletion_timestamp:
        return Reason.CREDENTIAL_DELETED
    if status.credential_id != credential.metadata.uid:
        return Reason.AGENT_REPLACED
    return None


def _published_hashes(credential: AgentCredential) -> list[SecretHash]:
    """The hashes that may accept. A provided hash without overlap is the only one as soon as it is in the spec."""
    hashes = [one for one in reversed(credential.status.secret_hashes) if _BCRYPT.fullmatch(one.hash)]
    provided = credential.spec.secret_hash
    if provided and not credential.spec.rotation.overlap:
        return [one for one in hashes if one.hash == provided.hash]
    return hashes


def _client_hash(one: SecretHash, rotation: Rotation) -> ClientHash:
    return ClientHash(one.hash, one.hint, _seconds(accepted_until(one, rotation)))


def _seconds(time: Time | None) -> float | None:
    return time.timestamp() if time else None

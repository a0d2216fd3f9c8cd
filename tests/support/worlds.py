"""Builders of the domain's values: valid without arguments, and told only what a test cares about.

Times are given relative to NOW. Secrets have fake hashes that look like bcrypt's, because hashing would take the suite's time.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from agentidp.domain.lifecycle import Input, Step, Wait, WriteStatus, decide
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentPhase,
    AgentRef,
    AgentSpec,
    AgentState,
    AgentStatus,
    Binding,
    Condition,
    ConditionStatus,
    CredentialPhase,
    CredentialPolicy,
    CredentialSpec,
    CredentialStatus,
    ObjectMeta,
    Organization,
    OrganizationSpec,
    ProvidedHash,
    Rotation,
    Secret,
    SecretHash,
    SecretTemplate,
    Workload,
)
from agentidp.domain.resources.agent import AgentType, DeploymentEnvironment
from agentidp.domain.resources.conditions import READY, SECRET_DELIVERED
from agentidp.domain.resources.meta import parse_duration
from agentidp.domain.resources.organization import OrganizationLimits
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets import client_secrets as secrets
from agentidp.domain.secrets.secret_delivery import Delivery, Endpoints, inspect, secret_for
from agentidp.kube.kinds import ObjectT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAMESPACE = "talent"
AGENT_ID = "1f0d2a3c-4b5e-4f60-8a7b-9c0d1e2f3a4b"
CREDENTIAL_ID = "2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9"
ENDPOINTS = Endpoints(token_endpoint="https://idp.example/api/v1/token", issuer="https://idp.example")


def a_uid(number: int) -> str:
    """A uid; the lower the number, the lower the uid."""
    return f"{number:08d}-0000-4000-8000-000000000000"


def a_value(number: int = 1) -> bytes:
    """A client secret."""
    return f"{secrets.PREFIX}{number:032x}".encode()


def a_fake_hash(value: bytes) -> str:
    """What stands for the bcrypt hash of a secret: as long, and as different."""
    return f"$2b$10${hashlib.sha256(value).hexdigest()[:53]}"


def a_hash(number: int = 1, *, made: timedelta = -HOUR, ends: timedelta | None = None, hint: bool = True) -> SecretHash:
    """The hash of `a_value(number)`."""
    return SecretHash(
        hash=a_fake_hash(a_value(number)),
        hint=secrets.hint_of(CREDENTIAL_ID, a_value(number)) if hint else None,
        created_at=NOW + made,
        not_after=None if ends is None else NOW + ends,
    )


def a_provided_hash(number: int = 1, *, hint: bool = True) -> ProvidedHash:
    """The same as its owner would declare it."""
    one = a_hash(number, hint=hint)
    return ProvidedHash(hash=one.hash, hint=one.hint)


def a_condition(kind: str, reason: Reason, *, holds: bool = True, generation: int = 1, message: str = "") -> Condition:
    """A condition that has been so for an hour."""
    return Condition(
        type=kind,
        status=ConditionStatus.TRUE if holds else ConditionStatus.FALSE,
        reason=reason.value,
        message=message,
        last_transition_time=NOW - HOUR,
        observed_generation=generation,
    )


def an_agent(
    name: str = "screener", *, namespace: str = NAMESPACE, uid: str = AGENT_ID, age: timedelta = DAY, **spec: Any
) -> Agent:
    """An agent as it was declared, with nothing in its status."""
    declared = AgentSpec(
        email="screener@agents.example",
        type=AgentType.SCREENER,
        version="1.4.0",
        capabilities=("resume:read",),
        owner="talent",
        deployment_env=DeploymentEnvironment.PRODUCTION,
    )
    meta = ObjectMeta(name=name, namespace=namespace, uid=uid, resource_version="1", generation=1, creation_timestamp=NOW - age)
    return Agent(metadata=meta, spec=replace(declared, **spec))


def a_registered_agent(
    agent_id: str = AGENT_ID, *, reason: Reason = Reason.REGISTERED, ready: bool | None = None, message: str = "", **agent: Any
) -> Agent:
    """An agent that has its id, and is ready where that is the reason; its organization has admitted it, unless it waits."""
    one = an_agent(**agent)
    holds = reason is Reason.REGISTERED if ready is None else ready
    admitted = reason in {Reason.REGISTERED, Reason.AGENT_SUSPENDED}
    phases = {Reason.AGENT_SUSPENDED: AgentPhase.SUSPENDED, Reason.AGENT_DECOMMISSIONED: AgentPhase.DECOMMISSIONED}
    status = AgentStatus(
        agent_id=agent_id,
        organization_id=one.spec.organization_id if admitted else None,
        phase=phases.get(reason, AgentPhase.ACTIVE if holds else AgentPhase.PENDING),
        conditions=(a_condition(READY, reason, holds=holds, message=message),),
        observed_generation=1,
    )
    return replace(one, status=status)


def a_suspended_agent() -> Agent:
    """An agent that gets no tokens for now."""
    return a_registered_agent(reason=Reason.AGENT_SUSPENDED, state=AgentState.SUSPENDED)


def a_workload_only_agent() -> Agent:
    """An agent of which no secret is accepted."""
    workloads = (Workload(service_account_name="screener"),)
    return a_registered_agent(workloads=workloads, credential_policy=CredentialPolicy.WORKLOAD_ONLY)


def a_decommissioned_agent() -> Agent:
    """An agent that gets no tokens any more."""
    return a_registered_agent(reason=Reason.AGENT_DECOMMISSIONED, state=AgentState.DECOMMISSIONED)


def an_organization(
    name: str = "acme", *, admits: tuple[str, ...] = (NAMESPACE,), limits: OrganizationLimits | None = None
) -> Organization:
    """An organization that admits these namespaces."""
    spec = OrganizationSpec(namespaces=admits, limits=limits or OrganizationLimits())
    return Organization(metadata=ObjectMeta(name=name), spec=spec)


def a_rotation(every: str | None = None, overlap: str | None = None, requested: timedelta | None = None) -> Rotation:
    """`spec.rotation`."""
    return Rotation(every=every, overlap=overlap, requested_at=None if requested is None else NOW + requested)


def a_credential(*, uid: str = CREDENTIAL_ID, generation: int = 1, **spec: Any) -> AgentCredential:
    """A credential as it was declared, with nothing in its status."""
    meta = ObjectMeta(
        name="screener-key",
        namespace=NAMESPACE,
        uid=uid,
        resource_version="1",
        generation=generation,
        creation_timestamp=NOW - DAY,
    )
    return AgentCredential(metadata=meta, spec=replace(CredentialSpec(agent_ref=AgentRef(name="screener")), **spec))


def an_issued_credential(*hashes: SecretHash, **spec: Any) -> AgentCredential:
    """A credential with `a_value(1)`, made an hour ago, or with these hashes, of which the first without end is in use."""
    one = a_credential(**spec)
    published = hashes or (a_hash(1),)
    made = next(one.created_at for one in published if not one.not_after)
    every = one.spec.rotation.every
    status = CredentialStatus(
        credential_id=one.metadata.uid,
        client_id=AGENT_ID,
        phase=CredentialPhase.ACTIVE,
        secret_hashes=published,
        created_at=made,
        next_rotation_at=made + parse_duration(every) if every else None,
        expires_at=one.spec.expires_at,
        binding=Binding(name=one.secret_name),
        conditions=(
            a_condition(READY, Reason.ISSUED, message="The credential works."),
            a_condition(SECRET_DELIVERED, Reason.SECRET_DELIVERED, message=f"Secret {one.secret_name!r} holds the pair."),
        ),
        observed_generation=one.metadata.generation,
    )
    return replace(one, status=status)


def respecified(credential: AgentCredential, **spec: Any) -> AgentCredential:
    """The same after a change of its spec."""
    meta = replace(credential.metadata, generation=credential.metadata.generation + 1)
    return replace(credential, metadata=meta, spec=replace(credential.spec, **spec))


def restated(credential: AgentCredential, **status: Any) -> AgentCredential:
    """The same with another status."""
    return replace(credential, status=replace(credential.status, **status))


def named(name: str) -> SecretTemplate:
    """`spec.secret` with this name."""
    return SecretTemplate(name=name)


def a_secret(credential: AgentCredential, value: bytes | None = None, name: str | None = None) -> Secret:
    """The credential's Secret as the operator writes it, holding `a_value(1)` unless told otherwise."""
    secret = secret_for(credential, a_value(1) if value is None else value, ENDPOINTS)
    meta = replace(secret.metadata, name=name or secret.metadata.name, uid=a_uid(900), resource_version="1")
    return replace(secret, metadata=meta)


def with_metadata(secret: ObjectT, **metadata: Any) -> ObjectT:
    """The object after somebody changed its metadata."""
    return replace(secret, metadata=replace(secret.metadata, **metadata))


def delivered(credential: AgentCredential, secret: Secret | None) -> Delivery:
    """What is seen where the credential's Secret should be."""
    return inspect(credential, credential.secret_name, secret, ENDPOINTS)


def seen(
    credential: AgentCredential | None = None,
    agent: Agent | None = None,
    *,
    secret: Secret | None = None,
    earlier: Secret | None = None,
    **others: Any,
) -> Input:
    """A credential, its agent, and its Secret if there is one."""
    credential = credential or a_credential()
    found = inspect(credential, earlier.metadata.name, earlier, ENDPOINTS) if earlier else None
    return Input(
        **{"agent": agent or a_registered_agent(), **others},
        credential=credential,
        delivery=delivered(credential, secret),
        earlier=found,
    )


def seen_delivered(credential: AgentCredential | None = None, agent: Agent | None = None, **others: Any) -> Input:
    """A credential whose Secret holds `a_value(1)`, as written by the operator."""
    credential = credential or an_issued_credential()
    return seen(credential, agent, secret=a_secret(credential), **others)


def at_rest(observed: Input, now: datetime = NOW) -> Input:
    """The same when its status has been written, which must be all that there is to do."""
    step: Step = decide(observed, now)
    if isinstance(step, WriteStatus):
        credential = replace(observed.credential, status=step.status)
        observed = replace(observed, credential=credential)
        step = decide(observed, now)
    assert isinstance(step, Wait), step
    return observed

"""The real reconciler against a model of the API server that fails after any write: nothing is lost, nothing leaks, it rests.

Every rule below is something that happens to a credential; after each of them, and after every single write, the invariants are
checked against what the API server holds at that moment.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from agent_operator import clock
from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import LastUsedRecord
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Leadership
from agent_operator.reconcilers import credential as credentials
from agent_operator.reconcilers import executor
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import WorkQueue
from agentidp.domain.lifecycle import MAX_HASHES
from agentidp.domain.resources import (
    Agent,
    AgentCredential,
    AgentRef,
    AgentState,
    Condition,
    ConditionStatus,
    CredentialPhase,
    CredentialSpec,
    CredentialState,
    NamespacedName,
    ObjectMeta,
    Rotation,
    SecretTemplate,
)
from agentidp.domain.resources.agent import AgentSpec, AgentStatus, AgentType, DeploymentEnvironment
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.client_secrets import generate_secret, hint_of
from agentidp.domain.secrets.secret_delivery import Endpoints, client_secret_in
from agentidp.kube.errors import ApiError
from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from tests.support.model_cluster import Crashed, Fault, ModelCluster

AGENT = NamespacedName("team", "screener")
CREDENTIAL = NamespacedName("team", "screener")
ENDPOINTS = Endpoints("https://idp.example/api/v1/token", "https://idp.example")
START = datetime(2026, 1, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)
ENOUGH_PASSES = 12

FAULTS = st.lists(st.sampled_from([*Fault, None]), max_size=4)


class Silent:
    """Events are for people."""

    def record(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class FakeGenerator:
    """Makes real secrets; what stands for the bcrypt hash cannot be turned back, and costs nothing."""

    async def make(self, credential_id: str, group: str = "") -> GeneratedSecret:  # noqa: ARG002 as the real one
        """As SecretMaker."""
        value = generate_secret()
        hint = hint_of(credential_id, value.encode())
        return GeneratedSecret(value, f"$2b$10${hint:.<53}", hint)


class CredentialLife(RuleBasedStateMachine):
    """One agent, one credential, one Secret, an operator that dies and comes back, and people who change things."""

    @initialize()
    def begin(self) -> None:
        """A declared agent and credential, and an operator that has seen neither."""
        self.now = START
        self.loop = asyncio.new_event_loop()
        self.cluster = ModelCluster(now=lambda: self.now, written=self.check_after_write)
        self.checking = False
        self.ended: set[bytes] = set()
        self.run(self.cluster.create(AGENTS, _agent(self.now)))
        self.run(self.cluster.create(CREDENTIALS, _credential()))
        self.checking = True
        self.start_operator()

    def teardown(self) -> None:
        """Close what was opened."""
        if hasattr(self, "loop"):
            self.loop.close()

    # What happens

    @rule(faults=FAULTS)
    def operator_is_woken(self, faults: list[Fault | None]) -> None:
        """Any of its writes may go wrong, and it may die."""
        self.operator_works(faults)

    def operator_works(self, faults: Sequence[Fault | None]) -> None:
        """One pass, with these faults."""
        self.cluster.faults = [fault for fault in faults if fault]
        try:
            self.enqueue()
        except Crashed:
            self.start_operator()
        except ApiError:
            pass
        self.cluster.faults = []

    @rule(times=st.integers(3, 7))
    def operator_crashes_in_a_loop(self, times: int) -> None:
        """In a rotation, each time right after the first write, so that hashes pile up of values that nobody knows."""
        self.now += timedelta(seconds=1)
        self.declare(rotation=replace(self.spec.rotation, requested_at=self.now))
        for _ in range(times):
            self.operator_works([Fault.CRASH_AFTER])

    @rule()
    def operator_is_restarted(self) -> None:
        """All that it remembered is gone."""
        self.start_operator()

    @rule(seconds=st.sampled_from([-3600, 0.2, 1, 30, 299, 301, 3600, 90000]))
    def time_passes(self, seconds: float) -> None:
        """Also backwards."""
        self.now += timedelta(seconds=seconds)

    @rule(ahead=st.sampled_from([-10, 0, 60]))
    def rotation_is_requested(self, ahead: int) -> None:
        """For now, for later, or for a moment that has passed."""
        self.declare(rotation=replace(self.spec.rotation, requested_at=self.now + timedelta(seconds=ahead)))

    @rule()
    def rotation_is_requested_as_date_writes_it(self) -> None:
        """In whole seconds, perhaps of the one in which the secret in use was made."""
        self.declare(rotation=replace(self.spec.rotation, requested_at=self.now.replace(microsecond=0)))

    @rule(overlap=st.sampled_from([None, "5m"]), every=st.sampled_from([None, "1h"]))
    def rotation_is_declared(self, overlap: str | None, every: str | None) -> None:
        """A schedule, an overlap, both or none."""
        self.declare(rotation=replace(self.spec.rotation, overlap=overlap, every=every))

    @rule(name=st.sampled_from([None, "elsewhere"]))
    def secret_is_renamed(self, name: str | None) -> None:
        """The same value moves."""
        self.declare(secret=SecretTemplate(name=name))

    @rule(hours=st.sampled_from([None, -1, 1]))
    def expiry_is_declared(self, hours: int | None) -> None:
        """Past, to come, or none."""
        self.declare(expires_at=self.now + timedelta(hours=hours) if hours else None)

    @rule(state=st.sampled_from([AgentState.ACTIVE, AgentState.SUSPENDED]))
    def agent_is_suspended_or_resumed(self, state: AgentState) -> None:
        """By its owner; the agent's own status follows."""
        agent = self.cluster.all(AGENTS)[0]
        self.cluster.change(AGENTS, AGENT, spec=replace(agent.spec, state=state))
        self.cluster.change(AGENTS, AGENT, status=_agent_status(self.cluster.all(AGENTS)[0], self.now))

    @precondition(lambda self: self.secret_names())
    @rule(data=st.data())
    def secret_is_deleted(self, data: st.DataObject) -> None:
        """By somebody."""
        self.cluster.take_away(SECRETS, NamespacedName("team", data.draw(st.sampled_from(self.secret_names()))))

    @precondition(lambda self: self.secret_names())
    @rule(data=st.data())
    def secret_is_edited(self, data: st.DataObject) -> None:
        """By somebody, who writes a value that nobody accepts."""
        name = NamespacedName("team", data.draw(st.sampled_from(self.secret_names())))
        self.cluster.change(SECRETS, name, data={"client_secret": b"edited"})

    @precondition(lambda self: self.secret_names())
    @rule(data=st.data())
    def secret_loses_its_metadata(self, data: st.DataObject) -> None:
        """By somebody; the value is as it was."""
        name = NamespacedName("team", data.draw(st.sampled_from(self.secret_names())))
        secret = next(one for one in self.cluster.all(SECRETS) if one.key == name)
        meta = replace(secret.metadata, labels={}, owner_references=())
        self.cluster.change(SECRETS, name, metadata=meta)

    @precondition(lambda self: self.secret_names())
    @rule(data=st.data())
    def secret_becomes_larger_than_is_remembered(self, data: st.DataObject) -> None:
        """By somebody, who adds an annotation: from then on it is read before anything is decided."""
        name = NamespacedName("team", data.draw(st.sampled_from(self.secret_names())))
        secret = next(one for one in self.cluster.all(SECRETS) if one.key == name)
        meta = replace(secret.metadata, annotations=secret.metadata.annotations | {"note": "x" * 10_000})
        self.cluster.change(SECRETS, name, metadata=meta)

    @precondition(lambda self: self.secret_names())
    @rule(data=st.data())
    def secret_becomes_immutable(self, data: st.DataObject) -> None:
        """By somebody: from then on another value needs a deletion and a creation, and a crash may come between."""
        name = NamespacedName("team", data.draw(st.sampled_from(self.secret_names())))
        self.cluster.change(SECRETS, name, immutable=True)

    @rule()
    def everything_comes_to_rest(self) -> None:
        """With no more faults it settles in a bounded number of passes, and then writes nothing."""
        self.come_to_rest()
        credential = self.credential
        assert not self.wrote_in(self.enqueue), "a settled credential is not written again"
        if credential.status.phase is CredentialPhase.ACTIVE and _ready(credential):
            value = self.delivered_value()
            assert value, "an active credential has its Secret"
            assert self.accepts(value)
            assert self.secret_names() == [credential.secret_name], "and only that one"
            assert self.request_is_recorded(), "a request is not asked for again"

    # What must always hold

    @invariant()
    def few_hashes(self) -> None:
        """At most five, in every state."""
        if hasattr(self, "cluster"):
            assert len(self.credential.status.secret_hashes) <= MAX_HASHES

    @invariant()
    def no_plaintext_elsewhere(self) -> None:
        """What the Secrets hold is in no other object."""
        if hasattr(self, "cluster"):
            others = msgspec.json.encode([self.cluster.all(CREDENTIALS), self.cluster.all(AGENTS)])
            values = [one.data.get("client_secret", b"") for one in self.cluster.all(SECRETS)]
            assert not any(value.startswith(b"sk_live_") and value in others for value in values)

    def check_after_write(self) -> None:
        """After every single write: a value that the operator put into the Secret is accepted, unless its end was declared."""
        value = self.delivered_value() if self.checking else None
        if value is None or not value.startswith(b"sk_live_") or self.accepts(value):
            return
        if self.has_ended():
            self.ended.add(value)
        assert value in self.ended, "the Secret holds a value that is not accepted"

    # How it is driven

    def start_operator(self) -> None:
        """A new process, which reads the cluster first."""
        self.cache = ClusterCache(WorkQueue())
        leadership = Leadership()
        leadership.trust(float("inf"))
        cluster: Any = self.cluster
        events: Any = Silent()
        generator: Any = FakeGenerator()
        writer = FencedWriter(cluster, self.cache, leadership, events)
        gatherer = Gatherer(cluster, self.cache, ENDPOINTS, LastUsedRecord(), 100)
        self.reconciler = CredentialReconciler(cluster, self.cache, gatherer, Executor(writer, generator, ENDPOINTS), writer)

    def enqueue(self) -> datetime | None:
        """One look at the credential, after the watch has brought everything."""
        for value in self.cluster.all(AGENTS):
            self.cache.agents.put(value)
        for secret in list(self.cache.secrets):
            if secret.key not in {one.key for one in self.cluster.all(SECRETS)}:
                self.cache.secrets.remove(secret.metadata)
        for one in self.cluster.all(SECRETS):
            self.cache.secrets.put(one)
        for credential in self.cluster.all(CREDENTIALS):
            self.cache.credentials.put(credential)
        with pytest.MonkeyPatch.context() as patch:
            for module in (clock, credentials, executor):
                patch.setattr(module, "now", lambda: self.now)
            due: datetime | None = self.run(self.reconciler.reconcile(CREDENTIAL))
            return due

    def come_to_rest(self) -> None:
        """As often as it asks to be woken at once; back-offs are waited for."""
        for _ in range(ENOUGH_PASSES):
            due = self.enqueue()
            if not self.wrote_in(self.enqueue) and not self.waits_for_repair():
                return
            if due and self.waits_for_repair():
                self.now = max(self.now, due)
        raise AssertionError("it does not come to rest")

    def wrote_in(self, action: Any) -> bool:
        """Whether the action wrote anything."""
        before = self.cluster.version
        action()
        return self.cluster.version != before

    def waits_for_repair(self) -> bool:
        """It backs off before it replaces a drifted Secret once more."""
        credential = self.credential
        value = self.delivered_value()
        active = credential.status.phase is CredentialPhase.ACTIVE or not _ready(credential)
        return active and not self.has_ended() and not self.is_suspended() and not (value and self.accepts(value))

    def run(self, coroutine: Any) -> Any:
        """To its end."""
        return self.loop.run_until_complete(coroutine)

    # What is seen

    @property
    def credential(self) -> AgentCredential:
        """As the API server has it."""
        return self.cluster.all(CREDENTIALS)[0]

    @property
    def spec(self) -> CredentialSpec:
        """What is declared."""
        return self.credential.spec

    def declare(self, **fields: Any) -> None:
        """A person changes the spec."""
        self.cluster.change(CREDENTIALS, CREDENTIAL, spec=replace(self.spec, **fields))

    def request_is_recorded(self) -> bool:
        """As served, or one after it was; unless it is for later, or from before the first secret."""
        requested, served = self.spec.rotation.requested_at, self.credential.status.rotation_requested_at
        return requested is None or requested > self.now or (served is not None and served >= requested)

    def secret_names(self) -> list[str]:
        """All Secrets there are."""
        return sorted(one.metadata.name for one in self.cluster.all(SECRETS))

    def delivered_value(self) -> bytes | None:
        """What the Secret of the credential holds."""
        secret = next((one for one in self.cluster.all(SECRETS) if one.metadata.name == self.credential.secret_name), None)
        return client_secret_in(secret, self.credential) if secret else None

    def accepts(self, value: bytes) -> bool:
        """Whether a published hash accepts this value; hashes that are in their overlap count."""
        hint = hint_of(self.credential.metadata.uid, value)
        return any(one.hint == hint for one in self.credential.status.secret_hashes)

    def has_ended(self) -> bool:
        """By what is declared."""
        expires = self.spec.expires_at
        return self.spec.state is CredentialState.REVOKED or (expires is not None and expires <= self.now)

    def is_suspended(self) -> bool:
        """By what is declared of its agent."""
        return self.cluster.all(AGENTS)[0].spec.state is not AgentState.ACTIVE


def _agent(now: datetime) -> Agent:
    spec = AgentSpec(
        email="screener@agents.example",
        type=AgentType.SCREENER,
        version="1.0.0",
        capabilities=("resume:read",),
        owner="talent",
        deployment_env=DeploymentEnvironment.PRODUCTION,
    )
    agent = Agent(metadata=ObjectMeta(name=AGENT.name, namespace=AGENT.namespace, generation=1), spec=spec)
    return replace(agent, status=_agent_status(agent, now))


def _agent_status(agent: Agent, now: datetime) -> AgentStatus:
    active = agent.spec.state is AgentState.ACTIVE
    ready = Condition(
        type=READY,
        status=ConditionStatus.TRUE if active else ConditionStatus.FALSE,
        reason=(Reason.REGISTERED if active else Reason.AGENT_SUSPENDED).value,
        message="",
        last_transition_time=now,
    )
    return AgentStatus(agent_id="agent-1", conditions=(ready,), observed_generation=agent.metadata.generation)


def _credential() -> AgentCredential:
    spec = CredentialSpec(agent_ref=AgentRef(name=AGENT.name), rotation=Rotation())
    return AgentCredential(metadata=ObjectMeta(name=CREDENTIAL.name, namespace=CREDENTIAL.namespace), spec=spec)


def _ready(credential: AgentCredential) -> bool:
    ready = condition(credential.status.conditions, READY)
    return ready is not None and ready.status == ConditionStatus.TRUE


TestCredentialLife = CredentialLife.TestCase
TestCredentialLife.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)

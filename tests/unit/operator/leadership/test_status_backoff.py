"""Two that write the same statuses: writes are counted, over looks and over windows, never times."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.clock import now
from agent_operator.last_used import LastUsedRecord
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.status_backoff import LeftAlone, StatusBackoff
from agent_operator.reconcilers.agent import AgentReconciler
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.reconcilers.organization import OrganizationReconciler
from agent_operator.work_queue import WorkQueue
from agentidp.domain.lifecycle.repair_backoff import MAX_REISSUES, REISSUE_WINDOW
from agentidp.domain.resources import Agent, AgentCredential, Organization, Reissues
from agentidp.domain.secrets.client_secrets import generate_secret, hint_of
from agentidp.domain.secrets.secret_delivery import Endpoints
from agentidp.kube.errors import ApiError, Conflict, NotFound, Unreachable
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, SECRETS, Kind
from agentidp.runtime.pools.secret_generator import GeneratedSecret
from tests.support.model_cluster import Fault, ModelCluster
from tests.support.worlds import NOW, SECOND, a_credential, a_uid, an_agent, an_organization

PER_WINDOW = MAX_REISSUES + 1
"""What is left alone at last was mended five times, and written once before that."""
LOOKS = 100


class Leading:
    """As a leadership that nobody takes."""

    def require(self) -> None:
        """It may write."""


class Silent:
    """As an event recorder."""

    def record(self, *_: Any, **__: Any) -> None:
        """To nobody."""


class FakeGenerator:
    """As a SecretMaker; what stands for the hash costs nothing."""

    async def make(self, credential_id: str, group: str = "") -> GeneratedSecret:  # noqa: ARG002 as the real one
        """A secret."""
        value = generate_secret()
        hint = hint_of(credential_id, value.encode())
        return GeneratedSecret(value, f"$2b$10${hint:.<53}", hint)


class Counted:
    """One operator's connection to the cluster: its writes of statuses are counted by kind."""

    def __init__(self, cluster: ModelCluster) -> None:
        self._cluster = cluster
        self.statuses: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        """As the cluster."""
        return getattr(self._cluster, name)

    async def replace_status(self, kind: Kind[Any], value: Any) -> Any:
        """As the cluster."""
        self.statuses[kind.plural] += 1
        return await self._cluster.replace_status(kind, value)


class OneOperator:
    """All reconcilers of an operator that tells workloads of this issuer."""

    def __init__(self, cluster: ModelCluster, issuer: str) -> None:
        self.cache = ClusterCache(WorkQueue())
        self.counted: Any = Counted(cluster)
        anything: Any = [Leading(), Silent(), FakeGenerator()]
        leading, silent, generator = anything
        endpoints = Endpoints(f"{issuer}/api/v1/token", issuer)
        writer = self.writer = FencedWriter(self.counted, self.cache, leading, silent)
        gatherer = Gatherer(self.counted, self.cache, endpoints, LastUsedRecord(), 100)
        self.agents = AgentReconciler(self.counted, self.cache, writer)
        self.organizations = OrganizationReconciler(self.counted, self.cache, writer)
        self.credentials = CredentialReconciler(
            self.counted, self.cache, gatherer, Executor(writer, generator, endpoints), writer
        )

    async def look(self) -> None:
        """At everything, after the watches have told of it."""
        collections: dict[Any, Any] = {
            AGENTS: self.cache.agents,
            CREDENTIALS: self.cache.credentials,
            ORGANIZATIONS: self.cache.organizations,
            SECRETS: self.cache.secrets,
        }
        for kind, store in collections.items():
            for one in self.counted.all(kind):
                store.put(one)
        reconcilers: dict[Any, Any] = {AGENTS: self.agents, CREDENTIALS: self.credentials, ORGANIZATIONS: self.organizations}
        for kind, reconciler in reconcilers.items():
            for one in self.counted.all(kind):
                try:
                    await reconciler.reconcile(one.key)
                except ApiError:
                    continue  # the work queue backs off


async def a_cluster() -> ModelCluster:
    """With an organization, an agent and a credential."""
    cluster = ModelCluster()
    await cluster.create(ORGANIZATIONS, an_organization())
    await cluster.create(AGENTS, an_agent(organization_id="acme"))
    await cluster.create(CREDENTIALS, a_credential())
    return cluster


async def test_two_operators_of_two_issuers_come_to_an_end() -> None:
    """They have undone each other's Secret five times already; in a hundred looks each writes a status some times at most."""
    cluster = await a_cluster()
    both = [OneOperator(cluster, issuer) for issuer in ("https://one.example", "https://two.example")]
    for one in both:
        await one.look()
    (credential,) = cluster.all(CREDENTIALS)
    fought = replace(credential.status, reissues=Reissues(count=MAX_REISSUES, since=now()))
    cluster.change(CREDENTIALS, credential.key, status=fought)
    for _ in range(LOOKS):
        for one in both:
            await one.look()
    for one in both:
        assert max(one.counted.statuses.values()) <= 2 * PER_WINDOW


OTHERS: dict[str, tuple[Kind[Any], Callable[[Any], Any]]] = {
    "agent": (AGENTS, lambda one: replace(one.status, observed_generation=99)),
    "credential": (CREDENTIALS, lambda one: replace(one.status, conditions=())),
    "organization": (ORGANIZATIONS, lambda one: replace(one.status, agents=99)),
}


@pytest.mark.parametrize("what", OTHERS)
async def test_a_status_that_somebody_undoes_each_time_is_left_alone(what: str) -> None:
    """Of each kind that has one."""
    kind, undone = OTHERS[what]
    cluster = await a_cluster()
    operator = OneOperator(cluster, "https://one.example")
    for _ in range(3):
        await operator.look()
    before = operator.counted.statuses[kind.plural]
    for _ in range(LOOKS):
        (one,) = cluster.all(kind)
        cluster.change(kind, one.key, status=undone(one))
        await operator.look()
    assert 0 < operator.counted.statuses[kind.plural] - before <= PER_WINDOW


def of_version(one: Any, generation: int, **status: Any) -> Any:
    """The object with this status."""
    return replace(one, metadata=replace(one.metadata, generation=generation), status=replace(one.status, **status))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("agent", "credential", "organization")), st.integers(0, 40)), max_size=300),
    st.integers(1, 3),
)
def test_no_window_sees_more_writes_than_promised(note: list[tuple[str, int]], generation: int) -> None:
    """Whenever somebody undoes it, and whenever it is looked at; after the window it is tried again."""
    objects: dict[str, Agent | AgentCredential | Organization] = {
        "agent": an_agent(uid=a_uid(1)),
        "credential": a_credential(uid=a_uid(2)),
        "organization": replace(an_organization(), metadata=replace(an_organization().metadata, uid=a_uid(3))),
    }
    moment = NOW
    backoff = StatusBackoff(lambda: moment)
    pauses: list[timedelta] = []
    written: dict[str, list[Any]] = {what: [] for what in objects}
    for what, seconds in note:
        moment += timedelta(seconds=seconds)
        undone = of_version(objects[what], generation, observed_generation=7)
        try:
            backoff.require(undone)
        except LeftAlone as pause:
            pauses.append(pause.until - moment)
            continue
        backoff.written(undone, of_version(objects[what], generation, observed_generation=8))
        written[what].append(moment)
    assert all(timedelta() < pause <= REISSUE_WINDOW for pause in pauses)
    for moments in written.values():
        for first, late in zip(moments, moments[2 * PER_WINDOW :], strict=False):
            assert late - first >= REISSUE_WINDOW


def test_a_new_spec_is_written_at_once() -> None:
    """However often the status of the former one was undone: a revocation does not wait."""
    backoff, agent = StatusBackoff(lambda: NOW), an_agent()
    undone, ours = of_version(agent, 1, observed_generation=7), of_version(agent, 1, observed_generation=8)
    backoff.written(agent, ours)
    backoff.require(undone)
    backoff.written(undone, ours)
    with pytest.raises(LeftAlone):
        backoff.require(undone)
    backoff.require(of_version(agent, 2, observed_generation=7))


def test_what_nobody_undoes_is_never_held_back() -> None:
    """Each status follows from the one before."""
    backoff, agent = StatusBackoff(lambda: NOW), an_agent()
    for number in range(100):
        after = of_version(agent, 1, observed_generation=number)
        backoff.require(agent)
        backoff.written(agent, after)
        agent = after


async def test_an_answer_that_was_lost_is_nobody_elses_write() -> None:
    """The status that it finds is its own."""
    cluster = await a_cluster()
    operator = OneOperator(cluster, "https://one.example")
    await operator.look()
    for number in range(20):
        agent = cluster.all(AGENTS)[0]
        cluster.faults = [Fault.LOST_ANSWER]
        with pytest.raises(Unreachable):
            await operator.writer.agent_status(agent, replace(agent.status, observed_generation=number + 5))
        await operator.look()
        assert cluster.all(AGENTS)[0].status.observed_generation == agent.metadata.generation


def test_memory_is_bounded() -> None:
    """The status that was written longest ago is forgotten, and written again at once."""
    backoff = StatusBackoff(lambda: NOW, max_objects=10)
    agents = [an_agent(uid=a_uid(number)) for number in range(11)]
    for agent in agents:
        for _ in range(2):
            backoff.written(of_version(agent, 1, observed_generation=7), of_version(agent, 1, observed_generation=8))
    backoff.require(of_version(agents[0], 1, observed_generation=7))
    with pytest.raises(LeftAlone):
        backoff.require(of_version(agents[1], 1, observed_generation=7))


def test_it_is_an_error_that_the_queue_waits_out() -> None:
    """And neither a conflict nor a missing object, after which reconcilers look again at once."""
    assert not issubclass(LeftAlone, Conflict | NotFound)
    assert LeftAlone(NOW + SECOND).until == NOW + SECOND

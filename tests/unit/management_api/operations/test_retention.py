"""Retention: which records of what has ended are deleted. Decision 36: by number, and the newest stay."""

from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, AgentState, CredentialState, ObjectMeta
from agentidp.kube.kinds import CREDENTIALS
from management_api.cache.agents import AGENTS_WITH_MANAGED_FIELDS, CachedAgentIndex
from management_api.cache.cluster_cache import ClusterCache
from management_api.cache.metadata import creation_annotation
from management_api.limits import Limits
from management_api.operations.optimistic_writer import OptimisticWriter
from management_api.operations.retention import Retention, bounded, excess_agents, is_removable, oldest
from tests.support.management_parts import OperatedCluster, a_cached_agent, a_cached_credential, with_managed_fields
from tests.support.worlds import HOUR, NAMESPACE, NOW, a_credential, a_provided_hash, a_registered_agent, a_uid

ENDED = [a_cached_credential(credential_id=f"{age}", revoked=NOW - age * HOUR) for age in range(4)]


class Cluster:
    """A model cluster with what this API and others have created, and its retention, which keeps so many records."""

    def __init__(self, kept: int, limits: Limits) -> None:
        self.cache = ClusterCache()
        self.model = OperatedCluster(self.cache)
        self.retention = Retention(
            self.cache,
            OptimisticWriter(self.model, AGENTS_WITH_MANAGED_FIELDS, lambda _: None, limits),  # type: ignore[arg-type]
            OptimisticWriter(self.model, CREDENTIALS, lambda _: None, limits),  # type: ignore[arg-type]
            kept,
            limits,
        )

    async def create(self, name: str, *, generated: bool = True, state: CredentialState = CredentialState.REVOKED) -> None:
        """Create a credential, with the annotation of this API where it is generated."""
        annotations = creation_annotation() if generated else {}
        credential = a_credential(secret_hash=a_provided_hash(), state=state)
        meta = ObjectMeta(name=name, namespace=NAMESPACE, annotations=annotations)
        await self.model.create(CREDENTIALS, replace(credential, metadata=meta))

    def names(self) -> list[str]:
        """The credentials that are left."""
        return [credential.metadata.name for credential in self.model.all(CREDENTIALS)]


async def test_retention_keeps_the_newest_revoked_credentials_of_an_agent() -> None:
    """And everything that is active, or that others have created."""
    cluster = Cluster(kept=1, limits=Limits())
    for name in ("first", "second", "third"):
        await cluster.create(name)
    await cluster.create("declared", generated=False)
    await cluster.create("active", state=CredentialState.ACTIVE)
    await cluster.retention.sweep()
    assert cluster.names() == ["third", "declared", "active"]


async def test_retention_deletes_a_bounded_number_in_one_sweep() -> None:
    """So that a namespace with many does not delay others; the next sweep goes on."""
    cluster = Cluster(kept=1, limits=Limits(max_deletions_per_namespace=1))
    for name in ("first", "second", "third"):
        await cluster.create(name)
    await cluster.retention.sweep()
    assert cluster.names() == ["second", "third"]


async def test_retention_deletes_a_decommissioned_agent_after_its_credentials() -> None:
    """None of its credentials is kept, since all are revoked with it."""
    cluster = Cluster(kept=1, limits=Limits())
    await cluster.create("key")
    for name in ("screener", "another"):
        declared = with_managed_fields(a_registered_agent("", name=name, state=AgentState.DECOMMISSIONED))
        meta = replace(declared.metadata, annotations=creation_annotation())
        await cluster.model.create(AGENTS_WITH_MANAGED_FIELDS, replace(declared, metadata=meta))
    await cluster.retention.sweep()
    assert cluster.names() == []
    assert [agent.metadata.name for agent in cluster.model.all(AGENTS_WITH_MANAGED_FIELDS)] == ["another"]


async def test_retention_judges_the_stored_object() -> None:
    """An object that the cache shows as ended, and that is not, stays: somebody has recreated it."""
    cluster = Cluster(kept=1, limits=Limits())
    for name in ("first", "second"):
        await cluster.create(name)
    (first, _) = cluster.model.all(CREDENTIALS)
    stored: AgentCredential = replace(first, spec=replace(first.spec, secret_hash=None))
    cached = list(cluster.cache.credentials.table)
    cluster.model.change(CREDENTIALS, first.key, spec=stored.spec)
    for credential in cached:
        cluster.cache.credentials.table.put(replace(credential, version=credential.version + 1_000))
    await cluster.retention.sweep()
    assert cluster.names() == ["first", "second"]


def test_oldest_leaves_those_that_ended_last() -> None:
    """Whatever their order is."""
    assert [credential.credential_id for credential in oldest([ENDED[2], ENDED[0], ENDED[3], ENDED[1]], 1)] == ["3", "2", "1"]


def test_bounded_counts_each_namespace() -> None:
    """One namespace's number takes nothing from another's."""
    others = [replace(credential, namespace="others") for credential in ENDED]
    assert bounded(ENDED + others, 2) == ENDED[:2] + others[:2]


def test_excess_agents_are_the_oldest_of_each_namespace() -> None:
    """Only decommissioned ones that this API registered: an id that was chosen stays taken by its record."""
    index = CachedAgentIndex()
    ended = {"state": AgentState.DECOMMISSIONED}
    for number in range(3):
        agent = a_cached_agent(a_uid(number), name=f"agent-{number}", **ended)
        index.put(replace(agent, is_generated=True, updated=NOW + number * HOUR))
    assert [agent.name for agent in excess_agents(index, 1)] == ["agent-0", "agent-1"]
    generated = replace(a_cached_agent(**ended), is_generated=True)
    chosen = replace(generated, spec=replace(generated.spec, agent_id=a_uid(9)))
    declared = replace(generated, is_generated=False)
    assert [is_removable(agent) for agent in (generated, chosen, declared)] == [True, False, False]

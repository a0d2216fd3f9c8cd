"""One Secret that many credentials name: a write of it costs a look of those whose it may be, not of all. Counted.

The real reconciler against the model of the API server, which counts how often a Secret is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import LastUsedRecord
from agent_operator.leadership.fenced_writer import FencedWriter
from agent_operator.leadership.leader_election import Leadership
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.executor import Executor
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import RequestKind, WorkQueue
from agentidp.domain.resources import AgentCredential, Binding, NamespacedName, OwnerReference, Secret, SecretMeta
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.secret_delivery import CREDENTIAL_ID_ANNOTATION, SECRET_TYPE
from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS, Kind, ObjectT
from tests.support.model_cluster import ModelCluster
from tests.support.worlds import (
    ENDPOINTS,
    NAMESPACE,
    a_credential,
    a_registered_agent,
    a_secret,
    a_uid,
    an_issued_credential,
    named,
)

MANY, WRITES = 200, 5
SHARED = NamespacedName(NAMESPACE, "shared")
LARGE = {f"key-{number}": b"x" * 4096 for number in range(5)}


@dataclass
class CountingCluster(ModelCluster):
    """Counts how often a Secret is read."""

    reads: int = 0

    async def find(self, kind: Kind[ObjectT], namespace: str, name: str) -> ObjectT | None:
        """As the real one."""
        self.reads += kind.plural == SECRETS.plural
        return await super().find(kind, namespace, name)


class Silent:
    """Events are for people, and nothing here is to make a secret."""

    def record(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Running:
    """An operator, of which every credential that is woken is looked at."""

    def __init__(self) -> None:
        self.cluster, self.work = CountingCluster(), WorkQueue()
        self.cache, leadership, anything = ClusterCache(self.work), Leadership(), Silent()
        leadership.trust(float("inf"))
        events: Any = anything
        generator: Any = anything
        cluster: Any = self.cluster
        writer = FencedWriter(cluster, self.cache, leadership, events)
        gatherer = Gatherer(cluster, self.cache, ENDPOINTS, LastUsedRecord(), 10 * MANY)
        executor = Executor(writer, generator, ENDPOINTS)
        self.reconcile = CredentialReconciler(cluster, self.cache, gatherer, executor, writer).reconcile
        self.looks = 0

    async def declare(self, credentials: Iterable[AgentCredential], secret: Secret) -> None:
        """These are there, and all is at rest."""
        agent = a_registered_agent()
        await self.cluster.create(AGENTS, agent)
        self.cache.agents.put(self.cluster.change(AGENTS, agent.key, status=agent.status))
        self.cache.secrets.put(await self.cluster.create(SECRETS, secret))
        for one in credentials:
            await self.cluster.create(CREDENTIALS, one)
            stored = self.cluster.change(CREDENTIALS, one.key, metadata=one.metadata, status=one.status)
            self.cache.credentials.put(stored)
        await self.at_rest()

    async def write(self, **fields: Any) -> None:
        """Somebody changes the Secret, and the watch tells."""
        self.cache.secrets.put(self.cluster.change(SECRETS, SHARED, **fields))

    async def at_rest(self) -> None:
        """All that is woken is looked at, until nothing is."""
        while woken := [key.name for key in self.work.queued if key.kind is RequestKind.CREDENTIAL]:
            self.work = self.cache.work_queue = WorkQueue()
            for name in woken:
                self.looks += 1
                await self.reconcile(name)


def of(number: int, credential: AgentCredential) -> AgentCredential:
    """Another one like it."""
    meta = replace(credential.metadata, name=f"one-{number}", uid=a_uid(number))
    hashes = tuple(replace(one, hint=f"{number:08x}") for one in credential.status.secret_hashes)
    binding = Binding(name=meta.name) if credential.status.binding else None
    status = replace(credential.status, credential_id=meta.uid, secret_hashes=hashes, binding=binding)
    return replace(credential, metadata=meta, status=status)


def owner(uid: str) -> OwnerReference:
    """A credential that the Secret says to belong to."""
    return OwnerReference(api_version="idp.sentryagent.ai/v1alpha1", kind="AgentCredential", name="one", uid=uid)


def a_large_secret(**metadata: Any) -> Secret:
    """More of it than is remembered."""
    return Secret(metadata=SecretMeta(name=SHARED.name, namespace=NAMESPACE, **metadata), type=SECRET_TYPE, data=LARGE)


NAMING = {
    "never issued": a_credential(secret=named(SHARED.name)),
    "issued under another name": an_issued_credential(secret=named(SHARED.name)),
}
CLAIMS: dict[str, dict[str, Any]] = {
    "of no owner": {},
    "of another owner": {"owner_references": (owner(a_uid(5_000)),)},
    "a copy with the annotation": {"annotations": {CREDENTIAL_ID_ANNOTATION: a_uid(7)}},
    "of more owners than are remembered": {"owner_references": tuple(owner(a_uid(5_000 + number)) for number in range(20))},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
@pytest.mark.parametrize("naming", NAMING.values(), ids=NAMING)
async def test_a_write_of_a_secret_is_read_for_none_of_those_that_merely_name_it(
    naming: AgentCredential, claims: dict[str, Any]
) -> None:
    """Threat model: a namespace's objects cost its turns, so that one write must not cost a read for each of them."""
    running = Running()
    await running.declare((of(number, naming) for number in range(MANY)), a_large_secret(**claims))
    told = {condition(one.status.conditions, READY) for one in running.cache.credentials}
    assert {one and one.reason for one in told} == {Reason.SECRET_NOT_OWNED}
    running.cluster.reads = running.looks = 0
    for number in range(WRITES):
        annotations = claims.get("annotations", {}) | {"note": str(number)}
        await running.write(metadata=replace(running.cluster.all(SECRETS)[0].metadata, annotations=annotations))
        await running.at_rest()
    assert (running.cluster.reads, running.looks) == (0, 0)


async def test_whose_claims_change_reads_the_secret_and_nobody_else() -> None:
    """Both before and after: who lost it is told, who has it looks at what is in it."""
    running = Running()
    naming = (of(number, NAMING["never issued"]) for number in range(MANY))
    await running.declare(naming, a_large_secret())
    running.cluster.reads = running.looks = 0
    meta = running.cluster.all(SECRETS)[0].metadata
    await running.write(metadata=replace(meta, owner_references=(owner(a_uid(7)),)))
    assert woken(running) == {"one-7"}
    running.work = running.cache.work_queue = WorkQueue()
    await running.write(metadata=replace(meta, owner_references=(owner(a_uid(8)),)))
    assert woken(running) == {"one-7", "one-8"}


async def test_a_secret_without_owner_wakes_the_credential_whose_status_names_it() -> None:
    """It was delivered there, and is looked at whenever the Secret changes."""
    running, bound = Running(), an_issued_credential(secret=named(SHARED.name))
    holding = a_secret(bound)
    secret = replace(holding, metadata=replace(holding.metadata, name=SHARED.name, annotations={}, owner_references=()))
    for one in (bound, *(of(number, NAMING["never issued"]) for number in range(MANY))):
        running.cache.credentials.put(one)
    running.cache.secrets.put(secret)
    running.work = running.cache.work_queue = WorkQueue()
    meta = replace(secret.metadata, resource_version="2")
    running.cache.secrets.put(replace(secret, metadata=meta, data={}))
    assert woken(running) == {bound.metadata.name}


@pytest.mark.parametrize("goes", [True, False], ids=["goes", "was made again"])
async def test_all_that_name_a_secret_are_woken_when_it(goes: bool) -> None:
    """The name is free, or somebody else's; else who waits for it would wait for the clock."""
    running = Running()
    await running.declare((of(number, NAMING["never issued"]) for number in range(3)), a_large_secret())
    (known,) = running.cache.secrets
    if goes:
        running.cache.secrets.remove(replace(known.metadata, resource_version="1000"))
    else:
        running.cache.secrets.put(replace(known, metadata=replace(known.metadata, uid=a_uid(6_000), resource_version="1000")))
    assert woken(running) == {"one-0", "one-1", "one-2"}


def woken(running: Running) -> set[str]:
    """Which credentials are to be looked at."""
    return {key.name.name for key in running.work.queued if key.kind is RequestKind.CREDENTIAL}

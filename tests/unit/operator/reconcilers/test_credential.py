"""What the operator concludes from memory, and what it looks at again first."""

import asyncio
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import LastUsedRecord
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import WorkQueue
from agentidp.domain.lifecycle import IssueSecret, Step, WriteStatus
from agentidp.domain.resources import Agent, AgentCredential
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.kinds import AGENTS
from tests.support.worlds import ENDPOINTS, a_credential, a_provided_hash, a_registered_agent, a_uid


class Lagging:
    """A cluster that may have an agent of which the watch has said nothing yet; and an executor that takes notes."""

    def __init__(self, credential: AgentCredential, agent: Agent | None) -> None:
        self.cache = ClusterCache(WorkQueue())
        self.cache.credentials.put(credential)
        self.steps: list[Step] = []
        self._agent = agent

    async def find(self, kind: Any, *_name: str) -> Agent | None:
        """As a Cluster: there are no Secrets."""
        return self._agent if kind is AGENTS else None

    async def execute(self, _gathered: Any, step: Step) -> None:
        """As an Executor: the credential is gone afterwards."""
        self.steps.append(step)

    async def first_step(self, credential: AgentCredential) -> Step:
        """What is done first with a credential."""
        anything: Any = self
        gatherer = Gatherer(anything, self.cache, ENDPOINTS, LastUsedRecord(), 100)
        await CredentialReconciler(anything, self.cache, gatherer, anything, anything).reconcile(credential.key)
        return self.steps[0]


@pytest.mark.parametrize("agent", [a_registered_agent(), None])
async def test_an_agent_is_missing_only_where_the_api_server_says_so(agent: Agent | None) -> None:
    """Who applies an agent and its credential together is not warned of anything, however late the agent is heard of."""
    credential = a_credential()
    step = await Lagging(credential, agent).first_step(credential)
    missing = isinstance(step, WriteStatus) and step.status.conditions[0].reason == Reason.AGENT_NOT_FOUND
    assert missing == (agent is None)


class Slow:
    """A cluster without Secrets, and an executor that publishes a hash when `answers` is set."""

    def __init__(self, limit: int) -> None:
        self.cache = ClusterCache(WorkQueue())
        self.cache.agents.put(a_registered_agent())
        self.answers = asyncio.Event()
        self.published = 0
        anything: Any = self
        gatherer = Gatherer(anything, self.cache, ENDPOINTS, LastUsedRecord(), limit)
        self.reconcile = CredentialReconciler(anything, self.cache, gatherer, anything, anything).reconcile

    async def find(self, *_: Any) -> None:
        """As a Cluster."""

    async def execute(self, _gathered: Any, step: Step) -> None:
        """As an Executor: the credential is gone afterwards."""
        publishes = isinstance(step, IssueSecret) or (isinstance(step, WriteStatus) and step.status.secret_hashes)
        self.published += bool(publishes)
        await self.answers.wait()


@pytest.mark.parametrize("spec", [{"secret_hash": a_provided_hash()}, {}], ids=["provided", "issued"])
@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_of_those_that_are_reconciled_at_the_same_time_as_many_get_a_hash_as_the_limit_says(
    order: tuple[int, ...], spec: dict[str, Any]
) -> None:
    """`limits.credentialsPerAgent: 2` (tenancy.md): hashes are being published when a credential appears that is older."""
    slow, looks = Slow(limit=2), []
    for number in order:
        one = a_credential(uid=a_uid(number), **spec)
        one = replace(one, metadata=replace(one.metadata, name=f"key-{number}"))
        slow.cache.credentials.put(one)
        looks.append(asyncio.create_task(slow.reconcile(one.key)))
        await asyncio.sleep(0)
    slow.answers.set()
    await asyncio.gather(*looks)
    assert slow.published == 2

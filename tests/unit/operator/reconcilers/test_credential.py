"""What the operator concludes from memory, and what it looks at again first."""

from typing import Any

import pytest

from agent_operator.cache.cluster_cache import ClusterCache
from agent_operator.last_used import LastUsedRecord
from agent_operator.reconcilers.credential import CredentialReconciler
from agent_operator.reconcilers.gatherer import Gatherer
from agent_operator.work_queue import WorkQueue
from agentidp.domain.lifecycle import Step, WriteStatus
from agentidp.domain.resources import Agent, AgentCredential
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.kinds import AGENTS
from tests.support.worlds import ENDPOINTS, a_credential, a_registered_agent


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

"""Agents by the workloads that they name, beside their ids."""

from agentidp.cache.agents import AgentIndex
from agentidp.domain.identity.clients import ClientAgent
from agentidp.domain.tokens.client_assertions import Workload


class AgentIndexByWorkload(AgentIndex[ClientAgent]):
    """The agents of a cluster. Most name no workload, and take no more room for it."""

    def __init__(self) -> None:
        super().__init__()
        self._by_workload: dict[Workload, dict[str, ClientAgent]] = {}

    def of_workload(self, workload: Workload) -> list[ClientAgent]:
        """The agents of its namespace that name its ServiceAccount, and have their id."""
        named = self._by_workload.get(workload, {}).values()
        return [agent for agent in named if self.find(agent.agent_id) is agent]

    def put(self, agent: ClientAgent) -> None:
        """Add the agent, or put it in the place of what it was before."""
        super().put(agent)
        for workload in _workloads(agent) if agent.agent_id else ():
            self._by_workload.setdefault(workload, {})[agent.name] = agent

    def remove(self, agent: ClientAgent) -> None:
        """Whatever is known under this agent's name goes."""
        known = self._by_name.get(agent.namespace, {}).get(agent.name)
        super().remove(agent)
        for workload in _workloads(known) if known else ():
            named = self._by_workload[workload]
            del named[agent.name]
            if not named:
                del self._by_workload[workload]


def _workloads(agent: ClientAgent) -> set[Workload]:
    return {Workload(agent.namespace, name) for name in agent.workloads}

"""What `tree` draws: organizations, their agents, and how they authenticate: workloads, credentials, the hashes of secrets.

A hash is shown by its hint and its times, never as it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from agentidp.domain.clients import accepted_until
from agentidp.domain.reasons import Reason
from agentidp.domain.resources import Agent, AgentCredential, CredentialPolicy, NamespacedName, Organization, SecretHash
from kubectl_agentidp.views.conditions import in_the_way, next_due, standing
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.timestamps import dated

BRANCH, LAST_BRANCH = "├── ", "└── "
TRUNK, NO_TRUNK = "│   ", "    "
GAP = "  "


class Node(Struct, frozen=True):
    """A line, and what hangs from it."""

    label: str
    children: tuple["Node", ...] = ()


class Forest(Struct, frozen=True):
    """All that is to be drawn, each kind in the order in which it appears."""

    agents: Sequence[Agent]
    credentials: Sequence[AgentCredential]
    organizations: Sequence[Organization] = ()
    """Those that could be read; one that is only claimed is drawn, too."""
    namespaced: bool = False
    """Names are written with their namespace."""


def draw(forest: Forest, now: datetime, decisions: TokenDecisions | None = None) -> str:
    """The trees, one after the other; "" where there is nothing."""
    trees = Drawing(forest, now, decisions or TokenDecisions(forest.agents, None, now)).trees()
    return "\n".join(line for tree in trees for line in [tree.label, *_lines(tree, "")])


def _lines(node: Node, indent: str) -> Iterator[str]:
    for number, child in enumerate(node.children, start=1):
        last = number == len(node.children)
        yield indent + (LAST_BRANCH if last else BRANCH) + child.label
        yield from _lines(child, indent + (NO_TRUNK if last else TRUNK))


class Drawing:
    """Resources as nodes, at one moment."""

    def __init__(self, forest: Forest, now: datetime, decisions: TokenDecisions) -> None:
        self._now = now
        self._decisions = decisions
        self._namespaced = forest.namespaced
        self._organizations = {one.metadata.name: one for one in forest.organizations}
        self._agents: defaultdict[str, list[Agent]] = defaultdict(list)
        for agent in forest.agents:
            self._agents[agent.spec.organization_id or ""].append(agent)
        self._credentials: defaultdict[NamespacedName, list[AgentCredential]] = defaultdict(list)
        for credential in forest.credentials:
            self._credentials[NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)].append(credential)
        self._agent_names = {agent.key for agent in forest.agents}

    def trees(self) -> Iterator[Node]:
        """Organizations by name, then agents of none, then credentials whose agent is not there."""
        for name in sorted((self._organizations.keys() | self._agents.keys()) - {""}):
            yield Node(self._organization(name), self._agents_of(name))
        if "" in self._agents:
            yield Node("No organization", self._agents_of(""))
        for missing in sorted(self._credentials.keys() - self._agent_names):
            yield Node(f"No agent {self._written(missing)}", self._credentials_of(missing))

    def _organization(self, name: str) -> str:
        known = self._organizations.get(name)
        words = [known.spec.display_name, known.spec.tier] if known else []
        return GAP.join([f"Organization {name}", *filter(None, words)])

    def _agents_of(self, organization: str) -> tuple[Node, ...]:
        return tuple(map(self._agent, self._agents[organization]))

    def _agent(self, agent: Agent) -> Node:
        closed = agent.spec.credential_policy is CredentialPolicy.WORKLOAD_ONLY
        words = [
            f"Agent {self._written(agent.key)}",
            *_standing(agent, self._decisions.of_agent(agent)),
            agent.status.agent_id or "",
        ]
        words.append("takes no secrets" if closed else "")
        return Node(GAP.join(filter(None, words)), _workloads(agent) + self._credentials_of(agent.key))

    def _credentials_of(self, agent: NamespacedName) -> tuple[Node, ...]:
        return tuple(map(self._credential, self._credentials[agent]))

    def _credential(self, credential: AgentCredential) -> Node:
        due = next_due(credential)
        words = [f"Credential {credential.metadata.name}", *_standing(credential, self._decisions.of_credential(credential))]
        if due:
            words.append(f"next: {due.what.words} {dated(due.at, self._now)}")
        return Node(
            GAP.join(words),
            tuple(self._hash(one, accepted_until(one, credential.spec.rotation)) for one in credential.status.secret_hashes),
        )

    def _hash(self, one: SecretHash, until: datetime | None) -> Node:
        words = [f"hash {one.hint or 'without hint'}", f"created {dated(one.created_at, self._now)}"]
        if one.last_used_at:
            words.append(f"last used {dated(one.last_used_at, self._now)}")
        if until:
            words.append(f"until {dated(until, self._now)}")
        return Node(GAP.join(words))

    def _written(self, name: NamespacedName) -> str:
        return str(name) if self._namespaced else name.name


def _workloads(agent: Agent) -> tuple[Node, ...]:
    """Who authenticates without a secret."""
    return tuple(Node(f"Workload of ServiceAccount {one.service_account_name}") for one in agent.spec.workloads)


def _standing(one: Agent | AgentCredential, failure: Reason | None) -> list[str]:
    """The phase; and where something does not work, or the status is not up to date, why."""
    stands = standing(one, failure)
    well = stands.ready and stands.up_to_date and not in_the_way(one)
    return [stands.phase or "Pending"] if well else [stands.phase or "Pending", stands.message]

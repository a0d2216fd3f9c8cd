"""The text of `tree`: organizations, their agents, and the workloads, credentials and secret hashes of each agent.

A hash is printed as its hint and its timestamps; its value is never printed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from agentidp.domain.identity.clients import accepted_until
from agentidp.domain.resources import Agent, AgentCredential, CredentialPolicy, NamespacedName, Organization, SecretHash
from agentidp.domain.resources.reasons import Reason
from kubectl_agentidp.views.conditions import delivery_problem, next_due, readiness
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.printers import dated

BRANCH, LAST_BRANCH = "├── ", "└── "
TRUNK, NO_TRUNK = "│   ", "    "
GAP = "  "


class Node(Struct, frozen=True):
    """A line of the tree with its child nodes."""

    label: str
    children: tuple["Node", ...] = ()


class TreeResources(Struct, frozen=True):
    """The resources to draw; agents and credentials keep their order."""

    agents: Sequence[Agent]
    credentials: Sequence[AgentCredential]
    organizations: Sequence[Organization] = ()
    """The organizations that could be read; one that an agent only claims is drawn by its name."""
    namespaced: bool = False
    """Whether names are drawn with their namespace."""


def draw(resources: TreeResources, now: datetime, decisions: TokenDecisions | None = None) -> str:
    """Return the text of all trees; "" if there are no resources."""
    roots = _TreeBuilder(resources, now, decisions or TokenDecisions(resources.agents, None, now)).roots()
    return "\n".join(line for root in roots for line in [root.label, *_lines(root, "")])


def _lines(node: Node, indent: str) -> Iterator[str]:
    for number, child in enumerate(node.children, start=1):
        last = number == len(node.children)
        yield indent + (LAST_BRANCH if last else BRANCH) + child.label
        yield from _lines(child, indent + (NO_TRUNK if last else TRUNK))


class _TreeBuilder:
    """Turns resources into nodes; times are relative to `now`."""

    def __init__(self, resources: TreeResources, now: datetime, decisions: TokenDecisions) -> None:
        self._now = now
        self._decisions = decisions
        self._namespaced = resources.namespaced
        self._organizations = {organization.metadata.name: organization for organization in resources.organizations}
        self._agents: defaultdict[str, list[Agent]] = defaultdict(list)
        for agent in resources.agents:
            self._agents[agent.spec.organization_id or ""].append(agent)
        self._credentials: defaultdict[NamespacedName, list[AgentCredential]] = defaultdict(list)
        for credential in resources.credentials:
            self._credentials[NamespacedName(credential.metadata.namespace, credential.spec.agent_ref.name)].append(credential)
        self._agent_names = {agent.key for agent in resources.agents}

    def roots(self) -> Iterator[Node]:
        """Yield the organizations by name, then the agents of no organization, then the credentials without an agent."""
        for name in sorted((self._organizations.keys() | self._agents.keys()) - {""}):
            yield Node(self._organization(name), self._agents_of(name))
        if "" in self._agents:
            yield Node("No organization", self._agents_of(""))
        for missing in sorted(self._credentials.keys() - self._agent_names):
            yield Node(f"No agent {self._name(missing)}", self._credentials_of(missing))

    def _organization(self, name: str) -> str:
        organization = self._organizations.get(name)
        words = [organization.spec.display_name, organization.spec.tier] if organization else []
        return GAP.join([f"Organization {name}", *filter(None, words)])

    def _agents_of(self, organization: str) -> tuple[Node, ...]:
        return tuple(map(self._agent, self._agents[organization]))

    def _agent(self, agent: Agent) -> Node:
        takes_no_secrets = agent.spec.credential_policy is CredentialPolicy.WORKLOAD_ONLY
        readiness_words = _readiness(agent, self._decisions.of_agent(agent))
        words = [f"Agent {self._name(agent.key)}", *readiness_words, agent.status.agent_id or ""]
        words.append("takes no secrets" if takes_no_secrets else "")
        return Node(GAP.join(filter(None, words)), _workloads(agent) + self._credentials_of(agent.key))

    def _credentials_of(self, agent: NamespacedName) -> tuple[Node, ...]:
        return tuple(map(self._credential, self._credentials[agent]))

    def _credential(self, credential: AgentCredential) -> Node:
        due = next_due(credential)
        words = [f"Credential {credential.metadata.name}", *_readiness(credential, self._decisions.of_credential(credential))]
        if due:
            words.append(f"next: {due.event.text} {dated(due.at, self._now)}")
        return Node(
            GAP.join(words),
            tuple(
                self._hash(entry, accepted_until(entry, credential.spec.rotation)) for entry in credential.status.secret_hashes
            ),
        )

    def _hash(self, entry: SecretHash, until: datetime | None) -> Node:
        words = [f"hash {entry.hint or 'without hint'}", f"created {dated(entry.created_at, self._now)}"]
        if entry.last_used_at:
            words.append(f"last used {dated(entry.last_used_at, self._now)}")
        if until:
            words.append(f"until {dated(until, self._now)}")
        return Node(GAP.join(words))

    def _name(self, name: NamespacedName) -> str:
        return str(name) if self._namespaced else name.name


def _workloads(agent: Agent) -> tuple[Node, ...]:
    """Return a node for each workload, which authenticates with a ServiceAccount token instead of a secret."""
    return tuple(Node(f"Workload of ServiceAccount {workload.service_account_name}") for workload in agent.spec.workloads)


def _readiness(resource: Agent | AgentCredential, failure: Reason | None) -> list[str]:
    """Return the phase, and the message if the resource is not ready or the status is about an earlier spec."""
    state = readiness(resource, failure)
    phase = state.phase or "Pending"
    return [phase] if state.ready and state.up_to_date and not delivery_problem(resource) else [phase, state.message]

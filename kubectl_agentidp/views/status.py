"""The text of `status`: agents and credentials of one or all namespaces, as tables or as one JSON value."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, field

from agentidp.domain.resources import Agent, AgentCredential, CredentialCount, Time
from kubectl_agentidp.views.conditions import Due, Readiness, next_due, overlapping_hashes, readiness
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.printers import relative, table

NOTHING = "-"


class AgentStatus(Struct, frozen=True, rename="camel"):
    """The row of an agent; its JSON has the readiness as `standing`."""

    namespace: str
    name: str
    agent_id: str | None
    readiness: Readiness = field(name="standing")
    credentials: CredentialCount | None


class Overlap(Struct, frozen=True, rename="camel"):
    """A former secret that is still accepted."""

    hint: str | None
    until: Time
    last_used_at: Time | None


class CredentialStatus(Struct, frozen=True, rename="camel"):
    """The row of a credential; its JSON has the readiness as `standing`."""

    namespace: str
    name: str
    agent: str
    secret: str | None
    readiness: Readiness = field(name="standing")
    last_used_at: Time | None
    overlapping: tuple[Overlap, ...]
    next_due: Due | None


class Report(Struct, frozen=True):
    """The agents and credentials that `status` prints."""

    agents: tuple[AgentStatus, ...]
    credentials: tuple[CredentialStatus, ...]


def report(
    agents: Sequence[Agent],
    credentials: Sequence[AgentCredential],
    now: datetime,
    decisions: TokenDecisions | None = None,
) -> Report:
    """Return the rows of agents and credentials.

    `decisions` is made from all agents of the namespace if `agents` is only a selection.
    """
    decided = decisions or TokenDecisions(agents, None, now)
    return Report(
        tuple(_agent(item, decided) for item in agents), tuple(_credential(item, decided, now) for item in credentials)
    )


def as_json(rows: Report) -> str:
    """Return the report as indented JSON, with absolute times."""
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()


def as_text(rows: Report, now: datetime, namespaced: bool) -> str:
    """Return a table of agents and one of credentials, without empty tables; `namespaced` adds the column NAMESPACE."""
    tables = [_agents(rows.agents, namespaced), _credentials(rows.credentials, now, namespaced)]
    return "\n\n".join(filter(None, tables))


def _agent(agent: Agent, decisions: TokenDecisions) -> AgentStatus:
    meta, status = agent.metadata, agent.status
    return AgentStatus(
        meta.namespace, meta.name, status.agent_id, readiness(agent, decisions.of_agent(agent)), status.credentials
    )


def _credential(credential: AgentCredential, decisions: TokenDecisions, now: datetime) -> CredentialStatus:
    meta, binding = credential.metadata, credential.status.binding
    hashes = overlapping_hashes(credential, now)
    return CredentialStatus(
        namespace=meta.namespace,
        name=meta.name,
        agent=credential.spec.agent_ref.name,
        secret=binding.name if binding else None,
        readiness=readiness(credential, decisions.of_credential(credential)),
        last_used_at=credential.status.last_used_at,
        overlapping=tuple(Overlap(entry.hint, entry.not_after, entry.last_used_at) for entry in hashes if entry.not_after),
        next_due=next_due(credential),
    )


def _agents(agents: Sequence[AgentStatus], namespaced: bool) -> str:
    header = [*_namespace_header(namespaced), "AGENT", "PHASE", "REASON", "CREDENTIALS", "MESSAGE"]
    rows = [[*_namespace(row, namespaced), row.name, *_phase(row), _count(row), row.readiness.message] for row in agents]
    return table(header, rows) if rows else ""


def _credentials(credentials: Sequence[CredentialStatus], now: datetime, namespaced: bool) -> str:
    header = [
        *_namespace_header(namespaced),
        *("CREDENTIAL", "AGENT", "PHASE", "REASON", "SECRET", "OVERLAP", "NEXT DUE", "MESSAGE"),
    ]
    rows = [
        [
            *_namespace(row, namespaced),
            *(row.name, row.agent, *_phase(row), row.secret or NOTHING),
            *(_overlap(row, now), _due(row.next_due, now), row.readiness.message),
        ]
        for row in credentials
    ]
    return table(header, rows) if rows else ""


def _namespace_header(namespaced: bool) -> list[str]:
    return ["NAMESPACE"] if namespaced else []


def _namespace(row: AgentStatus | CredentialStatus, namespaced: bool) -> list[str]:
    return [row.namespace] if namespaced else []


def _phase(row: AgentStatus | CredentialStatus) -> tuple[str, str]:
    return row.readiness.phase or NOTHING, row.readiness.reason or NOTHING


def _count(row: AgentStatus) -> str:
    return f"{row.credentials.active}/{row.credentials.total}" if row.credentials else NOTHING


def _overlap(row: CredentialStatus, now: datetime) -> str:
    """Return the number of former secrets that are accepted, and the end of the last one."""
    if not row.overlapping:
        return NOTHING
    return f"{len(row.overlapping)}, ends {relative(row.overlapping[-1].until, now)}"


def _due(due: Due | None, now: datetime) -> str:
    return f"{due.event.text} {relative(due.at, now)}" if due else NOTHING

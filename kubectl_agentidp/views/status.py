"""What `status` shows: the agents and credentials of one or all namespaces, as tables or as one JSON value."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from agentidp.domain.resources import Agent, AgentCredential, CredentialCount, Time
from kubectl_agentidp.views.conditions import Due, Standing, next_due, overlapping, standing
from kubectl_agentidp.views.decisions import TokenDecisions
from kubectl_agentidp.views.tables import table
from kubectl_agentidp.views.timestamps import relative

NOTHING = "-"


class AgentStatus(Struct, frozen=True, rename="camel"):
    """An agent as `status` tells it."""

    namespace: str
    name: str
    agent_id: str | None
    standing: Standing
    credentials: CredentialCount | None


class Overlap(Struct, frozen=True, rename="camel"):
    """A former secret that is accepted still."""

    hint: str | None
    until: Time
    last_used_at: Time | None


class CredentialStatus(Struct, frozen=True, rename="camel"):
    """A credential as `status` tells it."""

    namespace: str
    name: str
    agent: str
    secret: str | None
    standing: Standing
    last_used_at: Time | None
    overlapping: tuple[Overlap, ...]
    next_due: Due | None


class Report(Struct, frozen=True):
    """All that `status` tells."""

    agents: tuple[AgentStatus, ...]
    credentials: tuple[CredentialStatus, ...]


def report(
    agents: Sequence[Agent],
    credentials: Sequence[AgentCredential],
    now: datetime,
    decisions: TokenDecisions | None = None,
) -> Report:
    """What there is to tell of these; `decisions` know more agents where these are a choice."""
    decided = decisions or TokenDecisions(agents, None, now)
    return Report(tuple(_agent(one, decided) for one in agents), tuple(_credential(one, decided, now) for one in credentials))


def as_json(told: Report) -> str:
    """For programs."""
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def as_text(told: Report, now: datetime, namespaced: bool) -> str:
    """For people: a table each, where there is something to show; with a column for the namespace where it differs."""
    tables = [_agents(told.agents, namespaced), _credentials(told.credentials, now, namespaced)]
    return "\n\n".join(filter(None, tables))


def _agent(one: Agent, decisions: TokenDecisions) -> AgentStatus:
    meta, status = one.metadata, one.status
    return AgentStatus(meta.namespace, meta.name, status.agent_id, standing(one, decisions.of_agent(one)), status.credentials)


def _credential(one: AgentCredential, decisions: TokenDecisions, now: datetime) -> CredentialStatus:
    meta, binding = one.metadata, one.status.binding
    return CredentialStatus(
        namespace=meta.namespace,
        name=meta.name,
        agent=one.spec.agent_ref.name,
        secret=binding.name if binding else None,
        standing=standing(one, decisions.of_credential(one)),
        last_used_at=one.status.last_used_at,
        overlapping=tuple(Overlap(old.hint, old.not_after, old.last_used_at) for old in overlapping(one, now) if old.not_after),
        next_due=next_due(one),
    )


def _agents(agents: Sequence[AgentStatus], namespaced: bool) -> str:
    header = [*_namespace_header(namespaced), "AGENT", "PHASE", "REASON", "CREDENTIALS", "MESSAGE"]
    rows = [[*_namespace(one, namespaced), one.name, *_why(one), _count(one), one.standing.message] for one in agents]
    return table(header, rows) if rows else ""


def _credentials(credentials: Sequence[CredentialStatus], now: datetime, namespaced: bool) -> str:
    header = [
        *_namespace_header(namespaced),
        *("CREDENTIAL", "AGENT", "PHASE", "REASON", "SECRET", "OVERLAP", "NEXT DUE", "MESSAGE"),
    ]
    rows = [
        [
            *_namespace(one, namespaced),
            *(one.name, one.agent, *_why(one), one.secret or NOTHING),
            *(_overlap(one, now), _due(one.next_due, now), one.standing.message),
        ]
        for one in credentials
    ]
    return table(header, rows) if rows else ""


def _namespace_header(namespaced: bool) -> list[str]:
    return ["NAMESPACE"] if namespaced else []


def _namespace(one: AgentStatus | CredentialStatus, namespaced: bool) -> list[str]:
    return [one.namespace] if namespaced else []


def _why(one: AgentStatus | CredentialStatus) -> tuple[str, str]:
    return one.standing.phase or NOTHING, one.standing.reason or NOTHING


def _count(one: AgentStatus) -> str:
    return f"{one.credentials.active}/{one.credentials.total}" if one.credentials else NOTHING


def _overlap(one: CredentialStatus, now: datetime) -> str:
    """How many former secrets are accepted, and when the last of them ends."""
    if not one.overlapping:
        return NOTHING
    return f"{len(one.overlapping)}, ends {relative(one.overlapping[-1].until, now)}"


def _due(due: Due | None, now: datetime) -> str:
    return f"{due.what.words} {relative(due.at, now)}" if due else NOTHING

"""Credentials that are at rest, made without waiting for an operator: bcrypt would take ten minutes for ten thousand.

Statuses and Secrets are what the domain's own functions say, so an operator that starts finds nothing to do. Only are there no
more secrets and hashes than one agent has credentials: each agent has the same ones. Hints are real, by the credential's id.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from agent_operator.clock import now
from agentidp.domain.identity.registration import AgentInput, register
from agentidp.domain.lifecycle import Input, IssueSecret, WriteStatus, decide, with_fresh_hash
from agentidp.domain.resources import Agent, AgentCredential, CredentialCount, Secret
from agentidp.domain.secrets import client_secrets as secrets
from agentidp.domain.secrets.secret_delivery import inspect, secret_for
from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS
from benchmarks.stage.control_plane import Stage
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT, agent, credential, make_namespace, side_by_side
from benchmarks.stage.workload import ClientCredentials

BATCH = 500


class Made(NamedTuple):
    """A client secret and its hash."""

    value: str
    hashed: str


class Settled(Struct, frozen=True):
    """The agents, credentials and Secrets that were created."""

    namespace: str
    agents: Sequence[Agent]
    credentials: Sequence[AgentCredential]
    secrets: Sequence[Made]

    def client_credentials(self, place: int) -> ClientCredentials:
        """By which the credential at this place is authenticated."""
        return ClientCredentials(
            self.credentials[place].status.client_id or "", self.secrets[place % CREDENTIALS_PER_AGENT].value
        )


async def settle(stage: Stage, count: int, namespace: str = "settled") -> Settled:
    """So many credentials, ten to an agent. No operator should run meanwhile."""
    values = [await asyncio.to_thread(_make_secret) for _ in range(CREDENTIALS_PER_AGENT)]
    await make_namespace(stage.admin, namespace)
    agents = await side_by_side(_agent(stage, namespace, place) for place in range(-(-count // CREDENTIALS_PER_AGENT)))
    made: list[AgentCredential] = []
    for start in range(0, count, BATCH):
        stage.run.say(f"making settled credentials: {start} of {count}")
        places = range(start, min(count, start + BATCH))
        made += await side_by_side(
            _credential(stage, agents[place // CREDENTIALS_PER_AGENT], place, values[place % CREDENTIALS_PER_AGENT])
            for place in places
        )
    return Settled(namespace, agents, made, values)


def _make_secret() -> Made:
    value = secrets.generate_secret()
    return Made(value, secrets.hash_secret(value, secrets.MIN_COST))


async def _agent(stage: Stage, namespace: str, place: int) -> Agent:
    created = await stage.admin.create(AGENTS, agent(namespace, f"agent-{place}"))
    count = CredentialCount(active=CREDENTIALS_PER_AGENT, total=CREDENTIALS_PER_AGENT)
    status = register(AgentInput(agent=created, credentials=count), now())
    return await stage.admin.replace_status(AGENTS, replace(created, status=status))


async def _credential(stage: Stage, of: Agent, place: int, made: Made) -> AgentCredential:
    """In three writes: the object, its Secret, its status."""
    wanted = credential(of.metadata.namespace, f"credential-{place}", of.metadata.name)
    declared = await stage.admin.create(CREDENTIALS, wanted)
    step = decide(_seen(stage, declared, of, None), now())
    if not isinstance(step, IssueSecret):
        raise TypeError(f"a new credential is issued first, not {step}")
    value = made.value.encode()
    published = with_fresh_hash(step.status, made.hashed, secrets.hint_of(declared.metadata.uid, value), now())
    issued = replace(declared, status=published)
    secret = await stage.admin.create(SECRETS, secret_for(issued, value, stage.endpoints))
    step = decide(_seen(stage, issued, of, secret), now())
    if not isinstance(step, WriteStatus):
        raise TypeError(f"what was issued is recorded next, not {step}")
    return await stage.admin.replace_status(CREDENTIALS, replace(issued, status=step.status))


def _seen(stage: Stage, credential: AgentCredential, of: Agent, secret: Secret | None) -> Input:
    delivery = inspect(credential, credential.secret_name, secret, stage.endpoints)
    return Input(credential=credential, agent=of, delivery=delivery)

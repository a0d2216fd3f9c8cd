"""The objects that benchmarks declare, and making many of them at once."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from agentidp.domain.resources import Agent, AgentCredential, AgentRef, AgentSpec, CredentialSpec, ObjectMeta, Rotation
from agentidp.domain.resources.agent import AgentType, DeploymentEnvironment
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import AGENTS
from agentidp.kube.pager import list_all
from benchmarks.stage.waiting import until_awaited

AT_ONCE = 32
CREDENTIALS_PER_AGENT = 10

ValueT = TypeVar("ValueT")


def agent(namespace: str, name: str) -> Agent:
    """An agent like any other."""
    spec = AgentSpec(
        email="agent@agents.example",
        type=AgentType.SCREENER,
        version="1.0.0",
        capabilities=("resume:read",),
        owner="benchmarks",
        deployment_env=DeploymentEnvironment.PRODUCTION,
        scopes=("resumes:read",),
        audiences=("https://resumes.example",),
    )
    return Agent(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


def credential(namespace: str, name: str, of_agent: str, rotation: Rotation | None = None) -> AgentCredential:
    """A credential of an agent, delivered into the Secret of its name."""
    spec = CredentialSpec(agent_ref=AgentRef(name=of_agent), rotation=rotation or Rotation())
    return AgentCredential(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


async def make_namespace(cluster: KubeClient, name: str) -> None:
    """Create a namespace with a new name."""
    await cluster.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})


async def make_agents(cluster: KubeClient, namespace: str, names: Iterable[str]) -> None:
    """New ones; done when an operator has registered all that are in the namespace."""
    await side_by_side(cluster.create(AGENTS, agent(namespace, name)) for name in names)

    async def all_are_registered() -> bool:
        agents = await list_all(cluster, AGENTS, AGENTS.path(namespace))
        return all(one.status.agent_id for one in agents)

    await until_awaited(all_are_registered, look_seconds=0.2)


async def side_by_side(work: Iterable[Awaitable[ValueT]], at_once: int = AT_ONCE) -> list[ValueT]:
    """All of it, so much at the same time; the answers in the same order."""
    free = asyncio.Semaphore(at_once)

    async def one(part: Awaitable[ValueT]) -> ValueT:
        async with free:
            return await part

    return await asyncio.gather(*(one(part) for part in work))

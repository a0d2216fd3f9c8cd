"""Tenants that spend all they may of what everybody shares. Each is prepared first, and then keeps at it while a block runs."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, ObjectMeta, Organization, Rotation
from agentidp.domain.resources.credential import ProvidedHash
from agentidp.domain.resources.organization import OrganizationSpec
from agentidp.domain.secrets.client_secrets import MAX_COST, generate_secret, hash_secret, hint_of
from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS
from agentidp.kube.pager import list_all
from benchmarks.stage.control_plane import Stage
from benchmarks.stage.objects import CREDENTIALS_PER_AGENT, agent, credential, make_agents, make_namespace, side_by_side
from benchmarks.stage.operator_state import until_at_rest
from benchmarks.stage.waiting import until_awaited
from benchmarks.stage.workload import ClientCredentials, Workload

ORGANIZATION = "foreign"
PAUSE_SECONDS = 0.05
"""Between an agent's coming and its going."""
RETRY_SECONDS = 0.5
"""Between an answer and the next try: the benchmark shares the cores, and what it spends itself is not to be measured."""

AtWork = AbstractAsyncContextManager[None]


class Neighbour(NamedTuple):
    """What one tenant does: `ready` makes its objects, and what it returns keeps at it while it is entered."""

    name: str
    ready: Callable[[Stage, str, int], Awaitable[AtWork]]
    """In this namespace, with so many objects."""


async def right_secrets(stage: Stage, namespace: str, count: int) -> AtWork:
    """All at once, none of them seen before."""
    pairs = await _provide(stage, namespace, count, hinted=True)

    async def ask(client_credentials: ClientCredentials, workload: Workload) -> None:
        while await workload.status(client_credentials) != HTTPStatus.OK:  # noqa: ASYNC110 it is told to come back
            await asyncio.sleep(RETRY_SECONDS)

    return _asking(stage, [partial(ask, client_credentials) for client_credentials in pairs])


async def wrong_secrets(stage: Stage, namespace: str, count: int) -> AtWork:
    """Where no hint tells that they are wrong: one at a time of each agent, which has ten such hashes."""
    pairs = await _provide(stage, namespace, count, hinted=False)

    async def ask(client_id: str, workload: Workload) -> None:
        while True:
            await workload.status(ClientCredentials(client_id, uuid.uuid4().hex))
            await asyncio.sleep(RETRY_SECONDS)

    clients = sorted({client_credentials.client_id for client_credentials in pairs})
    return _asking(stage, [partial(ask, client) for client in clients])


async def rotations(stage: Stage, namespace: str, count: int) -> AtWork:
    """Of all credentials, as often as is allowed."""
    await _declare(stage, namespace, count, lambda _: None, Rotation(every="1m"))
    await until_at_rest(stage.operator_url)
    return _rotating(stage, namespace)


async def claims(stage: Stage, namespace: str, count: int) -> AtWork:
    """Of an organization that does not admit the namespace, by many agents, of which one goes and comes again and again."""
    spec = OrganizationSpec(namespaces=("elsewhere",))
    await stage.admin.create(ORGANIZATIONS, Organization(metadata=ObjectMeta(name=ORGANIZATION), spec=spec))
    await make_namespace(stage.admin, namespace)
    await side_by_side(_claim(stage, namespace, f"agent-{number}") for number in range(count))
    await until_at_rest(stage.operator_url)
    return _coming_and_going(stage, namespace)


NEIGHBOURS = (
    Neighbour("right secrets at cost 14", right_secrets),
    Neighbour("hashes without hints", wrong_secrets),
    Neighbour("rotations every minute", rotations),
    Neighbour("claims of an organization", claims),
)


async def _provide(stage: Stage, namespace: str, count: int, *, hinted: bool) -> list[ClientCredentials]:
    """Credentials whose hashes take as long as is allowed. An agent has ten, of different secrets; all agents have the same."""
    stage.run.say(f"{namespace}: making hashes at cost {MAX_COST}")
    values = [generate_secret() for _ in range(CREDENTIALS_PER_AGENT)]
    hashes = [ProvidedHash(hash=await asyncio.to_thread(hash_secret, value, MAX_COST)) for value in values]
    made = await _declare(stage, namespace, count, lambda place: hashes[place % CREDENTIALS_PER_AGENT], Rotation())
    if hinted:
        await side_by_side(_add_hint(stage, one, values[place % CREDENTIALS_PER_AGENT]) for place, one in enumerate(made))

    async def all_are_published() -> bool:
        seen = await list_all(stage.admin, CREDENTIALS, CREDENTIALS.path(namespace))
        return all(one.status.secret_hashes and (one.status.secret_hashes[-1].hint is not None) == hinted for one in seen)

    await until_awaited(all_are_published, look_seconds=0.5)
    agents = {one.metadata.name: one for one in await list_all(stage.admin, AGENTS, AGENTS.path(namespace))}
    ids = (agents[one.spec.agent_ref.name].status.agent_id or "" for one in made)
    return [ClientCredentials(client_id, values[place % CREDENTIALS_PER_AGENT]) for place, client_id in enumerate(ids)]


async def _declare(
    stage: Stage, namespace: str, count: int, provided: Callable[[int], ProvidedHash | None], rotation: Rotation
) -> list[AgentCredential]:
    """So many credentials, ten to an agent, in a new namespace."""
    stage.run.say(f"{namespace}: {count} credentials")
    await make_namespace(stage.admin, namespace)
    await make_agents(stage.admin, namespace, (f"agent-{place}" for place in range(-(-count // CREDENTIALS_PER_AGENT))))
    wanted = (
        credential(namespace, f"credential-{place}", f"agent-{place // CREDENTIALS_PER_AGENT}", rotation)
        for place in range(count)
    )
    return await side_by_side(
        stage.admin.create(CREDENTIALS, replace(one, spec=replace(one.spec, secret_hash=provided(place))))
        for place, one in enumerate(wanted)
    )


async def _add_hint(stage: Stage, one: AgentCredential, value: str) -> None:
    """It takes the uid of a credential that is there."""
    meta = one.metadata
    change = {"spec": {"secretHash": {"hint": hint_of(meta.uid, value.encode())}}}
    await stage.admin.patch(CREDENTIALS, meta.namespace, meta.name, change)


@asynccontextmanager
async def _asking(stage: Stage, clients: list[Callable[[Workload], Awaitable[None]]]) -> AsyncIterator[None]:
    """Each over a connection of its own, and gone afterwards."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        workload = Workload(session, stage.endpoints.token_endpoint)
        async with _running([ask(workload) for ask in clients]):
            yield


@asynccontextmanager
async def _rotating(stage: Stage, namespace: str) -> AsyncIterator[None]:
    """The operator does it; the credentials are deleted afterwards."""
    try:
        yield
    finally:
        await stage.admin.request("DELETE", CREDENTIALS.path(namespace))
        await until_at_rest(stage.operator_url)


@asynccontextmanager
async def _coming_and_going(stage: Stage, namespace: str) -> AsyncIterator[None]:
    async def come_and_go() -> None:
        while True:
            await _claim(stage, namespace, "another")
            await asyncio.sleep(PAUSE_SECONDS)
            await stage.admin.request("DELETE", AGENTS.path(namespace, "another"))

    async with _running([come_and_go()]):
        yield


async def _claim(stage: Stage, namespace: str, name: str) -> None:
    one = agent(namespace, name)
    await stage.admin.create(AGENTS, replace(one, spec=replace(one.spec, organization_id=ORGANIZATION)))


@asynccontextmanager
async def _running(work: list[Awaitable[None]]) -> AsyncIterator[None]:
    """All of it, as long as the block runs. Raises what it raises."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

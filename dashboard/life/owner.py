"""Whoever declares the agents of a namespace, and changes what is declared of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from agentidp.domain.resources import Agent, AgentCredential, Rotation, Secret, SecretMeta
from agentidp.domain.resources.conditions import READY, condition
from agentidp.domain.resources.credential import SecretTemplate
from agentidp.domain.resources.reasons import Reason
from agentidp.kube.client import KubeClient
from agentidp.kube.kinds import AGENTS, CREDENTIALS, SECRETS
from benchmarks.stage.objects import agent, credential, make_agents, make_namespace, side_by_side
from benchmarks.stage.waiting import until_awaited
from benchmarks.stage.workload import ClientCredentials, client_credentials_in

LOOK_SECONDS = 0.3
ON_REQUEST = Rotation()
MANAGES = ("agents:read", "agents:write")


@dataclass(frozen=True)
class Owner:
    """An agent, its credential and the Secret of that have the same name."""

    admin: KubeClient
    namespace: str

    async def begin(self) -> None:
        """Create the namespace of the agents."""
        await make_namespace(self.admin, self.namespace)

    async def declare(self, names: Iterable[str], rotation: Rotation = ON_REQUEST) -> None:
        """New agents with a credential each; done when all have their secrets."""
        wanted = list(names)
        await make_agents(self.admin, self.namespace, wanted)
        await side_by_side(self.admin.create(CREDENTIALS, credential(self.namespace, name, name, rotation)) for name in wanted)
        for name in wanted:
            await self.until(name, Reason.ISSUED)

    async def declare_manager(self, name: str) -> ClientCredentials:
        """The pair of an agent that may manage the others over REST."""
        plain = agent(self.namespace, name)
        await self.admin.create(AGENTS, replace(plain, spec=replace(plain.spec, scopes=MANAGES, audiences=())))
        await self.admin.create(CREDENTIALS, credential(self.namespace, name, name))
        await self.until(name, Reason.ISSUED)
        return await self.client_credentials(name)

    async def deliver_to(self, name: str, secret: str) -> None:
        """A new credential of an agent, to be delivered into a Secret of another name."""
        plain = credential(self.namespace, f"{name}-again", name)
        await self.admin.create(CREDENTIALS, replace(plain, spec=replace(plain.spec, secret=SecretTemplate(name=secret))))

    async def write_secret(self, name: str, data: Mapping[str, bytes]) -> None:
        """A Secret that is nobody's."""
        await self.admin.create(SECRETS, Secret(metadata=SecretMeta(name=name, namespace=self.namespace), data=dict(data)))

    async def change_agents(self, names: Iterable[str], **spec: Any) -> None:
        """Change these fields of their specs."""
        await side_by_side(self.admin.patch(AGENTS, self.namespace, name, {"spec": spec}) for name in names)

    async def rotate(self, names: Iterable[str], overlap: str) -> None:
        """Request it now; the old secrets work for so long."""
        wanted = {"spec": {"rotation": {"overlap": overlap, "requestedAt": datetime.now(UTC).isoformat()}}}
        await side_by_side(self.admin.patch(CREDENTIALS, self.namespace, name, wanted) for name in names)

    async def client_credentials(self, name: str) -> ClientCredentials:
        """What the Secret holds now."""
        return client_credentials_in(await self.admin.get(SECRETS, self.namespace, name))

    async def agent(self, name: str) -> Agent:
        """Read the agent from the API server."""
        return await self.admin.get(AGENTS, self.namespace, name)

    async def until(self, name: str, reason: Reason) -> None:
        """Wait until the credential is told so."""
        await until_awaited(partial(self.is_told, name, reason), LOOK_SECONDS)

    async def is_told(self, name: str, reason: Reason) -> bool:
        """Whether the credential's status says so."""
        return _reason(await self.admin.get(CREDENTIALS, self.namespace, name)) == reason


def _reason(seen: AgentCredential) -> str:
    ready = condition(seen.status.conditions, READY)
    return ready.reason if ready else ""

"""What every call has: the path that all begin with, the parts of this API, who asks, and about which agent."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer

from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.request_context import Change, RequestContext
from management_api.wiring import ManagementApi

T = TypeVar("T")

BASE_PATH = "/api/v1"
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An access token of an agent with agents:read or agents:write, or a token of the cluster.",
)


@dataclass(frozen=True)
class Call:
    """One request of a caller who is known, and the parts of this API."""

    api: ManagementApi
    asking: RequestContext

    async def agent(self, action: Action, agent_id: str) -> CachedAgent:
        """The agent, if the caller may do this with it. Raises Failure."""
        return await self.asking.caller.authorize(action, self.api.registry.agent(agent_id), agent_id)

    async def change(self, change: Change[T]) -> T:
        """What comes of the change, which goes on if this request is given up. Raises Failure."""
        return await self.api.reception.change(self.asking.caller, change)

    async def create(self, namespace: str, change: Change[T]) -> T:
        """The same of a change that adds an object to this namespace."""
        return await self.api.reception.create(self.asking.caller, namespace, change)


async def let_in(request: Request, _: Annotated[object, Depends(BEARER)]) -> Call:
    """Whoever shows who they are. Raises Failure."""
    api: ManagementApi = request.app.state.api
    return Call(api, await api.reception.let_in(request))


Known = Annotated[Call, Depends(let_in)]
AgentId = Annotated[str, Path(alias="agentId", description="The agent's id, which is its credentials' client_id.")]

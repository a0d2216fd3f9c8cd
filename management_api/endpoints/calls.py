"""What every call has: the path that all begin with, the parts of this API, who asks, and about which agent."""

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer

from management_api.asking import Asking
from management_api.callers.caller import Action
from management_api.registry.agents import RegisteredAgent
from management_api.service import ManagementApi

BASE_PATH = "/api/v1"
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An access token of an agent with agents:read or agents:write, or a token of the cluster.",
)


async def parts(request: Request) -> ManagementApi:
    """What the application was made with."""
    api: ManagementApi = request.app.state.api
    return api


Api = Annotated[ManagementApi, Depends(parts)]


async def let_in(request: Request, api: Api, _: Annotated[object, Depends(BEARER)]) -> Asking:
    """Who asks. Raises Failure."""
    return await api.reception.let_in(request)


Known = Annotated[Asking, Depends(let_in)]
AgentId = Annotated[str, Path(alias="agentId", description="The agent's id, which is its credentials' client_id.")]


async def agent_for(api: ManagementApi, asking: Asking, action: Action, agent_id: str) -> RegisteredAgent:
    """The agent, if the caller may do this with it. Raises Failure."""
    return await asking.caller.authorize(action, api.registry.agent(agent_id), agent_id)

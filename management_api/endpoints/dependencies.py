"""Dependencies of all routes: the base path, the parameters that several routes have, and the authenticated call.

A `Call` is one request of an authenticated caller. It authorizes, takes the caller's limits, and runs a change to its end.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPBearer

from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.errors import unavailable
from management_api.request_context import Change, RequestContext
from management_api.wiring import ManagementApi

ResultT = TypeVar("ResultT")

BASE_PATH = "/api/v1"
MAX_PAGE_LIMIT = 100
BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An access token of an agent with agents:read or agents:write, or a token of the cluster.",
)

AgentId = Annotated[str, Path(alias="agentId", description="The agent's id, which is its credentials' client_id.")]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description="From 1.")]
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE_LIMIT, description="How many on a page.")]


@dataclass(frozen=True)
class Call:
    """One request of an authenticated caller, and the parts of this API that it needs."""

    api: ManagementApi
    context: RequestContext

    async def agent(self, action: Action, agent_id: str) -> CachedAgent:
        """Return the agent if the caller may do this with it. Raises ApiFailure."""
        return await self.context.caller.authorize(action, self.api.cache.agent(agent_id), agent_id)

    async def change(self, change: Change[ResultT]) -> ResultT:
        """Run a change, which goes on where this request is cancelled. Raises ApiFailure where the tenant makes too many."""
        self.api.rate_limits.changes.take(self.context.caller.tenant)
        return await self.api.change_tasks.run(change)

    async def create(self, namespace: str, change: Change[ResultT]) -> ResultT:
        """Run a change that adds an object to the namespace. Agents have a limit; ResourceQuotas limit users of the cluster."""
        caller, limits = self.context.caller, self.api.rate_limits
        limits.changes.take(caller.tenant)
        return await self.api.change_tasks.run(change, limits.objects.slot(namespace) if caller.is_agent else nullcontext())


async def authenticated_call(request: Request, _: Annotated[object, Depends(BEARER)]) -> Call:
    """Authenticate the caller, and take one request from the caller's rate. Raises ApiFailure."""
    api: ManagementApi = request.app.state.api
    if not api.freshness.is_fresh():
        raise unavailable("This API is not in touch with its API server. Nothing was done.", 5)
    caller = await api.authentication.caller(request.headers.getlist("Authorization"))
    request.state.caller = caller.name
    api.rate_limits.requests.take(caller.name)
    return Call(api, RequestContext(caller, request.state.request_id, request.is_disconnected))


AuthenticatedCall = Annotated[Call, Depends(authenticated_call)]

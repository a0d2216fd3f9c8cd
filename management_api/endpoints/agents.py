"""/api/v1/agents: list, get, register, update, decommission."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from agentidp.domain.resources import AgentState
from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.endpoints.dependencies import BASE_PATH, AgentId, AuthenticatedCall, PageLimit, PageNumber
from management_api.schemas.agents import (
    Agent,
    AgentPage,
    AgentRequest,
    AgentUpdate,
    Kind,
    OwnerName,
    State,
    agent_response,
    spec_fields,
)
from management_api.schemas.base import READ_ERRORS, WRITE_ERRORS, error_responses

NAMESPACE = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
Namespace = Annotated[
    str | None, Query(max_length=63, pattern=NAMESPACE, description="For callers of the cluster: which namespace.")
]

router = APIRouter(prefix=f"{BASE_PATH}/agents", tags=["agents"])


@router.get("", response_model=AgentPage, responses=error_responses(*READ_ERRORS))
async def list_agents(
    call: AuthenticatedCall,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    owner: Annotated[OwnerName | None, Query()] = None,
    agent_type: Annotated[Kind | None, Query(alias="agentType")] = None,
    status: Annotated[State | None, Query()] = None,
    namespace: Namespace = None,
) -> Any:
    """The agents that the caller may see, newest first."""
    visible_agents = await call.context.caller.visible_agents(namespace)
    agents = call.api.cache.agents_where(
        lambda agent: visible_agents.includes(agent) and _matches(agent, owner, agent_type, status), visible_agents.namespaces
    )
    begin = (page - 1) * limit
    data = [agent_response(agent) for agent in agents[begin : begin + limit]]
    return AgentPage(data=data, total=len(agents), page=page, limit=limit)


@router.get("/{agentId}", response_model=Agent, responses=error_responses(*READ_ERRORS, 404))
async def get_agent(call: AuthenticatedCall, agent_id: AgentId) -> Any:
    """One agent, by its id."""
    return agent_response(await call.agent(Action.READ_AGENT, agent_id))


@router.post("", status_code=201, response_model=Agent, responses=error_responses(*WRITE_ERRORS))
async def register_agent(call: AuthenticatedCall, body: AgentRequest, namespace: Namespace = None) -> Any:
    """A new agent, with an id of its own and without scopes: those are given to it in the cluster."""
    placement = await call.context.caller.placement(namespace, body.organization_id)
    agent = await call.create(placement.namespace, lambda: call.api.agents.register(placement, spec_fields(body), call.context))
    return agent_response(agent)


@router.patch("/{agentId}", response_model=Agent, responses=error_responses(*WRITE_ERRORS, 404, 409))
async def update_agent(call: AuthenticatedCall, agent_id: AgentId, body: AgentUpdate) -> Any:
    """What is left out stays as it is."""
    agent = await call.agent(Action.CHANGE_AGENT, agent_id)
    return agent_response(await call.change(lambda: call.api.agents.change(agent, spec_fields(body), call.context)))


@router.delete("/{agentId}", status_code=204, responses=error_responses(*READ_ERRORS, 404, 409, 413))
async def decommission_agent(call: AuthenticatedCall, agent_id: AgentId) -> Response:
    """For ever, and all its credentials with it. The newest records of those that were registered here are kept."""
    agent = await call.agent(Action.CHANGE_AGENT, agent_id)
    await call.change(lambda: call.api.agents.decommission(agent, call.context))
    return Response(status_code=204)


def _matches(agent: CachedAgent, owner: str | None, kind: str | None, state: str | None) -> bool:
    spec = agent.spec
    return owner in (None, spec.owner) and kind in (None, spec.type.value) and AgentState(state or spec.state) is spec.state

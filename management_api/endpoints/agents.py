"""/api/v1/agents: list, get, register, update, decommission."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from agentidp.domain.resources import AgentState
from management_api.auth.authorization import Action
from management_api.cache.agents import CachedAgent
from management_api.endpoints.dependencies import BASE_PATH, AgentId, Known
from management_api.endpoints.pagination import PageLimit, PageNumber
from management_api.schemas.agents import (
    Agent,
    AgentPage,
    AgentRequest,
    AgentUpdate,
    Kind,
    OwnerName,
    State,
    agent_document,
    spec_of,
)
from management_api.schemas.base import READING, WRITING, refusals

NAMESPACE = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
Namespace = Annotated[
    str | None, Query(max_length=63, pattern=NAMESPACE, description="For callers of the cluster: which namespace.")
]

router = APIRouter(prefix=f"{BASE_PATH}/agents", tags=["agents"])


@router.get("", response_model=AgentPage, responses=refusals(*READING))
async def list_agents(
    call: Known,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    owner: Annotated[OwnerName | None, Query()] = None,
    agent_type: Annotated[Kind | None, Query(alias="agentType")] = None,
    status: Annotated[State | None, Query()] = None,
    namespace: Namespace = None,
) -> Any:
    """The agents that the caller may see, newest first."""
    sight = await call.asking.caller.visible(namespace)
    found = call.api.registry.agents_where(
        lambda agent: sight.includes(agent) and _fits(agent, owner, agent_type, status), sight.namespaces
    )
    begin = (page - 1) * limit
    data = [agent_document(agent) for agent in found[begin : begin + limit]]
    return AgentPage(data=data, total=len(found), page=page, limit=limit)


@router.get("/{agentId}", response_model=Agent, responses=refusals(*READING, 404))
async def get_agent(call: Known, agent_id: AgentId) -> Any:
    """One agent."""
    return agent_document(await call.agent(Action.READ_AGENT, agent_id))


@router.post("", status_code=201, response_model=Agent, responses=refusals(*WRITING))
async def register_agent(call: Known, body: AgentRequest, namespace: Namespace = None) -> Any:
    """A new agent, with an id of its own and without scopes: those are given to it in the cluster."""
    place = await call.asking.caller.place(namespace, body.organization_id)
    agent = await call.create(place.namespace, lambda: call.api.agents.register(place, spec_of(body), call.asking.origin))
    return agent_document(agent)


@router.patch("/{agentId}", response_model=Agent, responses=refusals(*WRITING, 404, 409))
async def update_agent(call: Known, agent_id: AgentId, body: AgentUpdate) -> Any:
    """What is left out stays as it is."""
    agent = await call.agent(Action.CHANGE_AGENT, agent_id)
    changed = await call.change(lambda: call.api.agents.change(agent, spec_of(body), call.asking.origin))
    return agent_document(changed)


@router.delete("/{agentId}", status_code=204, responses=refusals(*READING, 404, 409, 413))
async def decommission_agent(call: Known, agent_id: AgentId) -> Response:
    """For ever, and all its credentials with it. The newest records of those that were registered here are kept."""
    agent = await call.agent(Action.CHANGE_AGENT, agent_id)
    await call.change(lambda: call.api.agents.decommission(agent, call.asking.origin))
    return Response(status_code=204)


def _fits(agent: CachedAgent, owner: str | None, kind: str | None, state: str | None) -> bool:
    spec = agent.spec
    return owner in (None, spec.owner) and kind in (None, spec.type.value) and AgentState(state or spec.state) is spec.state

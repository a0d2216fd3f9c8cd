"""The authenticated call: what a request takes of the caller's limits, and when no request is authenticated."""

from http import HTTPStatus

import httpx
import pytest

from management_api.app import create_app
from management_api.auth.authorization import Action
from management_api.auth.kubernetes_caller import KubernetesCaller, User
from management_api.endpoints.dependencies import BASE_PATH, Call
from management_api.errors import ApiFailure, Code
from tests.support.management_parts import SETTINGS, a_cached_agent, a_cached_credential, a_context, an_api
from tests.support.refusals import refused
from tests.support.worlds import NAMESPACE, a_uid


async def nothing() -> None:
    """A change of nothing."""


async def test_call_is_refused_before_the_cluster_was_listed() -> None:
    """503 with Retry-After: from an empty cache, every agent would be missing."""
    api, _ = an_api()
    transport = httpx.ASGITransport(app=create_app(api))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answer = await client.get(f"{BASE_PATH}/agents")
    refused(answer, HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"


async def test_call_returns_the_agent_that_the_caller_reaches() -> None:
    """404 for any other."""
    api, _ = an_api()
    api.cache.agents.put(a_cached_agent(a_uid(1)))
    call = Call(api, a_context())
    assert (await call.agent(Action.READ_AGENT, a_uid(1))).agent_id == a_uid(1)
    with pytest.raises(ApiFailure) as raised:
        await call.agent(Action.READ_AGENT, a_uid(2))
    assert raised.value.code is Code.AGENT_NOT_FOUND


async def test_call_of_an_agent_creates_no_more_than_its_namespace_may_have() -> None:
    """A user of the cluster may: ResourceQuotas limit users, as with kubectl."""
    api, _ = an_api()
    for number in range(SETTINGS.objects_per_namespace):
        api.cache.credentials.put(a_cached_credential(credential_id=a_uid(number)))
    with pytest.raises(ApiFailure, match="agents make no more there"):
        await Call(api, a_context()).create(NAMESPACE, nothing)
    await Call(api, a_context()).create("another", nothing)
    user = KubernetesCaller(User(username="alice"), None)  # type: ignore[arg-type]
    await Call(api, a_context(user)).create(NAMESPACE, nothing)


async def test_calls_of_a_namespace_share_the_rate_of_changes() -> None:
    """Else an agent could register more agents, and send requests as them."""
    api, _ = an_api()
    call = Call(api, a_context())
    for _ in range(SETTINGS.namespace_write_burst):
        await call.change(nothing)
    for change in (call.change(nothing), call.create("another", nothing)):
        with pytest.raises(ApiFailure) as raised:
            await change
        assert raised.value.status == HTTPStatus.TOO_MANY_REQUESTS

"""/api/v1/agents/{agentId}/credentials: the routes, for an agent that may read and write in its namespace."""

from http import HTTPStatus

from agentidp.kube.kinds import CREDENTIALS
from management_api.cache.cluster_cache import ClusterCache
from management_api.endpoints import credentials
from tests.support.management_parts import a_cached_agent, a_cached_credential, an_api, client_of
from tests.support.worlds import AGENT_ID, HOUR, NOW, a_uid

PATH = f"/agents/{AGENT_ID}/credentials"


def add_credentials(cache: ClusterCache, number: int) -> None:
    """An agent with so many credentials, the first of which is the newest."""
    cache.agents.put(a_cached_agent())
    for age in range(number):
        cache.credentials.put(a_cached_credential(credential_id=a_uid(age), created=NOW - age * HOUR))


async def test_credentials_are_listed_in_pages_newest_first() -> None:
    """Without a secret; `total` counts all pages."""
    api, _ = an_api()
    add_credentials(api.cache, 5)
    async with client_of(api, credentials.router) as client:
        answer = await client.get(PATH, params={"page": 2, "limit": 2})
        revoked = await client.get(PATH, params={"status": "revoked"})
    assert [credential["credentialId"] for credential in answer.json()["data"]] == [a_uid(2), a_uid(3)]
    assert (answer.json()["total"], revoked.json()["total"]) == (5, 0)
    assert "clientSecret" not in answer.text


async def test_credential_is_generated_rotated_and_revoked() -> None:
    """201 and 200 with a secret each, 204; a revoked credential is not rotated: 409."""
    api, cluster = an_api()
    add_credentials(api.cache, 0)
    async with client_of(api, credentials.router) as client:
        generated = await client.post(PATH)
        path = f"{PATH}/{generated.json()['credentialId']}"
        rotated = await client.post(f"{path}/rotate", json={"expiresAt": "2099-01-31T12:00:00Z"})
        revoked = await client.delete(path)
        again = await client.post(f"{path}/rotate")
    assert [answer.status_code for answer in (generated, rotated, revoked, again)] == [
        HTTPStatus.CREATED,
        HTTPStatus.OK,
        HTTPStatus.NO_CONTENT,
        HTTPStatus.CONFLICT,
    ]
    assert generated.json()["clientSecret"] != rotated.json()["clientSecret"]
    assert rotated.json()["expiresAt"] == "2099-01-31T12:00:00.000Z"
    assert len(cluster.all(CREDENTIALS)) == 1


async def test_credential_of_another_agent_is_not_found() -> None:
    """404, as for one that does not exist."""
    api, _ = an_api()
    add_credentials(api.cache, 1)
    api.cache.agents.put(a_cached_agent(a_uid(9), name="another"))
    async with client_of(api, credentials.router) as client:
        answers = [await client.delete(f"/agents/{a_uid(9)}/credentials/{number}") for number in (a_uid(0), a_uid(8))]
    assert [answer.status_code for answer in answers] == [HTTPStatus.NOT_FOUND] * 2
    assert {answer.json()["code"] for answer in answers} == {"CREDENTIAL_NOT_FOUND"}

"""SECURITY.md: no error message has a secret, also where the caller has put one in the wrong place."""

from agentidp.domain.secrets.client_secrets import generate_secret
from tests.support.misplaced_secrets import misplaced
from tests.support.token_services import ServedAlone

SECRET = generate_secret()


async def test_answer_does_not_repeat_a_secret_in_any_place_of_a_get(served: ServedAlone) -> None:
    """Each parameter and header that the OpenAPI document names, and some that it does not name."""
    document = (await served.http.get("/openapi.json")).json()
    repeated, statuses = [], set()
    for request in misplaced(document, SECRET):
        if request.method == "get":
            answer = await served.http.get(request.path, **request.options)
            statuses.add(answer.status_code)
            if SECRET in answer.text + str(answer.headers):
                repeated.append(f"{request.path}, {request.what}: {answer.text}")
    assert statuses >= {200, 401, 422}
    assert repeated == []

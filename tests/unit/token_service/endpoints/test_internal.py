"""The internal endpoints: the operator alone is told of last uses. `cluster/test_propagation` has the other one."""

import time

import pytest

from agentidp.domain.identity.clients import client_agent
from agentidp.domain.secrets.last_used import OPERATOR, USAGE_PATH, USAGE_SCOPE
from agentidp.domain.tokens.access_tokens import prepare_claims
from agentidp.domain.tokens.grants import Grant
from tests.support.token_services import ISSUER, ServedAlone
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, a_registered_agent, a_uid


def bearer(
    served: ServedAlone, client_id: str = OPERATOR, scope: str = USAGE_SCOPE, audience: str = ISSUER, age: int = 0
) -> dict[str, str]:
    """An Authorization header with a token by the signing keys."""
    writer = served.keys.writer()
    assert writer
    claims = prepare_claims(ISSUER, client_agent(a_registered_agent(client_id)), None, Grant(scope, (audience,)))
    return {"Authorization": f"Bearer {writer.write(claims, int(time.time()) - age, a_uid(7)).decode()}"}


async def test_internal_usage_tells_the_operator(served: ServedAlone) -> None:
    """Which secrets were used when, by credential."""
    await served.token()
    report = (await served.http.get(USAGE_PATH, headers=bearer(served))).json()
    assert list(report["uses"]) == [CREDENTIAL_ID]


OTHERS = {
    "an agent": {"client_id": AGENT_ID},
    "a token with another scope": {"scope": "tokens:read"},
    "a token for somebody else": {"audience": "https://api.example"},
    "a token that has expired": {"age": 7200},
}


@pytest.mark.parametrize("claims", OTHERS.values(), ids=OTHERS)
async def test_internal_usage_tells_nobody_else(served: ServedAlone, claims: dict[str, str]) -> None:
    """401, and what to authenticate with (RFC 6750, section 3)."""
    answer = await served.http.get(USAGE_PATH, headers=bearer(served, **claims))  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert (await served.http.get(USAGE_PATH)).status_code == 401

"""Access tokens that exist: which are active, and what is written when one is revoked."""

from typing import Any, cast

import pytest

from agentidp.domain.resources import AgentState, TokenRevocation
from agentidp.domain.tokens.access_tokens import AccessToken
from agentidp.kube.client import KubeClient
from agentidp.kube.errors import Conflict
from agentidp.kube.kinds import Kind
from tests.support.token_services import ISSUER, ServedAlone
from tests.support.worlds import AGENT_ID, NAMESPACE, a_registered_agent, a_uid
from token_service.cluster.live_reads import LiveReader
from token_service.issued_tokens import RevocationWriter, TokenValidator

TOKEN = AccessToken(client_id=AGENT_ID, jti=a_uid(7), issued_at=1_800_000_000, expires=1_800_003_600, audience=ISSUER)


@pytest.fixture
def validator(served: ServedAlone) -> TokenValidator:
    """By what the service has of the cluster; nothing can be read beside it."""

    async def look_up(_: str) -> Any:
        raise AssertionError("the cluster cache has the agent")

    return TokenValidator(ISSUER, served.cache, LiveReader(look_up, served.cache.clients))


async def issued(served: ServedAlone) -> str:
    """A token of the client."""
    token: str = (await served.token()).json()["access_token"]
    return token


async def test_token_validator_takes_its_own_tokens(served: ServedAlone, validator: TokenValidator) -> None:
    """And nothing else (RFC 7662, section 2.2)."""
    token = await issued(served)
    active = await validator.active(token)
    assert active
    assert active.client_id == AGENT_ID
    assert await validator.active("nothing") is None


async def test_token_validator_knows_a_revocation_at_once(served: ServedAlone, validator: TokenValidator) -> None:
    """Before the watch reports it; `genuine` and `active` agree."""
    token = await issued(served)
    genuine = validator.genuine(token)
    assert genuine
    validator.revoke(genuine, NAMESPACE)
    assert (validator.genuine(token), await validator.active(token)) == (None, None)


async def test_token_validator_asks_what_became_of_the_agent(served: ServedAlone, validator: TokenValidator) -> None:
    """A token of a suspended agent is genuine, so that it can be revoked, and not active."""
    token = await issued(served)
    served.declare(a_registered_agent(state=AgentState.SUSPENDED))
    assert validator.genuine(token)
    assert await validator.active(token) is None


class ApiServer:
    """Takes one object of each name."""

    def __init__(self) -> None:
        self.created: dict[str, TokenRevocation] = {}

    async def create(self, _: Kind[Any], revocation: TokenRevocation) -> None:
        """Raises Conflict where there is one of this name."""
        if revocation.metadata.name in self.created:
            raise Conflict(409, "AlreadyExists", "it is there")
        self.created[revocation.metadata.name] = revocation


async def test_revocation_writer_names_the_object_by_the_jti() -> None:
    """So a token that is revoked twice, or by two replicas, is one object; it expires with the token."""
    server = ApiServer()
    write = RevocationWriter(cast("KubeClient", server), "agentidp-system")
    for _ in range(2):
        await write(TOKEN, NAMESPACE)
    (revocation,) = server.created.values()
    assert (revocation.metadata.name, revocation.metadata.namespace) == (TOKEN.jti, "agentidp-system")
    assert (revocation.spec.client_id, revocation.spec.namespace) == (AGENT_ID, NAMESPACE)
    assert revocation.spec.expires_at.timestamp() == TOKEN.expires

"""Grants: the response that a prepared grant ends, and the ids of tokens."""

import uuid

import msgspec
import pytest

from agentidp.domain.identity.clients import client_agent
from agentidp.domain.tokens.grants import TokenRequest
from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.token_services import ISSUER
from tests.support.worlds import a_registered_agent
from token_service.authentication.result import AuthenticatedClient
from token_service.issuance.grant import RESPONSE_BEGIN, new_jti, prepare_grant

CLIENT = AuthenticatedClient(client_agent(a_registered_agent(scopes=("read", "write"))), None, float("inf"))


@pytest.mark.parametrize(("scope", "granted"), [(None, "read write"), ("write", "write")])
def test_grant_ends_the_response(scope: str | None, granted: str) -> None:
    """RFC 6749, section 5.1."""
    grant = prepare_grant(CLIENT, TokenRequest(scope), ISSUER)
    assert msgspec.json.decode(RESPONSE_BEGIN + b"a.b.c" + grant.response_end) == {
        "access_token": "a.b.c",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": granted,
    }


def test_grant_is_refused_beyond_what_the_agent_may_have() -> None:
    """RFC 6749, section 5.2."""
    with pytest.raises(OAuthError) as refused:
        prepare_grant(CLIENT, TokenRequest("admin"), ISSUER)
    assert refused.value.error == "invalid_scope"


def test_new_jti_is_a_random_uuid() -> None:
    """RFC 9562, section 5.4."""
    ids = {new_jti() for _ in range(100)}
    assert len(ids) == 100
    for one in ids:
        parsed = uuid.UUID(one)
        assert (str(parsed), parsed.version, parsed.variant) == (one, 4, uuid.RFC_4122)

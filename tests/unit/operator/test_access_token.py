"""The operator's access token: signed with the signing keys, for the token service's internal endpoints."""

from datetime import UTC, datetime

import jwt
import pytest

from agent_operator.access_token import bearer_token
from agentidp.domain.tokens.signing_keys import KeyPolicy, KeySet, with_new_key

ISSUER = "https://idp.example"


def test_access_token_of_the_operator_is_signed_and_short_lived() -> None:
    """It is a JWT access token (RFC 9068, section 2) that names the issuer as audience, and lives for a minute."""
    keys = with_new_key(KeySet(), KeyPolicy(), datetime.now(UTC))
    (key,) = keys.keys
    token = bearer_token(keys, ISSUER, "operator", "usage:read")
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, key.load().public_key(), [key.algorithm.value], audience=ISSUER, issuer=ISSUER)
    assert (header["typ"], header["kid"]) == ("at+jwt", key.kid)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("operator", "operator", "usage:read")
    assert claims["exp"] - claims["iat"] == 60


def test_access_token_needs_a_signing_key() -> None:
    """The operator generates the first key shortly after its start."""
    with pytest.raises(LookupError, match="there is no signing key yet"):
        bearer_token(KeySet(), ISSUER, "operator", "usage:read")

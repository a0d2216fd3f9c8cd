"""A workload's point of view: the pair that its Secret holds, and token requests with it (RFC 6749, section 4.4)."""

import base64
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx
import jwt

from tests.support.crd_schema import Manifest

GRANT = {"grant_type": "client_credentials"}


class Pair(NamedTuple):
    """What a workload reads from its Secret."""

    client_id: str
    client_secret: str
    token_endpoint: str

    def __repr__(self) -> str:
        """A failed test must not show it either."""
        return f"Pair({self.client_id})"


def pair_in(secret: Manifest) -> Pair:
    """The pair of a Secret with the default keys."""
    return Pair(*(value_in(secret, key) for key in Pair._fields))


def value_in(secret: Manifest, key: str) -> str:
    """What a Secret holds under a key."""
    return base64.b64decode(secret["data"][key]).decode()


def ask(pair: Pair, **form: str) -> httpx.Response:
    """The answer to a token request."""
    return httpx.post(pair.token_endpoint, auth=(pair.client_id, pair.client_secret), data=GRANT | form, timeout=30)


def is_served(pair: Pair) -> bool:
    """Whether a token is given now."""
    return ask(pair).status_code == HTTPStatus.OK


def is_refused(pair: Pair) -> bool:
    """Whether the answer is `invalid_client` now."""
    answer = ask(pair)
    return answer.status_code == HTTPStatus.UNAUTHORIZED and answer.json()["error"] == "invalid_client"


def token(pair: Pair, **form: str) -> str:
    """An access token."""
    answer = ask(pair, **form)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return str(answer.json()["access_token"])


def verified(access_token: str, issuer: str, audience: str | None = None) -> dict[str, Any]:
    """The claims, as a resource server gets them: signature by the JWKS, then issuer, audience and expiry."""
    key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(access_token)
    options: Any = {"require": ["iss", "sub", "client_id", "aud", "jti", "iat", "exp"], "verify_aud": audience is not None}
    claims: dict[str, Any] = jwt.decode(
        access_token, key, algorithms=["ES256"], issuer=issuer, audience=audience, options=options
    )
    return claims

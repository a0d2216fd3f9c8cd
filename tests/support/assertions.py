"""Tokens of ServiceAccounts as an API server writes them, by keys that tests have."""

import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from agentidp.domain.tokens.client_assertions import TokenIssuer, token_issuer
from token_service.http.presented_credentials import JWT_BEARER

CLUSTER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "https://idp.example"


class ClusterKey(Struct, frozen=True):
    """A key of an API server."""

    key_id: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        """As its JWK Set has it."""
        implementation = jwt.get_algorithm_by_name(self.algorithm)
        public: dict[str, Any] = implementation.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.key_id, "alg": self.algorithm, "use": "sig"}


def a_cluster_key(algorithm: str = "ES256") -> ClusterKey:
    """A new one."""
    curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
    if algorithm in curves:
        return ClusterKey(uuid.uuid4().hex, algorithm, ec.generate_private_key(curves[algorithm]()))
    return ClusterKey(uuid.uuid4().hex, algorithm, rsa.generate_private_key(65537, 2048))


CLUSTER_KEY = a_cluster_key()


def issuer_of(*keys: ClusterKey, issuer: str = CLUSTER) -> TokenIssuer:
    """What an API server with these keys says of itself."""
    key_set = {"keys": [key.jwk for key in keys]}
    return token_issuer(json.dumps({"issuer": issuer}).encode(), json.dumps(key_set).encode())


def uid_of(namespace: str = "talent", service_account: str = "screener") -> str:
    """The uid of the ServiceAccount that has this name, unless a test makes it anew."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{service_account}.{namespace}"))


def claims_of(namespace: str = "talent", service_account: str = "screener", **changed: Any) -> dict[str, Any]:
    """The claims of a token of this ServiceAccount for us, good for an hour; None leaves one out."""
    now = int(time.time())
    claims = {
        "aud": [AUDIENCE],
        "exp": now + 3600,
        "iat": now,
        "iss": CLUSTER,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": bound_to(namespace, service_account),
        "nbf": now,
        "sub": f"system:serviceaccount:{namespace}:{service_account}",
    }
    return {name: value for name, value in (claims | changed).items() if value is not None}


def bound_to(namespace: str = "talent", service_account: str = "screener", uid: str | None = None) -> dict[str, Any]:
    """The claim that tells which ServiceAccount it is."""
    account = {"name": service_account, "uid": uid or uid_of(namespace, service_account)}
    return {"namespace": namespace, "serviceaccount": account}


def signed(claims: dict[str, Any], key: ClusterKey = CLUSTER_KEY, **header: Any) -> str:
    """The claims as a token, whatever they are."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key.private, key.algorithm, {"kid": key.key_id} | header)


def asserted(assertion: str, client_id: str | None = None) -> dict[str, str]:
    """The form fields that show an assertion."""
    fields = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return fields if client_id is None else fields | {"client_id": client_id}

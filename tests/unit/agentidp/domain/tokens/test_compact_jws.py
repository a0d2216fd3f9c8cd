"""Compact JWS: base64url has no padding (RFC 7515, section 2), in whichever part, and whoever signed it."""

import base64
import json
from typing import Any

import jwt
import pytest

from agentidp.domain.tokens.access_tokens import TYPE, PublicKey, read_token
from agentidp.domain.tokens.client_assertions import AssertionFailure, Workload, read_assertion, signed_token
from agentidp.domain.tokens.compact_jws import is_padded, key_id, unverified_claims, unverified_header
from agentidp.domain.tokens.signing_keys import Algorithm
from tests.support.assertions import AUDIENCE, CLUSTER_KEY, claims_of, issuer_of

ISSUER = issuer_of(CLUSTER_KEY)
HEADER = {"alg": "ES256", "kid": CLUSTER_KEY.key_id, "typ": TYPE}
CLAIMS = claims_of()
PARTS = {"header": 0, "payload": 1, "signature": 2}


def part_of(content: dict[str, Any], padded: bool) -> str:
    """Its base64url; of a length that takes padding, which is there or not."""
    encodings = (base64.urlsafe_b64encode(json.dumps(content | {"fill": "x" * length}).encode()) for length in range(3))
    part = next(encoding for encoding in encodings if encoding.endswith(b"=")).decode()
    return part if padded else part.rstrip("=")


def token_with(padded: int | None, claims: dict[str, Any] = CLAIMS) -> str:
    """A token whose signature is right for the text that it has, with padding in this part."""
    signed_part = f"{part_of(HEADER, padded == 0)}.{part_of(claims, padded == 1)}"
    signature = jwt.get_algorithm_by_name("ES256").sign(signed_part.encode(), CLUSTER_KEY.private)
    text = base64.urlsafe_b64encode(signature).decode()
    return f"{signed_part}.{text if padded == 2 else text.rstrip('=')}"


def access_token_with(padded: int | None) -> str:
    """An access token of the issuer of ServiceAccounts' tokens."""
    return token_with(padded, CLAIMS | {"client_id": "a", "scope": "read"})


KEYS = {CLUSTER_KEY.key_id: PublicKey(Algorithm.ES256, CLUSTER_KEY.private.public_key())}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_token_with_padding_is_none(part: int) -> None:
    """Neither an assertion, nor a token of the cluster, nor an access token; and it says nothing of itself."""
    token = token_with(part)
    assert read_assertion(token, ISSUER, AUDIENCE, CLAIMS["iat"]) is AssertionFailure.NOT_GENUINE
    assert signed_token(token, ISSUER) is None
    assert read_token(access_token_with(part), KEYS, ISSUER.issuer) is None
    assert (unverified_header(token), unverified_claims(token), key_id(token)) == ({}, {}, None)
    assert is_padded(token)


def test_token_without_padding_is_read() -> None:
    """The same ones."""
    token = token_with(None)
    outcome = read_assertion(token, ISSUER, AUDIENCE, CLAIMS["iat"])
    assert not isinstance(outcome, AssertionFailure)
    assert outcome.workload == Workload("talent", "screener")
    assert signed_token(token, ISSUER)
    assert read_token(access_token_with(None), KEYS, ISSUER.issuer)
    assert (unverified_claims(token)["sub"], key_id(token)) == (CLAIMS["sub"], CLUSTER_KEY.key_id)
    assert not is_padded(token)


@pytest.mark.parametrize("text", ["", "opaque", "b3BhcXVl==", "a=.b=.c=", "=", "==.==.=="])
def test_opaque_token_is_not_a_padded_one(text: str) -> None:
    """A webhook of the API server may know it."""
    assert not is_padded(text)
    assert unverified_claims(text) == {}

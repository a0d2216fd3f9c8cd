"""Assertions: what the cluster has signed for us is read; whatever is wrong with one is named, and nothing raises."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.tokens.client_assertions import (
    ALGORITHMS,
    LEEWAY_SECONDS,
    MAX_LIFETIME_SECONDS,
    Assertion,
    AssertionFailure,
    ServiceAccountIdentity,
    TokenIssuer,
    Workload,
    read_assertion,
    token_issuer,
)
from agentidp.domain.tokens.compact_jws import key_id
from tests.support.assertions import AUDIENCE, CLUSTER_KEY, a_cluster_key, bound_to, claims_of, issuer_of, signed, uid_of

CLAIMS = claims_of()
NOW = float(CLAIMS["iat"])
END = CLAIMS["exp"]
SCREENER = Workload("talent", "screener")
ISSUER = issuer_of(CLUSTER_KEY)


def read(token: str, now: float = NOW, issuer: TokenIssuer = ISSUER) -> Workload | AssertionFailure:
    """The workload, judged for our audience."""
    outcome = read_assertion(token, issuer, AUDIENCE, now)
    return outcome if isinstance(outcome, AssertionFailure) else outcome.workload


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_read_assertion_reads_tokens_of_the_cluster(algorithm: str) -> None:
    """By every algorithm that an API server may sign with."""
    key = a_cluster_key(algorithm)
    assert read(signed(CLAIMS, key), issuer=issuer_of(CLUSTER_KEY, key)) == SCREENER


def changed(**claims: Any) -> str:
    """A token with other claims; None leaves one out."""
    return signed({name: value for name, value in (CLAIMS | claims).items() if value is not None})


def by_hand(header: object, claims: object = CLAIMS, secret: bytes = b"") -> str:
    """A JWT of any parts, with an HMAC under the secret if there is one."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed_part = b".".join(map(base64url, parts))
    signature = hmac.digest(secret, signed_part, "sha256") if secret else b""
    return (signed_part + b"." + base64url(signature)).decode()


def base64url(part: bytes) -> bytes:
    """Without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def at(seconds: float) -> datetime:
    """That moment."""
    return datetime.fromtimestamp(seconds, UTC)


KID = {"kid": CLUSTER_KEY.key_id}
PEM = CLUSTER_KEY.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DEEP = b"[" * 20_000
FOREIGN = a_cluster_key()
JUST = LEEWAY_SECONDS + 1

TOKENS: dict[str, tuple[str, Workload | AssertionFailure]] = {
    "one for us is read": (signed(CLAIMS), SCREENER),
    "its audience may be one string": (changed(aud=AUDIENCE), SCREENER),
    "it need not have an nbf": (changed(nbf=None), SCREENER),
    "a ServiceAccount's name may have dots": (
        signed(claims_of(service_account="screener.v2")),
        Workload("talent", "screener.v2"),
    ),
    "nothing is not genuine": ("", AssertionFailure.NOT_GENUINE),
    "nor is what is no JWT": ("a.b.c", AssertionFailure.NOT_GENUINE),
    "nor is one that names no key": (jwt.encode(CLAIMS, CLUSTER_KEY.private, "ES256"), AssertionFailure.NOT_GENUINE),
    "nor one whose key is no name": (by_hand({"alg": "ES256", "kid": 7}), AssertionFailure.NOT_GENUINE),
    "nor one without a signature": (by_hand({"alg": "none"} | KID), AssertionFailure.NOT_GENUINE),
    "nor one without a signature, in other letters": (by_hand({"alg": "None"} | KID), AssertionFailure.NOT_GENUINE),
    "nor one signed with the public key as a secret": (
        by_hand({"alg": "HS256"} | KID, CLAIMS, PEM),
        AssertionFailure.NOT_GENUINE,
    ),
    "nor one of another key under the name of ours": (signed(CLAIMS, FOREIGN, **KID), AssertionFailure.NOT_GENUINE),
    "nor one that brings its key along": (signed(CLAIMS, FOREIGN, **KID, jwk=FOREIGN.jwk), AssertionFailure.NOT_GENUINE),
    "nor one by another algorithm than the key's": (
        jwt.encode(CLAIMS, a_cluster_key("RS256").private, "RS256", KID),
        AssertionFailure.NOT_GENUINE,
    ),
    "nor one whose header is too deep to read": (by_hand(DEEP), AssertionFailure.NOT_GENUINE),
    "nor one whose claims are too deep to read": (by_hand({"alg": "ES256"} | KID, DEEP), AssertionFailure.NOT_GENUINE),
    "nor one whose expiry is no number": (changed(exp="soon"), AssertionFailure.NOT_GENUINE),
    "a key that the cluster does not have is not known": (signed(CLAIMS, FOREIGN), AssertionFailure.KEY_UNKNOWN),
    "another issuer is another issuer": (changed(iss="https://other.example"), AssertionFailure.OF_ANOTHER_ISSUER),
    "the API server's own audience is not ours": (changed(aud=[CLAIMS["iss"]]), AssertionFailure.FOR_ANOTHER_AUDIENCE),
    "nor is the token endpoint's address": (changed(aud=[f"{AUDIENCE}/api/v1/token"]), AssertionFailure.FOR_ANOTHER_AUDIENCE),
    "nor is ours with a slash": (changed(aud=[f"{AUDIENCE}/"]), AssertionFailure.FOR_ANOTHER_AUDIENCE),
    "one for us and for others is not for us": (
        changed(aud=[AUDIENCE, "https://other.example"]),
        AssertionFailure.FOR_ANOTHER_AUDIENCE,
    ),
    "one for nobody is not for us": (changed(aud=[]), AssertionFailure.FOR_ANOTHER_AUDIENCE),
    "one that lives for a day is read": (changed(exp=NOW + MAX_LIFETIME_SECONDS), SCREENER),
    "one that lives longer is not": (changed(exp=NOW + MAX_LIFETIME_SECONDS + 1), AssertionFailure.LIVES_TOO_LONG),
    "nor is one that lives for ever": (changed(exp=float("inf")), AssertionFailure.LIVES_TOO_LONG),
    "an end that is no moment has passed": (changed(exp=float("nan")), AssertionFailure.EXPIRED),
    "one that begins soon is read, for clocks differ": (changed(nbf=NOW + LEEWAY_SECONDS), SCREENER),
    "one that begins later is not": (changed(nbf=NOW + JUST), AssertionFailure.NOT_YET_VALID),
    "nor is one that is yet to be issued": (changed(iat=NOW + JUST), AssertionFailure.NOT_YET_VALID),
    "a person is no workload": (changed(sub="alice"), AssertionFailure.OF_NO_WORKLOAD),
    "nor is a group of ServiceAccounts": (changed(sub="system:serviceaccounts:talent"), AssertionFailure.OF_NO_WORKLOAD),
    "nor is a name with a colon": (changed(sub="system:serviceaccount:talent:screener:x"), AssertionFailure.OF_NO_WORKLOAD),
    "nor is a name with a line after it": (
        changed(sub="system:serviceaccount:talent:screener\n"),
        AssertionFailure.OF_NO_WORKLOAD,
    ),
    "nor is a namespace alone": (changed(sub="system:serviceaccount:talent:"), AssertionFailure.OF_NO_WORKLOAD),
    "one that is bound to nothing has no uid": (changed(**{"kubernetes.io": None}), AssertionFailure.WITHOUT_UID),
    "nor has one that is bound to a namespace alone": (
        changed(**{"kubernetes.io": {"namespace": "talent"}}),
        AssertionFailure.WITHOUT_UID,
    ),
    "nor has one whose uid is empty": (
        changed(**{"kubernetes.io": {"namespace": "talent", "serviceaccount": {"name": "screener", "uid": ""}}}),
        AssertionFailure.WITHOUT_UID,
    ),
    "a uid of another name is none": (
        changed(**{"kubernetes.io": bound_to(service_account="other")}),
        AssertionFailure.WITHOUT_UID,
    ),
    "nor is one of another namespace": (changed(**{"kubernetes.io": bound_to("sales")}), AssertionFailure.WITHOUT_UID),
} | {
    f"one without {claim} is not genuine": (changed(**{claim: None}), AssertionFailure.NOT_GENUINE)
    for claim in ("iss", "sub", "aud", "exp", "iat")
}


@pytest.mark.parametrize(("token", "outcome"), TOKENS.values(), ids=TOKENS)
def test_read_assertion_decides_by_each_claim(token: str, outcome: Workload | AssertionFailure) -> None:
    """RFC 7523, section 3."""
    assert read(token) == outcome


def test_read_assertion_ends_with_exp() -> None:
    """Give or take what clocks differ by."""
    assert read_assertion(signed(CLAIMS), ISSUER, AUDIENCE, NOW) == Assertion(SCREENER, uid_of(), NOW, END)
    assert read(signed(CLAIMS), END + LEEWAY_SECONDS - 1) == SCREENER
    assert read(signed(CLAIMS), END + LEEWAY_SECONDS) is AssertionFailure.EXPIRED


SHOWN = Assertion(SCREENER, uid_of(), NOW, END)
ACCOUNTS: dict[str, tuple[ServiceAccountIdentity | None, bool]] = {
    "the one that it was issued to": (ServiceAccountIdentity(uid=uid_of(), creation_timestamp=at(NOW - 1)), True),
    "none, for there is none": (None, False),
    "another one of the same name": (ServiceAccountIdentity(uid=uid_of("sales"), creation_timestamp=at(NOW - 1)), False),
    "one that is being deleted": (ServiceAccountIdentity(uid=uid_of(), deletion_timestamp=at(NOW)), False),
    "one that was made a little later, for clocks differ": (
        ServiceAccountIdentity(uid=uid_of(), creation_timestamp=at(NOW + LEEWAY_SECONDS)),
        True,
    ),
    "one that was made after it": (ServiceAccountIdentity(uid=uid_of(), creation_timestamp=at(NOW + JUST)), False),
}


@pytest.mark.parametrize(("account", "is_its_own"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_assertion_is_of_one_service_account(account: ServiceAccountIdentity | None, is_its_own: bool) -> None:
    """Not of every one that has its name: TokenReview, too, holds the uid against that of the one that is there."""
    assert SHOWN.is_of(account) is is_its_own


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans())
def test_read_assertion_of_any_text_is_a_failure(header: bytes, claims: bytes, named: bool) -> None:
    """It never raises."""
    for token in (header.decode("latin-1"), by_hand({"alg": "ES256"} | KID if named else header, claims, b"s" * 64)):
        assert read(token) in {AssertionFailure.NOT_GENUINE, AssertionFailure.KEY_UNKNOWN}


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text("a1:", max_size=4), st.lists, max_leaves=4)


@given(st.dictionaries(st.sampled_from(sorted(CLAIMS)), JSON))
def test_read_assertion_judges_any_claims(claims: dict[str, Any]) -> None:
    """Whatever the cluster should sign."""
    assert isinstance(read(signed(CLAIMS | claims)), Workload | AssertionFailure)


def test_token_issuer_keeps_keys_for_signatures_only() -> None:
    """No shared secret becomes one, and what cannot be read is left out."""
    odd = [
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "shared"},
        {"kty": "EC", "crv": "P-256", "kid": "halved", "alg": "ES256"},
        {"kty": "RSA", "kid": "huge", "n": "!", "e": "AQAB", "alg": "RS256"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "other"},
        {**CLUSTER_KEY.jwk, "kid": None},
        {**CLUSTER_KEY.jwk, "alg": "HS256", "kid": "confused"},
        {},
    ]
    known = token_issuer(b'{"issuer":"a"}', json.dumps({"keys": [*odd, CLUSTER_KEY.jwk]}).encode())
    assert (known.issuer, set(known.keys)) == ("a", {CLUSTER_KEY.key_id})


def test_key_id_is_read_unverified() -> None:
    """So that an unknown one can be fetched."""
    assert key_id(signed(CLAIMS, FOREIGN)) == FOREIGN.key_id

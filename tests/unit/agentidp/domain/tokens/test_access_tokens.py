"""Access tokens: what we write, PyJWT reads; what others write, we do not."""

import base64
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.identity.clients import client_agent
from agentidp.domain.tokens.access_tokens import PublicKey, TokenWriter, prepare_claims, read_token
from agentidp.domain.tokens.grants import Grant
from agentidp.domain.tokens.signing_keys import Algorithm, generate
from tests.support.worlds import AGENT_ID, CREDENTIAL_ID, NOW, a_registered_agent, a_uid

ISSUER = "https://idp.example"
KEYS = {algorithm: generate(algorithm, NOW, NOW) for algorithm in Algorithm}
PRIVATE = {algorithm: key.load() for algorithm, key in KEYS.items()}
WRITERS = {algorithm: TokenWriter(KEYS[algorithm], PRIVATE[algorithm]) for algorithm in Algorithm}
PUBLIC = {KEYS[one].kid: PublicKey(one, PRIVATE[one].public_key()) for one in Algorithm}
AGENT = client_agent(a_registered_agent(organization_id="acme"))
JTI = a_uid(7)
READ = Grant("read", (ISSUER,))


def a_token(grant: Grant = READ, algorithm: Algorithm = Algorithm.ES256, issued_at: int = 0) -> str:
    """A token as it is issued."""
    begun = prepare_claims(ISSUER, AGENT, CREDENTIAL_ID, grant)
    return WRITERS[algorithm].write(begun, issued_at or int(time.time()), JTI).decode()


@given(
    st.text(alphabet="abc:/.~!", max_size=30),
    st.lists(st.text(alphabet='urn:é/"\\', min_size=1, max_size=30), min_size=1, max_size=3),
    st.sampled_from(Algorithm),
)
def test_token_writer_writes_tokens_that_a_jwt_library_reads(scope: str, audience: list[str], algorithm: Algorithm) -> None:
    """Whatever its length: the claims are encoded in two parts."""
    token = a_token(Grant(scope, tuple(audience)), algorithm)
    claims = jwt.decode(
        token, PUBLIC[KEYS[algorithm].kid].key, algorithms=[algorithm], issuer=ISSUER, options={"verify_aud": False}
    )
    assert claims.get("scope", "") == scope
    assert claims["aud"] == (audience[0] if len(audience) == 1 else audience)
    assert claims["organization_id"] == "acme"


@pytest.mark.parametrize("algorithm", Algorithm)
def test_read_token_reads_what_was_written(algorithm: Algorithm) -> None:
    """With all that it says, also when it has expired long ago."""
    read = read_token(a_token(algorithm=algorithm, issued_at=1000), PUBLIC, ISSUER)
    assert read
    assert (read.client_id, read.jti, read.issued_at, read.expires) == (AGENT_ID, JTI, 1000, 4600)
    assert (read.scope, read.audience, read.credential_id) == ("read", ISSUER, CREDENTIAL_ID)


CLAIMS = {"iss": ISSUER, "sub": "a", "client_id": "a", "aud": "a", "jti": "a", "iat": 1, "exp": 2}


def forged(claims: dict[str, Any] = CLAIMS, key: Any = None, algorithm: str = "ES256", **header: Any) -> str:
    """A token by another hand; with our key unless told otherwise."""
    told = {"kid": KEYS[Algorithm.ES256].kid, "typ": "at+jwt"} | header
    return jwt.encode(claims, PRIVATE[Algorithm.ES256] if key is None else key, algorithm=algorithm, headers=told)


def too_deep() -> str:
    """A JWT whose header nests deeper than Python's decoder goes."""
    return base64.urlsafe_b64encode(b"[" * 12_000).decode().rstrip("=") + ".e30.AA"


def test_read_token_reads_the_forger_s_good_token() -> None:
    """What the next test refuses, it refuses for the reason that it names."""
    assert read_token(forged(), PUBLIC, ISSUER)
    assert read_token(forged(typ="application/AT+JWT"), PUBLIC, ISSUER)


FORGED = {
    "nothing": "",
    "a header too deep to read": too_deep(),
    "no JWT": "a.b.c",
    "bytes beyond ASCII": "é.é.é",
    "another's key": forged(key=generate(Algorithm.ES256, NOW, NOW).load()),
    "an unknown key": forged(kid="other"),
    "no key": jwt.encode(CLAIMS, PRIVATE[Algorithm.ES256], algorithm="ES256", headers={"typ": "at+jwt"}),
    "another issuer": forged(CLAIMS | {"iss": "https://other.example"}),
    "an id token": forged(typ="JWT"),
    "no signature": forged(key="", algorithm="none"),
    "a signature by the public key as a secret": forged(key="secret" * 10, algorithm="HS256"),
    "a claim missing": forged({name: value for name, value in CLAIMS.items() if name != "jti"}),
    "an expiry that is no number": forged(CLAIMS | {"exp": "soon"}),
    "an id that is a list": forged(CLAIMS | {"jti": ["a"]}),
    "a changed claim": forged().replace(forged().split(".")[1], forged(CLAIMS | {"sub": "b"}).split(".")[1]),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_read_token_reads_nothing_else(token: str) -> None:
    """None, and no exception."""
    assert read_token(token, PUBLIC, ISSUER) is None

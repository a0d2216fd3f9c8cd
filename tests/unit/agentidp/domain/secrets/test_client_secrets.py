"""Client secrets: their form, their hint, and what bcrypt is and is not asked."""

import hashlib
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentidp.domain.secrets.client_secrets import (
    MAX_SECRET_BYTES,
    MIN_COST,
    generate_secret,
    hash_secret,
    hint_of,
    secret_matches,
)
from tests.support.worlds import CREDENTIAL_ID, a_uid

SECRET = "sk_live_0123456789abcdef0123456789abcdef"


@cache
def the_hash() -> str:
    """Made once: a real hash takes 56 ms."""
    return hash_secret(SECRET, MIN_COST)


def test_generate_secret_has_128_random_bits_in_a_form_that_scanners_find() -> None:
    """A prefix and 32 lower-case hex digits."""
    made = {generate_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"sk_live_[0-9a-f]{32}", one) for one in made)


def test_hint_is_as_documented() -> None:
    """Whoever provides a hash with a hint computes it without our code."""
    digest = hashlib.sha256(CREDENTIAL_ID.encode() + b"\x00" + SECRET.encode()).hexdigest()
    assert hint_of(CREDENTIAL_ID, SECRET.encode()) == digest[:8]


def test_hint_differs_between_credentials() -> None:
    """So nobody sees in two statuses that two credentials share a secret."""
    assert hint_of(a_uid(1), SECRET.encode()) != hint_of(a_uid(2), SECRET.encode())


def test_secret_matches_its_hash() -> None:
    """And is a `$2b$` hash of the cost that was asked for."""
    assert the_hash().startswith("$2b$10$")
    assert secret_matches(SECRET.encode(), the_hash())


REFUSED = {
    "another secret": SECRET[:-1].encode() + b"0",
    "no secret": b"",
    "one that bcrypt would cut off, and so accept": SECRET.encode() + b"x" * (MAX_SECRET_BYTES - len(SECRET) + 1),
    "one that is far too long": b"x" * 1_000_000,
    "one with a NUL, where bcrypt's text ends": SECRET.encode() + b"\0",
    "bytes that are no text": b"\xff\xfe",
}


@pytest.mark.parametrize("secret", REFUSED.values(), ids=REFUSED)
def test_secret_matches_no_other_hash(secret: bytes) -> None:
    """Whatever a client sends is an answer, never an error."""
    assert not secret_matches(secret, the_hash())


BROKEN_SALT = "a" * 21 + "b"  # 22 digits of 6 bits hold 128: the last digit has 4 bits too many, and they must be 0
BROKEN = {
    "a salt that no bcrypt makes, though it has the right letters": f"$2b$10${BROKEN_SALT}{'a' * 31}",
    "no hash": "",
    "another algorithm": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
}


@pytest.mark.parametrize("hashed", BROKEN.values(), ids=BROKEN)
def test_secret_matches_no_hash_that_bcrypt_cannot_read(hashed: str) -> None:
    """One credential's owner wrote it; nobody's request may fail over it."""
    assert not secret_matches(SECRET.encode(), hashed)


@given(st.binary(max_size=80))
def test_hint_has_eight_hex_digits(secret: bytes) -> None:
    """Of any bytes."""
    assert re.fullmatch("[0-9a-f]{8}", hint_of(CREDENTIAL_ID, secret))

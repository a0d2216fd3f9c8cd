"""The secret verifier: which of a client's hashes is that of a secret."""

from collections.abc import Iterator

import pytest

from agentidp.domain.identity.clients import ClientCredential, ClientHash, client_credential
from tests.support.worlds import an_issued_credential
from token_service.client_secrets.bcrypt_pools import BcryptPools
from token_service.client_secrets.verified_secrets import RejectedSecrets
from token_service.client_secrets.verifier import Candidate, SecretVerifier
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import Limits

CREDENTIAL: ClientCredential = client_credential(an_issued_credential())
PRESENTED, DIGEST = ClientCredentials("client", b"secret", "10.0.0.1"), b"digest"


class Verifier:
    """With a bcrypt that notes what it checks; a hash is right that ends with "right"."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        rejected = RejectedSecrets()
        self.pools = BcryptPools(1, 100, rejected, bcrypt=self._bcrypt)
        self.verifier = SecretVerifier(self.pools, rejected, Limits(wrong_secret_pause_seconds=0.001, misleading_hints_burst=2))

    def _bcrypt(self, _: bytes, hashed: str) -> bool:
        self.checked.append(hashed)
        return hashed.endswith("right")

    async def match(self, *candidates: Candidate, digest: bytes = DIGEST) -> str | None:
        """The hash that is the secret's."""
        match = await self.verifier.match(PRESENTED, digest, candidates)
        return match.hash.hash if match else None


@pytest.fixture
def verifier() -> Iterator[Verifier]:
    """Closed in the end."""
    verifier = Verifier()
    yield verifier
    verifier.pools.close()


def candidate(hashed: str, hint: str | None = "0a1b2c3d") -> Candidate:
    """A hash, which a hint has chosen unless told otherwise."""
    return Candidate(CREDENTIAL, ClientHash(f"$2b$10${hashed}", hint, None))


async def test_verifier_checks_hashes_with_hints_first(verifier: Verifier) -> None:
    """They are nearly always the right ones."""
    assert await verifier.match(candidate("other", None), candidate("right")) == "$2b$10$right"
    assert verifier.checked == ["$2b$10$right"]


async def test_verifier_finds_a_hash_without_a_hint(verifier: Verifier) -> None:
    """By checking them one after another."""
    hashes = [candidate(name, None) for name in ("one", "two", "right")]
    assert await verifier.match(*hashes) == "$2b$10$right"


async def test_verifier_checks_no_hash_twice_for_a_wrong_secret(verifier: Verifier) -> None:
    """What bcrypt has rejected stays rejected; the hash is good for another secret still."""
    for _ in range(3):
        assert await verifier.match(candidate("wrong")) is None
    assert verifier.checked == ["$2b$10$wrong"]
    await verifier.match(candidate("wrong"), digest=b"another")
    assert len(verifier.checked) == 2


async def test_verifier_does_not_trust_hints_that_mislead(verifier: Verifier) -> None:
    """After `misleading_hints_burst` wrong secrets with the right hint they are guesses, one address at a time."""
    for number in range(5):
        await verifier.match(candidate("wrong"), digest=f"{number}".encode())
    assert await verifier.match(candidate("right"), digest=b"right") == "$2b$10$right"

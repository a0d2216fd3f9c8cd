"""The cache of verified secrets."""

import pytest

from token_service.client_secrets import verified_secrets
from token_service.client_secrets.verified_secrets import VerifiedSecrets
from token_service.http.client_authentication import ClientCredentials

PAIR = ClientCredentials("a", b"b")


def test_what_was_added_is_found_and_nothing_else() -> None:
    """A pair of other parts has another digest."""
    cache = VerifiedSecrets()
    cache.add(cache.digest(PAIR), "id", "hash")
    found = cache.find(cache.digest(PAIR))
    assert found
    assert (found.credential_id, found.hash) == ("id", "hash")
    for other in (
        ClientCredentials("a", b"c"),
        ClientCredentials("c", b"b"),
        ClientCredentials("", b"a\0b"),
        ClientCredentials("a\0", b"b"),
    ):
        assert cache.find(cache.digest(other)) is None


def test_both_halves_of_a_digest_count() -> None:
    """One finds the entry, the other is compared in constant time."""
    cache = VerifiedSecrets()
    digest = cache.digest(PAIR)
    cache.add(digest, "id", "hash")
    assert cache.find(digest[:16] + bytes(16)) is None
    assert cache.find(bytes(16) + digest[16:]) is None


def test_two_processes_have_two_keys() -> None:
    """A digest of one tells nothing in another."""
    assert VerifiedSecrets().digest(PAIR) != VerifiedSecrets().digest(PAIR)


def test_no_entry_holds_a_secret() -> None:
    """Only digests."""
    cache = VerifiedSecrets()
    cache.add(cache.digest(ClientCredentials("a", b"sk_live_hidden")), "id", "hash")
    assert "hidden" not in repr(cache._entries)


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(verified_secrets, "MOST", 3)
    cache = VerifiedSecrets()
    pairs = [ClientCredentials(str(number), b"") for number in range(5)]
    for pair in pairs:
        cache.add(cache.digest(pair), "id", "hash")
    assert [cache.find(cache.digest(pair)) is not None for pair in pairs] == [False, False, True, True, True]

"""The memory of presented secrets: what bcrypt or the API server's state has accepted or rejected."""

from tests.support.clocks import ManualClock
from token_service.client_secrets.verified_secrets import RejectedSecrets, VerifiedSecrets
from token_service.http.presented_credentials import ClientCredentials
from token_service.limits import Limits

PAIR = ClientCredentials("a", b"b")


def test_verified_secrets_find_what_was_added_and_nothing_else() -> None:
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


def test_verified_secrets_compare_both_halves_of_a_digest() -> None:
    """One finds the entry, the other is compared in constant time."""
    cache = VerifiedSecrets()
    digest = cache.digest(PAIR)
    cache.add(digest, "id", "hash")
    assert cache.find(digest[:16] + bytes(16)) is None
    assert cache.find(bytes(16) + digest[16:]) is None


def test_verified_secrets_have_a_key_for_each_process() -> None:
    """A digest of one tells nothing in another."""
    assert VerifiedSecrets().digest(PAIR) != VerifiedSecrets().digest(PAIR)


def test_verified_secrets_hold_no_secret() -> None:
    """Only digests: whoever reads the memory of the process finds no secret there."""
    cache = VerifiedSecrets()
    presented = ClientCredentials("a", b"sk_live_hidden")
    digest = cache.digest(presented)
    cache.add(digest, "id", "hash")
    assert "hidden" not in repr(cache.find(digest))


def test_verified_secrets_forget_the_oldest_first() -> None:
    """Memory is bounded (`max_verified_secrets`)."""
    cache = VerifiedSecrets(Limits(max_verified_secrets=3))
    many = [ClientCredentials(str(number), b"") for number in range(5)]
    for presented in many:
        cache.add(cache.digest(presented), "id", "hash")
    assert [cache.find(cache.digest(presented)) is not None for presented in many] == [False, False, True, True, True]
    assert len(cache) == 3


def test_rejected_secrets_know_pairs_of_hash_and_secret() -> None:
    """A mismatch says nothing about another secret or another hash; the oldest are forgotten (`max_mismatches`)."""
    rejected = RejectedSecrets(Limits(max_mismatches=2))
    for digest in (b"1", b"2", b"3"):
        rejected.add_hash("hash", digest)
    assert [rejected.has_hash("hash", digest) for digest in (b"1", b"2", b"3", b"4")] == [False, True, True, False]
    assert not rejected.has_hash("other", b"3")


def test_rejected_secrets_forget_clients_after_some_seconds() -> None:
    """`rejected_seconds`, and `max_rejected_secrets` of them."""
    clock = ManualClock()
    rejected = RejectedSecrets(Limits(max_rejected_secrets=2, rejected_seconds=10), clock)
    for digest in (b"1", b"2", b"3"):
        rejected.add_client(digest)
    assert [rejected.has_client(digest) for digest in (b"1", b"2", b"3")] == [False, True, True]
    clock.now += 10
    assert not rejected.has_client(b"3")

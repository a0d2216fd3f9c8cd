"""Signing keys: which key signs, which keys are published, and what a broken Secret does."""

import json
from datetime import timedelta

import msgspec

from agentidp.domain.resources import Secret, SecretMeta
from agentidp.domain.tokens.signing_keys import MAX_TOKEN_LIFETIME, SECRET_KEY, Algorithm, KeySet, generate
from tests.support.clocks import ManualClock
from tests.support.listings import Listed
from tests.support.worlds import HOUR, NOW
from token_service.cluster.signing_keys import SigningKeys

FIRST = generate(Algorithm.ES256, NOW - HOUR, NOW - HOUR)
NEXT = generate(Algorithm.RS256, NOW + HOUR, NOW)
MOMENT = timedelta(milliseconds=1)


def the_secret(*keys: object) -> Secret:
    """The Secret with these keys."""
    return Secret(metadata=SecretMeta(name="keys"), data={SECRET_KEY: msgspec.json.encode({"keys": keys})})


def kids(ring: SigningKeys) -> list[str]:
    """Of the published keys."""
    return [key["kid"] for key in json.loads(ring.jwks())["keys"]]


def test_a_key_is_published_before_it_signs_and_signs_from_its_moment_on() -> None:
    """Nobody has to tell: it follows from the time."""
    clock = ManualClock(NOW.timestamp())
    ring = SigningKeys(clock)
    ring.put(the_secret(FIRST, NEXT))
    writer = ring.writer()
    assert writer
    assert (writer.key, kids(ring)) == (FIRST, [FIRST.kid, NEXT.kid])
    clock.now += (HOUR - MOMENT).total_seconds()
    assert ring.writer() is writer
    clock.now += MOMENT.total_seconds()
    later = ring.writer()
    assert later
    assert (later.key, kids(ring)) == (NEXT, [FIRST.kid, NEXT.kid])


def test_a_key_is_published_until_its_last_token_has_expired() -> None:
    """Then nobody needs it."""
    clock = ManualClock(NOW.timestamp())
    ring = SigningKeys(clock)
    ring.put(the_secret(FIRST, NEXT))
    clock.now += (HOUR + MAX_TOKEN_LIFETIME + HOUR).total_seconds()
    assert kids(ring) == [NEXT.kid]
    assert list(ring.public_keys()) == [NEXT.kid]


def test_published_keys_never_hold_private_members() -> None:
    """Of either algorithm."""
    ring = SigningKeys(ManualClock(NOW.timestamp()))
    ring.put(the_secret(FIRST, NEXT))
    for key in json.loads(ring.jwks())["keys"]:
        assert key.keys() <= {"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"}


def test_a_secret_that_cannot_be_read_changes_nothing() -> None:
    """The keys at hand stay in use."""
    ring = SigningKeys(ManualClock(NOW.timestamp()))
    ring.put(the_secret(FIRST))
    broken = msgspec.structs.replace(FIRST, private_key="-----BEGIN PRIVATE KEY-----")
    for secret in (Secret(), Secret(data={SECRET_KEY: b"{"}), the_secret(broken), the_secret({"kid": 1})):
        ring.put(secret)
        assert kids(ring) == [FIRST.kid]


async def test_without_the_secret_there_is_no_key() -> None:
    """Before it is made, and after it was deleted."""
    ring = SigningKeys(ManualClock(NOW.timestamp()))
    assert ring.writer() is None
    ring.put(the_secret(FIRST))
    ring.remove(the_secret(FIRST).metadata)
    assert ring.writer() is None
    await ring.replace(Listed(the_secret(FIRST)))
    assert ring.writer() is not None
    await ring.replace(Listed())
    assert ring.writer() is None


def test_a_known_key_is_not_parsed_again() -> None:
    """Parsing an RSA key takes long."""
    ring = SigningKeys(ManualClock(NOW.timestamp()))
    ring.put(the_secret(FIRST))
    writer = ring.writer()
    ring.put(the_secret(FIRST, NEXT))
    again = ring.writer()
    assert writer
    assert again
    assert writer.private_key is again.private_key
    assert KeySet((FIRST,)).signing(NOW) == FIRST

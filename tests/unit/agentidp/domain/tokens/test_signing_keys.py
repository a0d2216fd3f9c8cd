"""The key set: which key signs when, which are published, and when there is a new one."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.pretty import pretty_repr

from agentidp.domain.tokens.signing_keys import (
    CLOCK_SKEW,
    MAX_TOKEN_LIFETIME,
    Algorithm,
    KeyPolicy,
    KeySet,
    PrivateKey,
    SigningKey,
    generate,
    key_due,
    public_jwk,
    thumbprint,
    with_new_key,
)
from tests.support.worlds import DAY, HOUR, MINUTE, NOW, SECOND

POLICY = KeyPolicy()


def a_key(kid: str, signs: timedelta) -> SigningKey:
    """A key that signs from then on; nobody signs with it here."""
    return SigningKey(
        kid=kid, algorithm=Algorithm.ES256, created_at=NOW + signs - HOUR, signs_from=NOW + signs, private_key="none"
    )


def kids(keys: tuple[SigningKey, ...]) -> list[str]:
    """What the tables compare."""
    return [key.kid for key in keys]


LAST_TOKENS_END = MAX_TOKEN_LIFETIME + CLOCK_SKEW

MOMENTS = {
    "a key signs from its moment on": ([a_key("old", -DAY), a_key("new", 0 * DAY)], "new", ["old", "new"]),
    "and not before": ([a_key("old", -DAY), a_key("new", SECOND)], "old", ["old", "new"]),
    "the last tokens of a key may still be used": (
        [a_key("old", -30 * DAY), a_key("new", SECOND - LAST_TOKENS_END)],
        "new",
        ["old", "new"],
    ),
    "the last tokens of a key have expired": ([a_key("old", -30 * DAY), a_key("new", -LAST_TOKENS_END)], "new", ["new"]),
    "only the youngest is left when nobody made another for a year": ([a_key("old", -365 * DAY)], "old", ["old"]),
    "a key that was replaced before it ever signed is published as long as the one before it": (
        [a_key("first", -DAY), a_key("second", MINUTE), a_key("third", HOUR)],
        "first",
        ["first", "second", "third"],
    ),
    "a clock that was set back to before the first key signs with it all the same": (
        [a_key("first", HOUR), a_key("second", DAY)],
        "first",
        ["first", "second"],
    ),
}


@pytest.mark.parametrize(("keys", "signing", "published"), MOMENTS.values(), ids=MOMENTS)
def test_key_set_at_one_time(keys: list[SigningKey], signing: str, published: list[str]) -> None:
    """One key signs, and it is among those that are published."""
    key_set = KeySet(tuple(keys))
    found = key_set.signing(NOW)
    assert found
    assert (found.kid, kids(key_set.published(NOW))) == (signing, published)


def test_key_set_without_keys_signs_nothing() -> None:
    """The operator has not made one yet."""
    assert KeySet().signing(NOW) is None
    assert KeySet().published(NOW) == ()
    assert key_due(KeySet(), POLICY) is None


def test_first_key_signs_at_once() -> None:
    """There is nobody who could have an older one in a cache."""
    (first,) = with_new_key(KeySet(), POLICY, NOW).keys
    assert (first.created_at, first.signs_from) == (NOW, NOW)


def test_key_is_due_before_it_signs_by_the_time_of_publication() -> None:
    """So each signs for as long as the policy says, to the second."""
    keys = KeySet((a_key("old", timedelta()),))
    due = key_due(keys, POLICY)
    assert due == NOW + POLICY.lifetime - POLICY.published_ahead
    assert with_new_key(keys, POLICY, due).keys[-1].signs_from == NOW + POLICY.lifetime


def test_key_that_is_made_late_is_published_as_long() -> None:
    """The operator was away: the old key signs a little longer."""
    keys = KeySet((a_key("old", -300 * DAY),))
    assert with_new_key(keys, POLICY, NOW).keys[-1].signs_from == NOW + POLICY.published_ahead


def test_key_of_another_algorithm_is_due_at_once() -> None:
    """It signs after it, because the one that waits was promised already."""
    policy = KeyPolicy(algorithm=Algorithm.RS256)
    keys = KeySet((a_key("now", -DAY), a_key("waiting", HOUR)))
    assert key_due(keys, policy) is None
    newest = with_new_key(keys, policy, NOW).keys[-1]
    assert (newest.algorithm, newest.signs_from) == (Algorithm.RS256, NOW + HOUR + policy.published_ahead)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_public_jwk_verifies_a_token_of_the_key(algorithm: Algorithm) -> None:
    """The JWK is complete, and its id is the thumbprint that a client would compute."""
    made = generate(algorithm, NOW, NOW)
    key = msgspec.json.decode(msgspec.json.encode(made), type=SigningKey).load()
    token = jwt.encode({"sub": "screener"}, key, algorithm)
    jwk = jwt.PyJWK(public_jwk(key) | {"alg": algorithm.value})
    assert jwt.decode(token, jwk, [algorithm]) == {"sub": "screener"}
    assert made.kid == thumbprint(key)


def test_thumbprint_is_that_of_rfc_7638() -> None:
    """RFC 7638, section 3.1: the example, whose key we have only in public."""
    jwk = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
        "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
        "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
    }
    public = jwt.PyJWK(jwk | {"alg": "RS256"}).key
    key = cast("PrivateKey", SimpleNamespace(public_key=lambda: public, key_size=public.key_size))
    assert public_jwk(key) == jwk
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_signing_key_is_not_in_its_repr() -> None:
    """Neither in a trace nor in one that rich prints."""
    made = generate(Algorithm.ES256, NOW, NOW)
    by_rich = pretty_repr((made, KeySet((made,))))
    shown = f"{made} {made!r} {KeySet((made,))!r} {by_rich}"
    assert made.kid in shown
    assert made.private_key not in shown
    assert "PRIVATE KEY" not in shown


def test_signing_key_of_another_kind_is_not_loaded() -> None:
    """Somebody put it into the Secret: better a clear error than tokens that nobody can verify."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(TypeError, match="neither an EC nor an RSA key"):
        replace(a_key("ed", timedelta()), private_key=pem).load()


class Timeline:
    """An operator that looks now and then, and a token service that signs and publishes at each of those moments."""

    def __init__(self, policy: KeyPolicy) -> None:
        self.policy = policy
        self.keys = KeySet()
        self.signed: list[tuple[datetime, str]] = []

    def look(self, now: datetime, *, operator_is_up: bool) -> None:
        """What both do at this moment."""
        due = key_due(self.keys, self.policy)
        if operator_is_up and (due is None or due <= now):
            self.keys = with_new_key(self.keys, self.policy, now)
            later = key_due(self.keys, self.policy)
            assert later
            assert later > now
        if signing := self.keys.signing(now):
            self.signed.append((now, signing.kid))

    def check(self, now: datetime) -> None:
        """What clients rely on."""
        assert self.keys.signing(now) in self.keys.published(now)
        needed = {kid for moment, kid in self.signed if now <= moment + MAX_TOKEN_LIFETIME}
        assert needed <= set(kids(self.keys.published(now)))
        for before, key in zip(self.keys.keys, self.keys.keys[1:], strict=False):
            assert key.signs_from >= key.created_at + self.policy.published_ahead
            assert key.signs_from > before.signs_from


@settings(max_examples=150, deadline=None)
@given(
    lifetime=st.timedeltas(2 * HOUR, 60 * DAY),
    ahead=st.timedeltas(timedelta(), HOUR),
    moments=st.lists(st.tuples(st.timedeltas(SECOND, 40 * DAY), st.booleans()), max_size=40),
)
def test_key_set_always_has_one_published_key_that_signs(
    lifetime: timedelta, ahead: timedelta, moments: list[tuple[timedelta, bool]]
) -> None:
    """However irregularly the operator looks: published ahead, signed by one, published until the last token expired."""
    timeline, now = Timeline(KeyPolicy(lifetime=lifetime, published_ahead=ahead)), NOW
    timeline.look(now, operator_is_up=True)
    for pause, operator_is_up in moments:
        now += pause
        timeline.look(now, operator_is_up=operator_is_up)
        timeline.check(now)
    assert [kid for _, kid in timeline.signed] == in_order(timeline.signed)


@settings(max_examples=100, deadline=None)
@given(moments=st.lists(st.timedeltas(-40 * DAY, 40 * DAY), max_size=30))
def test_key_set_signs_whatever_the_clock_does(moments: list[timedelta]) -> None:
    """Neither forward, where keys are made too early, nor back, where none has begun to sign."""
    timeline, now = Timeline(KeyPolicy(lifetime=DAY)), NOW
    timeline.look(now, operator_is_up=True)
    for jump in moments:
        now += jump
        timeline.look(now, operator_is_up=True)
        assert timeline.keys.signing(now) in timeline.keys.published(now)


def in_order(signed: list[tuple[datetime, str]]) -> list[str]:
    """The same with every key in one piece, in the order in which they came: no key returns."""
    first = {kid: moment for moment, kid in reversed(signed)}
    return [kid for _, kid in sorted(signed, key=lambda one: (first[one[1]], one[0]))]

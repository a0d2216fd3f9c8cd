"""A rotation that a dead operator left half done: what was delivered keeps its overlap, what never was takes nobody's place."""

from datetime import timedelta

from msgspec.structs import replace

from agentidp.domain.resources import AgentCredential, SecretHash
from tests.support.reconciling import Operator
from tests.support.stories import declared
from tests.support.worlds import DAY, HOUR, MINUTE, NOW, SECOND, a_hash, a_rotation, a_secret, a_value, an_issued_credential

OLDEST, OLDER = (a_hash(number, made=-HOUR * 5 + HOUR * number, ends=HOUR * number) for number in (1, 2))
RECORDED = a_hash(3, made=-HOUR)
DELIVERED = a_hash(4, made=-MINUTE)
UNFINISHED = a_hash(5, made=-SECOND)
OVERLAP = DAY


def test_a_value_that_was_never_delivered_takes_no_place_in_the_overlap() -> None:
    """It goes when the next one is in use; the one in use before has its overlap."""
    credential = rotating(RECORDED, UNFINISHED)
    *old, new = rotated(credential, delivered=3)
    assert old == [ending(RECORDED)]
    assert new.not_after is None


def test_all_values_that_were_never_delivered_go() -> None:
    """Also those of several crashes."""
    others = (a_hash(6, made=-SECOND / 2), a_hash(7, made=-SECOND / 4))
    *old, _ = rotated(rotating(RECORDED, UNFINISHED, *others), delivered=3)
    assert old == [ending(RECORDED)]


def test_a_delivered_value_that_was_not_recorded_has_its_overlap() -> None:
    """The operator died between the delivery and the record of it, and the next rotation was requested meanwhile."""
    credential = rotating(RECORDED, DELIVERED)
    *old, _ = rotated(credential, delivered=4)
    assert old == [ending(RECORDED), ending(DELIVERED)]


def test_where_there_are_too_many_what_was_never_delivered_goes_first() -> None:
    """Every other value may be in use."""
    credential = rotating(OLDEST, OLDER, RECORDED, DELIVERED, UNFINISHED)
    *old, _ = rotated(credential, delivered=4)
    assert old == [OLDEST, OLDER, ending(RECORDED), ending(DELIVERED)]


def test_without_an_overlap_nothing_is_left_of_it() -> None:
    """One hash, of the value that is delivered."""
    credential = rotating(RECORDED, DELIVERED, UNFINISHED, overlap=None)
    (new,) = rotated(credential, delivered=4)
    assert new not in {RECORDED, DELIVERED, UNFINISHED}


def rotating(*hashes: SecretHash, overlap: str | None = "24h") -> AgentCredential:
    """A credential that is to be rotated now."""
    return an_issued_credential(*hashes, rotation=a_rotation(overlap=overlap, requested=timedelta()))


def rotated(credential: AgentCredential, *, delivered: int) -> list[SecretHash]:
    """Its hashes after the rotation, where the Secret held this value before."""
    world = declared(credential, a_secret(credential, a_value(delivered)))
    Operator(world).bring_to_rest(NOW)
    return list(world.credential.status.secret_hashes)


def ending(one: SecretHash) -> SecretHash:
    """With the end that a rotation now gives it."""
    return replace(one, not_after=NOW + OVERLAP)

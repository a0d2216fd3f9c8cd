"""Last use of a secret: of two reports the later counts, with the consumers of both."""

from datetime import UTC, datetime, timedelta

from agentidp.domain.secrets.last_used import MAX_CONSUMERS, LastUse, fingerprint, latest, merged

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_merged_use_is_the_later_with_the_consumers_of_both() -> None:
    """Whichever comes first."""
    early, late = LastUse(NOW, ("a", "b")), LastUse(NOW + timedelta(seconds=1), ("c", "a"))
    assert merged(early, late) == merged(late, early) == LastUse(late.at, ("c", "a", "b"))
    assert merged(None, early) == early


def test_merged_use_has_a_bounded_number_of_consumers() -> None:
    """The latest ones."""
    early, late = LastUse(NOW, tuple("abcdef")), LastUse(NOW + timedelta(seconds=1), tuple("ghijkl"))
    assert merged(early, late).consumers == tuple("ghijklab")[:MAX_CONSUMERS]


def test_fingerprint_tells_hashes_apart_and_no_hash() -> None:
    """It goes over the wire and into logs."""
    one, another = fingerprint("$2b$10$one"), fingerprint("$2b$10$another")
    assert one != another
    assert len(one) == 16
    assert one == fingerprint("$2b$10$one")


def test_latest_is_none_where_there_is_none() -> None:
    """Absent timestamps do not count."""
    assert latest((None, NOW, NOW - timedelta(days=1))) == NOW
    assert latest((None, None)) is None

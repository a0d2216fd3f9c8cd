"""Old secrets that are kept because they are used: what moves their end, what does not, and who is told."""

from datetime import timedelta

import pytest

from agentidp.domain.lifecycle import Input, Wait, WriteStatus, decide
from agentidp.domain.resources import AgentCredential, Retirement, Rotation
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import LastUse, Uses, fingerprint
from tests.support.worlds import HOUR, MINUTE, NOW, a_hash, a_secret, a_value, an_issued_credential
from tests.support.worlds import seen as seen_with

OVERLAP = timedelta(hours=1)


def a_rotated_credential(*, ends: timedelta, made: timedelta = -2 * HOUR, max_overlap: str | None = None) -> AgentCredential:
    """With an old secret that ends then; its successor was made half an hour ago, unless told otherwise."""
    declared = Rotation(overlap="1h", retire=Retirement.WHEN_UNUSED, max_overlap=max_overlap)
    return an_issued_credential(a_hash(1, made=made, ends=ends), a_hash(2, made=-HOUR / 2), rotation=declared)


def used(number: int, ago: timedelta, *consumers: str) -> Uses:
    """The last use of `a_value(number)`."""
    return {fingerprint(a_hash(number).hash): LastUse(NOW - ago, consumers)}


def seen(credential: AgentCredential, uses: Uses | None) -> Input:
    """The credential at rest, and what is known of its use."""
    secret = a_secret(credential, a_value(len(credential.status.secret_hashes)))
    return seen_with(credential, secret=secret, uses=uses)


@pytest.mark.parametrize(
    ("ends", "uses", "ends_then"),
    {
        "used a minute ago, under review": (HOUR / 4, used(1, MINUTE), HOUR - MINUTE),
        "used long ago": (HOUR / 4, used(1, 50 * MINUTE), HOUR / 4),
        "never used": (HOUR / 4, {}, HOUR / 4),
        "another one was used": (HOUR / 4, used(2, MINUTE), HOUR / 4),
        "not under review yet": (HOUR * 3 / 4, used(1, MINUTE), HOUR * 3 / 4),
        "nobody knows": (HOUR / 4, None, HOUR),
    }.values(),
)
def test_an_old_secret_ends_one_overlap_after_its_last_use(ends: timedelta, uses: Uses | None, ends_then: timedelta) -> None:
    """Reviewed when half of its overlap is left; what is not known counts as used now."""
    step = decide(seen(a_rotated_credential(ends=ends), uses), NOW)
    status = step.status if isinstance(step, WriteStatus) else a_rotated_credential(ends=ends).status
    assert status.secret_hashes[0].not_after == NOW + ends_then


def test_it_is_kept_no_longer_than_the_bound() -> None:
    """Counted from when its successor was made."""
    step = decide(seen(a_rotated_credential(ends=HOUR / 4, max_overlap="1h10m"), used(1, MINUTE)), NOW)
    assert isinstance(step, WriteStatus)
    assert step.status.secret_hashes[0].not_after == NOW - HOUR / 2 + timedelta(minutes=70)


def test_its_consumers_are_named() -> None:
    """In an event, so that a person knows whom to tell."""
    step = decide(seen(a_rotated_credential(ends=HOUR / 4), used(1, MINUTE, "10.0.0.7 (curl/8)")), NOW)
    assert isinstance(step, WriteStatus)
    assert step.story
    assert step.story.reason is Reason.OLD_SECRET_IN_USE
    assert "10.0.0.7 (curl/8)" in step.story.note


def test_it_is_looked_at_again_for_its_review() -> None:
    """Half an overlap before its end."""
    step = decide(seen(a_rotated_credential(ends=HOUR * 3 / 4), {}), NOW)
    assert step == Wait(NOW + HOUR / 4)


def test_without_the_policy_its_use_changes_nothing() -> None:
    """The end stays, however much it is used."""
    rotation = Rotation(overlap="1h")
    credential = an_issued_credential(a_hash(1, made=-2 * HOUR, ends=MINUTE), a_hash(2, made=-HOUR / 2), rotation=rotation)
    step = decide(seen(credential, used(1, timedelta())), NOW)
    assert isinstance(step, WriteStatus)  # the last use is recorded
    assert step.status.secret_hashes[0].not_after == NOW + MINUTE
    assert step.story is None


def test_the_last_use_is_recorded_in_steps_of_ten_minutes() -> None:
    """So that a busy secret costs few writes."""
    credential = an_issued_credential()
    first = decide(seen(credential, used(1, 20 * MINUTE)), NOW)
    assert isinstance(first, WriteStatus)
    assert first.status.last_used_at == first.status.secret_hashes[0].last_used_at == NOW - 20 * MINUTE
    recorded = an_issued_credential(*first.status.secret_hashes)
    later = decide(seen(recorded, used(1, 11 * MINUTE)), NOW)
    assert not isinstance(later, WriteStatus) or later.status.secret_hashes == first.status.secret_hashes
    latest = decide(seen(recorded, used(1, 10 * MINUTE)), NOW)
    assert isinstance(latest, WriteStatus)
    assert latest.status.last_used_at == NOW - 10 * MINUTE

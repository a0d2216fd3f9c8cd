"""Old secrets that are kept because they are used: what moves their end, what does not, and who is told."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentidp.domain.identity.client_status import accepting_hash
from agentidp.domain.identity.clients import client_credential
from agentidp.domain.lifecycle import Input, Wait, WriteStatus, decide
from agentidp.domain.resources import AgentCredential, Retirement, Rotation
from agentidp.domain.resources.reasons import Reason
from agentidp.domain.secrets.last_used import LastUse, Uses, fingerprint
from tests.support.worlds import HOUR, MINUTE, NOW, a_hash, a_secret, a_value, an_issued_credential, at_rest, respecified
from tests.support.worlds import seen as seen_with

OVERLAP = timedelta(hours=1)


def a_rotated_credential(*, ends: timedelta, made: timedelta = -2 * HOUR, max_overlap: str | None = None) -> AgentCredential:
    """With an old secret that ends then; its successor was made an overlap before that, or half an hour ago."""
    declared = Rotation(overlap="1h", retire=Retirement.WHEN_UNUSED, max_overlap=max_overlap)
    succeeded = -HOUR / 2 if max_overlap else ends - OVERLAP
    return an_issued_credential(a_hash(1, made=made, ends=ends), a_hash(2, made=succeeded), rotation=declared)


def used(number: int, ago: timedelta, *consumers: str) -> Uses:
    """The last use of `a_value(number)`."""
    return {fingerprint(a_hash(number).hash): LastUse(NOW - ago, consumers)}


def seen(credential: AgentCredential, uses: Uses | None, lag: timedelta = timedelta()) -> Input:
    """The credential at rest, and what is known of its use after this lag."""
    secret = a_secret(credential, a_value(len(credential.status.secret_hashes)))
    return seen_with(credential, secret=secret, uses=uses, uses_lag=lag)


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


@settings(deadline=None, max_examples=60)
@given(
    overlap=st.integers(1, 60),
    period=st.integers(1, 60),
    poll=st.integers(1, 60),
    stops=st.integers(0, 200),
)
def test_a_secret_that_is_used_once_in_each_overlap_never_ends(overlap: int, period: int, poll: int, stops: int) -> None:
    """Whatever the overlap and however seldom the token service is asked; and it ends once nobody uses it (rotation.md).

    Every second the client may use the old secret; every `poll` seconds the operator learns of all uses until then.
    """
    assume(period <= overlap)
    second, lag = timedelta(seconds=1), timedelta(seconds=poll)
    declared = Rotation(overlap=f"{overlap}s", retire=Retirement.WHEN_UNUSED)
    credential = an_issued_credential(a_hash(1, ends=overlap * second), a_hash(2, made=timedelta()), rotation=declared)
    last, known = -1.0, dict[str, LastUse]()
    for half in range(2 * (stops + 4 * overlap + 4 * poll + 10)):  # an odd overlap is reviewed between two seconds
        elapsed, now = half / 2, NOW + half * second / 2
        if elapsed <= stops and elapsed % period == 0:
            last = elapsed
            assert accepts_the_old_one(credential, now), f"refused after {elapsed} s"
        if elapsed % poll == 0 and last >= 0:
            known = {fingerprint(a_hash(1).hash): LastUse(NOW + last * second)}
        step = decide(seen(credential, known, lag), now)
        if isinstance(step, WriteStatus):
            credential = replace(credential, status=step.status)
    assert not accepts_the_old_one(credential, now)


def accepts_the_old_one(credential: AgentCredential, now: datetime) -> bool:
    """Whether the token service accepts `a_value(1)`."""
    return accepting_hash(client_credential(credential), a_hash(1).hash, now.timestamp()) is not None


def test_an_end_that_waits_for_the_next_report_names_nobody() -> None:
    """Only a use since the rotation is one; the time that it takes to learn of one is no use."""
    step = decide(seen(a_rotated_credential(ends=HOUR / 4), {}, MINUTE), NOW)
    assert isinstance(step, WriteStatus)
    assert step.status.secret_hashes[0].not_after == NOW + HOUR / 4 + MINUTE
    assert step.story is None


@pytest.mark.parametrize("uses", [None, used(1, MINUTE)])
def test_end_overlaps_at_ends_a_secret_that_is_in_use(uses: Uses | None) -> None:
    """After a leak nobody asks who uses it."""
    credential = a_rotated_credential(ends=HOUR / 4)
    rotation = replace(credential.spec.rotation, end_overlaps_at=NOW + MINUTE)
    ended = at_rest(seen(respecified(credential, rotation=rotation), uses))
    assert ended.status.secret_hashes[0].not_after == NOW + MINUTE

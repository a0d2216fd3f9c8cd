"""What the operator believes of what a replica of the token service tells, which may be somebody else by now."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_operator.last_used import SPARE, LastUsedRecord
from agentidp.domain.lifecycle.retirement import with_uses
from agentidp.domain.resources import CredentialStatus, SecretHash
from agentidp.domain.secrets.last_used import LastUse, LastUsedReport, fingerprint
from tests.support.worlds import CREDENTIAL_ID, NOW, a_hash

TO_COME = [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.now(UTC) + timedelta(days=400)]


@pytest.mark.parametrize("moment", TO_COME)
def test_a_use_that_is_yet_to_come_is_one_of_now(moment: datetime) -> None:
    """Else no later one would be noted, and a time at the end of all times can neither be stored nor added to."""
    one = a_hash()
    before = datetime.now(UTC) - timedelta(seconds=1)
    book = LastUsedRecord()
    book.complete_since(NOW)
    book.add(LastUsedReport(replica="a", since=NOW, told=1, uses={CREDENTIAL_ID: {fingerprint(one.hash): LastUse(moment)}}))
    noted = with_uses(CredentialStatus(secret_hashes=(one,)), book.uses_of(CREDENTIAL_ID, timedelta())).last_used_at
    assert noted
    assert before <= noted <= datetime.now(UTC)


def told_of(*hashes: SecretHash, credential_id: str = CREDENTIAL_ID) -> LastUsedReport:
    """That these were used just now."""
    return LastUsedReport(
        replica="a", since=NOW, told=1, uses={credential_id: {fingerprint(one.hash): LastUse(NOW) for one in hashes}}
    )


def test_only_the_uses_of_what_is_in_status_are_kept() -> None:
    """However often the secret is rotated."""
    book = LastUsedRecord()
    book.complete_since(NOW)
    for number in range(10):
        before, current = a_hash(number), a_hash(number + 1)
        book.add(told_of(before, current))
        book.keep(CREDENTIAL_ID, (before, current))
        assert book.uses_of(CREDENTIAL_ID, timedelta()) == told_of(before, current).uses[CREDENTIAL_ID]
    book.keep(CREDENTIAL_ID, (current,))
    assert book.uses_of(CREDENTIAL_ID, timedelta()) == told_of(current).uses[CREDENTIAL_ID]
    book.keep(CREDENTIAL_ID, ())
    assert len(book) == 0


def test_credentials_that_are_gone_are_forgotten() -> None:
    """Also those that nobody has used since."""
    book = LastUsedRecord()
    for number in range(10 * SPARE):
        book.add(told_of(a_hash(), credential_id=f"{number}"))
        book.forget_gone(lambda one: int(one) > number - 10, 10)  # noqa: B023 it is asked at once
    assert len(book) <= 2 * 10 + SPARE + 1

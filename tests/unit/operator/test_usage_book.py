"""What the operator believes of what a replica of the token service tells, which may be somebody else by now."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_operator.usage import UsageBook
from agentidp.domain.lifecycle.retirement import with_uses
from agentidp.domain.resources import CredentialStatus
from agentidp.domain.usage import Report, Use, fingerprint
from tests.support.worlds import CREDENTIAL_ID, NOW, a_hash

TO_COME = [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.now(UTC) + timedelta(days=400)]


@pytest.mark.parametrize("moment", TO_COME)
def test_a_use_that_is_yet_to_come_is_one_of_now(moment: datetime) -> None:
    """Else no later one would be noted, and a time at the end of all times can neither be stored nor added to."""
    one = a_hash()
    before = datetime.now(UTC) - timedelta(seconds=1)
    book = UsageBook()
    book.complete_since(NOW)
    book.add(Report(replica="a", since=NOW, told=1, uses={CREDENTIAL_ID: {fingerprint(one.hash): Use(moment)}}))
    noted = with_uses(CredentialStatus(secret_hashes=(one,)), book.uses_of(CREDENTIAL_ID, timedelta())).last_used_at
    assert noted
    assert before <= noted <= datetime.now(UTC)

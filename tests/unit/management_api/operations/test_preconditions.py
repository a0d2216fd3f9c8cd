"""What may become of a credential over REST."""

from datetime import timedelta

import pytest

from agentidp.domain.resources import AgentCredential
from management_api.errors import ApiFailure
from management_api.operations.preconditions import require_rotatable
from tests.support.worlds import HOUR, MINUTE, NOW, SECOND, a_hash, a_rotation, an_issued_credential, restated

YOUNG = a_hash(1, made=SECOND / 2)

BUSY = {
    "a rotation is requested and not done yet": an_issued_credential(rotation=a_rotation(requested=-MINUTE)),
    "in whole seconds, in the second in which the secret was made": an_issued_credential(
        YOUNG, rotation=a_rotation(requested=timedelta())
    ),
}
FREE = {
    "the last request was served": an_issued_credential(rotation=a_rotation(requested=-2 * HOUR)),
    "within the second that it named": restated(
        an_issued_credential(YOUNG, rotation=a_rotation(requested=timedelta())), rotation_requested_at=NOW
    ),
}


@pytest.mark.parametrize("credential", BUSY.values(), ids=BUSY)
def test_a_credential_that_is_being_rotated_is_not_rotated_again(credential: AgentCredential) -> None:
    """Of two rotations at once, one is told to try again."""
    with pytest.raises(ApiFailure, match="Another change of this credential is under way"):
        require_rotatable(credential, None)


@pytest.mark.parametrize("credential", FREE.values(), ids=FREE)
def test_a_credential_at_rest_may_be_rotated(credential: AgentCredential) -> None:
    """Whoever has asked before."""
    require_rotatable(credential, None)

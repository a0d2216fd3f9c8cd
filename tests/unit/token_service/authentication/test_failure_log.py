"""What the log tells of refusals."""

import structlog

from agentidp.domain.resources.reasons import Reason
from agentidp.runtime.logs import LINES_PER_SECOND
from tests.support.token_services import CLIENT, GRANT, OTHER_SECRET, SECRET, ServedAlone, basic
from tests.support.worlds import AGENT_ID, a_suspended_agent
from token_service.authentication.failure import AuthenticationFailure
from token_service.authentication.failure_log import FailureLog
from token_service.metrics import Metrics


async def test_a_refusal_is_told_with_its_reason_and_without_what_was_sent(served: ServedAlone) -> None:
    """Neither secret nor header."""
    served.declare(a_suspended_agent())
    with structlog.testing.capture_logs() as told:
        await served.token()
        await served.token(GRANT, headers=basic(AGENT_ID, SECRET))
        await served.token(GRANT | {"client_id": SECRET, "client_secret": OTHER_SECRET})
        await served.token(GRANT | {"client_id": SECRET})
    assert [(line["client_id"], line["reason"]) for line in told] == [
        (AGENT_ID, Reason.AGENT_SUSPENDED.value),
        (AGENT_ID, Reason.AGENT_SUSPENDED.value),
        (None, AuthenticationFailure.UNKNOWN_CLIENT.value),
        (None, AuthenticationFailure.NOT_A_PAIR.value),
    ]
    assert "sk_live_" not in str(told)
    assert CLIENT["client_secret"] not in str(told)


def test_a_flood_is_told_as_a_number() -> None:
    """The log is not what an attacker can fill; the metrics count all."""
    now = 0.0
    log = FailureLog(Metrics(), lambda: now)
    with structlog.testing.capture_logs() as told:
        for _ in range(1000):
            log.refused(AuthenticationFailure.WRONG_SECRET, AGENT_ID)
        now = 1.0
        log.refused(AuthenticationFailure.WRONG_SECRET, AGENT_ID)
    assert len(told) == LINES_PER_SECOND + 1
    assert told[-1]["left_out_before"] == 1000 - LINES_PER_SECOND

"""The failure log: each failure with its reason, and a flood as a number."""

import structlog

from agentidp.domain.resources.reasons import Reason
from agentidp.runtime.logs import LINES_PER_SECOND
from tests.support.clocks import ManualClock
from tests.support.token_services import CLIENT, GRANT, OTHER_SECRET, SECRET, ServedAlone, basic
from tests.support.worlds import AGENT_ID, a_suspended_agent
from token_service.authentication.result import AuthenticationFailed, AuthenticationFailure, FailureLog, FailureReason


async def test_failure_log_has_the_reason_and_nothing_that_was_sent(served: ServedAlone) -> None:
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
        (None, AuthenticationFailure.NO_CLIENT_AUTHENTICATION.value),
    ]
    assert "sk_live_" not in str(told)
    assert CLIENT["client_secret"] not in str(told)


def test_failure_log_reports_a_flood_as_a_number() -> None:
    """The log is not what an attacker can fill; the metrics count all."""
    counted: list[FailureReason] = []
    clock, failure = ManualClock(0.0), AuthenticationFailed(AuthenticationFailure.WRONG_SECRET, AGENT_ID)
    log = FailureLog(counted.append, clock)
    with structlog.testing.capture_logs() as told:
        for _ in range(1000):
            log.add(failure)
        clock.now = 1.0
        log.add(failure)
    assert counted == [AuthenticationFailure.WRONG_SECRET] * 1001
    assert len(told) == LINES_PER_SECOND + 1
    assert told[-1]["left_out_before"] == 1000 - LINES_PER_SECOND

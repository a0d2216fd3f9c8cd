"""Errors that callers get: their status and code, and the headers that RFC 6750 and RFC 9110 ask for."""

from http import HTTPStatus

import pytest

from management_api import errors
from management_api.errors import ApiFailure, Code
from tests.support.worlds import AGENT_ID

FAILURES: dict[str, tuple[ApiFailure, HTTPStatus, Code]] = {
    "invalid": (errors.invalid(email="it is too long"), HTTPStatus.BAD_REQUEST, Code.VALIDATION_ERROR),
    "no token": (errors.no_token(), HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED),
    "another token": (errors.unauthorized(), HTTPStatus.UNAUTHORIZED, Code.UNAUTHORIZED),
    "no scope": (errors.insufficient_scope("agents:read"), HTTPStatus.FORBIDDEN, Code.FORBIDDEN),
    "no right": (errors.forbidden("No."), HTTPStatus.FORBIDDEN, Code.FORBIDDEN),
    "agent not active": (errors.agent_not_active("No."), HTTPStatus.FORBIDDEN, Code.AGENT_NOT_ACTIVE),
    "no agent": (errors.agent_not_found("a"), HTTPStatus.NOT_FOUND, Code.AGENT_NOT_FOUND),
    "no credential": (errors.credential_not_found("c"), HTTPStatus.NOT_FOUND, Code.CREDENTIAL_NOT_FOUND),
    "revoked": (errors.already_revoked("c"), HTTPStatus.CONFLICT, Code.CREDENTIAL_ALREADY_REVOKED),
    "decommissioned": (errors.already_decommissioned("a"), HTTPStatus.CONFLICT, Code.AGENT_ALREADY_DECOMMISSIONED),
    "too large": (errors.too_large(), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.PAYLOAD_TOO_LARGE),
    "not JSON": (errors.not_json(), HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.UNSUPPORTED_MEDIA_TYPE),
    "unavailable": (errors.unavailable("Later."), HTTPStatus.SERVICE_UNAVAILABLE, Code.UNAVAILABLE),
}
CHALLENGES = {
    "no token": 'Bearer realm="agentidp"',
    "another token": 'Bearer realm="agentidp", error="invalid_token"',
    "no scope": 'Bearer realm="agentidp", error="insufficient_scope", scope="agents:read"',
}


@pytest.mark.parametrize("case", FAILURES)
def test_failure_has_the_status_and_the_code_of_the_contract(case: str) -> None:
    """A code never changes its meaning."""
    failure, status, code = FAILURES[case]
    assert (failure.status, failure.code) == (status, code)
    assert failure.message


@pytest.mark.parametrize("case", FAILURES)
def test_failure_of_a_token_has_a_challenge(case: str) -> None:
    """RFC 6750, section 3: with an error only where the request has a token; no other failure has a challenge."""
    assert FAILURES[case][0].headers.get("WWW-Authenticate") == CHALLENGES.get(case)


NOT_FOUND = {"agentId": errors.agent_not_found, "credentialId": errors.credential_not_found}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_failure_repeats_an_id_and_nothing_else_of_a_path(name: str) -> None:
    """SECURITY.md: no error message has a secret; what is no id may be one in the wrong place."""
    assert NOT_FOUND[name](AGENT_ID).details == {name: AGENT_ID}
    for other in ("a", "sk_live_" + "0" * 32, AGENT_ID.upper(), AGENT_ID + "0"):
        assert NOT_FOUND[name](other).details == {}


def test_failure_that_passes_says_when_to_come_back() -> None:
    """RFC 9110, section 10.2.3."""
    assert errors.unavailable("Later.", 5).headers["Retry-After"] == "5"

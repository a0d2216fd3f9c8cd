"""OAuth errors: codes and statuses that a standard decides."""

from http import HTTPStatus

import pytest

from agentidp.domain.tokens.oauth_errors import (
    ErrorCode,
    OAuthError,
    insufficient_scope,
    invalid_client,
    invalid_request,
    invalid_token,
    too_many_requests,
    unavailable,
)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (invalid_request("why"), ErrorCode.INVALID_REQUEST, 400),  # RFC 6749, section 5.2
        (invalid_client(), ErrorCode.INVALID_CLIENT, 401),  # RFC 6749, section 5.2
        (invalid_token(), ErrorCode.INVALID_TOKEN, 401),  # RFC 6750, section 3.1
        (insufficient_scope("agents:read"), ErrorCode.INSUFFICIENT_SCOPE, 403),  # RFC 6750, section 3.1
        (unavailable("why", 5), ErrorCode.TEMPORARILY_UNAVAILABLE, 503),
        (too_many_requests("why", 5), ErrorCode.TEMPORARILY_UNAVAILABLE, 429),
    ],
)
def test_oauth_error_has_the_code_and_the_status_of_its_standard(error: OAuthError, code: ErrorCode, status: int) -> None:
    """Clients match on the code."""
    assert (error.error, error.status) == (code, HTTPStatus(status))


def test_oauth_error_description_has_the_characters_that_are_allowed() -> None:
    """RFC 6749, section 5.2: no quotation mark, no backslash, nothing beyond ASCII."""
    allowed = {chr(code) for code in (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F))}
    assert set(invalid_client().description + invalid_token().description + insufficient_scope("a:b").description) <= allowed

"""The parts of the OpenAPI document that endpoints share."""

import pytest

from agentidp.domain.tokens.oauth_errors import ErrorCode
from token_service.endpoints.openapi import ERROR_SCHEMA, FORM_ERRORS, error_responses, form_body, token_body


@pytest.mark.parametrize(("status", "header"), [(401, "WWW-Authenticate"), (429, "Retry-After"), (503, "Retry-After")])
def test_openapi_errors_have_their_headers(status: int, header: str) -> None:
    """RFC 9110, sections 10.2.3 and 11.6.1."""
    assert header in error_responses(*FORM_ERRORS)[status]["headers"]


def test_openapi_errors_have_every_code() -> None:
    """A client that is generated from the document can read each of them."""
    assert set(ERROR_SCHEMA["properties"]["error"]["enum"]) == {code.value for code in ErrorCode}


def test_openapi_forms_tell_how_to_authenticate() -> None:
    """By HTTP Basic or in the form; a token's endpoints also take an access token."""
    assert form_body({}, [])["security"] == [{"clientBasic": []}, {}]
    assert token_body()["security"] == [{"bearer": []}, {"clientBasic": []}, {}]

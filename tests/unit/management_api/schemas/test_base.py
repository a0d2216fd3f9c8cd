"""What all schemas have in common: timestamps, enum values, unknown fields, errors in OpenAPI."""

from enum import StrEnum

import pytest
from pydantic import ValidationError

from management_api.schemas.base import (
    READ_ERRORS,
    WRITE_ERRORS,
    RequestModel,
    error_responses,
    format_timestamp,
    future_timestamp,
    one_of,
)


class Size(StrEnum):
    """Values of a resource."""

    SMALL = "Small"


@pytest.mark.parametrize(
    ("text", "written"),
    {
        "2099-01-31T12:00:00Z": "2099-01-31T12:00:00.000Z",
        "2099-01-31t12:00:00z": "2099-01-31T12:00:00.000Z",
        "2099-01-31T12:00:00.123456789Z": "2099-01-31T12:00:00.123Z",
        "2099-01-31T12:00:00+23:59": "2099-01-30T12:01:00.000Z",
    }.items(),
)
def test_timestamp_is_read_in_all_forms_of_rfc_3339_and_written_in_one(text: str, written: str) -> None:
    """RFC 3339, section 5.6."""
    assert format_timestamp(future_timestamp(text)) == written


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2099-01-31", "2099-01-31T12:00:00", "2099-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "4102444800"],
)
def test_timestamp_of_another_form_is_an_error(text: str) -> None:
    """The message names the form, and goes to the caller."""
    with pytest.raises(ValueError, match="RFC 3339"):
        future_timestamp(text)


@pytest.mark.parametrize("text", ["2000-01-01T00:00:00Z", "3000-01-01T00:00:00Z"])
def test_timestamp_in_the_past_or_after_2999_is_an_error(text: str) -> None:
    """The CRDs admit no later year."""
    with pytest.raises(ValueError, match="it should"):
        future_timestamp(text)


def test_enum_value_is_lower_case_in_json_and_camel_case_in_the_resource() -> None:
    """The resource's own form is not taken: there is one way to write a value."""
    assert one_of(Size)("small") == "Small"
    with pytest.raises(ValueError, match="one of small"):
        one_of(Size)("Small")


def test_request_with_an_unknown_field_is_not_valid() -> None:
    """It may be a misspelled one."""
    with pytest.raises(ValidationError):
        RequestModel.model_validate({"expiresat": "2099-01-01T00:00:00Z"})


HEADERS = {401: {"WWW-Authenticate"}, 403: {"WWW-Authenticate"}, 429: {"Retry-After"}, 503: {"Retry-After"}}


@pytest.mark.parametrize("status", WRITE_ERRORS)
def test_error_response_has_a_description_and_its_headers(status: int) -> None:
    """RFC 6750, section 3; RFC 6585, section 4; RFC 9110, section 15.6.4."""
    response = error_responses(*READ_ERRORS, *WRITE_ERRORS)[status]
    assert response["description"]
    assert set(response["headers"]) >= HEADERS.get(status, set())

"""Credentials as JSON: what their fields say, and where a secret is."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from management_api.cache.credentials import Status
from management_api.schemas.credentials import Credential, CredentialRequest, CredentialWithSecret, credential_fields
from tests.support.management_parts import a_cached_agent, a_cached_credential
from tests.support.worlds import HOUR, NOW, a_decommissioned_agent

SECRET = "sk_live_" + "0" * 32


def test_credential_that_has_expired_is_active() -> None:
    """As the contract has it: with its past `expiresAt`."""
    fields = credential_fields(a_cached_credential(expires=NOW - HOUR), a_cached_agent())
    assert (fields["status"], fields["expires_at"]) == (Status.ACTIVE, "2026-03-01T11:00:00.000Z")


def test_credential_of_a_decommissioned_agent_is_revoked() -> None:
    """At the time at which the agent was changed last, unless it was revoked before."""
    agent = replace(a_cached_agent(), spec=a_decommissioned_agent().spec, updated=NOW)
    fields = credential_fields(a_cached_credential(), agent)
    assert (fields["status"], fields["revoked_at"]) == (Status.REVOKED, "2026-03-01T12:00:00.000Z")
    assert credential_fields(a_cached_credential(revoked=NOW - HOUR), agent)["revoked_at"] == "2026-03-01T11:00:00.000Z"


def test_credential_without_times_has_null() -> None:
    """Both fields are there."""
    body = Credential(**credential_fields(a_cached_credential(), a_cached_agent())).model_dump(by_alias=True)
    assert (body["expiresAt"], body["revokedAt"]) == (None, None)


def test_credential_with_secret_does_not_show_it_in_a_log() -> None:
    """Only the answer has it."""
    credential = CredentialWithSecret(**credential_fields(a_cached_credential(), a_cached_agent()), client_secret=SECRET)
    assert SECRET not in repr(credential)
    assert credential.model_dump(by_alias=True)["clientSecret"] == SECRET


@pytest.mark.parametrize("expiry", [None, 4_102_444_800, "2000-01-01T00:00:00Z"])
def test_request_takes_an_expiry_in_the_future_only(expiry: object) -> None:
    """As text: a number may be seconds or milliseconds."""
    request = CredentialRequest.model_validate({"expiresAt": "2099-01-01T00:00:00Z"})
    assert request.expires_at == datetime(2099, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError):
        CredentialRequest.model_validate({"expiresAt": expiry})

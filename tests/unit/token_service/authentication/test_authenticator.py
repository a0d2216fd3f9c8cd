"""The authenticator: which method a request uses, and that only an authenticated client is counted."""

import pytest

from agentidp.domain.tokens.oauth_errors import OAuthError
from tests.support.token_services import CLIENT, OTHER_SECRET, SECRET, ServedAlone, basic, signing_keys, the_credential
from tests.support.worlds import AGENT_ID, a_registered_agent
from token_service.authentication.result import AuthenticationFailed, AuthenticationFailure
from token_service.http.form import Form
from token_service.http.request import FormRequest, RawRequest


def a_request(authorization: str | None = None, **form: str) -> FormRequest:
    """A form request with this header."""
    return FormRequest(Form(form), RawRequest(b"", authorization.encode() if authorization else None))


async def test_authenticator_takes_a_secret_in_the_form_or_the_header(served: ServedAlone) -> None:
    """RFC 6749, section 2.3.1."""
    for request in (a_request(**CLIENT), a_request(basic(AGENT_ID, SECRET)["Authorization"])):
        client = await served.service.authenticator.client(request)
        assert client.agent.agent_id == AGENT_ID


FAILURES = {
    "nothing": (a_request(), AuthenticationFailure.NO_CLIENT_AUTHENTICATION),
    "a header that is no HTTP Basic": (a_request("Bearer a"), AuthenticationFailure.NO_CLIENT_AUTHENTICATION),
    "a wrong secret": (a_request(client_id=AGENT_ID, client_secret="wrong"), AuthenticationFailure.WRONG_SECRET),
    "no id of an agent": (a_request(client_id="root", client_secret=OTHER_SECRET), AuthenticationFailure.UNKNOWN_CLIENT),
}


@pytest.mark.parametrize(("request_", "reason"), FAILURES.values(), ids=FAILURES)
async def test_authenticator_gives_the_reason(
    served: ServedAlone, request_: FormRequest, reason: AuthenticationFailure
) -> None:
    """For the log: the caller gets one answer for all of them."""
    with pytest.raises(AuthenticationFailed) as failed:
        await served.service.authenticator.client(request_)
    assert failed.value.reason is reason


async def test_authenticator_counts_only_who_has_authenticated() -> None:
    """So that nobody uses up another's rate."""
    served = ServedAlone(client_requests_per_second=0.001, client_burst=2)
    served.keys.put(signing_keys())
    served.declare(a_registered_agent(), the_credential())
    for _ in range(5):
        with pytest.raises(AuthenticationFailed):
            await served.service.authenticator.client(a_request(client_id=AGENT_ID, client_secret="wrong"))
    for _ in range(2):
        assert await served.service.authenticator.client_id(a_request(**CLIENT)) == AGENT_ID
    with pytest.raises(OAuthError) as refused:
        await served.service.authenticator.client_id(a_request(**CLIENT))
    assert refused.value.status == 429
    await served.close()

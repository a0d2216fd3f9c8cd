"""What a token may carry."""

import pytest
from msgspec.structs import replace

from agentidp.domain.identity.clients import ClientOrganization, client_agent, client_organization
from agentidp.domain.tokens.grants import Grant, TokenRequest, evaluate_grant
from agentidp.domain.tokens.oauth_errors import ErrorCode, OAuthError
from tests.support.worlds import a_registered_agent, an_organization

ISSUER = "https://idp.example"
API, OTHER_API = "https://api.example/v1", "urn:example:other"
AGENT = a_registered_agent(scopes=("read", "write", "admin"), audiences=(API, OTHER_API))
BARE = a_registered_agent()


def allowing(*scopes: str) -> ClientOrganization:
    """An organization whose agents may have these scopes only."""
    one = an_organization()
    return client_organization(replace(one, spec=replace(one.spec, allowed_scopes=scopes)))


GRANTED = {
    "everything when nothing is asked": (TokenRequest(), None, Grant("read write admin", (API, OTHER_API))),
    "a part when a part is asked": (TokenRequest("write read"), None, Grant("write read", (API, OTHER_API))),
    "a scope once when it is asked twice": (TokenRequest("read read"), None, Grant("read", (API, OTHER_API))),
    "the audience that is asked": (TokenRequest(None, (OTHER_API,)), None, Grant("read write admin", (OTHER_API,))),
    "an audience once when it is asked twice": (TokenRequest("read", (API, API)), None, Grant("read", (API,))),
    "what the organization allows": (TokenRequest(), allowing("read", "other"), Grant("read", (API, OTHER_API))),
    "nothing when the organization allows nothing": (TokenRequest(), allowing(), Grant("", (API, OTHER_API))),
    "everything when the organization does not restrict": (
        TokenRequest(),
        client_organization(an_organization()),
        Grant("read write admin", (API, OTHER_API)),
    ),
}


@pytest.mark.parametrize(("asked", "organization", "expected"), GRANTED.values(), ids=GRANTED)
def test_evaluate_grant_grants(asked: TokenRequest, organization: ClientOrganization | None, expected: Grant) -> None:
    """RFC 6749, section 3.3, and RFC 8707, section 2."""
    assert evaluate_grant(asked, client_agent(AGENT), organization, ISSUER) == expected


REFUSED = {
    "a scope that the agent has not": (TokenRequest("read delete"), None, ErrorCode.INVALID_SCOPE),
    "a scope that the organization does not allow": (TokenRequest("write"), allowing("read"), ErrorCode.INVALID_SCOPE),
    "a part of a scope": (TokenRequest("rea"), None, ErrorCode.INVALID_SCOPE),
    "two spaces": (TokenRequest("read  write"), None, ErrorCode.INVALID_SCOPE),
    "a space at the end": (TokenRequest("read "), None, ErrorCode.INVALID_SCOPE),
    "a line break": (TokenRequest("read\n"), None, ErrorCode.INVALID_SCOPE),
    "a quotation mark": (TokenRequest('"'), None, ErrorCode.INVALID_SCOPE),
    "letters beyond ASCII": (TokenRequest("ré"), None, ErrorCode.INVALID_SCOPE),
    "an audience of somebody else": (TokenRequest(None, ("https://x.example",)), None, ErrorCode.INVALID_TARGET),
    "one of two audiences of somebody else": (TokenRequest(None, (API, "https://x.example")), None, ErrorCode.INVALID_TARGET),
    "the issuer, where there are audiences": (TokenRequest(None, (ISSUER,)), None, ErrorCode.INVALID_TARGET),
    "an audience that is no URI": (TokenRequest(None, ("api",)), None, ErrorCode.INVALID_TARGET),
    "an audience with a fragment": (TokenRequest(None, (API + "#a",)), None, ErrorCode.INVALID_TARGET),
    "an audience with a line break": (TokenRequest(None, (API + "\n",)), None, ErrorCode.INVALID_TARGET),
}


@pytest.mark.parametrize(("asked", "organization", "error"), REFUSED.values(), ids=REFUSED)
def test_evaluate_grant_fails(asked: TokenRequest, organization: ClientOrganization | None, error: ErrorCode) -> None:
    """What goes beyond is refused, not left out."""
    with pytest.raises(OAuthError) as refused:
        evaluate_grant(asked, client_agent(AGENT), organization, ISSUER)
    assert refused.value.error is error


@pytest.mark.parametrize("asked", [TokenRequest(), TokenRequest(None, (ISSUER,))])
def test_evaluate_grant_without_audiences_is_for_the_issuer(asked: TokenRequest) -> None:
    """And that may be asked for."""
    assert evaluate_grant(asked, client_agent(BARE), None, ISSUER) == Grant("", (ISSUER,))

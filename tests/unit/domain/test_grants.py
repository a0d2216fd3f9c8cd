"""What a token may carry."""

import pytest
from msgspec.structs import replace

from agentidp.domain.clients import ClientOrganization, client_agent, client_organization
from agentidp.domain.grants import Asked, Grant, decide_grant
from agentidp.domain.oauth_errors import ErrorCode, OAuthError
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
    "everything when nothing is asked": (Asked(), None, Grant("read write admin", (API, OTHER_API))),
    "a part when a part is asked": (Asked("write read"), None, Grant("write read", (API, OTHER_API))),
    "a scope once when it is asked twice": (Asked("read read"), None, Grant("read", (API, OTHER_API))),
    "the audience that is asked": (Asked(None, (OTHER_API,)), None, Grant("read write admin", (OTHER_API,))),
    "an audience once when it is asked twice": (Asked("read", (API, API)), None, Grant("read", (API,))),
    "what the organization allows": (Asked(), allowing("read", "other"), Grant("read", (API, OTHER_API))),
    "nothing when the organization allows nothing": (Asked(), allowing(), Grant("", (API, OTHER_API))),
    "everything when the organization does not restrict": (
        Asked(),
        client_organization(an_organization()),
        Grant("read write admin", (API, OTHER_API)),
    ),
}


@pytest.mark.parametrize(("asked", "organization", "expected"), GRANTED.values(), ids=GRANTED)
def test_a_client_is_granted(asked: Asked, organization: ClientOrganization | None, expected: Grant) -> None:
    """RFC 6749, section 3.3, and RFC 8707, section 2."""
    assert decide_grant(asked, client_agent(AGENT), organization, ISSUER) == expected


REFUSED = {
    "a scope that the agent has not": (Asked("read delete"), None, ErrorCode.INVALID_SCOPE),
    "a scope that the organization does not allow": (Asked("write"), allowing("read"), ErrorCode.INVALID_SCOPE),
    "a part of a scope": (Asked("rea"), None, ErrorCode.INVALID_SCOPE),
    "two spaces": (Asked("read  write"), None, ErrorCode.INVALID_SCOPE),
    "a space at the end": (Asked("read "), None, ErrorCode.INVALID_SCOPE),
    "a line break": (Asked("read\n"), None, ErrorCode.INVALID_SCOPE),
    "a quotation mark": (Asked('"'), None, ErrorCode.INVALID_SCOPE),
    "letters beyond ASCII": (Asked("ré"), None, ErrorCode.INVALID_SCOPE),
    "an audience of somebody else": (Asked(None, ("https://x.example",)), None, ErrorCode.INVALID_TARGET),
    "one of two audiences of somebody else": (Asked(None, (API, "https://x.example")), None, ErrorCode.INVALID_TARGET),
    "the issuer, where there are audiences": (Asked(None, (ISSUER,)), None, ErrorCode.INVALID_TARGET),
    "an audience that is no URI": (Asked(None, ("api",)), None, ErrorCode.INVALID_TARGET),
    "an audience with a fragment": (Asked(None, (API + "#a",)), None, ErrorCode.INVALID_TARGET),
    "an audience with a line break": (Asked(None, (API + "\n",)), None, ErrorCode.INVALID_TARGET),
}


@pytest.mark.parametrize(("asked", "organization", "error"), REFUSED.values(), ids=REFUSED)
def test_a_client_is_refused(asked: Asked, organization: ClientOrganization | None, error: ErrorCode) -> None:
    """What goes beyond is refused, not left out."""
    refused = decide_grant(asked, client_agent(AGENT), organization, ISSUER)
    assert isinstance(refused, OAuthError)
    assert refused.error is error


@pytest.mark.parametrize("asked", [Asked(), Asked(None, (ISSUER,))])
def test_without_audiences_a_token_is_for_the_issuer(asked: Asked) -> None:
    """And that may be asked for."""
    assert decide_grant(asked, client_agent(BARE), None, ISSUER) == Grant("", (ISSUER,))

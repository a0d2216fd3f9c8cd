"""How a client says who it is: HTTP Basic, form fields (RFC 6749, section 2.3.1) or an assertion (RFC 7521, section 4.2).

It is one of them, not two. Whatever is malformed in a Basic header is answered like a wrong secret (section 5.2).
"""

import binascii

from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import INVALID_CLIENT, OAuthError, invalid_request
from token_service.http.form import unescaped
from token_service.http.request import FormRequest

_BOTH = invalid_request("The client authenticates in the Authorization header and in the body; one of them is enough.")
_ASSERTION_AND_MORE = invalid_request("The client authenticates by an assertion and in another way; one of them is enough.")
_TOKEN_AND_MORE = invalid_request("The caller shows an access token and authenticates in another way; one of them is enough.")
_HALF_AN_ASSERTION = invalid_request("client_assertion and client_assertion_type belong together.")
_DIFFERENT = invalid_request("client_id is not the client of the Authorization header.")

MAX_BASIC_BYTES = 4_096
"""Several times what an id and the longest secret take, were each character of them escaped."""

_OF_CLIENTS = ("client_secret", "client_assertion", "client_assertion_type")
"""What clients authenticate with in a body."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientCredentials(Struct, frozen=True, gc=False):
    """A client_id and what it offers as its secret; `address` is where the connection comes from."""

    client_id: str
    secret: bytes
    address: str = ""

    def __repr__(self) -> str:
        """Never the secret: this is what a traceback would show."""
        return f"ClientPair({self.client_id})"


class ClientAssertion(Struct, frozen=True, gc=False):
    """A JWT that is to show who the client is, and the client_id, which may be left out (RFC 7521, section 4.2)."""

    assertion: str
    client_id: str | None

    def __repr__(self) -> str:
        """Never the assertion: whoever has it is the client for as long as it is good."""
        return f"ClientAssertion({self.client_id})"


def presented_by_client(request: FormRequest) -> ClientCredentials | ClientAssertion | OAuthError:
    """What a request carries to authenticate with."""
    values = request.form.values
    if "client_assertion" in values or "client_assertion_type" in values:
        return _assertion(request)
    return _pair(request)


def _assertion(request: FormRequest) -> ClientAssertion | OAuthError:
    form = request.form
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    if assertion is None or kind is None:
        return _HALF_AN_ASSERTION
    if request.authorization is not None or form.get("client_secret") is not None:
        return _ASSERTION_AND_MORE
    return ClientAssertion(assertion, form.get("client_id")) if kind == JWT_BEARER else INVALID_CLIENT


def _pair(request: FormRequest) -> ClientCredentials | OAuthError:
    form = request.form
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if request.authorization is None:
        return ClientCredentials(client_id, secret.encode(), request.sent.address) if client_id and secret else INVALID_CLIENT
    if secret is not None:
        return _BOTH
    pair = parse_basic(request.authorization, request.sent.address)
    if isinstance(pair, ClientCredentials) and client_id not in (None, pair.client_id):
        return _DIFFERENT
    return pair


def bearer_token(request: FormRequest) -> str | OAuthError | None:
    """The access token of the Authorization header (RFC 6750, section 2.1), None where that holds something else."""
    scheme, _, token = (request.authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    if any(name in request.form.values for name in _OF_CLIENTS):
        return _TOKEN_AND_MORE
    return token.strip().decode("ascii", "replace")


def parse_basic(header: bytes, address: str = "") -> ClientCredentials | OAuthError:
    """The pair of an Authorization header: base64 of both parts, each of them form-encoded, with a colon between them."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic" or len(encoded) > MAX_BASIC_BYTES:
        return INVALID_CLIENT
    try:
        client_id, colon, secret = binascii.a2b_base64(encoded.strip(), strict_mode=True).partition(b":")
        pair = ClientCredentials(unescaped(client_id).decode(), unescaped(secret), address)
    except ValueError:  # neither base64 nor UTF-8: their errors are ValueErrors
        return INVALID_CLIENT
    return pair if colon else INVALID_CLIENT

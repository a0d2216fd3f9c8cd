"""What a client presents to authenticate: parsed here, and judged in `token_service.authentication.authenticator`.

That is HTTP Basic or form fields (RFC 6749, section 2.3.1), or a client assertion (RFC 7521, section 4.2). A client uses one
method in a request, not two (RFC 6749, section 2.3). A malformed Basic header is answered like a wrong secret (section 5.2).
"""

import binascii

from msgspec import Struct

from agentidp.domain.tokens.oauth_errors import invalid_request
from token_service.http.form import unescaped
from token_service.http.request import FormRequest

MAX_BASIC_BYTES = 4_096
"""Several times what a client_id and the longest secret take with each of their characters escaped."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, section 2.2."""

_CLIENT_FIELDS = ("client_secret", "client_assertion", "client_assertion_type")
"""The form fields with which a client authenticates."""


class ClientCredentials(Struct, frozen=True, gc=False):
    """A client_id and the secret that was presented with it; `address` is the peer's."""

    client_id: str
    secret: bytes
    address: str = ""

    def __repr__(self) -> str:
        """Return a text without the secret: tracebacks show this text."""
        return f"ClientCredentials({self.client_id})"


class ClientAssertion(Struct, frozen=True, gc=False):
    """A JWT that was presented as client assertion; the client_id beside it is optional (RFC 7521, section 4.2)."""

    assertion: str
    client_id: str | None

    def __repr__(self) -> str:
        """Return a text without the assertion: tracebacks show this text, and an assertion is a bearer token."""
        return f"ClientAssertion({self.client_id})"


Presented = ClientCredentials | ClientAssertion


def presented_by_client(request: FormRequest) -> Presented | None:
    """What the client presents to authenticate; None where it presents nothing, or something malformed.

    Raises OAuthError where the request uses two methods, or half of one.
    """
    values = request.form.values
    if "client_assertion" in values or "client_assertion_type" in values:
        return _client_assertion(request)
    return _client_secret_post(request) if request.authorization is None else _client_secret_basic(request)


def _client_assertion(request: FormRequest) -> ClientAssertion | None:
    """RFC 7521, section 4.2, and RFC 7523, section 2.2."""
    form = request.form
    assertion, kind = form.get("client_assertion"), form.get("client_assertion_type")
    if assertion is None or kind is None:
        raise invalid_request("client_assertion and client_assertion_type belong together.")
    if request.authorization is not None or form.get("client_secret") is not None:
        raise invalid_request("The client authenticates by an assertion and in another way; one of them is enough.")
    return ClientAssertion(assertion, form.get("client_id")) if kind == JWT_BEARER else None


def _client_secret_post(request: FormRequest) -> ClientCredentials | None:
    client_id, secret = request.form.get("client_id"), request.form.get("client_secret")
    return ClientCredentials(client_id, secret.encode(), request.raw.address) if client_id and secret else None


def _client_secret_basic(request: FormRequest) -> ClientCredentials | None:
    if request.form.get("client_secret") is not None:
        raise invalid_request("The client authenticates in the Authorization header and in the body; one of them is enough.")
    presented = parse_basic(request.authorization or b"", request.raw.address)
    if presented and request.form.get("client_id") not in (None, presented.client_id):
        raise invalid_request("client_id is not the client of the Authorization header.")
    return presented


def parse_basic(header: bytes, address: str = "") -> ClientCredentials | None:
    """The client credentials of an Authorization header; None where it is no HTTP Basic, or malformed.

    It is base64 of client_id and secret with a colon between them, each form-encoded (RFC 6749, section 2.3.1).
    """
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic" or len(encoded) > MAX_BASIC_BYTES:
        return None
    try:
        client_id, colon, secret = binascii.a2b_base64(encoded.strip(), strict_mode=True).partition(b":")
        presented = ClientCredentials(unescaped(client_id).decode(), unescaped(secret), address)
    except ValueError:  # neither base64 nor UTF-8: their errors are ValueErrors
        return None
    return presented if colon else None


def bearer_token(request: FormRequest) -> str | None:
    """The access token of the Authorization header (RFC 6750, section 2.1), None where that holds something else.

    Raises OAuthError where the request authenticates in another way, too.
    """
    scheme, _, token = (request.authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    if any(name in request.form.values for name in _CLIENT_FIELDS):
        raise invalid_request("The caller shows an access token and authenticates in another way; one of them is enough.")
    return token.strip().decode("ascii", "replace")

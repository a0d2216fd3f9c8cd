"""How a client says who it is: HTTP Basic or form fields, not both (RFC 6749, section 2.3.1).

Whatever is malformed in a Basic header is answered like a wrong secret (section 5.2).
"""

import binascii
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from agentidp.domain.oauth_errors import INVALID_CLIENT, OAuthError, invalid_request
from token_service.http.requests import FormRequest

_BOTH = invalid_request("The client authenticates in the Authorization header and in the body; one of them is enough.")
_DIFFERENT = invalid_request("client_id is not the client of the Authorization header.")


class ClientPair(Struct, frozen=True, gc=False):
    """A client_id and what it offers as its secret."""

    client_id: str
    secret: bytes

    def __repr__(self) -> str:
        """Never the secret: this is what a traceback would show."""
        return f"ClientPair({self.client_id})"


def client_pair(request: FormRequest) -> ClientPair | OAuthError:
    """The pair that a request carries."""
    form = request.form
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if request.authorization is None:
        return ClientPair(client_id, secret.encode()) if client_id and secret else INVALID_CLIENT
    if secret is not None:
        return _BOTH
    pair = parse_basic(request.authorization)
    if isinstance(pair, ClientPair) and client_id not in (None, pair.client_id):
        return _DIFFERENT
    return pair


def bearer_token(header: bytes | None) -> str | None:
    """The access token of an Authorization header (RFC 6750, section 2.1), None where it holds something else."""
    scheme, _, token = (header or b"").partition(b" ")
    return token.strip().decode("ascii", "replace") if scheme.lower() == b"bearer" else None


def parse_basic(header: bytes) -> ClientPair | OAuthError:
    """The pair of an Authorization header: base64 of both parts, each of them form-encoded, with a colon between them."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return INVALID_CLIENT
    try:
        client_id, colon, secret = binascii.a2b_base64(encoded.strip(), strict_mode=True).partition(b":")
        pair = ClientPair(_form_decoded(client_id).decode(), _form_decoded(secret))
    except ValueError:  # neither base64 nor UTF-8: their errors are ValueErrors
        return INVALID_CLIENT
    return pair if colon else INVALID_CLIENT


def _form_decoded(part: bytes) -> bytes:
    return unquote_to_bytes(part.replace(b"+", b" ")) if b"%" in part or b"+" in part else part

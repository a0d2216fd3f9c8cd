"""Bearer tokens in an Authorization header: `Bearer` in any case, spaces, and a token (RFC 6750, section 2.1; RFC 9110, 11.4).

What the token means is for others to judge.
"""

MAX_TOKEN_LENGTH = 32_768
"""An access token with all scopes and audiences that an agent may have is shorter."""


def bearer_token(authorization: str, max_length: int = MAX_TOKEN_LENGTH) -> str | None:
    """The token of the header, "" where it is malformed or too long; None where the header has another scheme or none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = rest.strip()
    usable = token.isascii() and token.isprintable() and " " not in token and len(token) <= max_length
    return token if usable else ""

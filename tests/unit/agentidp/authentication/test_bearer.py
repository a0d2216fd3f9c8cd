"""Bearer tokens of an Authorization header (RFC 6750, section 2.1)."""

import pytest

from agentidp.authentication.bearer import bearer_token


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),  # RFC 9110, section 11.1: the scheme is case-insensitive
        ("BEARER   abc ", "abc"),  # section 11.4: one or more spaces
        ("Bearer a-._~+/9=", "a-._~+/9="),  # all of b64token
        ("Bearer abc def", ""),
        ("Bearer ", ""),
        ("Bearer", ""),
        ("Bearer a\tb", ""),
        ("Bearer é", ""),
        ("Bearer " + "a" * 11, ""),
        ("Basic YTpi", None),
        ("", None),
    ],
)
def test_bearer_token_is_read_by_rfc_6750(authorization: str, token: str | None) -> None:
    """A malformed token is the empty one, which nobody issues; another scheme is none."""
    assert bearer_token(authorization, max_length=10) == token

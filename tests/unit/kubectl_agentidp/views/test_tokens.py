"""How a token is asked for and shown, and that a secret is shown nowhere else."""

import json

import jwt
import pytest

from kubectl_agentidp.errors import CommandError
from kubectl_agentidp.token_request import Answer, Client, Wish
from kubectl_agentidp.views.tokens import readable

TOKEN = jwt.encode({"sub": "screener", "scope": "a b"}, "k" * 32, "HS256", headers={"typ": "at+jwt", "kid": "one"})


def test_the_claims_are_shown_with_the_header() -> None:
    """As one JSON value."""
    shown = json.loads(readable(TOKEN))
    assert shown["header"] == {"alg": "HS256", "typ": "at+jwt", "kid": "one"}
    assert shown["claims"] == {"sub": "screener", "scope": "a b"}


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.b.c", "e30.e30.c.d", "é.e30.c"])
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    """It is said, and the token is not."""
    with pytest.raises(CommandError, match="the token is not a JWT") as failure:
        readable(token)
    assert not token or token not in failure.value.problem


def test_nothing_asked_for_is_not_sent() -> None:
    """Then the token carries all that the agent may have; `resource` may come more than once (RFC 8707, section 2)."""
    assert Wish().form() == [("grant_type", "client_credentials")]
    assert Wish("a b", ("https://x", "https://y")).form()[1:] == [
        ("scope", "a b"),
        ("resource", "https://x"),
        ("resource", "https://y"),
    ]


def test_what_holds_a_secret_does_not_show_it() -> None:
    """Not in a traceback either."""
    shown = repr(Client("https://idp.example/token", "id", "sk_live_secret")) + repr(Answer(TOKEN, TOKEN.encode()))
    assert "sk_live_secret" not in shown
    assert TOKEN not in shown

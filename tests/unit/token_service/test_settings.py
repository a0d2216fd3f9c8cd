"""The settings of the token service: what an environment may say, and what it gets without saying anything."""

import msgspec
import pytest

from agentidp.runtime.settings import Listen, Url
from token_service.settings import TokenServiceSettings


def test_settings_need_nothing_but_the_issuer() -> None:
    """Every other setting has a value that works: the chart sets few of them."""
    settings = TokenServiceSettings(issuer=Url("https://idp.example"))
    assert settings.metrics_listen is None
    assert 1 <= settings.hashing_threads <= 64


def test_settings_keep_metrics_on_another_port() -> None:
    """A request is known by the port that it came to."""
    with pytest.raises(ValueError, match="another port"):
        TokenServiceSettings(issuer=Url("https://idp.example"), listen=Listen("::", 1), metrics_listen=Listen("127.0.0.1", 1))


def test_settings_are_bounded() -> None:
    """A JWK Set that clients keep for longer than an hour would outlive the operator's rotation of keys."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"issuer": "https://idp.example", "jwks_max_age_seconds": 3601}, TokenServiceSettings, strict=False)

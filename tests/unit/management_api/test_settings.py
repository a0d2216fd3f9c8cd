"""Settings: defaults that depend on others, and what is refused at the start."""

import pytest

from agentidp.runtime.settings import Listen, Url, Urls
from management_api.settings import ManagementApiSettings

ISSUER = Url("https://idp.example")
TOKEN_SERVICES = Urls((Url("http://tokens:8080"), Url("http://more-tokens:8080")))


def test_audience_is_the_issuer_unless_another_is_named() -> None:
    """Agents without audiences of their own have tokens for the issuer."""
    assert ManagementApiSettings(issuer=ISSUER, token_service_url=TOKEN_SERVICES).audience == ISSUER
    named = ManagementApiSettings(issuer=ISSUER, token_service_url=TOKEN_SERVICES, api_audience="https://api.example")
    assert named.audience == "https://api.example"


def test_keys_are_read_from_the_first_token_service() -> None:
    """RFC 8615: below /.well-known/."""
    settings = ManagementApiSettings(issuer=ISSUER, token_service_url=TOKEN_SERVICES)
    assert settings.keys_url == "http://tokens:8080/.well-known/jwks.json"


def test_metrics_need_a_port_of_their_own() -> None:
    """Where they have an address, it is not that of the API."""
    listen = Listen("127.0.0.1", 8082)
    with pytest.raises(ValueError, match="port"):
        ManagementApiSettings(issuer=ISSUER, token_service_url=TOKEN_SERVICES, listen=listen, metrics_listen=listen)

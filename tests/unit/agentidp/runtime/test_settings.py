"""Settings: what the environment may say, and what is said of what it may not."""

from datetime import timedelta

import pytest

from agentidp.runtime.settings import CommonSettings, InvalidSettings, Listen, Url, Urls, describe_settings, read_settings


class Settings(CommonSettings, frozen=True, kw_only=True):
    """The settings of a program."""

    listen: Listen = Listen("127.0.0.1", 8080)
    poll: timedelta = timedelta(minutes=1)
    replicas: int = 1
    urls: Urls = Urls((Url("http://one"),))


MINIMUM = {"AGENTIDP_ISSUER": "https://idp.example"}


def test_settings_are_read_by_the_types_of_their_fields() -> None:
    """What is not set has its default, and other variables of the prefix are no error."""
    environment = MINIMUM | {
        "AGENTIDP_LISTEN": "[::1]:9000",
        "AGENTIDP_POLL": "1m30s",
        "AGENTIDP_REPLICAS": "3",
        "AGENTIDP_URLS": "http://one, http://two:8080",
        "AGENTIDP_TOKEN_SERVICE_PORT": "tcp://10.0.0.1:80",
    }
    settings = read_settings(Settings, environment)
    assert settings == Settings(
        issuer=Url("https://idp.example"),
        listen=Listen("::1", 9000),
        poll=timedelta(seconds=90),
        replicas=3,
        urls=Urls((Url("http://one"), Url("http://two:8080"))),
    )


def test_settings_that_are_wrong_are_named_all_at_once() -> None:
    """Each with what it should be."""
    environment = {"AGENTIDP_LISTEN": "9000", "AGENTIDP_POLL": "soon", "AGENTIDP_LOG_LEVEL": "loud"}
    with pytest.raises(InvalidSettings) as raised:
        read_settings(Settings, environment)
    lines = str(raised.value).splitlines()
    assert [line.partition("=")[0].partition(" ")[0] for line in lines] == [
        "AGENTIDP_ISSUER",
        "AGENTIDP_LOG_LEVEL",
        "AGENTIDP_LISTEN",
        "AGENTIDP_POLL",
    ]


@pytest.mark.parametrize(
    "url", ["idp.example", "ftp://idp.example", "https://idp.example/", "https://idp.example?a=b", "https://"]
)
def test_settings_have_urls_without_ambiguity(url: str) -> None:
    """An issuer is compared as text (RFC 8414, section 3.3)."""
    with pytest.raises(InvalidSettings, match="AGENTIDP_ISSUER"):
        read_settings(Settings, {"AGENTIDP_ISSUER": url})


def test_settings_are_described_with_their_defaults() -> None:
    """As the environment would have them."""
    text = describe_settings(Settings)
    assert "AGENTIDP_ISSUER                           required" in text
    assert "default 1m" in text
    assert "default 127.0.0.1:8080" in text

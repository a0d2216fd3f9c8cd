"""Where the replicas of a service are."""

import socket

import pytest

from agentidp.runtime.replicas import Replica, replicas_of
from agentidp.runtime.settings import CommonSettings, InvalidSettings, Urls, describe_settings, read_settings


class Settings(CommonSettings, frozen=True, kw_only=True):
    """Of a program that asks replicas."""

    token_service_url: Urls = Urls()


async def test_replicas_are_all_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, however often the resolver tells it; the service keeps its name."""
    told = [
        (socket.AF_INET, ("10.0.0.2", 8080)),
        (socket.AF_INET6, ("fd00::3", 8080, 0, 0)),
        (socket.AF_INET, ("10.0.0.2", 8080)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(family, None, None, "", address) for family, address in told])
    assert await replicas_of(["http://tokens.agentidp-system:8080"]) == [
        Replica("http://10.0.0.2:8080", "tokens.agentidp-system:8080"),
        Replica("http://[fd00::3]:8080", "tokens.agentidp-system:8080"),
    ]


async def test_replicas_may_differ_in_their_ports() -> None:
    """As on one machine."""
    urls = ["http://127.0.0.1:8081", "http://127.0.0.1:8082"]
    assert await replicas_of(urls) == [Replica(url, url.removeprefix("http://")) for url in urls]


async def test_replicas_of_an_unknown_name_raise_os_error() -> None:
    """Nobody found is not the same as nobody there."""
    with pytest.raises(OSError, match=r".*"):
        await replicas_of(["http://nobody.invalid:8080"])


def test_replicas_may_have_several_urls_in_one_setting() -> None:
    """Commas between; and the help text shows the default."""
    environment = {"AGENTIDP_ISSUER": "https://idp.example", "AGENTIDP_TOKEN_SERVICE_URL": "http://a:1, http://b:2"}
    assert read_settings(Settings, environment).token_service_url == ("http://a:1", "http://b:2")
    assert "()" not in describe_settings(Settings)
    with pytest.raises(InvalidSettings, match="AGENTIDP_TOKEN_SERVICE_URL"):
        read_settings(Settings, environment | {"AGENTIDP_TOKEN_SERVICE_URL": "http://a:1,"})

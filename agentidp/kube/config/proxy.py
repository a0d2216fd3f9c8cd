"""The proxy of a request, chosen as Go's `httpproxy` does for kubectl."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}


def proxy_to(server: str, named: str, environment: Mapping[str, str]) -> str | None:
    """The proxy that a kubeconfig names, else that of the environment, unless NO_PROXY exempts the server."""
    parts = urlsplit(server)
    if named or _is_exempt(parts, _either(environment, "NO_PROXY")):
        return named or None
    proxy = _either(environment, f"{parts.scheme.upper()}_PROXY")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _either(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.lower()) or ""


def _is_exempt(server: SplitResult, exemptions: str) -> bool:
    """Whether NO_PROXY exempts the server; this machine is always exempt."""
    host, port = (server.hostname or "").lower(), server.port or PORTS.get(server.scheme, 0)
    return (
        host == "localhost" or _is_loopback(host) or any(_matches(host, port, exemption) for exemption in exemptions.split(","))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(host: str, port: int, exemption: str) -> bool:
    """Whether it is the host: a domain with its subdomains, `.example` without the domain, an address, a network, or `*`."""
    wanted = exemption.strip().lower()
    if wanted == "*" or _is_in_network(host, wanted):
        return True
    name, of_port = _split(wanted)
    if not name or of_port not in {"", str(port)}:
        return False
    return host == name or (not _is_address(name) and host.endswith(name if name.startswith(".") else f".{name}"))


def _split(wanted: str) -> tuple[str, str]:
    """Name or address, and the port where there is one: an IPv6 address without brackets has none."""
    name, _, port = wanted.rpartition(":")
    has_port = wanted.count(":") == 1 or "]:" in wanted
    return (name if has_port else wanted).strip("[]").removeprefix("*"), port if has_port else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False

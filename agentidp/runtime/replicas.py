"""Replicas of a service, found by name: a headless Service has an address for each; on one machine each has its own port."""

import asyncio
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit


class Replica(NamedTuple):
    """One replica: the base URL of its address, and the host name of the service, for the Host header."""

    url: str
    host: str


async def replicas_of(urls: Iterable[str]) -> list[Replica]:
    """A replica for each address of the hosts of these URLs. Raises OSError where a name cannot be resolved."""
    found = await asyncio.gather(*map(_replicas_of, urls))
    return sorted({replica for replicas in found for replica in replicas})


async def _replicas_of(url: str) -> list[Replica]:
    parts = urlsplit(url)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname or "", parts.port, type=socket.SOCK_STREAM)
    addresses = {f"[{address[0]}]" if family == socket.AF_INET6 else str(address[0]) for family, *_, address in found}
    port = f":{parts.port}" if parts.port else ""
    return [Replica(f"{parts.scheme}://{address}{port}", parts.netloc) for address in addresses]

"""Every replica of a service: a headless Service has an address for each, and on one machine each has a port of its own."""

import asyncio
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit


class Replica(NamedTuple):
    """One of them: the base URL of its address, and the host by which the service knows itself."""

    url: str
    host: str


async def replicas_of(urls: Iterable[str]) -> list[Replica]:
    """One for each address behind the hosts of these URLs. Raises OSError where a name cannot be resolved."""
    found = await asyncio.gather(*map(_behind, urls))
    return sorted({replica for replicas in found for replica in replicas})


async def _behind(url: str) -> list[Replica]:
    parts = urlsplit(url)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname or "", parts.port, type=socket.SOCK_STREAM)
    addresses = {f"[{one[4][0]}]" if one[0] == socket.AF_INET6 else str(one[4][0]) for one in found}
    port = f":{parts.port}" if parts.port else ""
    return [Replica(f"{parts.scheme}://{address}{port}", parts.netloc) for address in addresses]

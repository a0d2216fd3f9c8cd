"""The addresses of a node, and the cable that leads to it: a pair of virtual links, and two routes on this machine.

Nothing is masqueraded and this machine forwards nothing for it, so no pod can reach anything beyond this machine.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from devcluster.errors import DevclusterError
from devcluster.node.sandbox import Sandbox

MOST_NODES = 250


@dataclass(frozen=True)
class Network:
    """One of several that can be side by side on one machine, by its number."""

    number: int

    @property
    def link(self) -> str:
        """This machine's end of the cable."""
        return f"agentidp{self.number}"

    @property
    def machine(self) -> str:
        """The address of this machine as the node sees it."""
        return f"10.254.{self.number}.1"

    @property
    def node(self) -> str:
        """The address of the node."""
        return f"10.254.{self.number}.2"

    @property
    def pods(self) -> str:
        """Return the address range of pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def services(self) -> str:
        """Return the address range of Services."""
        return f"10.96.{self.number}.0/24"

    @property
    def name_server(self) -> str:
        """The address of the Service that resolves names."""
        return f"10.96.{self.number}.10"


def connect(sandbox: Sandbox, laid: Callable[[str], None]) -> Network:
    """Lay a cable into the sandbox, with the first number that is free on this machine; `laid` is told its name."""
    network = next((network for network in _free_networks() if _lay_cable(network, sandbox)), None)
    if network is None:
        raise DevclusterError(f"{MOST_NODES} nodes run on this machine, or their addresses are used for something else")
    laid(network.link)
    _ip("addr", "add", f"{network.machine}/30", "dev", network.link)
    _ip("link", "set", network.link, "up")
    for destination in (network.pods, network.services):
        _ip("route", "add", destination, "via", network.node, "dev", network.link)
    sandbox.run("ip", "link", "set", "lo", "up")
    sandbox.run("ip", "addr", "add", f"{network.node}/30", "dev", "eth0")
    sandbox.run("ip", "link", "set", "eth0", "up")
    sandbox.run("ip", "route", "add", "default", "via", network.machine)
    return network


def _free_networks() -> Iterator[Network]:
    used = {route["dst"] for route in json.loads(_ip("-json", "route", "show"))}
    for number in range(MOST_NODES):
        network = Network(number)
        if used.isdisjoint({network.pods, network.services, f"10.254.{number}.0/30"}):
            yield network


def _lay_cable(network: Network, sandbox: Sandbox) -> bool:
    """Whether that number was still free: the kernel makes a link of a name once."""
    try:
        _ip("link", "add", network.link, "type", "veth", "peer", "name", "eth0", "netns", str(sandbox.pid))
    except DevclusterError as error:
        if "File exists" in str(error):
            return False
        raise
    return True


def _ip(*arguments: str) -> str:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DevclusterError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout

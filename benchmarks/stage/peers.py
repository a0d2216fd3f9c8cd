"""Servers that people would run instead, started for real: their own code, unmodified, from package registries."""

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.measure.http_load import form_request
from benchmarks.measure.in_turn import CONNECTIONS, Served
from benchmarks.stage.pinned import pinned_server
from benchmarks.stage.workload import Pair
from devcluster.ports import ReservedPort
from devcluster.toolchains.node import node_command, node_program

PLAINTEXT, SCRYPT = "plaintext", "scrypt"
CONNECTIONS_TO = {PLAINTEXT: CONNECTIONS, SCRYPT: 4}
"""Node hashes four at a time: more connections give no more tokens, but answers that come in heaps."""

OIDC_PROVIDER = Path(__file__).parent.parent / "peers" / "oidc_provider.mjs"


@asynccontextmanager
async def oidc_provider(kind: str, pairs: Sequence[Pair], directory: Path) -> AsyncIterator[Served]:
    """Node's oidc-provider that knows these clients and keeps their secrets like that."""
    port = ReservedPort()
    place = directory / f"oidc-provider-{kind}"
    place.mkdir()
    command = [*node_command(OIDC_PROVIDER, place), str(port.number), kind]
    url = f"http://127.0.0.1:{port.number}/token"
    environment = {"CLIENTS": json.dumps(pairs), "NODE_ENV": "production"}
    async with pinned_server(command, url, pairs[0], environment, place / "log") as pid:
        yield Served(url, pid, tuple(form_request(url, pair) for pair in pairs), CONNECTIONS_TO[kind])
    port.release()


def versions(directory: Path) -> str:
    """Of oidc-provider and Node, as they run."""
    place = directory / f"oidc-provider-{PLAINTEXT}"
    package = json.loads((place / "node_modules" / "oidc-provider" / "package.json").read_text())
    node = subprocess.run([node_program(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"oidc-provider {package['version']} on Node {node}"

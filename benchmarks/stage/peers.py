"""Servers that people would run instead, started for real: their own code, unmodified, from package registries."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp

from agentidp.domain.secrets.client_secrets import MIN_COST
from benchmarks.measure.http_load import form_request
from benchmarks.measure.in_turn import CONNECTIONS, Served
from benchmarks.stage.pinned import be_served, pinned_server
from benchmarks.stage.workload import ClientCredentials
from devcluster.go_module import GoModule
from devcluster.ports import ReservedPort
from devcluster.toolchains.node import node_command, node_program

PLAINTEXT, SCRYPT, BCRYPT = "plaintext", "scrypt", "bcrypt"
CONNECTIONS_TO = {PLAINTEXT: CONNECTIONS, SCRYPT: 4, BCRYPT: 4}
"""Node hashes four at a time: more connections give no more tokens, but answers that come in heaps."""

PEERS = Path(__file__).parent.parent / "peers"
OIDC_PROVIDER = PEERS / "oidc_provider.mjs"
HYDRA = GoModule(
    PEERS / "hydra",
    "Ory Hydra",
    ("github.com/ory/hydra/v2",),
    versioned_by="github.com/ory/hydra/v2",
    tags="sqlite",
    cgo=True,
)
HYDRA_SETTINGS = {
    "DSN": "memory",
    "STRATEGIES_ACCESS_TOKEN": "jwt",
    "OAUTH2_HASHERS_ALGORITHM": BCRYPT,
    "OAUTH2_HASHERS_BCRYPT_COST": str(MIN_COST),
    "SECRETS_SYSTEM": "what a benchmark keeps in memory only",
    "SERVE_PUBLIC_HOST": "127.0.0.1",
    "SERVE_ADMIN_HOST": "127.0.0.1",
    "LOG_LEVEL": "error",
    "SQA_OPT_OUT": "true",
    "GOMAXPROCS": "1",
}


@asynccontextmanager
async def oidc_provider(kind: str, pairs: Sequence[ClientCredentials], directory: Path) -> AsyncIterator[Served]:
    """Node's oidc-provider that knows these clients and keeps their secrets like that."""
    port = ReservedPort()
    place = directory / f"oidc-provider-{kind}"
    place.mkdir()
    command = [*node_command(OIDC_PROVIDER, place), str(port.number), kind]
    url = f"http://127.0.0.1:{port.number}/token"
    environment = {"CLIENTS": json.dumps(pairs), "NODE_ENV": "production"}
    async with pinned_server(
        command, partial(be_served, url=url, client_credentials=pairs[0]), environment, place / "log"
    ) as pid:
        yield Served(
            url, pid, tuple(form_request(url, client_credentials) for client_credentials in pairs), CONNECTIONS_TO[kind]
        )
    port.release()


def dex_program() -> str | None:
    """dex, which no package registry has, where this machine has it: on the PATH."""
    return shutil.which("dex")


@asynccontextmanager
async def dex(program: str, pairs: Sequence[ClientCredentials], directory: Path) -> AsyncIterator[Served]:
    """The server of that name that knows these clients, with everything in memory."""
    port, settings = ReservedPort(), directory / "dex.json"
    issuer = f"http://127.0.0.1:{port.number}"
    url = f"{issuer}/token"
    configuration = {
        "issuer": issuer,
        "storage": {"type": "memory"},
        "web": {"http": f"127.0.0.1:{port.number}"},
        "logger": {"level": "error"},
        "oauth2": {"grantTypes": ["client_credentials"]},
        "signer": {"type": "local", "config": {"keysRotationPeriod": "6h", "algorithm": "ES256"}},
        "enablePasswordDB": True,
        "staticClients": [{"id": one.client_id, "name": one.client_id, "secret": one.client_secret} for one in pairs],
    }
    settings.write_text(json.dumps(configuration))
    prepare = partial(be_served, url=url, client_credentials=pairs[0])
    async with pinned_server([program, "serve", settings], prepare, {"GOMAXPROCS": "1"}, directory / "dex.log") as pid:
        yield Served(url, pid, tuple(form_request(url, client_credentials) for client_credentials in pairs))
    port.release()


@asynccontextmanager
async def hydra(pairs: Sequence[ClientCredentials], directory: Path) -> AsyncIterator[Served]:
    """Ory Hydra that knows these clients, with its database in memory."""
    public, admin = ReservedPort(), ReservedPort()
    url = f"http://127.0.0.1:{public.number}/oauth2/token"

    async def prepare(session: aiohttp.ClientSession) -> None:
        for port in (public, admin):
            await session.get(f"http://127.0.0.1:{port.number}/health/ready")
        base = f"http://127.0.0.1:{admin.number}/admin"
        await session.post(f"{base}/keys/hydra.jwt.access-token", json={"alg": "ES256", "use": "sig", "kid": "es256"})
        for client_id, client_secret in pairs:
            client = {"client_id": client_id, "client_secret": client_secret, "grant_types": ["client_credentials"]}
            await session.post(f"{base}/clients", json=client | {"token_endpoint_auth_method": "client_secret_post"})
        await be_served(session, url, pairs[0])

    environment = HYDRA_SETTINGS | {
        "URLS_SELF_ISSUER": f"http://127.0.0.1:{public.number}",
        "SERVE_PUBLIC_PORT": str(public.number),
        "SERVE_ADMIN_PORT": str(admin.number),
    }
    command: list[str | Path] = [HYDRA.programs() / "hydra", "serve", "all", "--dev"]
    async with pinned_server(command, prepare, environment, directory / "hydra.log") as pid:
        yield Served(
            url, pid, tuple(form_request(url, client_credentials) for client_credentials in pairs), CONNECTIONS_TO[BCRYPT]
        )
    public.release()
    admin.release()


def versions(directory: Path) -> str:
    """Of the peers, as they run."""
    place = directory / f"oidc-provider-{PLAINTEXT}"
    package = json.loads((place / "node_modules" / "oidc-provider" / "package.json").read_text())
    node = subprocess.run([node_program(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = [
        f"oidc-provider {package['version']} on Node {node}",
        f"Ory Hydra {HYDRA.required_version(HYDRA.versioned_by)}",
    ]
    if program := dex_program():
        ran = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
        versions.append(f"dex {ran.stdout.splitlines()[0].rpartition(' ')[2]}")
    return ", ".join(versions)

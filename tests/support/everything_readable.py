"""Everything that somebody could read who may not read Secrets: the whole API, logs, metrics, etcd, processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from devcluster.cluster import ControlPlane
from devcluster.programs import PROGRAMS, Programs
from tests.support.objects import Objects

URLS_OF_THE_API_SERVER = ("/metrics", "/debug/pprof/cmdline")
URLS_OF_A_PROGRAM = ("/metrics", "/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server")


class Text(NamedTuple):
    """Something to read, and where it is."""

    where: str
    content: bytes


def everything(cluster: ControlPlane, objects: Objects, programs: Programs) -> Iterator[Text]:
    """All of it, as it is now."""
    for path in lists_but_secrets(objects):
        yield Text(path, objects.ask("GET", path).content)
    for url in URLS_OF_THE_API_SERVER:
        yield Text(url, objects.ask("GET", url).content)
    for program in PROGRAMS:
        for url in URLS_OF_A_PROGRAM:
            yield Text(f"{program.name}{url}", httpx.get(programs.url(program.name) + url).content)
        yield from _process(programs.process(program.name).pid)
        yield _file(programs.log(program.name))
    yield from map(_file, sorted(cluster.layout.logs.iterdir()))
    yield from (Text(f"etcd {key}", value) for key, value in cluster.stored() if not is_secret(key))


def is_secret(key: str) -> bool:
    """Whether an etcd key is that of a Secret."""
    return key.startswith("/registry/secrets/")


def lists_but_secrets(objects: Objects) -> Iterator[str]:
    """The paths of all collections of all groups and versions that the API server serves."""
    groups: list[dict[str, Any]] = objects.ask("GET", "/apis").raise_for_status().json()["groups"]
    for base in ("/api/v1", *(f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"])):
        for resource in objects.ask("GET", base).raise_for_status().json()["resources"]:
            if "list" in resource["verbs"] and resource["name"] != "secrets":
                yield f"{base}/{resource['name']}"


def _process(pid: int) -> Iterator[Text]:
    for name in ("cmdline", "environ"):
        yield _file(Path(f"/proc/{pid}/{name}"))


def _file(path: Path) -> Text:
    return Text(str(path), path.read_bytes())

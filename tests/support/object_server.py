"""An HTTP server that answers reads of fixed objects as an API server does, and the plugin's commands against it.

It has no writes, no watches and no authentication: what needs those runs on a real API server (`tests/integration/kubectl`).
"""

import json
import os
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agentidp.kube.kinds import AGENTS, CREDENTIALS, ORGANIZATIONS, SECRETS, Kind
from kubectl_agentidp.client import connect
from kubectl_agentidp.main import commands
from tests.support.kubeconfigs import a_kubeconfig

KINDS: tuple[Kind[Any], ...] = (AGENTS, CREDENTIALS, ORGANIZATIONS, SECRETS)


@contextmanager
def serving(*objects: Any) -> Iterator[str]:
    """Serve these objects, and yield the URL of the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _response(objects, urlsplit(self.path).path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body or {"kind": "Status", "reason": "NotFound", "message": "not found"}).encode())

        def log_message(self, *_: object) -> None:
            """Print no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _response(objects: tuple[Any, ...], path: str) -> dict[str, Any] | None:
    """Return the JSON of the object or of the collection at a path; None if there is no such object."""
    for kind in KINDS:
        items = [item for item in objects if isinstance(item, kind.type)]
        for item in items:
            if path == kind.path(*item.key):
                return kind.encode(item)
        if path.endswith(f"/{kind.plural}"):
            listed = [kind.encode(item) for item in items if path in {kind.path(item.key.namespace), kind.path()}]
            return {"metadata": {"resourceVersion": "1000"}, "items": listed}
    return None


async def run_command(line: str, url: str, folder: Path, namespace: str = "talent") -> None:
    """Run a command of the plugin with a kubeconfig that names the server."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(a_kubeconfig({"server": url}, {"token": "t"})))
    options: Namespace = commands().parser.parse_args([*line.split(), "--kubeconfig", os.fspath(kubeconfig), "-n", namespace])
    async with connect(options) as client:
        await options.run(client, options)

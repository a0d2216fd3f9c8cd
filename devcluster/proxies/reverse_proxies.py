"""Reverse proxies that other people wrote, in front of a program: Go's, and nginx where this machine has it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.compilation import Go
from devcluster.ports import ReservedPort
from devcluster.processes import Children
from devcluster.readiness import answers, wait_until
from devcluster.toolchains.go import go_program

NGINX_PACKAGE = "nginx"
NGINX = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream program {{ server {upstream}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://program;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
        }}
    }}
}}
"""
"""As people set it up for connections that are kept and for WebSocket."""


@contextmanager
def go_proxy(upstream: str, directory: Path) -> Iterator[int]:
    """The port of `httputil.ReverseProxy` before this program (host:port)."""
    program = directory / "go-proxy"
    Go(go_program(), Path(__file__).parent, directory / "go.log").run(["build", "-o", str(program), "."], lambda _: None)
    with _running(lambda port: [str(program), f"127.0.0.1:{port}", f"http://{upstream}"], directory / "go-proxy.log") as port:
        yield port


@contextmanager
def nginx_proxy(upstream: str, directory: Path) -> Iterator[int]:
    """The port of nginx before it."""

    def command(port: int) -> list[str]:
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX.format(directory=directory, upstream=upstream, port=port))
        return [str(nginx_program()), "-p", str(directory), "-e", str(directory / "nginx.log"), "-c", str(configuration)]

    with _running(command, directory / "nginx.out") as port:
        yield port


def nginx_program() -> Path | None:
    """None where it is not installed."""
    found = shutil.which("nginx", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    return Path(found) if found else None


def missing_proxies() -> list[str]:
    """The packages of Debian that have the others, as far as this machine lacks them."""
    return [] if nginx_program() else [NGINX_PACKAGE]


@contextmanager
def _running(command: Callable[[int], list[str]], log: Path) -> Iterator[int]:
    """Its port, as soon as the program behind it answers through it."""
    port = ReservedPort()
    try:
        with Children() as children:
            child = children.start("the proxy", command(port.number), log)
            wait_until(lambda: answers(f"http://127.0.0.1:{port.number}/healthz"), child)
            yield port.number
    finally:
        port.release()

"""Waiting until something answers, while its process lives."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from devcluster.errors import DevclusterError
from devcluster.processes import Child

READY_SECONDS = 180.0
POLL_SECONDS = 0.05


def answers(url: str) -> bool:
    """Whether a GET is answered with 2xx; the certificate is not looked at, since nothing secret is sent."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=_any_certificate()):  # noqa: S310  (http and https only)
            return True
    except (OSError, urllib.error.URLError):
        return False


def wait_until(ready: Callable[[], bool], child: Child, seconds: float = READY_SECONDS) -> None:
    """Poll; raise when the process ends first or the time is over, with the end of its log."""
    deadline = time.monotonic() + seconds
    while not ready():
        child.require_running()
        if time.monotonic() > deadline:
            raise DevclusterError(
                f"{child.name} is not ready after {seconds:.0f} s; the end of {child.log}:\n{child.last_lines()}"
            )
        time.sleep(POLL_SECONDS)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

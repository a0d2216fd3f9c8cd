"""A workload that tries what it must not do, with the ServiceAccount that its pod was given: `prying.py URL …`.

Prints, as JSON, with which status a GET of each URL is answered: first without a token, then with its own. A URL that is only
a path is one of the API server.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

IDENTITY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def statuses_of(url: str) -> tuple[int, int]:
    """Of the answers to a stranger, and to this pod."""
    return status_of(url, {}), status_of(url, {"Authorization": f"Bearer {(IDENTITY / 'token').read_text()}"})


def status_of(url: str, headers: dict[str, str]) -> int:
    """Of the answer to a GET."""
    request = urllib.request.Request(absolute(url), headers=headers)
    trusted = ssl.create_default_context(cafile=str(IDENTITY / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=15, context=trusted) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def absolute(url: str) -> str:
    """With the API server's address where there is none."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return f"https://{host}:{port}{url}" if url.startswith("/") else url


if __name__ == "__main__":
    print(json.dumps({url: statuses_of(url) for url in sys.argv[1:]}))

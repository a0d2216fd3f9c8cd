"""A workload that tries what it must not do, with the ServiceAccount that its pod was given: `prying.py PATH …`.

Prints, as JSON, with which status the API server answers a GET of each path.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

IDENTITY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def status_of(path: str) -> int:
    """Of the answer to a GET."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    headers = {"Authorization": f"Bearer {(IDENTITY / 'token').read_text()}"}
    request = urllib.request.Request(f"https://{host}:{port}{path}", headers=headers)
    trusted = ssl.create_default_context(cafile=str(IDENTITY / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=15, context=trusted) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


if __name__ == "__main__":
    print(json.dumps({path: status_of(path) for path in sys.argv[1:]}))

"""What the API server has stored in etcd, byte for byte: for tests that search it for what must not be there."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

PAGE = 500
_FIRST_KEY = b"\0"
_NO_END = base64.b64encode(b"\0").decode()


def stored(etcd: str) -> Iterator[tuple[str, bytes]]:
    """Every key and its value, from etcd's own HTTP API; keys look like /registry/secrets/namespace/name."""
    start = _FIRST_KEY
    while True:
        page = _range(etcd, start)
        items = page.get("kvs", [])
        for item in items:
            yield base64.b64decode(item["key"]).decode(), base64.b64decode(item.get("value", ""))
        if not page.get("more"):
            return
        start = base64.b64decode(items[-1]["key"]) + b"\0"


def _range(etcd: str, start: bytes) -> dict[str, Any]:
    body = {"key": base64.b64encode(start).decode(), "range_end": _NO_END, "limit": PAGE}
    request = urllib.request.Request(f"{etcd}/v3/kv/range", json.dumps(body).encode())  # noqa: S310  (http, loopback)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return dict(json.load(answer))

"""What `helm test` runs: `helm_test.py URL ISSUER`; the token service at URL speaks for ISSUER and publishes a signing key."""

import json
import sys
import urllib.request

METADATA = "/.well-known/oauth-authorization-server"
KEYS = "/.well-known/jwks.json"


def main(url: str, issuer: str) -> str | None:
    """What is wrong, or None."""
    told = _get(url + METADATA)["issuer"]
    if told != issuer:
        return f"the token service says that it is {told}, not {issuer}"
    return None if _get(url + KEYS)["keys"] else "the token service publishes no signing key"


def _get(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 the URL is the chart's own
        document: dict[str, object] = json.load(answer)
    return document


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

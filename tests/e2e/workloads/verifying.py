"""A workload that gets a token and checks it as a resource server does: `verifying.py FOLDER` prints its claims as JSON."""

import base64
import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import jwt


def main(folder: Path) -> None:
    """With nothing but the files of the Secret."""
    client, secret, endpoint, issuer = (
        (folder / key).read_text() for key in ("client_id", "client_secret", "token_endpoint", "issuer")
    )
    basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    request = urllib.request.Request(endpoint, form, {"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=15) as answer:
        token = json.load(answer)["access_token"]
    with urllib.request.urlopen(f"{issuer}/.well-known/oauth-authorization-server", timeout=15) as answer:
        keys = jwt.PyJWKClient(json.load(answer)["jwks_uri"])
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, options={"verify_aud": False})
    print(json.dumps(claims))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

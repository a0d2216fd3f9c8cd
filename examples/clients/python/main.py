"""An agent with Authlib: it gets a token, uses it, looks at it and gives it back. `python main.py API_URL`.

All that it needs is in its Secret, mounted as a folder: AGENT_SECRET says where.
"""

import json
import os
import sys
from pathlib import Path

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import get_well_known_url

SECRET = Path(os.environ.get("AGENT_SECRET", "/var/run/secrets/agent"))
SCOPE = "resumes:read"
RESOURCE = "https://resumes.example"


def secret(key: str) -> str:
    """Read when it is needed, not once at the start: after a rotation the file has the new value."""
    return (SECRET / key).read_text()


def discovered() -> dict[str, str]:
    """Where the issuer's endpoints are (RFC 8414)."""
    url = get_well_known_url(secret("issuer"), external=True)
    metadata: dict[str, str] = httpx.get(url).raise_for_status().json()
    return metadata


def main(api_url: str) -> None:
    """Get a token, call the API, introspect and revoke the token."""
    metadata = discovered()
    with OAuth2Client(secret("client_id"), secret("client_secret"), scope=SCOPE) as agent:
        token = agent.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", resource=RESOURCE)
        answer = agent.get(api_url).raise_for_status().json()
        before = agent.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
        agent.revoke_token(metadata["revocation_endpoint"], token["access_token"]).raise_for_status()
        after = agent.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    print(json.dumps({"scope": token["scope"], "answer": answer, "active": [before["active"], after["active"]]}))


if __name__ == "__main__":
    main(sys.argv[1])

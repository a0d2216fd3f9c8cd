"""A pod's point of view: its Secret mounted as files, and one HTTP request with what is in them."""

import base64
import json
from http import HTTPStatus
from pathlib import Path

import httpx

# What a pod would run, with the Secret mounted at its working directory. The secret is on no command line.
REQUEST = (
    "curl -sS -d grant_type=client_credentials --data-urlencode client_id@client_id "
    '--data-urlencode client_secret@client_secret "$(cat token_endpoint)"'
)


class Workload:
    """Files as the kubelet would mount them."""

    def __init__(self, mount: Path) -> None:
        self.mount = mount
        mount.mkdir(mode=0o700, parents=True)

    def mount_secret(self, manifest: str) -> None:
        """Write what a Secret (as JSON) holds, a file for each key."""
        for key, value in json.loads(manifest)["data"].items():
            (self.mount / key).write_bytes(base64.b64decode(value))

    def read(self, key: str) -> str:
        """One of the mounted files."""
        return (self.mount / key).read_text()

    def ask(self, secret: str | None = None) -> httpx.Response:
        """A token request, with this secret or the mounted one."""
        pair = {"client_id": self.read("client_id"), "client_secret": secret or self.read("client_secret")}
        return httpx.post(self.read("token_endpoint"), data={"grant_type": "client_credentials", **pair}, timeout=10)

    def is_served(self, secret: str | None = None) -> bool:
        """Whether a token is given now."""
        return self.ask(secret).status_code == HTTPStatus.OK

    def is_refused(self) -> bool:
        """Whether the answer is OAuth's `invalid_client` now."""
        answer = self.ask()
        return answer.status_code == HTTPStatus.UNAUTHORIZED and answer.json()["error"] == "invalid_client"

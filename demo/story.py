"""The story: one function a scene. Each runs what a person would type, and checks what it claims."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt

from demo.stage import Stage, Unexpected
from demo.workload import REQUEST, Workload

MANIFEST = "examples/quickstart.yaml"
NAMESPACE = "agents-demo"
CREDENTIAL = "screener"
SECRET = "screener-credentials"  # noqa: S105 the name of a Secret
AUDIENCE = "https://resumes.example"


@dataclass(frozen=True)
class Cast:
    """Who and what appears in the story."""

    stage: Stage
    workload: Workload
    issuer: str
    root: Path
    logs: Path

    def kubectl(self, arguments: str) -> str:
        """Run kubectl as a person would, in the checkout."""
        return self.stage.run(f"kubectl {arguments}", self.root)


def play(cast: Cast) -> None:
    """All scenes, in order. Raises Unexpected at the first claim that does not hold."""
    for scene in (declare, get_a_token, verify, no_plaintext, rotate, suspend, revoke, clean_up):
        scene(cast)


def declare(cast: Cast) -> None:
    """Apply the manifests and wait until they are ready."""
    cast.stage.scene("Declare an agent", "An Agent, its AgentCredential and its Organization are plain manifests: apply them.")
    cast.kubectl(f"apply -f {MANIFEST}")
    cast.kubectl(f"wait -n {NAMESPACE} --for=condition=Ready agentcredential/{CREDENTIAL} --timeout=20s")
    listed = cast.kubectl(f"get -n {NAMESPACE} agents,agentcredentials,secrets")
    both_active = listed.count(" Active ") == len(("agent", "credential"))
    cast.stage.check("the agent and its credential are Active, and the Secret is there", both_active and SECRET in listed)


def get_a_token(cast: Cast) -> None:
    """With curl, from mounted files."""
    prose = "A pod mounts the Secret as files. This is all it needs: no SDK, no console, no API key."
    cast.stage.scene("Get a token, as a pod would", prose)
    _mount(cast)
    cast.stage.run("ls", cast.workload.mount, lambda names: "  ".join(names.split()))
    answer = json.loads(_ask(cast, _shortened))
    cast.stage.check("the answer is a Bearer token with the agent's scopes", answer["scope"] == "resumes:read scores:write")
    (cast.workload.mount / "access_token").write_text(answer["access_token"])


def verify(cast: Cast) -> None:
    """As a resource server, through the JWKS."""
    prose = "A resource server trusts nobody's word: it takes the public keys from the JWKS and checks signature and claims."
    cast.stage.scene("Verify it, as a resource server would", prose)
    claims = _verified(cast)
    cast.stage.show(json.dumps(claims, indent=2), "json")
    cast.stage.check("PyJWT accepts signature, issuer, audience and expiry", claims["iss"] == cast.issuer)
    cast.stage.check("it speaks for the agent", claims["sub"] == claims["client_id"] == cast.workload.read("client_id"))
    cast.stage.check("it carries the organization that admits the namespace", claims["organization_id"] == "acme")


def no_plaintext(cast: Cast) -> None:
    """Status, events and logs hold hashes only."""
    prose = "Whoever may read every resource and every log learns no secret: there are only bcrypt hashes."
    cast.stage.scene("Look for the secret", prose)
    cast.kubectl(f"get -n {NAMESPACE} agentcredential {CREDENTIAL} -o jsonpath='{{.status.secretHashes}}'")
    secret = cast.workload.read("client_secret")
    resources = "agents,agentcredentials,organizations,events,configmaps"
    everything = cast.stage.run(f"kubectl get -A -o yaml {resources}", cast.root, _line_count)
    cast.stage.check("the plaintext is in none of these resources", secret not in everything)
    logged = "".join(path.read_text() for path in cast.logs.glob("*.log"))
    cast.stage.check("nor in any log", bool(logged) and secret not in logged)


def rotate(cast: Cast) -> None:
    """With an overlap, nobody is refused."""
    prose = "Ask for a rotation in the spec. With an overlap the old secret goes on working while pods pick up the new one."
    cast.stage.scene("Rotate without an outage", prose)
    old = cast.workload.read("client_secret")
    now = datetime.now(UTC).isoformat()  # a moment without its fraction may be before the secret was made
    _patch(cast, f"agentcredential {CREDENTIAL}", {"rotation": {"overlap": "1h", "requestedAt": now}})
    cast.stage.wait_until("the Secret holds a new value", lambda: _mount(cast) and cast.workload.read("client_secret") != old)
    cast.stage.wait_until("the new secret works", cast.workload.is_served)
    cast.stage.check("and so does the old one, for an hour", cast.workload.is_served(old))


def suspend(cast: Cast) -> None:
    """Suspend the agent, and resume it."""
    cast.stage.scene("Cut the agent off", "Suspended in its spec, it is refused in milliseconds, by every replica, on its own.")
    _patch(cast, f"agent {CREDENTIAL}", {"state": "Suspended"})
    cast.stage.wait_until("token requests are refused", cast.workload.is_refused)
    _ask(cast, str.strip)
    _patch(cast, f"agent {CREDENTIAL}", {"state": "Active"})
    cast.stage.wait_until("reactivated, the same secret works again", cast.workload.is_served)


def revoke(cast: Cast) -> None:
    """Revoke the credential for good."""
    cast.stage.scene("Revoke the credential", "Revoked is for ever: nothing is accepted, the Secret goes, the record stays.")
    _patch(cast, f"agentcredential {CREDENTIAL}", {"state": "Revoked"})
    cast.stage.wait_until("token requests are refused", cast.workload.is_refused)
    cast.stage.wait_until("the Secret is gone", lambda: not _secret(cast))
    cast.kubectl(f"get -n {NAMESPACE} agentcredentials")
    undo = f'kubectl patch -n {NAMESPACE} agentcredential {CREDENTIAL} --type=merge -p \'{{"spec":{{"state":"Active"}}}}\''
    refusal = cast.stage.run(f"{undo} 2>&1 || true", cast.root)
    cast.stage.check("the API server itself refuses to undo it", "spec.state" in refusal)


def clean_up(cast: Cast) -> None:
    """Delete the namespace; nothing delays its deletion."""
    cast.stage.scene("Clean up", "Deleting what was applied leaves nothing behind, and waits for no finalizer.")
    cast.kubectl(f"delete -f {MANIFEST} --timeout=30s")
    left = cast.kubectl("get -A agents,agentcredentials,organizations --ignore-not-found")
    cast.stage.check("nothing is left", not left.strip())


def _patch(cast: Cast, what: str, spec: dict[str, Any]) -> None:
    cast.kubectl(f"patch -n {NAMESPACE} {what} --type=merge -p '{json.dumps({'spec': spec})}'")


def _ask(cast: Cast, shown: Callable[[str], str]) -> str:
    """With curl; where it is not installed, the same request from here."""
    if shutil.which("curl"):
        return cast.stage.run(REQUEST, cast.workload.mount, shown)
    cast.stage.show_command(REQUEST)
    answer = cast.workload.ask().text
    cast.stage.show(shown(answer))
    return answer


def _secret(cast: Cast) -> str:
    return cast.stage.quiet(f"kubectl get -n {NAMESPACE} secret {SECRET} -o json --ignore-not-found")


def _mount(cast: Cast) -> bool:
    """What the kubelet does for a pod."""
    manifest = _secret(cast)
    if not manifest:
        raise Unexpected(f"Secret {SECRET} is not there")
    cast.workload.mount_secret(manifest)
    return True


def _verified(cast: Cast) -> dict[str, Any]:
    token = cast.workload.read("access_token")
    key = jwt.PyJWKClient(f"{cast.issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=cast.issuer)
    return claims


def _shortened(answer: str) -> str:
    """The answer with a token that fits the page."""
    shown = json.loads(answer)
    token = shown.get("access_token", "")
    return json.dumps(shown | ({"access_token": f"{token[:24]}…{token[-8:]}"} if token else {}), ensure_ascii=False)


def _line_count(text: str) -> str:
    return f"({len(text.splitlines())} lines)"

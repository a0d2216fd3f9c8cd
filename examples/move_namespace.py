#!/usr/bin/env python3
"""Back up the agents of a namespace with their secrets, and restore them in another cluster: same agent ids, same secrets.

    python3 move_namespace.py save NAMESPACE > agents.json        # holds secrets: keep it like one
    python3 move_namespace.py restore NAMESPACE < agents.json     # with another KUBECONFIG

Needs kubectl and nothing else. `save` reads Secrets; `restore` creates objects with a declared agent id, for which it needs
the verb `claim` on agents (a cluster administrator has it). AgentIdP must run in the target, under the same issuer if tokens
and the `token_endpoint` in Secrets are to stay as they are.

How a secret survives: its credential is created with the old bcrypt hash (spec.secretHash), so the old secret is accepted at
once. Then the hash gets the hint that ties it to the new credential, the credential asks for a Secret again, and the restored
one is made over to it by an owner reference: the operator finds a value that it accepts, and keeps it. Not carried over: old
secrets that were in their overlap, and the secrets of agents that are suspended, since the operator accepts nothing for them;
their credentials get fresh ones when they are resumed.
"""

import base64
import hashlib
import json
import subprocess
import sys
import time
from typing import Any

Object = dict[str, Any]
GROUP = "idp.sentryagent.ai"
SECONDS = 60.0


def save(namespace: str) -> Object:
    """What `restore` needs: agents with their ids, credentials with the hash in use, and their Secrets."""
    agents, credentials = _list("agents", namespace), _list("agentcredentials", namespace)
    names = {_secret_name(one) for one in credentials}
    return {
        "agents": [_bare(one) | {"spec": one["spec"] | {"agentId": one["status"]["agentId"]}} for one in agents],
        "credentials": [_bare(one) | {"spec": one["spec"], "hash": _hash_in_use(one)} for one in credentials],
        "secrets": [
            _bare(one) | {"type": one["type"], "data": one["data"]}
            for one in _list("secrets", namespace)
            if one["metadata"]["name"] in names and one["type"] == f"{GROUP}/credential"
        ],
    }


def restore(namespace: str, saved: Object) -> None:
    """May be run again after a failure: what is there already is left as it is."""
    for one in saved["agents"]:
        _create(one, namespace)
    active = {one["metadata"]["name"] for one in saved["agents"] if one["spec"].get("state", "Active") == "Active"}
    secrets = {one["metadata"]["name"]: one for one in saved["secrets"]}
    for one in saved["credentials"]:
        secret = secrets.get(_secret_name(one))
        if secret and one["hash"] and one["spec"]["agentRef"]["name"] in active:
            _restore_with_secret(one, secret, namespace)
        else:
            _create({name: one[name] for name in one if name != "hash"}, namespace)


def _restore_with_secret(credential: Object, secret: Object, namespace: str) -> None:
    _create(secret, namespace)
    name, declared = credential["metadata"]["name"], credential["spec"]
    at_first = {"agentRef": declared["agentRef"], "secretHash": {"hash": credential["hash"]}}
    _create({field: credential[field] for field in ("apiVersion", "kind", "metadata")} | {"spec": at_first}, namespace)
    uid = _get("agentcredential", name, namespace)["metadata"]["uid"]
    key = declared.get("secret", {}).get("keys", {}).get("clientSecret", "client_secret")
    hint = hashlib.sha256(uid.encode() + b"\0" + base64.b64decode(secret["data"][key])).hexdigest()[:8]
    _patch(name, namespace, {"secretHash": {"hash": credential["hash"], "hint": hint}})
    _wait(name, namespace, lambda status: any(one.get("hint") == hint for one in status.get("secretHashes", ())))
    _patch(name, namespace, declared | {"secretHash": None})
    _wait(name, namespace, lambda _: True)
    _make_over(secret["metadata"]["name"], credential, uid, namespace)
    _wait(name, namespace, lambda status: bool(status.get("binding")))


def _make_over(secret: str, credential: Object, uid: str, namespace: str) -> None:
    """Let the credential own the Secret, which is how the operator knows it."""
    owner = {name: credential[name] for name in ("apiVersion", "kind")} | {"name": credential["metadata"]["name"], "uid": uid}
    change = json.dumps({"metadata": {"ownerReferences": [owner]}})
    _kubectl("patch", "secret", secret, f"--namespace={namespace}", "--type=merge", f"--patch={change}")


def _hash_in_use(credential: Object) -> str | None:
    """Of the secret that the Secret holds: the youngest hash that has no end."""
    hashes = credential.get("status", {}).get("secretHashes", ())
    return next((one["hash"] for one in reversed(hashes) if "notAfter" not in one), None)


def _secret_name(credential: Object) -> str:
    """Where it is delivered; empty where its owner provides the hash."""
    spec = credential["spec"]
    return "" if "secretHash" in spec else spec.get("secret", {}).get("name", credential["metadata"]["name"])


def _bare(one: Object) -> Object:
    """What identifies it, and what people said about it; nothing that belongs to this cluster."""
    meta = one["metadata"]
    annotations = dict(meta.get("annotations", {}))
    annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    bare = {"name": meta["name"], "labels": meta.get("labels", {}), "annotations": annotations}
    return {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": bare}


def _list(kind: str, namespace: str) -> list[Object]:
    items: list[Object] = json.loads(_kubectl("get", kind, f"--namespace={namespace}", "--output=json"))["items"]
    return items


def _get(kind: str, name: str, namespace: str) -> Object:
    found: Object = json.loads(_kubectl("get", kind, name, f"--namespace={namespace}", "--output=json"))
    return found


def _create(one: Object, namespace: str) -> None:
    """Create an object unless it exists."""
    name = f"{one['kind']}/{one['metadata']['name']}"
    if not _kubectl("get", name, f"--namespace={namespace}", "--ignore-not-found", "--output=name"):
        _kubectl("create", f"--namespace={namespace}", "--filename=-", text=json.dumps(one))


def _patch(name: str, namespace: str, spec: Object) -> None:
    change = json.dumps({"spec": spec})
    _kubectl("patch", "agentcredential", name, f"--namespace={namespace}", "--type=merge", f"--patch={change}")


def _wait(name: str, namespace: str, holds: Any) -> None:
    """Until the operator says so of the spec as it is."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        one = _get("agentcredential", name, namespace)
        status = one.get("status", {})
        if status.get("observedGeneration") == one["metadata"]["generation"] and holds(status):
            return
        time.sleep(0.2)
    sys.exit(f"AgentCredential {name}: the operator did not take it over within {SECONDS:.0f} s: {one.get('status')}")


def _kubectl(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"kubectl {arguments[0]} {arguments[1]}: {done.stderr.strip()}")
    return done.stdout


def main(arguments: list[str]) -> None:
    """Run the command line: save or restore."""
    match arguments:
        case ["save", namespace]:
            json.dump(save(namespace), sys.stdout, indent=1)
        case ["restore", namespace]:
            restore(namespace, json.load(sys.stdin))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

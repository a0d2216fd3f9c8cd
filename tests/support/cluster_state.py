"""All that a cluster holds outside of namespaces, to compare before with after."""

import json
from typing import Any

from devcluster.kubectl import Kubectl

PASSING = {"events", "events.events.k8s.io"}
TENANTS = "namespaces/tenant-"
State = dict[str, str]
"""By kind/name. Of a role its rules, since those of the cluster's own roles are put together from others; "" of the rest."""


def state_of(kubectl: Kubectl) -> State:
    """Of everything but tenants' namespaces, which end in the background."""
    found = {
        f"{kind}/{one['metadata']['name']}": _content(one)
        for kind in kinds(kubectl, namespaced=False)
        for one in listed(kubectl, kind)
    }
    return {name: content for name, content in found.items() if not name.startswith(TENANTS)}


def kinds(kubectl: Kubectl, *, namespaced: bool) -> list[str]:
    """All that can be listed and stays."""
    told = kubectl("api-resources", "--verbs=list", f"--namespaced={str(namespaced).lower()}", "--output=name").stdout
    return [kind for kind in told.split() if kind not in PASSING]


def listed(kubectl: Kubectl, kind: str, *options: str) -> list[dict[str, Any]]:
    """The objects of a kind."""
    return list(json.loads(kubectl("get", kind, "--output=json", *options).stdout)["items"])


def _content(found: dict[str, Any]) -> str:
    return json.dumps(found.get("rules") or "", sort_keys=True)

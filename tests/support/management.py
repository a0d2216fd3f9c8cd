"""The management API as its callers have it: requests with one bearer token, and tokens of both kinds to ask with."""

from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from devcluster.cluster import ControlPlane
from devcluster.programs import MANAGEMENT_API, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import a_resource
from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually
from tests.support.workload import Pair, is_served, token

BASE = "/api/v1"
SCOPES = ["agents:read", "agents:write"]
NO_SUCH_ID = "11111111-2222-4333-8444-555555555555"

AN_AGENT: dict[str, Any] = {
    "email": "classifier@agents.example",
    "agentType": "classifier",
    "version": "2.0.0",
    "capabilities": ["document:classify"],
    "owner": "knowledge-team",
    "deploymentEnv": "staging",
}


class Api:
    """One caller."""

    def __init__(self, url: str, bearer: str | None) -> None:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
        self.client = httpx.Client(base_url=url + BASE, headers=headers, timeout=60)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, below the base path."""
        return self.client.request(method, path, **options)

    def generate(self, agent_id: str, **body: Any) -> httpx.Response:
        """POST …/credentials."""
        return self.ask("POST", f"/agents/{agent_id}/credentials", json=body)

    def rotate(self, agent_id: str, credential_id: str, **body: Any) -> httpx.Response:
        """POST …/credentials/{credentialId}/rotate."""
        return self.ask("POST", f"/agents/{agent_id}/credentials/{credential_id}/rotate", json=body)

    def revoke(self, agent_id: str, credential_id: str) -> httpx.Response:
        """DELETE …/credentials/{credentialId}."""
        return self.ask("DELETE", f"/agents/{agent_id}/credentials/{credential_id}")

    def credentials(self, agent_id: str, **query: Any) -> httpx.Response:
        """GET …/credentials."""
        return self.ask("GET", f"/agents/{agent_id}/credentials", params=query)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


def in_the_future(**after: float) -> str:
    """A time to come, by default an hour from now."""
    return (datetime.now(UTC) + timedelta(**(after or {"hours": 1}))).isoformat(timespec="seconds").replace("+00:00", "Z")


def an_agent(tenant: Tenant, name: str = NAME, **spec: Any) -> str:
    """The id of a new agent."""
    tenant.create("Agent", name, **spec)
    agent: Manifest = tenant.until("Agent", "Registered", name)
    return str(agent["status"]["agentId"])


def an_organization(objects: Objects, *tenants: Tenant) -> str:
    """The name of a new organization that admits these tenants' namespaces."""
    name = f"org-{tenants[0].namespace}"
    objects.create(a_resource("Organization", {"namespaces": [one.namespace for one in tenants]}, name))
    return name


def pair_of(answer: httpx.Response, programs: Programs) -> Pair:
    """The pair that an answer shows."""
    told = answer.json()
    return Pair(told["clientId"], told["clientSecret"], f"{programs.token_url}/api/v1/token")


def access_token(tenant: Tenant, name: str = "caller", scopes: list[str] | None = None, **spec: Any) -> str:
    """Of a new agent with these scopes, by default both that this API knows."""
    tenant.create("Agent", name, scopes=SCOPES if scopes is None else scopes, **spec)
    tenant.create("AgentCredential", name, agentRef={"name": name})
    tenant.until("AgentCredential", "Issued", name)
    pair = tenant.pair(name)
    eventually("it is served", lambda: is_served(pair))
    return token(pair)


def as_agent(programs: Programs, bearer: str) -> Api:
    """Whoever has this token."""
    return Api(programs.url(MANAGEMENT_API.name), bearer)


def service_account_token(cluster: ControlPlane, namespace: str, name: str) -> str:
    """Of a new ServiceAccount, which has no rights yet."""
    cluster.kubectl("create", "serviceaccount", name, f"--namespace={namespace}")
    return cluster.kubectl("create", "token", name, f"--namespace={namespace}").stdout.strip()


def allow(objects: Objects, namespace: str, service_account: str, verbs: list[str], resources: list[str]) -> None:
    """Give it these verbs on these resources of ours, in its own namespace."""
    group = {"apiGroups": ["idp.sentryagent.ai"], "resources": resources, "verbs": verbs}
    name = {"name": service_account}
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    role = {"metadata": name, "rules": [group]}
    binding = {
        "metadata": name,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", **name},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, **name}],
    }
    objects.ask("POST", f"{rbac}/roles", json=role).raise_for_status()
    objects.ask("POST", f"{rbac}/rolebindings", json=binding).raise_for_status()

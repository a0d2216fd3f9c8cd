"""What each program may do, asked of the API server as that program, against the list in `tests/support/granted`.

A change of the chart's rules must be made there, too: that is the point.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from http import HTTPStatus
from typing import Any

import pytest

from devcluster.cluster import ControlPlane
from devcluster.install import NAMESPACE
from devcluster.programs import MANAGEMENT_API, OPERATOR, PROGRAMS, TOKEN_SERVICE, Programs
from tests.support.granted import (
    EVERYBODY,
    MANAGEMENT_API_AT_HOME,
    MANAGEMENT_API_EVERYWHERE,
    OPERATOR_AT_HOME,
    OPERATOR_EVERYWHERE,
    TOKEN_SERVICE_AT_HOME,
    TOKEN_SERVICE_EVERYWHERE,
    Rules,
    together,
    written,
)
from tests.support.manifests import a_resource
from tests.support.objects import Objects, path_of
from tests.support.tenants import Tenant

MAY = {
    "the operator in its own namespace": (OPERATOR.name, NAMESPACE, together(OPERATOR_EVERYWHERE, OPERATOR_AT_HOME)),
    "the operator in a tenant's namespace": (OPERATOR.name, "default", OPERATOR_EVERYWHERE),
    "the token service in its own namespace": (
        TOKEN_SERVICE.name,
        NAMESPACE,
        together(TOKEN_SERVICE_EVERYWHERE, TOKEN_SERVICE_AT_HOME),
    ),
    "the token service in a tenant's namespace": (TOKEN_SERVICE.name, "default", TOKEN_SERVICE_EVERYWHERE),
    "the management API in its own namespace": (
        MANAGEMENT_API.name,
        NAMESPACE,
        together(MANAGEMENT_API_EVERYWHERE, MANAGEMENT_API_AT_HOME),
    ),
    "the management API in a tenant's namespace": (MANAGEMENT_API.name, "default", MANAGEMENT_API_EVERYWHERE),
}


@pytest.mark.parametrize("who_and_where", MAY)
def test_a_program_may_do_this_and_nothing_else(who_and_where: str, as_program: Callable[[str], Objects]) -> None:
    """As the API server itself resolves the rules (SelfSubjectRulesReview)."""
    program, namespace, expected = MAY[who_and_where]
    assert rules_of(as_program(program), namespace) == expected | EVERYBODY


@pytest.mark.parametrize("program", [program.name for program in PROGRAMS])
def test_a_program_has_only_the_urls_that_everybody_has(program: str, as_program: Callable[[str], Objects]) -> None:
    """No /metrics, no /logs, no /debug of the API server."""
    assert urls_of(as_program(program)) == urls_of(as_program("nobody-in-particular"))


@pytest.mark.parametrize("query", ["", "&watch=true&timeoutSeconds=1"])
def test_the_token_service_reads_the_signing_keys(query: str, token_service: Objects, victim: Tenant) -> None:
    """The one Secret that it may list and watch, narrowed to its name."""
    url = f"/api/v1/namespaces/{NAMESPACE}/secrets?fieldSelector=metadata.name=agentidp-signing-keys{query}"
    assert "agentidp-signing-keys" in token_service.ask("GET", url).raise_for_status().text


FORBIDDEN_TO_THE_TOKEN_SERVICE = {
    "get a credential's Secret": ("GET", "{tenant}/secrets/screener"),
    "list a tenant's Secrets": ("GET", "{tenant}/secrets"),
    "list all Secrets": ("GET", "/api/v1/secrets"),
    "list all Secrets of credentials": ("GET", "/api/v1/secrets?fieldSelector=type=idp.sentryagent.ai/credential"),
    "list all Secrets called like the signing keys": (
        "GET",
        "/api/v1/secrets?fieldSelector=metadata.name=agentidp-signing-keys",
    ),
    "watch a tenant's Secrets": ("GET", "{tenant}/secrets?watch=true"),
    "watch one Secret": ("GET", "{tenant}/secrets?watch=true&fieldSelector=metadata.name=screener"),
    "watch all Secrets by the old path": ("GET", "/api/v1/watch/secrets"),
    "list its own namespace's Secrets": ("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets"),
    "write its signing keys": ("PUT", f"/api/v1/namespaces/{NAMESPACE}/secrets/agentidp-signing-keys"),
    "delete its signing keys": ("DELETE", f"/api/v1/namespaces/{NAMESPACE}/secrets/agentidp-signing-keys"),
    "become the operator": ("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/agentidp-operator/token"),
    "become a tenant's ServiceAccount": ("POST", "{tenant}/serviceaccounts/default/token"),
    "list a tenant's ServiceAccounts": ("GET", "{tenant}/serviceaccounts"),
    "list all ServiceAccounts": ("GET", "/api/v1/serviceaccounts"),
    "watch all ServiceAccounts": ("GET", "/api/v1/serviceaccounts?watch=true"),
    "change a ServiceAccount": ("PATCH", "{tenant}/serviceaccounts/default"),
    "give itself more rights": ("PATCH", "/apis/rbac.authorization.k8s.io/v1/clusterroles/agentidp-token-service"),
    "run a pod that mounts a Secret": ("POST", "{tenant}/pods"),
    "change a credential": ("PATCH", "{ours}/agentcredentials/screener"),
    "publish a hash of its own": ("PUT", "{ours}/agentcredentials/screener/status"),
    "record a pending change": ("POST", f"/apis/idp.sentryagent.ai/v1alpha1/namespaces/{NAMESPACE}/pendingchanges"),
}

FORBIDDEN_TO_THE_OPERATOR = {
    "change an agent": ("PATCH", "{ours}/agents/screener"),
    "delete an agent": ("DELETE", "{ours}/agents/screener"),
    "change a credential": ("PUT", "{ours}/agentcredentials/screener"),
    "make a credential": ("POST", "{ours}/agentcredentials"),
    "record a pending change": ("POST", f"/apis/idp.sentryagent.ai/v1alpha1/namespaces/{NAMESPACE}/pendingchanges"),
    "delete all Secrets of a namespace at once": ("DELETE", "{tenant}/secrets"),
    "read configuration": ("GET", "{tenant}/configmaps"),
    "list namespaces": ("GET", "/api/v1/namespaces"),
    "list CRDs": ("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    "take another's lease": ("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"),
    "list leases": ("GET", f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"),
    "get a token of another ServiceAccount": (
        "POST",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/agentidp-token-service/token",
    ),
    "run a pod": ("POST", "{tenant}/pods"),
    "give itself more rights": ("PATCH", "/apis/rbac.authorization.k8s.io/v1/clusterroles/agentidp-operator"),
}


FORBIDDEN_TO_THE_MANAGEMENT_API = {
    "get a credential's Secret": ("GET", "{tenant}/secrets/screener"),
    "list a tenant's Secrets": ("GET", "{tenant}/secrets"),
    "list all Secrets": ("GET", "/api/v1/secrets"),
    "watch all Secrets": ("GET", "/api/v1/secrets?watch=true"),
    "read the signing keys": ("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/agentidp-signing-keys"),
    "list its own namespace's Secrets": ("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets"),
    "write a Secret": ("POST", "{tenant}/secrets"),
    "publish a hash of its own": ("PUT", "{ours}/agentcredentials/screener/status"),
    "give an agent an id": ("PATCH", "{ours}/agents/screener/status"),
    "replace a credential": ("PUT", "{ours}/agentcredentials/screener"),
    "delete a credential": ("DELETE", "{ours}/agentcredentials/screener"),
    "delete an agent": ("DELETE", "{ours}/agents/screener"),
    "delete all credentials of a namespace at once": ("DELETE", "{ours}/agentcredentials"),
    "change a pending change of a tenant's namespace": ("PATCH", "{ours}/pendingchanges/any"),
    "record a pending change in a tenant's namespace": ("POST", "{ours}/pendingchanges"),
    "change an organization": ("PATCH", "/apis/idp.sentryagent.ai/v1alpha1/organizations/acme"),
    "become the operator": ("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/agentidp-operator/token"),
    "give itself more rights": ("PATCH", "/apis/rbac.authorization.k8s.io/v1/clusterroles/agentidp-management-api"),
    "run a pod that mounts a Secret": ("POST", "{tenant}/pods"),
}


@pytest.mark.parametrize("attempt", FORBIDDEN_TO_THE_TOKEN_SERVICE)
def test_the_token_service_cannot(attempt: str, token_service: Objects, victim: Tenant) -> None:
    """Tried for real, where there is something to get."""
    assert try_it(token_service, victim, *FORBIDDEN_TO_THE_TOKEN_SERVICE[attempt]) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("attempt", FORBIDDEN_TO_THE_OPERATOR)
def test_the_operator_cannot(attempt: str, as_program: Callable[[str], Objects], victim: Tenant) -> None:
    """Tried for real, where there is something to get."""
    assert try_it(as_program(OPERATOR.name), victim, *FORBIDDEN_TO_THE_OPERATOR[attempt]) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("attempt", FORBIDDEN_TO_THE_MANAGEMENT_API)
def test_the_management_api_cannot(attempt: str, as_program: Callable[[str], Objects], victim: Tenant) -> None:
    """Tried for real, where there is something to get."""
    identity = as_program(MANAGEMENT_API.name)
    assert try_it(identity, victim, *FORBIDDEN_TO_THE_MANAGEMENT_API[attempt]) == HTTPStatus.FORBIDDEN


MADE_HERE = {"annotations": {"idp.sentryagent.ai/generated-by": "management-api"}}
DELETED_BY_THE_MANAGEMENT_API = {
    "a credential that it made and that is revoked": ("AgentCredential", MADE_HERE, {"state": "Revoked"}, HTTPStatus.OK),
    "an agent that it made and that is decommissioned": ("Agent", MADE_HERE, {"state": "Decommissioned"}, HTTPStatus.OK),
    "a credential that it made and that is good": ("AgentCredential", MADE_HERE, {}, HTTPStatus.FORBIDDEN),
    "an agent that it made and that is suspended": ("Agent", MADE_HERE, {"state": "Suspended"}, HTTPStatus.FORBIDDEN),
    "a revoked credential that was declared": ("AgentCredential", {}, {"state": "Revoked"}, HTTPStatus.FORBIDDEN),
    "a decommissioned agent that was declared": ("Agent", {}, {"state": "Decommissioned"}, HTTPStatus.FORBIDDEN),
    "a decommissioned agent whose id was chosen": (
        "Agent",
        MADE_HERE,
        {"state": "Decommissioned", "agentId": "5b0a3a52-7c8e-4f7e-9d59-0f4f4f1f2a12"},
        HTTPStatus.FORBIDDEN,
    ),
}


@pytest.mark.parametrize("what", DELETED_BY_THE_MANAGEMENT_API)
def test_the_management_api_deletes_what_it_made_and_what_has_ended(
    what: str, as_program: Callable[[str], Objects], objects: Objects
) -> None:
    """Nothing else, by an admission policy: RBAC cannot tell it apart (decision 36)."""
    kind, metadata, spec, expected = DELETED_BY_THE_MANAGEMENT_API[what]
    tenant = Tenant.new(objects)
    manifest = a_resource(kind, spec, "screener")
    created = objects.create(manifest | {"metadata": manifest["metadata"] | metadata}, tenant.namespace)
    path = path_of(kind, tenant.namespace, created["metadata"]["name"])
    assert as_program(MANAGEMENT_API.name).ask("DELETE", path).status_code == expected
    assert (tenant.find(kind) is None) == (expected == HTTPStatus.OK)


def test_the_management_api_gives_itself_nothing_to_delete(as_program: Callable[[str], Objects], victim: Tenant) -> None:
    """By an owner that does not exist, or by its mark on what others have declared; nor does it keep others from deleting."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "5b0a3a52-7c8e-4f7e-9d59-0f4f4f1f2a13"}
    headers = {"Content-Type": "application/merge-patch+json"}
    for kind in ("Agent", "AgentCredential"):
        path = path_of(kind, victim.namespace, "screener")
        for metadata, expected in (
            ({"ownerReferences": [owner]}, HTTPStatus.FORBIDDEN),
            (MADE_HERE, HTTPStatus.FORBIDDEN),
            ({"finalizers": ["example.com/never"]}, HTTPStatus.FORBIDDEN),
            ({"annotations": {"a": "b"}}, HTTPStatus.OK),
        ):
            answer = as_program(MANAGEMENT_API.name).ask("PATCH", path, json={"metadata": metadata}, headers=headers)
            assert answer.status_code == expected


OWN_TOKENS = {
    "for the token service": (["agentidp-internal"], 3600, HTTPStatus.CREATED),
    "for the token service, for a year": (["agentidp-internal"], 365 * 24 * 3600, HTTPStatus.FORBIDDEN),
    "for the API server": ([], 3600, HTTPStatus.FORBIDDEN),
    "for both": (["agentidp-internal", "https://kubernetes.default.svc"], 3600, HTTPStatus.FORBIDDEN),
}


@pytest.mark.parametrize("what", OWN_TOKENS)
def test_the_management_api_makes_tokens_of_its_own(what: str, as_program: Callable[[str], Objects]) -> None:
    """None that would outlive its process at the API server."""
    audiences, seconds, expected = OWN_TOKENS[what]
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": audiences, "expirationSeconds": seconds},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{MANAGEMENT_API.name}/token"
    assert as_program(MANAGEMENT_API.name).ask("POST", path, json=body).status_code == expected


@pytest.fixture(scope="module")
def as_program(cluster: ControlPlane) -> Iterator[Callable[[str], Objects]]:
    """The cluster as a program may see it, by the name of its ServiceAccount."""
    cluster.kubectl("create", "serviceaccount", "nobody-in-particular", f"--namespace={NAMESPACE}")
    with ExitStack() as connections:
        yield cache(lambda program: connections.enter_context(Objects(cluster.identity(NAMESPACE, program))))


@pytest.fixture(scope="module")
def token_service(as_program: Callable[[str], Objects]) -> Objects:
    """The cluster as the token service may see it."""
    return as_program(TOKEN_SERVICE.name)


@pytest.fixture(scope="module")
def victim(operator: Programs, objects: Objects) -> Tenant:
    """A tenant with an agent, a credential and its Secret."""
    tenant = Tenant.new(objects)
    tenant.issue()
    return tenant


def rules_of(identity: Objects, namespace: str) -> Rules:
    """The resources and verbs of an identity, as the API server tells them."""
    rules: defaultdict[str, set[str]] = defaultdict(set)
    for rule in _review(identity, namespace)["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames") or [""]:
                    rules[written(group, resource, name)].update(rule["verbs"])
    return dict(rules)


def urls_of(identity: Objects) -> set[str]:
    """What an identity may GET besides resources."""
    return {url for rule in _review(identity, "default")["nonResourceRules"] for url in rule["nonResourceURLs"]}


def _review(identity: Objects, namespace: str) -> dict[str, Any]:
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status: dict[str, Any] = identity.ask("POST", path, json={"spec": {"namespace": namespace}}).json()["status"]
    assert not status.get("incomplete")
    return status


def try_it(identity: Objects, tenant: Tenant, method: str, path: str) -> int:
    """The status of the answer; bodies are valid enough to get past everything but the authorizer."""
    tenant_path = f"/api/v1/namespaces/{tenant.namespace}"
    ours = f"/apis/idp.sentryagent.ai/v1alpha1/namespaces/{tenant.namespace}"
    headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    body = json.dumps(a_resource("AgentCredential")) if method in {"POST", "PUT"} else "{}"
    content = body if method in {"POST", "PUT", "PATCH"} else None
    return identity.ask(method, path.format(tenant=tenant_path, ours=ours), content=content, headers=headers).status_code

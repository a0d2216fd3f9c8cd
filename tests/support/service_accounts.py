"""ServiceAccounts of a tenant, and their tokens as the API server issues them to pods (TokenRequest)."""

import httpx

from tests.support.assertions import asserted
from tests.support.tenants import NAME, Tenant
from tests.support.workload import GRANT

LIFETIME_SECONDS = 600  # the shortest that the API server issues


def make_service_account(tenant: Tenant, name: str = NAME) -> None:
    """A new one."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}
    tenant.objects.create(account, tenant.namespace)


def token_of(tenant: Tenant, *audiences: str, name: str = NAME, seconds: int = LIFETIME_SECONDS) -> str:
    """A token for these audiences; none named is the API server itself."""
    spec = {"audiences": audiences, "expirationSeconds": seconds}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = f"/api/v1/namespaces/{tenant.namespace}/serviceaccounts/{name}/token"
    answer = tenant.objects.ask("POST", path, json=request)
    return str(answer.raise_for_status().json()["status"]["token"])


def ask_by_assertion(issuer: str, assertion: str, client_id: str | None = None, **form: str) -> httpx.Response:
    """The answer to a token request."""
    return httpx.post(f"{issuer}/api/v1/token", data=GRANT | asserted(assertion, client_id) | form, timeout=30)

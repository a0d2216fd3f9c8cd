"""A life in which much goes wrong: everything that might make a program say more than it should.

Each act has a tenant of its own, makes sure that it has happened, and returns plaintexts besides those that the operator made.
"""

import base64
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import bcrypt
import httpx

from tests.support.objects import Objects
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import GRANT, Pair, ask, is_refused, is_served

Act = Callable[[Tenant], set[str]]


def rotated(tenant: Tenant) -> set[str]:
    """With an overlap and without."""
    tenant.issue(rotation={"overlap": "1s"})
    for overlap in ("1s", None):
        before = tenant.pair()
        tenant.change("AgentCredential", rotation={"requestedAt": in_time(), "overlap": overlap})
        tenant.another_pair(before)
        eventually("it is served", lambda: is_served(tenant.pair()))
    return set()


def damaged(tenant: Tenant) -> set[str]:
    """The Secret is edited, stripped and removed."""
    before, planted = tenant.issue(), f"sk_live_{secrets.token_hex(16)}"
    edit(tenant, {"data": {"client_secret": base64.b64encode(planted.encode()).decode()}})
    eventually("the value is another one", lambda: tenant.pair().client_secret not in {planted, before.client_secret})
    edit(tenant, {"metadata": {"ownerReferences": None, "annotations": None}, "data": {"issuer": None}})
    eventually("it is repaired", lambda: tenant.get("Secret")["metadata"].get("ownerReferences"))
    tenant.remove("Secret")
    eventually("it is back", lambda: tenant.find("Secret"))
    return {planted}


def refused_by_the_api_server(tenant: Tenant) -> set[str]:
    """Somebody makes the Secret immutable and holds it by a finalizer, so it is neither changed nor replaced."""
    tenant.issue()
    edit(tenant, {"immutable": True, "metadata": {"finalizers": ["example.com/hold"]}})
    tenant.change("AgentCredential", rotation={"requestedAt": in_time()})
    eventually("the status says so", lambda: delivery_reason(tenant) == "Refused")
    edit(tenant, {"metadata": {"finalizers": None}})
    return set()


def over_quota(tenant: Tenant) -> set[str]:
    """The namespace may have no Secret."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": NAME}, "spec": {"hard": {"secrets": "0"}}}
    tenant.objects.create(quota, tenant.namespace)
    eventually("the quota is in force", lambda: tenant.get("ResourceQuota").get("status", {}).get("hard"))
    tenant.create("Agent")
    tenant.create("AgentCredential")
    eventually("the status says so", lambda: delivery_reason(tenant) == "Refused")
    return set()


def in_the_way(tenant: Tenant) -> set[str]:
    """A Secret of somebody else has the name."""
    theirs = secrets.token_hex(16)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": {"client_secret": theirs}}
    tenant.objects.create(secret, tenant.namespace)
    tenant.create("Agent")
    tenant.create("AgentCredential")
    tenant.until("AgentCredential", "SecretNotOwned")
    return {theirs}


def ended(tenant: Tenant) -> set[str]:
    """In every way there is."""
    tenant.issue()
    tenant.issue("second", expiresAt=in_time(seconds=2))
    tenant.issue("third")
    tenant.change("Agent", state="Suspended")
    tenant.until("AgentCredential", "AgentSuspended")
    tenant.change("Agent", state="Active")
    tenant.until("AgentCredential", "Issued")
    tenant.change("AgentCredential", state="Revoked")
    tenant.until("AgentCredential", "CredentialRevoked")
    tenant.until("AgentCredential", "CredentialExpired", "second")
    tenant.change("Agent", state="Decommissioned")
    tenant.until("AgentCredential", "AgentDecommissioned", "third")
    return set()


def provided(tenant: Tenant) -> set[str]:
    """The plaintext is with its owner, who uses it."""
    issued, own = tenant.issue(), secrets.token_urlsafe(24)
    hashed = bcrypt.hashpw(own.encode(), bcrypt.gensalt(10)).decode()
    tenant.create("AgentCredential", "provided", secretHash={"hash": hashed})
    eventually("it is served", lambda: is_served(issued._replace(client_secret=own)))
    return {own}


def misused(tenant: Tenant) -> set[str]:
    """Requests with the right secret in every wrong place, and with one that is nearly right."""
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    nearly = pair._replace(client_secret=pair.client_secret[:-1] + "x")
    eventually("it is refused", lambda: is_refused(nearly))
    for answer in misuses(pair):
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answer.text
    assert is_served(pair)
    return set()


def misuses(pair: Pair) -> list[httpx.Response]:
    """The answers to what people and their tools get wrong."""
    url, client_id, secret = pair.token_endpoint, pair.client_id, pair.client_secret
    base = urlsplit(url)._replace(path="").geturl()
    form = GRANT | {"client_id": client_id, "client_secret": secret}
    doubled = f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}&client_secret={secret}"
    encoded = base64.b64encode(f"{client_id}:{secret}".encode() + b"\xff").decode()
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(timeout=30) as client:
        return [
            ask(pair._replace(client_id=secret, client_secret=client_id)),
            ask(pair._replace(client_id=secret)),
            ask(pair._replace(client_id="")),
            ask(pair, client_id=client_id, client_secret=secret),
            ask(pair, scope=secret),
            ask(pair, resource=secret),
            ask(pair, grant_type=secret),
            client.post(url, data=form | {"client_id": secret}),
            client.post(url, content=doubled, headers=as_form),
            client.post(url, content=f"{secret}={secret}", headers=as_form),
            client.post(url, content=secret * 25_000, headers=as_form),
            client.post(url, json=form),
            client.post(url, params=form),
            client.get(url, params=form),
            client.post(f"{url}/{secret}", data=form),
            client.put(f"{url}?{secret}"),
            client.post(url, data=GRANT, headers={"Authorization": f"Basic {encoded}"}),
            client.post(url, data=GRANT, headers={"Authorization": f"Basic {secret}"}),
            client.post(url, data=GRANT, headers={"Authorization": f"Bearer {secret}", "Cookie": secret, "User-Agent": secret}),
            client.post(f"{url}/introspect", data=form | {"token": secret}),
            client.post(f"{url}/revoke", data=form | {"token": secret}),
            client.get(f"{base}/{secret}"),
        ]


ACTS = (rotated, damaged, refused_by_the_api_server, over_quota, in_the_way, ended, provided, misused)
ACTS_THAT_ARE_LOGGED = (damaged, refused_by_the_api_server, over_quota, misused)


def live(acts: Iterable[Act], objects: Objects) -> set[str]:
    """One after the other, each with a tenant of its own."""
    return set().union(*(act(Tenant.new(objects)) for act in acts))


def edit(tenant: Tenant, changes: dict[str, object]) -> None:
    """Change the Secret, as anybody who may write it can."""
    tenant.objects.change("Secret", NAME, changes, tenant.namespace)


def delivery_reason(tenant: Tenant) -> str | None:
    """Why the Secret does not hold the pair."""
    found = condition_of(tenant.get("AgentCredential"), "SecretDelivered")
    return found["reason"] if found else None


def in_time(**after: float) -> str:
    """Now, or so much later, as manifests write it."""
    return (datetime.now(UTC) + timedelta(**after)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

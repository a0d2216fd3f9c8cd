"""Status, events, `kubectl agentidp` and the token service tell one story, on a real API server (concepts.md).

Each state is one tenant. Status and plugin are compared with the answer to a token request with what the Secret holds: with an
operator that has settled, and while none runs.
"""

import json
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import pytest

from devcluster.cluster import ControlPlane
from devcluster.programs import OPERATOR, Programs
from tests.support.crd_schema import Manifest
from tests.support.manifests import BCRYPT, a_resource
from tests.support.objects import Objects, path_of
from tests.support.on_call import KubectlWithPlugins
from tests.support.tenants import NAME, Tenant, condition_of
from tests.support.waiting import eventually
from tests.support.workload import Pair, ask, is_refused, is_served

pytestmark = pytest.mark.usefixtures("programs")

FINALIZER = "tests.example/keep"
WORKLOAD_ONLY = {"credentialPolicy": "WorkloadOnly", "workloads": [{"serviceAccountName": NAME}]}


def in_time(**after: float) -> str:
    """Now, or so much later, as manifests write it."""
    return (datetime.now(UTC) + timedelta(**after)).strftime("%Y-%m-%dT%H:%M:%SZ")


def change(kind: str, **spec: Any) -> Callable[[Tenant], None]:
    """Change these fields of the spec."""
    return lambda tenant: void(tenant.change(kind, **spec))


def void(_: object) -> None:
    """What is done for its effect."""


def delete(kind: str) -> Callable[[Tenant], None]:
    """Delete it, while a finalizer keeps it."""

    def kept(tenant: Tenant) -> None:
        tenant.objects.change(kind, NAME, {"metadata": {"finalizers": [FINALIZER]}}, tenant.namespace)
        tenant.remove(kind)

    return kept


def expel(tenant: Tenant) -> None:
    """Its organization admits the namespace no more."""
    tenant.objects.change("Organization", tenant.namespace, {"spec": {"namespaces": ["elsewhere"]}})


def dissolve(tenant: Tenant) -> None:
    """Its organization is deleted."""
    tenant.objects.remove("Organization", tenant.namespace)


STATES: dict[str, tuple[Callable[[Tenant], None], str | None]] = {
    "nothing happened": (lambda _: None, None),
    "the agent is suspended": (change("Agent", state="Suspended"), "AgentSuspended"),
    "the agent is decommissioned": (change("Agent", state="Decommissioned"), "AgentDecommissioned"),
    "the agent takes no secrets": (change("Agent", **WORKLOAD_ONLY), "SecretsNotAllowed"),
    "the agent is being deleted": (delete("Agent"), "AgentNotReady"),
    "the agent's tokens are valid from 2090 on": (
        change("Agent", tokensValidAfter="2090-01-01T00:00:00Z"),
        "TokensNotValidYet",
    ),
    "the agent's tokens are valid from a minute ago on": (change("Agent", tokensValidAfter=in_time(minutes=-1)), None),
    "the organization admits the agent no more": (expel, "AgentNotReady"),
    "the organization is deleted": (dissolve, "AgentNotReady"),
    "the credential is revoked": (change("AgentCredential", state="Revoked"), "CredentialRevoked"),
    "the credential has expired": (change("AgentCredential", expiresAt="2026-01-01T00:00:00Z"), "CredentialExpired"),
    "the credential is being deleted": (delete("AgentCredential"), "CredentialDeleted"),
}


@pytest.fixture(scope="module")
def plugin(cluster: ControlPlane) -> Callable[[Tenant], Manifest]:
    """What `kubectl agentidp status -o json` tells an admin of a tenant's credential."""
    kubectl = KubectlWithPlugins(cluster.kubeconfig, cluster.access.kubectl_cache)

    def told(tenant: Tenant) -> Manifest:
        report = json.loads(kubectl("agentidp", "status", "-o", "json", "-n", tenant.namespace).stdout)
        (credential,) = report["credentials"]
        standing: Manifest = credential["standing"]
        return standing

    return told


def works(objects: Objects) -> tuple[Tenant, Pair]:
    """A tenant with an organization, whose credential works."""
    tenant = Tenant.new(objects)
    objects.create(a_resource("Organization", {"namespaces": [tenant.namespace]}, tenant.namespace))
    tenant.create("Agent", organizationId=tenant.namespace)
    pair = tenant.issue()
    eventually("it is served", lambda: is_served(pair))
    return tenant, pair


def release(tenant: Tenant) -> None:
    """What finalizers keep goes."""
    for kind in ("Agent", "AgentCredential"):
        if tenant.find(kind):
            tenant.objects.change(kind, NAME, {"metadata": {"finalizers": None}}, tenant.namespace)


@pytest.fixture
def settled(objects: Objects) -> Iterator[tuple[Tenant, Pair]]:
    """One that works."""
    tenant, pair = works(objects)
    yield tenant, pair
    release(tenant)


@pytest.mark.parametrize("what", STATES)
def test_ready_is_so_when_the_operator_has_settled(
    what: str, settled: tuple[Tenant, Pair], plugin: Callable[[Tenant], Manifest]
) -> None:
    """The reason is in the status, and the plugin repeats it."""
    (tenant, pair), (happen, reason) = settled, STATES[what]
    happen(tenant)
    credential = tenant.until("AgentCredential", reason or "Issued")
    eventually("the token service decides so", lambda: is_served(pair), lambda served: served is (reason is None))
    ready, told = condition_of(credential), plugin(tenant)
    assert ready
    assert (ready["status"] == "True", told["ready"]) == (reason is None, reason is None)
    assert told["reason"] == ready["reason"]


def test_the_plugin_is_right_while_no_operator_runs(
    objects: Objects, programs: Programs, plugin: Callable[[Tenant], Manifest]
) -> None:
    """The status still says that the credential works; the token service and the plugin go by the spec."""
    tenants = {what: works(objects) for what in STATES}
    programs.stop(OPERATOR.name)
    told: dict[str, tuple[bool, bool, str]] = {}
    try:
        for what, (tenant, pair) in tenants.items():
            happen, reason = STATES[what]
            happen(tenant)
            expected = reason is None
            eventually("the token service decides so", partial(is_served, pair), expected.__eq__)
            recorded = condition_of(tenant.get("AgentCredential")) or {}
            told[what] = (expected, plugin(tenant)["ready"], recorded["reason"])
    finally:
        programs.start(OPERATOR.name)
        for tenant, _ in tenants.values():
            release(tenant)
    assert told == {what: (reason is None, reason is None, "Issued") for what, (_, reason) in STATES.items()}


def test_tokens_are_given_when_their_time_has_come_without_an_operator(
    settled: tuple[Tenant, Pair], programs: Programs
) -> None:
    """TokensNotValidYet refuses nobody: the time in the spec does, and the answer has it (concepts.md)."""
    tenant, pair = settled
    tenant.change("Agent", tokensValidAfter=in_time(seconds=40))
    tenant.until("AgentCredential", "TokensNotValidYet")
    eventually("it is told", lambda: ("Agent", "TokensNotValidYet") in tenant.story())
    programs.stop(OPERATOR.name)
    try:
        answer = ask(pair)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["error"] == "unauthorized_client"
        eventually("its time has come", lambda: is_served(pair), within=90)
    finally:
        programs.start(OPERATOR.name)
    tenant.until("AgentCredential", "Issued")


@pytest.mark.parametrize(
    ("ahead", "warned"), [(timedelta(), False), (timedelta(minutes=50), False), (timedelta(days=900), True)]
)
def test_a_kill_switch_far_ahead_is_warned_of(ahead: timedelta, warned: bool, tenant: Tenant) -> None:
    """Before anybody finds out that it cannot be moved back (concepts.md): kubectl prints what the API server says."""
    tenant.create("Agent")
    spec = {"tokensValidAfter": (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")}
    headers = {"Content-Type": "application/merge-patch+json"}
    path = path_of("Agent", tenant.namespace, NAME)
    answer = tenant.objects.ask("PATCH", path, json={"spec": spec}, headers=headers)
    assert answer.is_success, answer.text
    assert ("more than an hour ahead" in answer.headers.get("Warning", "")) is warned
    again = tenant.objects.ask("PATCH", path, json={"metadata": {"labels": {"a": "b"}}}, headers=headers)
    assert "Warning" not in again.headers


def test_resuming_and_a_later_end_are_told(settled: tuple[Tenant, Pair]) -> None:
    """The last event is about the present state, also where the same was told minutes ago."""
    tenant, _ = settled
    tenant.change("Agent", state="Suspended")
    tenant.until("AgentCredential", "AgentSuspended")
    tenant.change("Agent", state="Active")
    tenant.until("AgentCredential", "Issued")
    for kind, reason in (("Agent", "Registered"), ("AgentCredential", "Issued")):
        eventually(f"{kind} has {reason} twice", partial(told_times, tenant, kind, reason), lambda times: times == 2)
    tenant.change("AgentCredential", expiresAt=in_time(hours=1))
    eventually("the end is in the status", lambda: tenant.get("AgentCredential")["status"].get("expiresAt"))
    tenant.change("AgentCredential", expiresAt=in_time(hours=2))
    eventually("the later end is told", lambda: told_times(tenant, "AgentCredential", "ExpiryPostponed"))


def told_times(tenant: Tenant, kind: str, reason: str) -> int:
    """How many events about objects of this kind have this reason."""
    events = tenant.objects.list("Event", tenant.namespace)
    return sum(event["regarding"]["kind"] == kind and event["reason"] == reason for event in events)


@pytest.mark.parametrize("name", ["a" * 230 + "-" + "b" * 10, "a" * 229 + ".b" * 5])
def test_a_long_name_has_events(tenant: Tenant, name: str) -> None:
    """An Event's name is made of the object's."""
    tenant.create("Agent")
    tenant.create("AgentCredential", name, secret={"name": "short"})
    tenant.until("AgentCredential", "Issued", name)
    eventually("it is told", lambda: tenant.story(name))


@pytest.mark.parametrize("repetition", range(10))
def test_a_limit_of_one_credential_is_kept_in_one_apply(
    repetition: int, tenant: Tenant, objects: Objects, programs: Programs
) -> None:
    """`limits.credentialsPerAgent: 1` (tenancy.md), whichever credential is seen first, and whenever the operator ends."""
    limits = {"namespaces": [tenant.namespace], "limits": {"credentialsPerAgent": 1}}
    objects.create(a_resource("Organization", limits, tenant.namespace))
    names = [f"{secrets.token_hex(3)}-{number}" for number in range(3)]
    tenant.create("Agent", organizationId=tenant.namespace)
    for name in random.sample(names, 3):
        tenant.create("AgentCredential", name)
    if repetition > 7:
        programs.kill(OPERATOR.name)
        programs.start(OPERATOR.name)
    decided = ["CredentialLimitReached", "CredentialLimitReached", "Issued"]
    eventually("all are decided", lambda: sorted(reasons(tenant, names), key=str), decided.__eq__)
    assert len([name for name in names if tenant.find("Secret", name)]) == 1
    assert sum(len(tenant.get("AgentCredential", name)["status"].get("secretHashes", ())) for name in names) == 1


@pytest.mark.parametrize("kind", ["Agent", "AgentCredential"])
def test_a_limit_of_two_is_kept_by_twenty_that_are_created_in_parallel(
    kind: str, tenant: Tenant, objects: Objects, cluster: ControlPlane
) -> None:
    """`limits.agents` and `limits.credentialsPerAgent` (tenancy.md); the credentials declare a hash."""
    limits = {"namespaces": [tenant.namespace], "limits": {"agents": 2, "credentialsPerAgent": 2}}
    objects.create(a_resource("Organization", limits, tenant.namespace))
    spec: dict[str, Any] = {"organizationId": tenant.namespace}
    if kind == "AgentCredential":
        tenant.create("Agent", **spec)
        tenant.until("Agent", "Registered")
        spec = {"secretHash": {"hash": BCRYPT}}
    names = [f"{secrets.token_hex(3)}-{number}" for number in range(20)]

    def create(name: str) -> None:
        with Objects(cluster.kubeconfig) as own:
            Tenant(own, tenant.namespace).create(kind, name, **spec)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(create, names))
    full, has_place = (
        ("CredentialLimitReached", "Provided") if kind == "AgentCredential" else ("OrganizationLimitReached", "Registered")
    )
    decided = sorted([full] * 18 + [has_place] * 2)
    eventually("all are decided", lambda: sorted(reasons(tenant, names, kind), key=str), decided.__eq__)


def reasons(tenant: Tenant, names: list[str], kind: str = "AgentCredential") -> list[str | None]:
    """The reason that each credential has for being ready or not."""
    return [(condition_of(tenant.get(kind, name)) or {}).get("reason") for name in names]


@pytest.mark.parametrize(("what", "reason"), [("deleted", "SecretMissing"), ("changed", "SecretDrifted")])
def test_a_secret_that_is_undone_is_not_ready_until_it_is_repaired(
    what: str, reason: str, settled: tuple[Tenant, Pair]
) -> None:
    """Each repair waits longer (concepts.md, Drift); meanwhile Ready says what whoever reads the Secret gets."""
    tenant, _ = settled
    with tenant.objects.watch("AgentCredential", tenant.namespace) as changes:
        next(changes)
        for _ in range(3):
            if what == "deleted":
                tenant.remove("Secret")
            else:
                tenant.objects.change("Secret", NAME, {"data": {"client_secret": "AAAA"}}, tenant.namespace)
            told: set[tuple[str, str]] = set()
            while not {("False", reason), ("True", "Issued")} <= told:
                ready = condition_of(next(changes).object) or {}
                told |= {(ready["status"], ready["reason"])} if ready["status"] == "False" or told else set()
    pair = tenant.pair()
    eventually("it is served", lambda: is_served(pair))


def test_end_overlaps_ends_what_an_earlier_rotation_keeps(settled: tuple[Tenant, Pair], cluster: ControlPlane) -> None:
    """After a leak: one command, and the very first secret is refused, whatever overlap was declared (rotation.md)."""
    tenant, first = settled
    kubectl = KubectlWithPlugins(cluster.kubeconfig, cluster.access.kubectl_cache)
    kubectl("agentidp", "rotate", NAME, "--overlap=24h", "--wait", "-n", tenant.namespace)
    done = kubectl("agentidp", "rotate", NAME, "--overlap=0s", "--wait", "-n", tenant.namespace)
    assert "The former one is not accepted any more. An older one, made at " in done.stderr
    assert is_served(first)
    done = kubectl("agentidp", "rotate", NAME, "--end-overlaps", "--wait", "-n", tenant.namespace)
    assert done.stderr.endswith("The former one is not accepted any more.\n")
    eventually("the first secret is refused", lambda: is_refused(first))


def test_scopes_that_the_organization_forbids_are_told(settled: tuple[Tenant, Pair], objects: Objects) -> None:
    """Tokens leave them out; whoever declared them reads it in the status."""
    tenant, _ = settled
    tenant.change("Agent", scopes=["a:read", "b:read"])
    objects.change("Organization", tenant.namespace, {"spec": {"allowedScopes": ["a:read"]}})
    agent = eventually("it is told", lambda: tenant.get("Agent"), lambda seen: condition_of(seen, "ScopesAllowed") is not None)
    told = condition_of(agent, "ScopesAllowed")
    assert told
    assert (told["status"], told["reason"]) == ("False", "ScopesForbidden")
    assert "b:read" in told["message"]
    objects.change("Organization", tenant.namespace, {"spec": {"allowedScopes": ["a:read", "b:read"]}})
    eventually("it is allowed", lambda: (condition_of(tenant.get("Agent"), "ScopesAllowed") or {})["status"] == "True")

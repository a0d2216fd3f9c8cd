"""The main job, as a workload in a cluster sees it."""

from devcluster.install import NAMESPACE
from tests.support.pods import Pods, mounted_at
from tests.support.releases import Release
from tests.support.rotations import request_rotations, until_rotated
from tests.support.tenants import NAME, Tenant
from tests.support.waiting import eventually

# The chart's usagePoll is 30 s; two polls, and a busy machine.
USAGE_SECONDS = 150.0


def test_a_pod_with_a_mounted_secret_gets_a_token_that_verifies(tenant: Tenant, pods: Pods) -> None:
    """Through the Service, by its name, with nothing but the files; a resource server finds the keys by the issuer."""
    tenant.issue()
    pod = pods.start("verifying", "/workloads/verifying.py", mounted_at(NAME), secrets=(NAME,))
    claims = pod.until_it_ends()
    assert claims["sub"] == tenant.get("Agent")["status"]["agentId"]
    assert claims["credential_id"] == tenant.get("AgentCredential")["metadata"]["uid"]
    assert claims["iss"] == f"http://agentidp-token-service.{NAMESPACE}.svc"


def test_a_pod_waits_for_a_secret_that_is_declared_after_it(tenant: Tenant, pods: Pods) -> None:
    """Applied in one go, in any order: no hook and no init container is needed."""
    pod = pods.start("verifying", "/workloads/verifying.py", mounted_at(NAME), secrets=(NAME,))
    tenant.issue()
    assert pod.until_it_ends()["sub"] == tenant.get("Agent")["status"]["agentId"]


def test_the_operator_learns_from_all_replicas_which_secrets_are_in_use(tenant: Tenant) -> None:
    """An old secret goes only when every replica has said that it is not used; the cluster's DNS tells where they are."""
    tenant.issue(rotation={"overlap": "5s", "retire": "WhenUnused", "maxOverlap": "24h"})
    request_rotations(tenant)
    until_rotated(tenant)
    eventually(
        "the old secret is retired",
        lambda: tenant.get("AgentCredential")["status"]["secretHashes"],
        lambda hashes: len(hashes) == 1,
        within=USAGE_SECONDS,
    )


def test_helm_test_passes(release: Release) -> None:
    """In the release's own namespace, as a person runs it after an installation."""
    assert "Succeeded" in release.helm("test", "agentidp")
